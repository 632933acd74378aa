"""Video files: frames in, frames out."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import UInt8

from rig.errors import RecordingError


Image = UInt8[np.ndarray, "H W 3"]
CODEC, PIXEL_FORMAT = "libx264", "yuv420p"
"""H.264 with half the resolution of colour plays everywhere. LeRobot reads any codec."""
QUALITY = {"crf": "12", "g": "10"}
"""A low crf keeps small images sharp. A key frame every 10 frames keeps seeking quick."""


class VideoWriter:
    """A video file that grows frame by frame."""

    def __init__(self, path: Path, fps: int, height: int, width: int) -> None:
        """Create the file.

        Raises:
            RecordingError: Height or width is odd, which H.264 can't store.
        """
        if height % 2 or width % 2:
            raise RecordingError(
                f"images of {width} x {height} pixels don't fit a video: use an even size"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(path), "w")
        self._stream: Any = self._container.add_stream(CODEC, rate=fps, options=QUALITY)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = PIXEL_FORMAT
        self._stream.codec_context.thread_count = 1

    def add(self, image: Image) -> None:
        """Append a frame."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left and close the file."""
        self._container.mux(self._stream.encode())
        self._container.close()


def read_frames(path: Path) -> Iterator[Any]:
    """Yield the frames of a video, in order, as PyAV has them: decoded, not yet RGB.

    Raises:
        RecordingError: The file is no video, or is damaged.
    """
    try:
        with closing(av.open(str(path))) as container:
            if not container.streams.video:
                raise RecordingError(f"{path} has no video: give files with one, as .mp4")
            yield from container.decode(container.streams.video[0])
    except (av.FFmpegError, OSError) as error:
        raise RecordingError(f"{path} can't be read as a video: {error}") from error


def rgb(frame: Any) -> Image:
    """Return a decoded frame as an image."""
    return np.asarray(frame.to_ndarray(format="rgb24"))


def num_frames(path: Path) -> int:
    """Return the number of frames of a video; it is decoded if its header does not say."""
    with closing(av.open(str(path))) as container:
        streams = container.streams.video
        if streams and streams[0].frames:
            return int(streams[0].frames)
    return sum(1 for _ in read_frames(path))
