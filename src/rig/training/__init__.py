"""The training loop (RIG's algorithm 1) and what it measures."""
