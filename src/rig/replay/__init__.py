"""Replay buffer and relabelling. NumPy only."""
