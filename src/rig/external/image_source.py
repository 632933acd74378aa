"""Where the images of external environments come from: the observation, render, or more."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import UInt8

from rig.envs.patterns import Pattern
from rig.envs.square_crop import crop_square
from rig.errors import ExternalEnvError
from rig.external.env import ExternalEnv
from rig.external.failures import calling, check_image


Image = UInt8[np.ndarray, "H W 3"]
Images = UInt8[np.ndarray, "N H W 3"]


class ImageSource:
    """Takes the images of all environments of a batch."""

    description: str
    """What takes the images. Runs record it and compare it on resume: keep its words."""
    notes: tuple[str, ...] = ()
    """What a person should know about the images, such as what else could be chosen."""

    def images(self, envs: Sequence[ExternalEnv]) -> Images:
        """Return the present image of each environment."""
        raise NotImplementedError

    def still_image(self, envs: Sequence[ExternalEnv]) -> Image:
        """Return an image of the commonest colour in the present images."""
        images = self.images(envs)
        colours, counts = np.unique(images.reshape(-1, 3), axis=0, return_counts=True)
        return np.broadcast_to(colours[counts.argmax()], images.shape[1:]).copy()

    def paint_table(self, pattern: Pattern) -> bool:
        """Give what is fixed to the world a pattern; return whether that is possible."""
        return False

    def close(self) -> None:
        """Release what the source holds."""


class ObservationSource(ImageSource):
    """Takes the images from a part of the observations."""

    def __init__(self, image_size: int, part: str, parts: Sequence[str]) -> None:
        """Store which part to take.

        Args:
            image_size: Width and height of an image in pixels.
            part: Its name; if empty, the first one is taken.
            parts: The names of all images; ``""`` is the whole observation.
        """
        self._size, self._part = image_size, part or parts[0]
        self.description = f"the observation {self._part}".strip()
        if not part and len(parts) > 1:
            self.notes = (
                f"images are {self._part} of its observation, which has {', '.join(parts)}: "
                "--camera NAME chooses one",
            )

    def images(self, envs: Sequence[ExternalEnv]) -> Images:
        """Return the image in each environment's last observation."""
        return np.stack([crop_square(self._image(env), self._size) for env in envs])

    def _image(self, env: ExternalEnv) -> Image:
        image = env.observation[self._part] if self._part else env.observation
        return check_image(env.id, image, f"its observation {self._part}".strip())


class RenderSource(ImageSource):
    """Takes the images from the environments' own ``render``."""

    description = "render, rgb_array"

    def __init__(self, image_size: int) -> None:
        self._size = image_size

    def images(self, envs: Sequence[ExternalEnv]) -> Images:
        """Return what each environment renders now."""
        return np.stack([crop_square(render(env), self._size) for env in envs])


def render(env: ExternalEnv) -> Image:
    """Return the image that an environment renders.

    Raises:
        ExternalEnvError: A library is missing.
        EnvFailedError: It raised an error, or what it returned is not an RGB image.
    """
    with calling(env.id, "render"):
        try:
            image = env.env.render()
        except gymnasium.error.DependencyNotInstalled as error:
            raise ExternalEnvError(str(error)) from error
    return check_image(env.id, image, "what it renders")


def image_parts(space: spaces.Space[Any]) -> list[str]:
    """Return the parts of an observation that are RGB images; ``""`` is the whole of it."""
    if is_image(space):
        return [""]
    parts = space.spaces.items() if isinstance(space, spaces.Dict) else ()
    return [name for name, part in parts if is_image(part)]


def is_image(space: spaces.Space[Any]) -> bool:
    """Check whether a space is of RGB images: uint8, ``[H, W, 3]``."""
    is_bytes = isinstance(space, spaces.Box) and space.dtype == np.uint8
    return is_bytes and len(space.shape or ()) == 3 and (space.shape or ())[2] == 3
