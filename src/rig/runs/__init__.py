"""A run on disk: directory, checkpoint files, settings."""
