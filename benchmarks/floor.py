"""Lower bounds: the time of the arithmetic alone, and the bytes that a step must store.

Operations are counted by hand. A product of ``[B, m]`` and ``[m, n]`` is ``2 B m n`` floating
point operations; its backward pass is two more of the same size, for the weights and for the
input. Adam, activations and copies are not counted, so no program reaches the bound.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from math import prod

import jax
import jax.numpy as jnp

from benchmarks import update, vae
from benchmarks.measure import MS_PER_S, alternate, spend, timing
from benchmarks.part import Part, Row, Size, Table
from rig.config import Config, TD3Config, VAEConfig
from rig.nn.patches import IMAGE_CHANNELS, PATCH_SIDES, STEM_SIZE, grid_side
from rig.presets import find_preset


PEAK_SIDE = 1024
"""Size of the square matrices whose product gives the machine's best rate."""
NUM_PRODUCTS = 20
"""Number of products in one compiled call; even."""
REFERENCE_COPIES = 6
"""Number of copies of each image in the replay buffer of the reference implementation."""
FLOAT_BYTES = 4
MEGA, GIGA = 1e6, 1e9


def run(size: Size) -> Part:
    """Compare the times with their lower bounds."""
    large = rate_of((PEAK_SIDE, PEAK_SIDE, PEAK_SIDE), size) / GIGA
    rows = [update_row(case, size) for case in update.cases(size)]
    rows += [fit_row(case, size) for case in vae.cases(size)]
    notes = [
        "Products are float32, on all cores, of the widest layer's size; square ones of "
        f"{PEAK_SIDE} rows ran at {large:.0f} Gflop/s. A time below its lower bound means that "
        "other programs used the cores while the bound was measured."
    ]
    floors = Table(title="Lower bounds", rows=rows, notes=notes)
    replay = [replay_row(pixels) for pixels in size.pixels]
    return Part(
        tables=[floors, Table(title="Bytes of the replay buffer per step", rows=replay)]
    )


def update_row(case: tuple[str, Config], size: Size) -> Row:
    """Measure an update, next to products of its widest layer's size."""
    preset, config = case
    td3 = config.td3
    num = size.num_updates_of(td3.batch_size)
    sizes = (td3.batch_size, td3.hidden_sizes[0], td3.hidden_sizes[-1])
    loop = update.Loop(config, num)
    rate, measured_s = next_to_products(loop.update, sizes, size)
    flop = update_flop(config.vae.latent_dim, update.ACTION_SIZE, td3)
    what = f"TD3 update, `{preset}`, batch {td3.batch_size}"
    return floor_row(what, flop, rate, measured_s / num)


def fit_row(case: tuple[str, VAEConfig, int], size: Size) -> Row:
    """Measure a step of the VAE's fit, next to products of its largest layer's size."""
    _, config, pixels = case
    layers = vae_products(config, pixels)
    rows, inner, outer = max(layers, key=prod)
    call = vae.fit_call(vae.vae_of_push(config, pixels), config, pixels, size.num_fit_steps)
    rate, measured_s = next_to_products(call, (config.batch_size * rows, inner, outer), size)
    what = f"VAE step, {config.architecture}, {pixels} px, batch {config.batch_size}"
    flop = fit_flop(config, pixels)
    return floor_row(what, flop, rate, measured_s / size.num_fit_steps)


def next_to_products(
    call: Callable[[], object], sizes: tuple[int, int, int], size: Size
) -> tuple[float, float]:
    """Measure the rate of products of these sizes [flop/s] and the time of a call, in turns."""
    multiply = products_call(sizes)
    spent = alternate(
        {"call": lambda: spend(call), "products": lambda: spend(multiply)}, size.num_long_rounds
    )
    return NUM_PRODUCTS * 2 * prod(sizes) / spent["products"].best_s, spent["call"].best_s


def floor_row(what: str, flop: float, rate: float, measured_s: float) -> Row:
    """Return the columns of a lower bound; the rate is that of such products."""
    return {
        "what": what,
        "Mflop": flop / MEGA,
        "Gflop/s of such products": rate / GIGA,
        "Gflop/s": flop / measured_s / GIGA,
        "lower bound ms": MS_PER_S * flop / rate,
        "measured ms": MS_PER_S * measured_s,
        "times the bound": measured_s * rate / flop,
    }


def update_flop(latent_dim: int, action_size: int, config: TD3Config) -> float:
    """Count the operations of one TD3 update, with its share of the delayed actor update.

    Forward passes of the two target critics, the target actor and the two critics; backward
    passes of the critics, without the gradient of their inputs. Every ``policy_delay`` updates:
    actor and one critic forward, the critic backward to the action only, the actor backward.
    """
    rows, hidden = config.batch_size, config.hidden_sizes
    actor = products((2 * latent_dim, *hidden, action_size))
    critic = products((2 * latent_dim + action_size, *hidden, 1))
    to_action = [*critic[1:], action_size * hidden[0]]
    critics = 2 * (sum(critic) + backward(critic))
    actors = sum(actor) + sum(critic) + sum(to_action) + backward(actor)
    targets = sum(actor) + 2 * sum(critic)
    return 2 * rows * (targets + critics + actors / config.policy_delay)


def products(sizes: Sequence[int]) -> list[int]:
    """Count the multiplications of each layer for one row."""
    return [fan_in * fan_out for fan_in, fan_out in pairwise(sizes)]


def backward(layers: Sequence[int]) -> int:
    """Count the backward multiplications: all weights, and all inputs but the first."""
    return 2 * sum(layers) - layers[0]


def fit_flop(config: VAEConfig, pixels: int) -> float:
    """Count the operations of one step of the fit, without the gradient of the image."""
    layers = [rows * inner * outer for rows, inner, outer in vae_products(config, pixels)]
    return 2 * config.batch_size * (sum(layers) + backward(layers))


def vae_products(config: VAEConfig, pixels: int) -> list[tuple[int, int, int]]:
    """Return the rows, inputs and outputs of each layer for one image, encoder first."""
    if config.architecture == "quantile_keypoints":
        return decoder_products(config)  # the encoder does not learn
    return patch_products(config, pixels)


def decoder_products(config: VAEConfig) -> list[tuple[int, int, int]]:
    """Return the products of the decoder to principal components."""
    hidden = config.hidden_size
    return [
        (1, config.latent_dim, hidden),
        (1, hidden, hidden),
        (1, hidden, config.num_components),
    ]


def patch_products(config: VAEConfig, pixels: int) -> list[tuple[int, int, int]]:
    """Return the products of the patch encoder (two layers, head) and its decoder."""
    (few, many), (first_side, second_side) = config.channels, PATCH_SIDES
    cells = grid_side(pixels) ** 2
    patches, patch = cells * second_side**2, first_side**2 * IMAGE_CHANNELS
    group = second_side**2 * few
    return [
        (patches, patch, few),
        (cells, group, many),
        (1, cells * many, 2 * config.latent_dim),
        (1, config.latent_dim, STEM_SIZE),
        (1, STEM_SIZE, cells * many),
        (cells, many, group),
        (patches, few, patch),
    ]


def rate_of(sizes: tuple[int, int, int], size: Size) -> float:
    """Measure the rate of products of ``[rows, inner]`` and ``[inner, outer]`` [flop/s]."""
    best_s = timing(products_call(sizes), size.num_long_rounds).best_s
    return NUM_PRODUCTS * 2 * prod(sizes) / best_s


def products_call(sizes: tuple[int, int, int]) -> Callable[[], object]:
    """Return a compiled call that computes products of that size, back and forth."""
    rows, inner, outer = sizes
    forth, back = jnp.full((inner, outer), 1 / inner), jnp.full((outer, inner), 1 / outer)
    numbers = jnp.ones((rows, inner))

    def both(_index: int, numbers: jax.Array) -> jax.Array:
        return (numbers @ forth) @ back

    multiply = jax.jit(partial(jax.lax.fori_loop, 0, NUM_PRODUCTS // 2, both))
    return lambda: multiply(numbers).block_until_ready()


def replay_row(pixels: int) -> Row:
    """Count the bytes of a step: a frame, its latent's mean and spread, an action.

    An episode of T steps has T + 1 rows and one goal; its last row has no action.
    """
    frame = pixels**2 * IMAGE_CHANNELS
    latent = FLOAT_BYTES * find_preset("fast", update.TASK).vae.latent_dim
    action, num_steps = FLOAT_BYTES * update.ACTION_SIZE, update.NUM_STEPS
    ours = ((num_steps + 1) * (frame + 2 * latent + action) + latent) / num_steps
    return {
        "pixels": pixels,
        "a frame": frame,
        "ours": round(ours),
        "the reference's six copies": REFERENCE_COPIES * frame,
        "times ours": REFERENCE_COPIES * frame / ours,
    }
