"""Write episodes as a LeRobot dataset, version 3.0: Parquet and MP4.

An episode of T actions has T + 1 frames. It is stored as T + 1 rows. The last row's action is
0, and its ``next.done`` is true: nobody took that action.
"""

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from rig.datasets.format import (
    ACTION,
    DATA_PATH,
    DONE,
    EPISODES_PATH,
    IMAGE,
    INDEX_COLUMNS,
    INFO_PATH,
    ROBOT_TYPE,
    STATS_PATH,
    TASKS_PATH,
    VERSION,
    VIDEO_PATH,
    pyarrow,
)
from rig.datasets.statistics import RunningStats
from rig.datasets.video_file import CODEC, PIXEL_FORMAT, VideoWriter
from rig.errors import RecordingError
from rig.runs.atomic_files import write_json


FIRST_FILE = {"chunk_index": 0, "file_index": 0}
"""All data and all frames are in one file each."""


class DatasetWriter:
    """A new dataset, which is complete once it is closed."""

    def __init__(self, directory: Path, env: str, sentence: str, fps: int) -> None:
        """Create the directory.

        Args:
            directory: Must be new or empty.
            env: The environment that the actions are for.
            sentence: What LeRobot calls the task, in words.
            fps: Frames per second.

        Raises:
            RecordingError: The directory is not empty, or pyarrow is not installed.
        """
        pyarrow("parquet")
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise RecordingError(f"{directory} exists and is not empty: choose another --out")
        self._directory, self._sentence, self._fps = directory, sentence, fps
        self._robot_type = ROBOT_TYPE.format(env=env)
        self._video: VideoWriter | None = None
        self._shape: tuple[int, ...] = ()
        self._actions: list[np.ndarray] = []
        self._num_frames: list[int] = []
        self._stats = RunningStats()

    def add(
        self,
        images: UInt8[np.ndarray, "frames H W 3"],
        actions: Float32[np.ndarray, "actions action"],
    ) -> None:
        """Add an episode of T actions and T + 1 images.

        Raises:
            RecordingError: The numbers don't fit, or the images' size is odd or changes.
        """
        if len(images) != len(actions) + 1:
            raise RecordingError(
                f"{len(actions)} actions need one image more, got {len(images)}"
            )
        self._check_shape(images)
        assert self._video is not None
        for image in images:
            self._video.add(image)
            self._stats.add(image)
        last = np.zeros((1, actions.shape[1]), np.float32)
        self._actions.append(np.concatenate([actions, last]))
        self._num_frames.append(len(images))

    def __enter__(self) -> "DatasetWriter":
        """Begin to write."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Complete the dataset with the episodes that it has, even after an error."""
        self.close()

    def close(self) -> None:
        """Write the tables; a dataset without an episode is not written."""
        if self._video is None:
            return
        self._video.close()
        self._video = None
        self._write_rows()
        self._write_episodes()
        self._write_tasks()
        stats = {IMAGE: self._stats.image(), ACTION: self._stats.rows(self._taken)}
        write_json(self._path(STATS_PATH), stats)
        write_json(self._path(INFO_PATH), self._info())

    @property
    def _taken(self) -> np.ndarray:
        """All actions that were taken."""
        return np.concatenate([actions[:-1] for actions in self._actions])

    def _path(self, name: str) -> Path:
        path = self._directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _check_shape(self, images: np.ndarray) -> None:
        """Open the video at the first images; later ones must have their shape."""
        shape = images.shape[1:]
        if self._video is None:
            path = self._path(VIDEO_PATH.format(video_key=IMAGE, **FIRST_FILE))
            self._shape = shape
            self._video = VideoWriter(path, self._fps, *shape[:2])
        if shape != self._shape:
            raise RecordingError(f"images of shape {shape} don't fit a video of {self._shape}")

    def _write_rows(self) -> None:
        arrow, parquet = pyarrow(""), pyarrow("parquet")
        actions, counts = np.concatenate(self._actions), np.array(self._num_frames)
        frame_index = np.concatenate([np.arange(num) for num in counts])
        is_last = np.isin(np.arange(len(actions)), np.cumsum(counts) - 1)
        indices = (
            frame_index,
            np.repeat(np.arange(len(counts)), counts),
            np.arange(len(actions)),
            np.zeros(len(actions)),
        )
        columns = {
            ACTION: arrow.FixedSizeListArray.from_arrays(actions.ravel(), actions.shape[1]),
            DONE: arrow.array(is_last),
            "timestamp": arrow.array((frame_index / self._fps).astype(np.float32)),
            **{
                name: arrow.array(values.astype(np.int64))
                for name, values in zip(INDEX_COLUMNS, indices, strict=True)
            },
        }
        path = self._path(DATA_PATH.format(**FIRST_FILE))
        parquet.write_table(arrow.table(columns), path)

    def _write_episodes(self) -> None:
        arrow, parquet = pyarrow(""), pyarrow("parquet")
        ends = np.cumsum(self._num_frames)
        starts, num = ends - self._num_frames, len(ends)
        zeros, video = np.zeros(num, np.int64), f"videos/{IMAGE}"
        columns = {
            "episode_index": np.arange(num),
            "tasks": [[self._sentence]] * num,
            "length": self._num_frames,
            "data/chunk_index": zeros,
            "data/file_index": zeros,
            "dataset_from_index": starts,
            "dataset_to_index": ends,
            f"{video}/chunk_index": zeros,
            f"{video}/file_index": zeros,
            f"{video}/from_timestamp": starts / self._fps,
            f"{video}/to_timestamp": ends / self._fps,
            "meta/episodes/chunk_index": zeros,
            "meta/episodes/file_index": zeros,
        }
        parquet.write_table(arrow.table(columns), self._path(EPISODES_PATH))

    def _write_tasks(self) -> None:
        arrow, parquet = pyarrow(""), pyarrow("parquet")
        table = arrow.table({"task_index": [0], "task": [self._sentence]})
        parquet.write_table(
            table.replace_schema_metadata(pandas_index()), self._path(TASKS_PATH)
        )

    def _info(self) -> dict[str, Any]:
        total, num = int(np.sum(self._num_frames)), len(self._num_frames)
        return {
            "codebase_version": VERSION,
            "robot_type": self._robot_type,
            "total_episodes": num,
            "total_frames": total,
            "total_tasks": 1,
            "chunks_size": 1000,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "fps": self._fps,
            "splits": {"train": f"0:{num}"},
            "data_path": DATA_PATH,
            "video_path": VIDEO_PATH,
            "features": self._features(),
        }

    def _features(self) -> dict[str, Any]:
        height, width, channels = self._shape
        size = self._actions[0].shape[1]
        video = {
            "video.height": height,
            "video.width": width,
            "video.codec": "h264" if CODEC == "libx264" else CODEC,
            "video.pix_fmt": PIXEL_FORMAT,
            "video.is_depth_map": False,
            "video.fps": self._fps,
            "video.channels": channels,
            "has_audio": False,
        }
        image = {
            "dtype": "video",
            "shape": list(self._shape),
            "names": ["height", "width", "channels"],
            "info": video,
        }
        one = {"shape": [1], "names": None}
        names = [f"action_{index}" for index in range(size)]
        return {
            IMAGE: image,
            ACTION: {"dtype": "float32", "shape": [size], "names": names},
            DONE: {"dtype": "bool", **one},
            "timestamp": {"dtype": "float32", **one},
            **{name: {"dtype": "int64", **one} for name in INDEX_COLUMNS},
        }


def pandas_index() -> dict[str, str]:
    """Return what a Parquet file says to pandas: its index is the column ``task``."""
    from rig.runs.atomic_files import json_bytes

    columns = [
        {
            "name": name,
            "field_name": name,
            "pandas_type": kind,
            "numpy_type": "object" if kind == "unicode" else kind,
            "metadata": None,
        }
        for name, kind in (("task_index", "int64"), ("task", "unicode"))
    ]
    about = {"index_columns": ["task"], "column_indexes": [], "columns": columns}
    return {"pandas": json_bytes(about | {"pandas_version": "2.0"}).decode()}
