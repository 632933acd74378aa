"""Studies: many runs, planned in a file, run side by side, indexed and compared."""
