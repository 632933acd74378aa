"""Images of a recording, for a first fit: a LeRobot dataset, or a folder of videos."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from rig.datasets.dataset_reader import LeRobotDataset
from rig.datasets.format import INFO_PATH, ROBOT_TYPE
from rig.datasets.video_file import Image, num_frames, read_frames, rgb
from rig.envs.square_crop import crop_square
from rig.errors import RecordingError
from rig.types import Collected


VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm")
NO_ACTIONS = np.empty((0, 0), np.float32)


def read_recording(
    path: Path, num_images: int, size: int, env: str = "", camera: str = ""
) -> Collected:
    """Return images of a recording, and its actions where they are this environment's own.

    Actions of another robot, or in other units, mean something else: they are left out.

    Args:
        path: A LeRobot dataset, a video, or a folder of videos.
        num_images: The number of images wanted; fewer if it has fewer. From our own recording,
            the first whole episodes; from others, images at even distances in time.
        size: Height and width that images are brought to.
        env: The environment that actions must be for.
        camera: Which camera of the dataset.

    Raises:
        RecordingError: There is no recording, or it can't be read.
    """
    if not (path / INFO_PATH).is_file():
        images = brought_to(size, images_of_videos(find_videos(path), num_images))
        return Collected(images=images, actions=NO_ACTIONS, num_steps=np.empty(0, np.int64))
    dataset = LeRobotDataset(path, camera)
    if env and dataset.robot_type == ROBOT_TYPE.format(env=env):
        return whole_episodes(dataset, num_images, size)
    total = sum(span.num_frames for span in dataset.spans)
    images = brought_to(size, dataset.images(evenly(total, num_images)))
    return Collected(images=images, actions=NO_ACTIONS, num_steps=np.empty(0, np.int64))


def whole_episodes(dataset: LeRobotDataset, num_images: int, size: int) -> Collected:
    """Return the first episodes of our own recording, as many as give enough images."""
    actions, is_last = dataset.actions()
    ends = np.flatnonzero(is_last) + 1
    enough = np.flatnonzero(ends >= num_images)
    end = int(ends[enough[0]] if len(enough) else ends[-1])
    num_steps = np.diff(ends[ends <= end], prepend=0) - 1
    return Collected(
        images=brought_to(size, dataset.images(np.arange(end))),
        actions=actions[:end][~is_last[:end]],
        num_steps=num_steps.astype(np.int64),
    )


def find_videos(path: Path) -> list[Path]:
    """Return a video, or all videos in a folder, in the order of their names.

    Raises:
        RecordingError: There is none.
    """
    if path.is_file():
        return [path]
    videos = sorted(file for file in path.rglob("*") if file.suffix.lower() in VIDEOS)
    if not videos:
        raise RecordingError(
            f"{path} is no recording: give a LeRobot dataset (a folder with {INFO_PATH}), or a "
            f"folder of videos ({', '.join(VIDEOS)})"
        )
    return videos


def images_of_videos(videos: list[Path], num_images: int) -> Iterator[Image]:
    """Yield images at even distances from all videos together."""
    counts = [num_frames(video) for video in videos]
    wanted = evenly(sum(counts), num_images)
    start = 0
    for video, count in zip(videos, counts, strict=True):
        inside = set((wanted[(wanted >= start) & (wanted < start + count)] - start).tolist())
        for index, frame in enumerate(read_frames(video)):
            if index in inside:
                yield rgb(frame)
        start += count


def evenly(total: int, num: int) -> np.ndarray:
    """Return ``num`` of the first ``total`` numbers, at even distances, or all of them."""
    return np.unique(np.linspace(0, total - 1, min(num, total)).round().astype(int))


def brought_to(size: int, images: Iterator[Image]) -> UInt8[np.ndarray, "N size size 3"]:
    """Return the middle square of each image, resized.

    Raises:
        RecordingError: There is no image.
    """
    squares = [crop_square(image, size) for image in images]
    if not squares:
        raise RecordingError("the recording has no images: choose another one")
    return np.stack(squares)
