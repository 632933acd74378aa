"""The names and paths of LeRobot's dataset format, version 3.0.

Source: the format itself, https://huggingface.co/docs/lerobot/lerobot-dataset-v3.
"""

from importlib import import_module
from typing import Any

from rig.errors import RecordingError


VERSION = "v3.0"
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_FOLDER, EPISODES_PATH = "meta/episodes", "meta/episodes/chunk-000/file-000.parquet"
INFO_PATH, STATS_PATH, TASKS_PATH = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"

IMAGE, ACTION, DONE = "observation.images.camera", "action", "next.done"
"""What we write besides the columns of every dataset."""
INDEX_COLUMNS = ("frame_index", "episode_index", "index", "task_index")
ROBOT_TYPE = "rig:{env}"
"""The robot type of our own recordings: their actions are those of this environment."""


def pyarrow(module: str) -> Any:
    """Return a module of pyarrow, as ``parquet``.

    Raises:
        RecordingError: It is not installed.
    """
    try:
        return import_module(f"pyarrow.{module}" if module else "pyarrow")
    except ModuleNotFoundError as error:
        raise RecordingError(
            "LeRobot datasets need pyarrow: pip install 'imagined-goals[datasets]'"
        ) from error
