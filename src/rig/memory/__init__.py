"""The memory: every frame once, and goals pretended afterwards. NumPy only."""
