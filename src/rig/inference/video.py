"""Videos of attempts: goal, camera, and the decoded latent of what it sees, side by side."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path

import av
import numpy as np
from PIL import Image

from rig.config import Config
from rig.envs.tabletop import STEP_S
from rig.inference.reach import Attempt
from rig.report.image_grid import (
    FAINT_INK,
    INK,
    LABEL_PX,
    LINE_PX,
    MARGIN_PX,
    PAPER,
    enlarged,
    write,
)
from rig.runs.atomic_files import complete_file
from rig.training.snapshot import take_clips
from rig.units import amount, object_of


PANEL_PX = 240
"""Least width of each panel."""
HOLD_S = 1.0
"""How long the last frame of an attempt stays."""
MIN_GIF_FRAME_S = 0.02
"""Browsers play frames that are shorter much too slowly."""
MAX_DENOMINATOR = 1000
"""Of a frame rate as a fraction."""
NUM_LOOK_STEPS = 100
"""Steps of a video of a camera."""
PALETTE_FRAMES = 16
"""The palette of a GIF is chosen from at most this many of its frames."""


def save_video(path: Path, frames: Sequence[Image.Image], *, step_s: float = STEP_S) -> None:
    """Write frames as H.264 in MP4, which any browser plays, or as an animated GIF.

    Args:
        path: The file, ``.mp4`` or ``.gif``.
        frames: The frames, all of one even size.
        step_s: Seconds between two of them: the video is as fast as the robot.
    """
    save = save_gif if path.suffix.lower() == ".gif" else save_mp4
    with complete_file(path) as partial:
        save(partial, frames, step_s)


def save_gif(path: Path, frames: Sequence[Image.Image], step_s: float) -> None:
    """Write frames as a GIF with one palette, a third of the size of one for each frame.

    Of very fast steps, only some are shown.
    """
    stride = max(1, ceil(MIN_GIF_FRAME_S / step_s - 1e-9))
    frames, duration_ms = frames[::stride], round(1000 * stride * step_s)
    palette = stacked(frames[:: -(-len(frames) // PALETTE_FRAMES)]).quantize()
    first, *rest = (
        frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    )
    first.save(path, save_all=True, append_images=rest, duration=duration_ms, loop=0)


def stacked(frames: Sequence[Image.Image]) -> Image.Image:
    """Stack frames of one size vertically."""
    width, height = frames[0].size
    drawing = Image.new("RGB", (width, height * len(frames)))
    for index, frame in enumerate(frames):
        drawing.paste(frame, (0, index * height))
    return drawing


def save_mp4(path: Path, frames: Sequence[Image.Image], step_s: float) -> None:
    """Write frames of one even size as H.264, with the index first so that it plays at once."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        rate = Fraction(1 / step_s).limit_denominator(MAX_DENOMINATOR)
        stream = container.add_stream("libx264", rate=rate, options={"crf": "18"})
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame), "rgb24")))
        container.mux(stream.encode())


def save_look_video(path: Path, config: Config, size: int) -> None:
    """Write a video of what a camera shows of random actions, as fast as the robot.

    With camera effects, the image without them is at the left.
    """
    clips = take_clips(config, size, NUM_LOOK_STEPS)
    columns = zip(*(clip.images for clip in clips), strict=True)
    save_video(path, [side_by_side(images) for images in columns], step_s=clips[0].step_s)


def side_by_side(images: Sequence[np.ndarray]) -> Image.Image:
    """Draw images next to each other, in a frame of even size."""
    drawn = [enlarged(image, PANEL_PX) for image in images]
    width = len(drawn) * (drawn[0].width + MARGIN_PX) - MARGIN_PX
    drawing = Image.new("RGB", (even(width), even(drawn[0].height)), PAPER)
    for column, image in enumerate(drawn):
        drawing.paste(image, (column * (image.width + MARGIN_PX), 0))
    return drawing


def attempt_frames(attempt: Attempt) -> list[Image.Image]:
    """Draw the frames of one attempt; the last one stays for a second."""
    drawn = [frame(attempt, index) for index in range(len(attempt.images))]
    return drawn + [drawn[-1]] * max(1, round(HOLD_S / attempt.step_s))


def frame(attempt: Attempt, index: int) -> Image.Image:
    """Draw a line with time and distances, above three labelled panels."""
    panels = {
        "goal": attempt.goal_image,
        "camera": attempt.images[index],
        "what it sees, decoded": attempt.decoded[index],
    }
    side = enlarged(attempt.goal_image, PANEL_PX).width
    top = MARGIN_PX + 2 * LINE_PX
    size = (MARGIN_PX + len(panels) * (side + MARGIN_PX), top + side + MARGIN_PX)
    drawing = Image.new("RGB", (even(size[0]), even(size[1])), PAPER)
    write(drawing, (MARGIN_PX, MARGIN_PX), caption(attempt, index), LABEL_PX, FAINT_INK)
    for column, (label, image) in enumerate(panels.items()):
        left = MARGIN_PX + column * (side + MARGIN_PX)
        write(drawing, (left, MARGIN_PX + LINE_PX), label, LABEL_PX, INK)
        drawing.paste(enlarged(image, PANEL_PX), (left, top))
    return drawing


def caption(attempt: Attempt, index: int) -> str:
    """Return time, latent distance, and true distances where they are known."""
    parts = [
        f"{index * attempt.step_s:.1f} s",
        f"latent distance {attempt.latent_distances[index]:.2f}",
    ]
    for name, values in attempt.distances.items():
        parts.append(f"{object_of(name)} {amount(name, values[index])} from its goal")
    return "     ".join(parts)


def even(length_px: int) -> int:
    """Round up to an even length: yuv420p halves the resolution of colour."""
    return length_px + length_px % 2
