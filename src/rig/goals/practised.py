"""What a run keeps of the pictures of its practice, and what a picture measures against it.

Every part of a picture should be the background of its place, or look like something that moved
in practice. What moves may stand together as it never did: each part is judged by itself.

Thresholds come from the pictures of practice alone. They are cut into groups of pictures that
are alike, and each group is measured against what is kept of the others. So a threshold holds
for pictures of places that nothing like them was kept of, as goals are. No goal of an
evaluation is used.

Sources: a memory of patches, Roth et al. 2022 (PatchCore); groups held out in place of pictures
drawn at random, Roberts et al. 2017 (block cross-validation).
"""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int, UInt8

from rig.errors import RunError
from rig.goals.picture_parts import (
    CELL_PX,
    PATCH,
    Parts,
    cells_of,
    main_colours,
    parts_of,
    squared_distances,
)
from rig.runs.array_files import ArraySpec, array_bytes, load_arrays
from rig.runs.atomic_files import atomic_write


FILE = "practised.safetensors"
"""In the directory of a run, and of an export."""
COLUMNS = ("place", "picture", "missing", "foreign")
"""What is measured of a picture. Each grows as the picture gets less like practice."""
FEWEST_PICTURES = 200
"""Fewer say too little about what is usual."""
NUM_GROUPS = 8
NUM_PATCHES = 8000
NUM_CANDIDATES = 200_000
"""Patches that the remembered ones are drawn from."""
LEVELS_APART = 16
"""Of two patches that are closer than this everywhere, one is remembered."""
LEAST_PIXELS, HIDDEN_SHARE = 3, 0.01
"""A colour with fewer pixels in more than this share of pictures is not always there: a thing
that the arm hides for a moment still is."""
FOREIGN_QUANTILE = 0.99
"""A thing as large as a hundredth of the picture is foreign, a stray pixel is not."""
NOWHERE_PX = 100.0
"""Distance to a colour that practice never moved."""
ROWS_AT_ONCE = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Practised:
    """What a run keeps of its practice."""

    still: Float32[np.ndarray, "R C 3"]
    """The background: the median of every cell."""
    patches: UInt8[np.ndarray, "P values"]
    """How what moves looks, wherever it is; may be none."""
    colours: Float32[np.ndarray, "K 3"]
    """Main colours of what moves; may be none."""
    usual_pixels: Float32[np.ndarray, " K"]
    """Pixels that each of them usually has; 0 if it is not always there."""
    away_px: Float32[np.ndarray, "K R C"]
    """How far each cell is from the nearest one where something of that colour moved."""
    held_out: Float64[np.ndarray, "M columns"]
    """What pictures of practice measure against those of the other groups, by ``COLUMNS``."""

    def save(self, directory: Path) -> None:
        """Write it into the directory of a run."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        atomic_write(directory / FILE, array_bytes(arrays))


def load_practised(directory: Path) -> Practised | None:
    """Return what a run kept of its practice; None if it kept nothing.

    Raises:
        RunError: The file is damaged.
    """
    path = directory / FILE
    if not path.is_file():
        return None
    practised = Practised(**load_arrays(path, SPECS))
    is_paired = len(practised.colours) == len(practised.usual_pixels) == len(practised.away_px)
    is_whole = practised.away_px.shape[1:] == practised.still.shape[:2]
    if not (is_paired and is_whole and len(practised.held_out)):
        raise RunError(f"{path} holds too few rows: it is damaged; take it from a copy")
    return practised


def practised_of(
    pictures: UInt8[np.ndarray, "N H W 3"], *, rng: np.random.Generator
) -> Practised | None:
    """Return what to keep of pictures of practice; None where they are too few.

    Args:
        pictures: A sample of all that the run saw.
        rng: Draws patches and pixels.
    """
    if len(pictures) < FEWEST_PICTURES:
        return None
    still = np.median(cells_of(pictures), axis=0)
    colours = main_colours(pictures, still, rng=rng)
    parts = parts_of(pictures, still, colours)
    group = groups(pictures, rng=rng)
    held_out = np.zeros((len(pictures), len(COLUMNS)))
    for number in np.unique(group):
        is_out = np.equal(group, number)
        known = known_of(parts.of(~is_out), still, colours, rng=rng)
        held_out[is_out] = measure_parts(known, parts.of(is_out))
    return replace(known_of(parts, still, colours, rng=rng), held_out=held_out)


def measure(
    practised: Practised, images: UInt8[np.ndarray, "N H W 3"]
) -> Float64[np.ndarray, "N columns"]:
    """Return what images measure, by ``COLUMNS``."""
    return measure_parts(practised, parts_of(images, practised.still, practised.colours))


def known_of(
    parts: Parts, still: np.ndarray, colours: np.ndarray, *, rng: np.random.Generator
) -> Practised:
    """Return what is kept of some pictures, but for what others measure."""
    usual = np.median(parts.num_pixels, axis=0)
    is_always = np.quantile(parts.num_pixels, HIDDEN_SHARE, axis=0) >= LEAST_PIXELS
    return Practised(
        still=still.astype(np.float32),
        patches=different_patches(parts.patches, rng=rng),
        colours=colours,
        usual_pixels=np.where(is_always, usual, 0).astype(np.float32),
        away_px=away_px(parts),
        held_out=np.zeros((0, len(COLUMNS))),
    )


def measure_parts(practised: Practised, parts: Parts) -> Float64[np.ndarray, "N columns"]:
    """Return what the parts of pictures measure, by ``COLUMNS``."""
    away = np.where(parts.has_colour, practised.away_px, 0)
    strange = strangeness(practised, parts)
    columns = (
        away.max(axis=(1, 2, 3), initial=0),
        parts.still_change,
        scarcity(practised, parts).max(axis=1, initial=1),
        np.quantile(strange.reshape(len(strange), -1), FOREIGN_QUANTILE, axis=1),
    )
    return np.stack(columns, axis=1).astype(np.float64)


def scarcity(practised: Practised, parts: Parts) -> Float32[np.ndarray, "N K"]:
    """Return how many times fewer pixels than usual have each colour."""
    return (practised.usual_pixels + 1) / (parts.num_pixels + 1)


def strangeness(practised: Practised, parts: Parts) -> Float32[np.ndarray, "N r c"]:
    """Return how far each patch is from the background there and from all that moved."""
    strange = parts.change.copy()
    near = nearest(practised, parts.patches)
    strange[parts.moved] = np.minimum(strange[parts.moved], near)
    return strange


def nearest(
    practised: Practised, patches: Float32[np.ndarray, "N values"]
) -> Float32[np.ndarray, " N"]:
    """Return how far each patch is from the nearest remembered one [levels]."""
    if len(practised.patches) == 0:
        return np.full(len(patches), np.inf, np.float32)
    known = practised.patches.astype(np.float32)
    chunks = [patches[at : at + ROWS_AT_ONCE] for at in range(0, len(patches), ROWS_AT_ONCE)]
    squared = [squared_distances(rows, known).min(axis=1) for rows in chunks]
    least = np.concatenate([*squared, np.zeros(0, np.float32)])
    return np.asarray(np.sqrt(least / known.shape[1]), np.float32)


def different_patches(
    patches: Float32[np.ndarray, "N values"], *, rng: np.random.Generator
) -> UInt8[np.ndarray, "P values"]:
    """Return patches of which no two are nearly the same."""
    some = patches[rng.permutation(len(patches))[:NUM_CANDIDATES]]
    rounded = np.rint(some / LEVELS_APART).astype(np.uint8)
    _, first = np.unique(rounded, axis=0, return_index=True)
    return np.rint(some[rng.permutation(first)[:NUM_PATCHES]]).astype(np.uint8)


def away_px(parts: Parts) -> Float32[np.ndarray, "K R C"]:
    """Return how far each cell is from the nearest one where something of each colour moved."""
    # SciPy loads slowly, and a trained policy never needs it.
    from scipy.ndimage import distance_transform_edt

    has_moved = np.asarray(parts.has_colour.any(axis=0))
    shape = has_moved.shape[1:]
    away = [
        CELL_PX * distance_transform_edt(~each) if each.any() else np.full(shape, NOWHERE_PX)
        for each in has_moved
    ]
    return np.array(away, np.float32).reshape(has_moved.shape)


def groups(
    pictures: UInt8[np.ndarray, "N H W 3"], *, rng: np.random.Generator
) -> Int[np.ndarray, " N"]:
    """Return the number of the group of alike pictures that each is in."""
    from scipy.cluster.vq import kmeans2  # loads slowly, and a trained policy never needs it

    cells = cells_of(pictures)[:, ::2, ::2].reshape(len(pictures), -1).astype(np.float64)
    cells += rng.normal(size=cells.shape)  # equal pictures leave groups empty
    _centres, group = kmeans2(cells, NUM_GROUPS, minit="++", missing="warn", rng=rng)
    return np.asarray(group)


FLOATS = np.dtype(np.float32)
NUM_VALUES = 3 * PATCH**2
SPECS = {
    "still": ArraySpec((None, None, 3), FLOATS),
    "patches": ArraySpec((None, NUM_VALUES), np.dtype(np.uint8)),
    "colours": ArraySpec((None, 3), FLOATS),
    "usual_pixels": ArraySpec((None,), FLOATS),
    "away_px": ArraySpec((None, None, None), FLOATS),
    "held_out": ArraySpec((None, len(COLUMNS)), np.dtype(np.float64)),
}
