"""Recordings: LeRobot datasets and videos, read and written without PyTorch."""
