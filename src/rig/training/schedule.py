"""What is due now and then: computed from the steps alone, so that nothing has to be saved."""


def is_due(every_steps: int, num_env_steps: int, num_new: int) -> bool:
    """Return whether the last steps passed a multiple of ``every_steps``; never for 0."""
    before = num_env_steps - num_new
    return every_steps > 0 and num_env_steps // every_steps > before // every_steps
