"""Errors of someone's environment, as one line: whose it is, and what the rule is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rig.errors import EnvFailedError, ExternalEnvError, RigError


RULES = {
    "import": "importing MODULE must register ID with Gymnasium",
    "make": "gymnasium.make must return an environment",
    "reset": "reset(seed=..., options=...) must return (observation, info)",
    "step": "step(action) must return (observation, reward, terminated, truncated, info)",
    "render": "render() must return an image, uint8 of shape [H, W, 3]",
    "close": "close() must return",
}
"""What Gymnasium asks of each call."""
MAX_LENGTH = 200
"""Longer messages are cut: the log has all of them."""


@contextmanager
def calling(id_: str, call: str) -> Iterator[None]:
    """Turn any error of the block, a call of an environment, into one that names it.

    Args:
        id_: The environment.
        call: What is called; a key of ``RULES``.

    Raises:
        EnvFailedError: The block raised an error; that is its cause.
    """
    try:
        yield
    except RigError:
        raise
    except (Exception, SystemExit) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        shown = what if len(what) <= MAX_LENGTH else f"{what[:MAX_LENGTH]}…"
        raise EnvFailedError(f"{id_}: {call} raised {shown}; {RULES[call]}") from error


@contextmanager
def named(id_: str) -> Iterator[None]:
    """Put an environment's id before the message of an error that lacks it."""
    try:
        yield
    except ExternalEnvError as error:
        if isinstance(error, EnvFailedError) or str(error).startswith(id_):
            raise
        raise ExternalEnvError(f"{id_}: {error}") from error


def check_image(id_: str, image: Any, source: str) -> np.ndarray:
    """Return an image of an environment as an array.

    Raises:
        EnvFailedError: It is not uint8 of shape [H, W, 3], or has no pixel.
    """
    array = np.asarray(image)
    is_rgb = array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3
    if not (is_rgb and array.size):
        raise EnvFailedError(
            f"{id_}: {source} is {array.dtype} of shape {list(array.shape)}: images must be "
            "uint8 of shape [H, W, 3]"
        )
    return array
