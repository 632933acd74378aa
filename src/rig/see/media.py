"""Pictures and videos of anyone: read, cropped to their middle square, resized."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from rig.datasets.format import INFO_PATH
from rig.datasets.video_file import read_frames, rgb
from rig.envs.square_crop import crop_square
from rig.errors import DataSetError, RecordingError
from rig.goals.goal_image import read_goal_image
from rig.see.data_set import MIN_IMAGES, DataSet
from rig.training.progress import Progress


PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
VIDEOS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif", ".m4v"}
MOST_IMAGES = 10_000
"""Of longer videos, every second image is taken, or every fourth, and so on."""
MOST_FILES = 100_000

Images = UInt8[np.ndarray, "N H W 3"]


@dataclass(frozen=True, slots=True)
class Clip:
    """Images that follow one another, at equal times."""

    images: Images
    note: str


def read_media(paths: Sequence[Path], size: int, progress: Progress) -> DataSet:
    """Read pictures, videos, and folders of them, in the order of their names.

    A folder that is a LeRobot dataset is read as one.

    Args:
        paths: Files and folders.
        size: Width and height that images get, pixels.
        progress: Displays it.

    Raises:
        DataSetError: There are no or too few images.
        ImageError: A picture can't be read.
        RecordingError: A video or a LeRobot dataset can't be read.
    """
    if len(paths) == 1 and (paths[0] / INFO_PATH).is_file():
        return lerobot_dataset(paths[0], size)
    files = [file for path in paths for file in files_of(path)]
    progress.begin("read", len(files))
    pictures, clips, notes = list[np.ndarray](), list[Images](), list[str]()
    for done, file in enumerate(files, start=1):
        if file.suffix.lower() in VIDEOS:
            clip = read_video(file, size)
            clips.append(clip.images)
            notes += [clip.note] * (clip.note != "")
        else:
            pictures.append(read_goal_image(file, size).image)
        progress.advance(done, {})
    moving = [clip for clip in clips if len(clip) > 1]
    still = [clip[0] for clip in clips if len(clip) == 1] + pictures
    # Those with an order in time come first: `num_steps` counts from the first row.
    images = np.concatenate([*moving, *([np.stack(still)] if still else [])])
    if len(images) < MIN_IMAGES:
        raise DataSetError(
            f"{paths[0]} has {len(images)} images: at least {MIN_IMAGES} are needed, and "
            "hundreds to see what moves"
        )
    num_steps = np.array([len(clip) - 1 for clip in moving], np.int64)
    return DataSet(images=images, num_steps=num_steps, notes=tuple(notes))


def lerobot_dataset(path: Path, size: int) -> DataSet:
    """Return images of a LeRobot dataset, evenly spaced if there are too many."""
    from rig.datasets.recorded_images import read_recording  # needs an extra

    recorded = read_recording(path, MOST_IMAGES, size)
    return DataSet(images=recorded.images, num_steps=recorded.num_steps)


def files_of(path: Path) -> list[Path]:
    """Return the pictures and videos at a path: itself, or those in a folder, by name.

    Raises:
        DataSetError: There are none, or the file is of another kind.
    """
    if not path.exists():
        raise DataSetError(f"{path} is missing: give pictures, videos, folders or an NPZ file")
    known = PICTURES | VIDEOS
    if not path.is_dir():
        if path.suffix.lower() not in known:
            raise DataSetError(
                f"{path} ends in {path.suffix or 'nothing'!r}: give a file in .npz, "
                f"{', '.join(sorted(known))}"
            )
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in known)
    if not found or len(found) > MOST_FILES:
        raise DataSetError(
            f"{path} has {len(found):,} pictures and videos: give a folder with 1 to "
            f"{MOST_FILES:,} files in {', '.join(sorted(known))}"
        )
    return found


def read_video(path: Path, size: int) -> Clip:
    """Return the images of a video, evenly spaced if there are too many.

    Raises:
        RecordingError: There is none that can be decoded.
    """
    kept, stride, num, note = list[np.ndarray](), 1, 0, ""
    try:
        for num, frame in enumerate(read_frames(path), start=1):
            if (num - 1) % stride == 0:
                kept.append(crop_square(upright(frame), size))
            if len(kept) > MOST_IMAGES:
                kept, stride = kept[::2], 2 * stride
    except RecordingError:
        if not kept:
            raise
        note = f"{path.name} is damaged after {num} images: took those"
    if not kept:
        raise RecordingError(f"{path} has no images: give an MP4 file with a video in it")
    if stride > 1:
        note = f"{path.name}: took {len(kept):,} of {num:,} images, evenly spaced"
    return Clip(np.stack(kept), note)


def upright(frame: Any) -> UInt8[np.ndarray, "H W 3"]:
    """Return a decoded frame as an image, turned as a phone's video says."""
    turns = round(getattr(frame, "rotation", 0) / 90)
    return np.ascontiguousarray(np.rot90(rgb(frame), turns))
