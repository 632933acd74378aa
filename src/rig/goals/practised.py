"""What a run keeps of the pictures of its practice, and what a picture measures against it.

Half of the episodes are remembered. The pictures of the others are measured against them, so
that thresholds come from pictures of practice that nothing was fitted to. No goal of an
evaluation is used.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from numpy.lib.stride_tricks import sliding_window_view
from scipy.cluster.vq import kmeans2

from rig.errors import RunError
from rig.representation.representation import Images, Representation
from rig.runs.array_files import ArraySpec, array_bytes, load_arrays
from rig.runs.atomic_files import atomic_write


FILE = "practised.safetensors"
"""In the directory of a run, and of an export."""
COLUMNS = ("place", "whole", "part", "missing", "foreign")
"""What is measured of a picture. Each grows as the picture gets less like practice."""
FEWEST_EPISODES = 40
"""Fewer say too little about what is usual."""
NUM_NEIGHBOURS = 3
NUM_PARTS = 4
"""The picture is cut into this many parts along each axis."""
NUM_COLOURS = 8
COLOUR_LEVELS = 30
"""Grey levels within which a pixel has a colour, in every channel."""
LEAST_PIXELS = 3
"""A colour with fewer pixels in some picture of practice is not always there."""
MOVED_LEVELS = 40
"""Grey levels from the median picture above which a pixel belongs to what moves."""
NUM_PATCHES = 3000
POOL, PATCH = 2, 3
"""Patches are of PATCH x PATCH cells, and a cell is the mean of POOL x POOL pixels."""
NUM_CANDIDATES = 200
"""Patches of each picture that the remembered ones are drawn from."""
NUM_CLUSTERED = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Practised:
    """What a run keeps of its practice."""

    latents: Float32[np.ndarray, "N latent"]
    """Weighted latents of remembered pictures."""
    patches: Float32[np.ndarray, "P values"]
    colours: Float32[np.ndarray, "K 3"]
    """Colours of what moves that every remembered picture shows; may be none."""
    usual_pixels: Float32[np.ndarray, " K"]
    """Pixels that each of these colours usually has."""
    held_out: Float64[np.ndarray, "M columns"]
    """What the pictures of the other episodes measure, by ``COLUMNS``."""

    def save(self, directory: Path) -> None:
        """Write it into the directory of a run."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        atomic_write(directory / FILE, array_bytes(arrays))


def load_practised(directory: Path, representation: Representation) -> Practised | None:
    """Return what a run kept of its practice; None if it kept nothing.

    Raises:
        RunError: The file is damaged, or not of this representation.
    """
    path = directory / FILE
    if not path.is_file():
        return None
    specs = SPECS | {"latents": ArraySpec((None, representation.latent_dim), FLOATS)}
    practised = Practised(**load_arrays(path, specs))
    rows = (practised.latents, practised.patches, practised.held_out)
    is_paired = len(practised.colours) == len(practised.usual_pixels)
    if not is_paired or min(map(len, rows)) < NUM_NEIGHBOURS:
        raise RunError(f"{path} holds too few rows: it is damaged; take it from a copy")
    return practised


def practised_of(
    representation: Representation,
    pictures: UInt8[np.ndarray, "episodes pictures H W 3"],
    *,
    rng: np.random.Generator,
) -> Practised | None:
    """Return what to keep of pictures of practice.

    Args:
        representation: Of the run, at its end.
        pictures: As many of each episode.
        rng: Draws patches and pixels.

    Returns:
        None where the episodes are too few, or the representation measures no distance
        between images.
    """
    is_measurable = representation.weight is not None and not representation.needs_true_state
    if len(pictures) < FEWEST_EPISODES or not is_measurable:
        return None
    remembered = np.concatenate(pictures[::2])
    still = np.median(remembered, axis=0)
    colours = moving_colours(remembered, still, rng=rng)
    counts = pixels_of(colours, remembered)
    is_always = counts.min(axis=0, initial=len(still) ** 2) >= LEAST_PIXELS
    known = {
        "latents": weighted(representation, remembered),
        "patches": moving_patches(remembered, still, rng=rng),
        "colours": colours[is_always],
        "usual_pixels": np.median(counts, axis=0)[is_always].astype(np.float32),
    }
    practised = Practised(**known, held_out=np.zeros((0, len(COLUMNS))))
    measured = measure(practised, representation, np.concatenate(pictures[1::2]))
    return Practised(**known, held_out=measured)


def measure(
    practised: Practised, representation: Representation, images: Images
) -> Float64[np.ndarray, "N columns"]:
    """Return what images measure, by ``COLUMNS``."""
    latents = representation.encode(images).latent
    decoded = representation.decode(latents)
    error = ((images.astype(np.float32) - decoded) ** 2).mean(axis=-1)
    columns = (
        distance_to_nearest(latents * representation.weight, practised.latents),
        error.mean(axis=(1, 2)),
        parts(error).max(axis=1),
        scarcity(practised, images).max(axis=1, initial=0),
        strangeness(practised, images).max(axis=1),
    )
    return np.stack(columns, axis=1).astype(np.float64)


def weighted(representation: Representation, images: Images) -> Float32[np.ndarray, "N latent"]:
    """Return latents scaled so that their distance is that of the reward."""
    return np.asarray(representation.encode(images).latent * representation.weight, np.float32)


def distance_to_nearest(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the mean distance of each row to its nearest known ones."""
    squared = np.sort(squared_distances(rows, known), axis=1)[:, :NUM_NEIGHBOURS]
    return np.asarray(np.sqrt(squared).mean(axis=1))


def squared_distances(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the squared distance of each row to each known one."""
    cross = rows @ known.T
    squares = (rows**2).sum(axis=1)[:, None] + (known**2).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * cross, 0))


def parts(values: Float32[np.ndarray, "N H W"]) -> Float32[np.ndarray, "N parts"]:
    """Return the mean over each part of the picture, row after row."""
    rows = np.array_split(values, NUM_PARTS, axis=1)
    pieces = [piece for row in rows for piece in np.array_split(row, NUM_PARTS, axis=2)]
    return np.stack([piece.mean(axis=(1, 2)) for piece in pieces], axis=1)


def moving_colours(
    images: Images, still: np.ndarray, *, rng: np.random.Generator
) -> Float32[np.ndarray, "K 3"]:
    """Return the main colours of what differs from the median picture."""
    moved = images[np.abs(images - still).max(axis=-1) > MOVED_LEVELS].astype(np.float64)
    if len(moved) < NUM_CLUSTERED // 10:  # nothing moves
        return np.zeros((0, 3), np.float32)
    some = moved[rng.permutation(len(moved))[:NUM_CLUSTERED]]
    some += rng.normal(size=some.shape)  # equal pixels leave clusters empty
    centres, _labels = kmeans2(some, NUM_COLOURS, minit="++", missing="warn", rng=rng)
    return centres.astype(np.float32)


def pixels_of(
    colours: Float32[np.ndarray, "K 3"], images: Images
) -> Float32[np.ndarray, "N K"]:
    """Return the number of pixels that have each colour."""
    counts = [
        (np.abs(images - colour).max(axis=-1) < COLOUR_LEVELS).sum(axis=(1, 2))
        for colour in colours
    ]
    return np.array(counts, np.float32).reshape(len(colours), len(images)).T


def scarcity(practised: Practised, images: Images) -> Float32[np.ndarray, "N K"]:
    """Return how many times fewer pixels than usual have each colour."""
    counts = pixels_of(practised.colours, images)
    return (practised.usual_pixels + 1) / (counts + 1)


def moving_patches(
    images: Images, still: np.ndarray, *, rng: np.random.Generator
) -> Float32[np.ndarray, "P values"]:
    """Return patches of images, most of them where something differs from the median one."""
    found, weights = [], []
    background = patches_of(still[None].astype(np.float32))[0]
    for image in images:
        patches = patches_of(image[None].astype(np.float32))[0]
        some = rng.integers(len(patches), size=NUM_CANDIDATES)
        found.append(patches[some])
        weights.append(1 + np.abs(patches[some] - background[some]).max(axis=1))
    patches, weight = np.concatenate(found), np.concatenate(weights)
    num = min(NUM_PATCHES, len(patches))
    return patches[rng.choice(len(patches), num, replace=False, p=weight / weight.sum())]


def patches_of(images: Float32[np.ndarray, "N H W 3"]) -> Float32[np.ndarray, "N P values"]:
    """Return every patch of each image, row after row."""
    num, size = len(images), images.shape[1] // POOL
    cut = images[:, : size * POOL, : size * POOL]
    cells = cut.reshape(num, size, POOL, size, POOL, 3).mean(axis=(2, 4))
    windows = sliding_window_view(cells, (PATCH, PATCH), axis=(1, 2))
    return np.asarray(windows.reshape(num, (size - PATCH + 1) ** 2, -1), np.float32)


def strangeness(practised: Practised, images: Images) -> Float32[np.ndarray, "N P"]:
    """Return the distance of each patch of each image to the nearest remembered patch."""
    rows = [patches_of(image[None].astype(np.float32))[0] for image in images]
    nearest = [squared_distances(each, practised.patches).min(axis=1) for each in rows]
    return np.sqrt(np.stack(nearest))


FLOATS = np.dtype(np.float32)
SPECS = {
    "patches": ArraySpec((None, 3 * PATCH**2), FLOATS),
    "colours": ArraySpec((None, 3), FLOATS),
    "usual_pixels": ArraySpec((None,), FLOATS),
    "held_out": ArraySpec((None, len(COLUMNS)), np.dtype(np.float64)),
}
