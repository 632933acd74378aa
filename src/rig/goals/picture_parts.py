"""The parts of pictures that goals are compared by: cells, patches of cells, and colours."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int, UInt8
from numpy.lib.stride_tricks import sliding_window_view


CELL_PX, PATCH = 2, 2
"""A cell is the mean of CELL_PX x CELL_PX pixels, and a patch has PATCH x PATCH cells."""
NUM_COLOURS = 8
COLOUR_LEVELS = 30
"""Grey levels within which a pixel has a colour, in every channel."""
MOVED_LEVELS = 40
"""Grey levels from the background above which a cell belongs to what moves."""
CHANGED_LEVELS = 12
"""The same for a patch: the root mean square of all its values."""
NUM_CLUSTERED = 10_000
AT_ONCE = 100

Images = UInt8[np.ndarray, "N H W 3"]
Colours = Float32[np.ndarray, "K 3"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What is measured of some pictures, before it is compared with what was practised."""

    still_change: Float32[np.ndarray, " N"]
    """Difference from the background of half of the cells [levels]."""
    num_pixels: Float32[np.ndarray, "N K"]
    """Pixels that have each colour."""
    has_colour: Bool[np.ndarray, "N K R C"]
    """The cells where something of each colour moved."""
    change: Float32[np.ndarray, "N r c"]
    """Difference of each patch from the background there [levels]."""
    moved: Bool[np.ndarray, "N r c"]
    """The patches that are not the background there."""
    patches: Float32[np.ndarray, "moved values"]
    """Those patches, in order."""

    def of(self, is_in: Bool[np.ndarray, " N"]) -> "Parts":
        """Return those of some of the pictures."""
        owner = np.repeat(np.arange(len(self.moved)), self.moved.sum(axis=(1, 2)))
        return Parts(
            still_change=self.still_change[is_in],
            num_pixels=self.num_pixels[is_in],
            has_colour=self.has_colour[is_in],
            change=self.change[is_in],
            moved=self.moved[is_in],
            patches=self.patches[is_in[owner]],
        )


def parts_of(images: Images, still: Float32[np.ndarray, "R C 3"], colours: Colours) -> Parts:
    """Return the parts of images.

    Args:
        images: Of one camera.
        still: The background of that camera, in cells.
        colours: Main colours of what moves.
    """
    background = patches_of(still[None])[0]
    found: dict[str, list[Any]] = {}
    for start in range(0, len(images), AT_ONCE):
        some = images[start : start + AT_ONCE]
        cells = cells_of(some)
        difference = np.abs(cells - still).max(axis=-1)
        patches = patches_of(cells)
        change = np.sqrt(((patches - background) ** 2).mean(axis=-1))
        moved = change > CHANGED_LEVELS
        index = nearest_colour(cells, colours)
        index[difference <= MOVED_LEVELS] = -1
        rows = {
            "still_change": np.median(difference, axis=(1, 2)),
            "num_pixels": pixels_of(colours, some),
            "has_colour": index[:, None] == np.arange(len(colours))[:, None, None],
            "change": change,
            "moved": moved,
            "patches": patches[moved],
        }
        for name, each in rows.items():
            found.setdefault(name, []).append(each)
    return Parts(**{name: np.concatenate(each) for name, each in found.items()})


def cells_of(images: Images) -> Float32[np.ndarray, "N R C 3"]:
    """Return the mean of every CELL_PX x CELL_PX pixels."""
    num, rows, columns = len(images), *(side // CELL_PX for side in images.shape[1:3])
    cut = images[:, : rows * CELL_PX, : columns * CELL_PX]
    cells = cut.reshape(num, rows, CELL_PX, columns, CELL_PX, 3)
    return cells.mean(axis=(2, 4), dtype=np.float32)


def patches_of(cells: Float32[np.ndarray, "N R C 3"]) -> Float32[np.ndarray, "N r c values"]:
    """Return every patch, at the place of its upper left cell."""
    windows = sliding_window_view(cells, (PATCH, PATCH), axis=(1, 2))
    return np.asarray(windows.reshape(*windows.shape[:3], -1), np.float32)


def main_colours(
    images: Images, still: Float32[np.ndarray, "R C 3"], *, rng: np.random.Generator
) -> Colours:
    """Return the main colours of what differs from the background."""
    from scipy.cluster.vq import kmeans2  # loads slowly, and a trained policy never needs it

    cells = cells_of(images)
    moved = cells[np.abs(cells - still).max(axis=-1) > MOVED_LEVELS].astype(np.float64)
    if len(moved) < NUM_CLUSTERED // 10:  # nothing moves
        return np.zeros((0, 3), np.float32)
    some = moved[rng.permutation(len(moved))[:NUM_CLUSTERED]]
    some += rng.normal(size=some.shape)  # equal cells leave clusters empty
    centres, _labels = kmeans2(some, NUM_COLOURS, minit="++", missing="warn", rng=rng)
    return centres.astype(np.float32)


def nearest_colour(
    cells: Float32[np.ndarray, "N R C 3"], colours: Colours
) -> Int[np.ndarray, "N R C"]:
    """Return the number of the colour that each cell has; -1 if none."""
    if len(colours) == 0:
        return np.full(cells.shape[:3], -1)
    apart = np.stack([np.abs(cells - colour).max(axis=-1) for colour in colours])
    return np.where(apart.min(axis=0) < COLOUR_LEVELS, apart.argmin(axis=0), -1)


def pixels_of(colours: Colours, images: Images) -> Float32[np.ndarray, "N K"]:
    """Return the number of pixels that have each colour."""
    counts = [
        (np.abs(images - colour).max(axis=-1) < COLOUR_LEVELS).sum(axis=(1, 2))
        for colour in colours
    ]
    return np.array(counts, np.float32).reshape(len(colours), len(images)).T


def squared_distances(
    rows: Float32[np.ndarray, "N values"], known: Float32[np.ndarray, "P values"]
) -> Float32[np.ndarray, "N P"]:
    """Return the squared distance of each row to each known one."""
    cross = rows @ known.T
    squares = (rows**2).sum(axis=1)[:, None] + (known**2).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * cross, 0))
