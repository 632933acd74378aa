"""Read a LeRobot dataset, version 3.0, of anyone: images and, of our own, actions."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from PIL import Image as PillowImage

from rig.datasets.format import (
    ACTION,
    DATA_PATH,
    DONE,
    EPISODES_FOLDER,
    INFO_PATH,
    VERSION,
    VIDEO_PATH,
    pyarrow,
)
from rig.datasets.video_file import Image, read_frames, rgb
from rig.errors import RecordingError, RunError, suggest
from rig.runs.atomic_files import read_json


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeSpan:
    """Where an episode's frames are."""

    video: Path
    """The video with the frames; the data file where images are in the table itself."""
    first: int
    """The first frame of the episode in that file."""
    num_frames: int
    first_row: int
    """The first row of the episode in the whole dataset."""


class LeRobotDataset:
    """A dataset's description, and one of its cameras."""

    def __init__(self, directory: Path, camera: str = "") -> None:
        """Open a dataset.

        Args:
            directory: Contains ``meta/info.json``.
            camera: Part of the name of an image feature; empty if there is only one.

        Raises:
            RecordingError: It is of another version, damaged, or has no such camera.
        """
        self.directory = directory
        try:
            self.info: dict[str, Any] = read_json(directory / INFO_PATH)
        except RunError as error:
            raise RecordingError(str(error)) from error
        version = self.info.get("codebase_version")
        if version != VERSION:
            raise RecordingError(
                f"{directory} is a LeRobot dataset of version {version}: convert it to "
                f"{VERSION} with LeRobot's own script"
            )
        self.features: dict[str, Any] = self.info.get("features", {})
        self.camera = find_camera(self.features, camera, directory)
        self.is_video = self.features[self.camera]["dtype"] == "video"
        self.spans = self._find_spans()

    @property
    def robot_type(self) -> str:
        """What the dataset says that its actions are for."""
        return str(self.info.get("robot_type"))

    def images(self, wanted: np.ndarray) -> Iterator[Image]:
        """Yield some frames in order, each as large as it was recorded.

        Args:
            wanted: Rows of the whole dataset, in increasing order.

        Raises:
            RecordingError: A file is missing, damaged, or shorter than its description.
        """
        files = dict.fromkeys(span.video for span in self.spans)
        for file in files:
            frames = {
                span.first + row - span.first_row
                for span in self.spans
                if span.video == file
                for row in rows_inside(wanted, span)
            }
            yield from self._images_of(file, frames)

    def actions(self) -> tuple[Float32[np.ndarray, "rows action"], np.ndarray]:
        """Return every row's action, and whether an episode ends there.

        Raises:
            RecordingError: There are none, or a file is damaged.
        """
        if ACTION not in self.features:
            raise RecordingError(f"{self.directory} has no actions")
        tables = [read_table(path) for path in self._data_files()]
        rows = [np.stack(table[ACTION].to_numpy()) for table in tables]
        if DONE not in self.features:
            return np.concatenate(rows).astype(np.float32), np.empty(0, bool)
        ends = [table[DONE].to_numpy() for table in tables]
        return np.concatenate(rows).astype(np.float32), np.concatenate(ends).astype(bool)

    def _find_spans(self) -> list[EpisodeSpan]:
        paths = sorted((self.directory / EPISODES_FOLDER).rglob("*.parquet"))
        if not paths:
            raise RecordingError(
                f"{self.directory}/{EPISODES_FOLDER} has no file: it is damaged"
            )
        rows = [row for path in paths for row in read_table(path).to_pylist()]
        try:
            return [self._span_of(row) for row in rows]
        except (KeyError, TypeError) as error:
            raise RecordingError(f"{paths[0]} has no {error}: it is damaged") from error

    def _span_of(self, row: dict[str, Any]) -> EpisodeSpan:
        """Return where an episode is. Its place in a video is given in seconds."""
        first_row = int(row["dataset_from_index"])
        num_frames = int(row["dataset_to_index"]) - first_row
        if self.is_video:
            key = f"videos/{self.camera}"
            name = self.info.get("video_path", VIDEO_PATH).format(
                video_key=self.camera,
                chunk_index=row[f"{key}/chunk_index"],
                file_index=row[f"{key}/file_index"],
            )
            first = round(row[f"{key}/from_timestamp"] * float(self.info["fps"]))
        else:
            chunk, file = row["data/chunk_index"], row["data/file_index"]
            template = self.info.get("data_path", DATA_PATH)
            name, first = template.format(chunk_index=chunk, file_index=file), first_row
        return EpisodeSpan(
            video=self.directory / name,
            first=first,
            num_frames=num_frames,
            first_row=first_row,
        )

    def _images_of(self, file: Path, frames: set[int]) -> Iterator[Image]:
        if not frames:
            return
        if not file.is_file():
            raise RecordingError(f"{file} is missing: the dataset is not complete")
        found = 0
        for index, image in self._numbered(file):
            if index in frames:
                found += 1
                yield image()
            if found == len(frames):
                return
        raise RecordingError(f"{file} has fewer frames than its description: it is damaged")

    def _numbered(self, file: Path) -> Iterator[tuple[int, Any]]:
        """Yield each frame's number in a file, and a function that returns the image."""
        if self.is_video:
            for index, frame in enumerate(read_frames(file)):
                yield index, lambda frame=frame: rgb(frame)
            return
        table = read_table(file)
        for index, cell in zip(table["index"].to_pylist(), table[self.camera], strict=True):
            yield index, lambda cell=cell: decoded(cell.as_py(), file)

    def _data_files(self) -> list[Path]:
        return sorted((self.directory / "data").rglob("*.parquet"))


def find_camera(features: dict[str, Any], camera: str, directory: Path) -> str:
    """Return the name of the feature with the images.

    Raises:
        RecordingError: There is none, or several fit.
    """
    names = [name for name, about in features.items() if about["dtype"] in ("video", "image")]
    fitting = [name for name in names if camera in (name, name.rpartition(".")[2])]
    found = fitting if camera else names
    if len(found) == 1:
        return found[0]
    if not names:
        raise RecordingError(f"{directory} has no images: choose a dataset with a camera")
    hint = suggest(camera, names) if camera else f"choose one with --collect.camera: {names}"
    raise RecordingError(f"{directory} has {len(names)} cameras: {hint}")


def rows_inside(wanted: np.ndarray, span: EpisodeSpan) -> list[int]:
    """Return those of the rows that are in an episode."""
    end = span.first_row + span.num_frames
    return [int(row) for row in wanted[(wanted >= span.first_row) & (wanted < end)]]


def read_table(path: Path) -> Any:
    """Return the table in a Parquet file.

    Raises:
        RecordingError: The file is damaged.
    """
    parquet, arrow = pyarrow("parquet"), pyarrow("")
    try:
        return parquet.read_table(path)
    except (arrow.ArrowException, OSError) as error:
        raise RecordingError(f"{path} can't be read: {error}") from error


def decoded(cell: dict[str, Any], file: Path) -> Image:
    """Return the image that a table's cell holds as PNG or JPEG.

    Raises:
        RecordingError: It is none.
    """
    try:
        return np.asarray(PillowImage.open(BytesIO(cell["bytes"])).convert("RGB"))
    except (OSError, TypeError, KeyError) as error:
        raise RecordingError(f"{file} has an image that can't be read: {error}") from error
