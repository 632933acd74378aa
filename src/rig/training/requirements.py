"""What a run needs of a machine, told before it begins: at most, about.

Besides the settings it depends on three sizes. Worlds tell them; a plan, which has no worlds
yet, knows them of our own tasks and is near enough with guests.
"""

from dataclasses import dataclass

from rig.config import Config


GB = 1e9
PROGRAMS_BYTES = 1.0 * GB
"""Python, JAX with its compiled programs, MuJoCo, and what evaluation holds."""
FIT_COPIES = {"patches": 6, "keypoints": 2}
"""How often a fit holds the bytes of its images: on the canvas, numbers are halves."""
MOST_COPIES = max(FIT_COPIES.values())
NUMBER_BYTES = 4
"""Of each number of a latent or an action."""
ROWS_PER_FILE = 2000
"""Rows of replay in one file of a checkpoint at most: so much more memory does it take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """What a run's need depends on besides its settings."""

    num_steps: int
    """Of an episode."""
    action_size: int
    frame_bytes: int


def memory_bytes(config: Config, sizes: Sizes, num_together: int = 1) -> float:
    """Memory that so many runs with these settings take in one process.

    Only rows that are filled in the end count: what is never written takes nothing. Runs that
    are trained together remember each for itself, but take turns in all else.
    """
    kept, num_rows = kept_bytes(config, sizes), rows_filled(config, sizes)
    frames_fitted = num_rows if config.online.every_steps else 0
    num_copies = FIT_COPIES.get(config.vae.architecture, MOST_COPIES)
    fit = num_copies * sizes.frame_bytes * max(config.collect.num_images, frames_fitted)
    in_memory = 0 if lies_in_a_file(config, sizes) else kept
    remembered = num_rows * (row_bytes(config, sizes) + in_memory)
    saved = 2 * ROWS_PER_FILE * kept
    return PROGRAMS_BYTES + num_together * remembered + fit + saved


def rows_filled(config: Config, sizes: Sizes) -> int:
    """Frames that replay holds in the end."""
    num_transitions = min(
        config.buffer_size, config.total_timesteps + config.collect.num_images
    )
    return -(-num_transitions * (sizes.num_steps + 1) // sizes.num_steps)


def kept_bytes(config: Config, sizes: Sizes) -> int:
    """Bytes that replay keeps of each frame itself: none where nothing looks at it again."""
    return sizes.frame_bytes if config.reads_frames_again else 0


def row_bytes(config: Config, sizes: Sizes) -> int:
    """Bytes of what replay keeps beside each frame: a latent, its spread, and an action.

    Where the agent sees pictures, the frame is its own latent.
    """
    latent_dim = 0 if config.is_end_to_end else config.vae.latent_dim
    return NUMBER_BYTES * (2 * latent_dim + sizes.action_size)


def lies_in_a_file(config: Config, sizes: Sizes) -> bool:
    """Whether the frames are more than the settings let into memory."""
    num_bytes = rows_filled(config, sizes) * kept_bytes(config, sizes)
    return 0 < config.buffer_memory_gb * GB < num_bytes
