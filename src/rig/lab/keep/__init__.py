"""What is kept of a run, and what keeps it whole: files, checkpoints, memory, provenance."""
