"""What runs call a robot."""

from pathlib import Path


def task_name(path: str) -> str:
    """Return what runs call the robot of a TOML file: ``robot/so101``."""
    return f"robot/{Path(path).stem}"
