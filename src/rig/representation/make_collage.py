"""Make a collage of what practice has seen, in place of a decoder.

The first fit is to images of random practice, in which an object hardly leaves its place, and
its decoder paints ghosts elsewhere. Where no latent depends on the decoder, a collage of later
images can show latents instead.
"""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from rig.nn.chunks import in_chunks
from rig.representation.collage import Collage, Images
from rig.representation.illumination import planes_of
from rig.representation.latent import LatentRepresentation
from rig.representation.prior import Latents
from rig.representation.quantile_keypoints import QuantileKeypointEncoder, share_moved
from rig.representation.representation import Representation
from rig.representation.stacked_actions import StackedActions
from rig.representation.things import features_of, group_colors, part_of_each, shapes_of


NUM_IMAGES = 500
"""Images that things are cut out of."""
FEWEST_IMAGES = 50
"""Fewer say too little about what belongs together."""
OPACITY = 1.5
"""A pixel that surely moved is opaque; its edge is soft."""
NEIGHBOURHOOD_PX = 3
"""A pixel belongs to the thing that has most of the mass in a square of this side."""


def with_collage_of(representation: Representation, images: Images) -> Representation:
    """Return a representation with the same latents that shows them by these images.

    Args:
        representation: Returned as it is, if its latents depend on the decoder or there are too
            few images.
        images: What practice has seen, also far from where it began.
    """
    inner = representation
    if isinstance(inner, StackedActions):
        inner = inner.latents
    if not isinstance(inner, LatentRepresentation) or len(images) < FEWEST_IMAGES:
        return representation
    encoder = inner.vae.encoder
    if not isinstance(encoder, QuantileKeypointEncoder):
        return representation
    return representation.with_collage(make_collage(encoder, images))


def make_collage(encoder: QuantileKeypointEncoder, images: Images) -> Collage:
    """Return a collage of images that are as different as possible.

    Args:
        encoder: Finds what moved, and which colors it has.
        images: More than are kept.
    """
    shape, num_pixels = shapes_of(encoder, images)
    latents = (features_of(encoder, shape) @ np.asarray(encoder.matrix)).astype(np.float32)
    rows = spread_out(latents, NUM_IMAGES)
    color_of = group_colors(shape[..., :2], num_pixels)
    things = np.unique(color_of)
    is_of = jnp.asarray(things[:, None] == color_of, jnp.float32)
    (opacity,) = in_chunks(partial(cut_out_all, encoder, is_of), images[rows])
    by_thing = np.moveaxis(opacity, 1, 0)
    # The larger one is nearer to the camera, as an arm is.
    back_to_front = np.argsort(by_thing.sum(axis=(1, 2, 3), dtype=np.int64), kind="stable")
    parts = part_of_each(encoder, shape, color_of)[things]
    background = np.rint(255 * np.asarray(encoder.background_image())).astype(np.uint8)
    return Collage(
        background=background,
        images=images[rows],
        latents=latents[rows],
        parts=parts[back_to_front],
        opacity=by_thing[back_to_front],
    )


def spread_out(latents: Latents, num: int) -> Int[np.ndarray, " rows"]:
    """Return rows that are as far from each other as possible, the first row first.

    Source: farthest-first traversal (Gonzalez 1985).
    """
    apart = np.full(len(latents), np.inf)
    rows = [0]
    while len(rows) < min(num, len(latents)):
        apart = np.minimum(apart, ((latents - latents[rows[-1]]) ** 2).sum(axis=1))
        rows.append(int(np.argmax(apart)))
    return np.array(rows)


@eqx.filter_jit
def cut_out_all(
    encoder: QuantileKeypointEncoder, is_of: Float[Array, "things K"], images: Array
) -> tuple[Array]:
    """Return how much of each pixel belongs to each thing ``[N, things, H, W]``, of 255."""

    def cut_out(image: Array) -> Array:
        light = encoder.colors.illumination
        # Without the blur of ``MovingColors.motion``: a halo of the background would belong
        # to the thing.
        moved = share_moved(light.z_squared(light.of_planes(planes_of(255 * image))))
        mass = jnp.einsum("tk,khw->thw", is_of, encoder.attention(image) * moved)
        square = (1, NEIGHBOURHOOD_PX, NEIGHBOURHOOD_PX)
        around = jax.lax.reduce_window(mass, 0.0, jax.lax.add, square, (1, 1, 1), "SAME")
        owner = jnp.argmax(around, axis=0)
        is_own = owner == jnp.arange(len(is_of))[:, None, None]
        return jnp.rint(255 * jnp.clip(OPACITY * moved, 0, 1) * is_own).astype(jnp.uint8)

    return (jax.vmap(cut_out)(images.astype(jnp.float32) / 255),)
