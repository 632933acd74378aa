"""Compare runs: statistics over seeds, tables, curves, kept results."""
