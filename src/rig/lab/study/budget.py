"""What a run will need of a machine's memory, told before it starts."""

from rig.config import Config


PROGRAM_BYTES = 1_200_000_000
"""Python, JAX with its compiled programs, MuJoCo and the batches of a dispatch."""
BYTES_PER_FITTED_PIXEL = 12
"""A collected image, its episode's copy, and its targets in half precision, blurred and not."""
NUM_CHANNELS = 3


def memory_bytes(config: Config) -> int:
    """An upper estimate of a run's memory: replay when it is full, and the first fit."""
    pixels = NUM_CHANNELS * config.image_size**2
    if config.oracle:
        pixels = 0
    num_frames = min(config.replay_size, config.num_env_steps)
    fit = config.collect.num_images * pixels * BYTES_PER_FITTED_PIXEL
    return PROGRAM_BYTES + num_frames * pixels + fit
