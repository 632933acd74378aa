"""What is due now and then: worked out from the steps alone, so that nothing has to be kept."""


def is_due(every_steps: int, num_env_steps: int, num_new: int) -> bool:
    """Whether the last steps went over a multiple of so many; never for 0."""
    before = num_env_steps - num_new
    return every_steps > 0 and num_env_steps // every_steps > before // every_steps
