"""End to end: pictures in place of latents. The only place where the agent sees images.

It is a baseline, hindsight from pixels, with everything else unchanged: a picture is its own
latent, its pixels in a row; goals are pictures that were seen; actor and critics begin with
layers that look at both (:mod:`rig.agent.feature_extractor`). No picture is imagined, as
nothing could
paint it.

Source: Nair et al. 2018, section 5, which compares with it.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, UInt8

from rig.agent.feature_extractor import side_of
from rig.agent.networks import Actor, act
from rig.nn.patches import IMAGE_CHANNELS
from rig.representation.reward import pixel_distance_reward
from rig.types import Encoding


FlatImages = UInt8[np.ndarray, "N picture"]
"""Pictures, the pixels of each in a row."""
Images = UInt8[np.ndarray, "N H W 3"]
NUM_GOALS = 1000
"""Pictures that goals are drawn from: they are saved with the policy, 7 kB each at 48 x 48."""


class PixelRepresentation:
    """A picture as its own latent, and pictures that goals are drawn from.

    It stands where :class:`rig.representation.latent.LatentRepresentation` does.
    """

    def __init__(self, goals: FlatImages) -> None:
        self._goals = goals

    @classmethod
    def of_images(cls, images: Images, *, rng: np.random.Generator) -> "PixelRepresentation":
        """The space whose goals are some of these images."""
        return cls(in_rows(images[rng.permutation(len(images))[:NUM_GOALS]]))

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any]) -> "PixelRepresentation":
        """The space that :meth:`arrays` took apart."""
        return cls(np.asarray(arrays["goals"]))

    def arrays(self) -> dict[str, Any]:
        """Everything that makes this space, to be saved."""
        return {"goals": self._goals}

    @property
    def num_goals(self) -> int:
        """Pictures that practice draws its goals from."""
        return len(self._goals)

    @property
    def latent_dim(self) -> int:
        """Numbers of a picture."""
        return self._goals.shape[1]

    def encode(self, images: Images) -> Encoding:
        """The images themselves, which are certain."""
        return Encoding(latent=in_rows(images), log_std=np.empty((len(images), 0), np.float32))

    def decode(self, pictures: FlatImages) -> Images:
        """The pictures as images."""
        side = side_of(pictures.shape[1])
        return pictures.reshape(-1, side, side, IMAGE_CHANNELS)

    def imagine(self, num: int, *, rng: np.random.Generator) -> FlatImages:
        """Goals, drawn from the pictures that were seen: none is new."""
        return self._goals[rng.integers(len(self._goals), size=num)]

    def distance(self, pictures: FlatImages, goals: FlatImages) -> Float32[np.ndarray, " N"]:
        """Root of the mean squared error between pictures, pixels in [0, 1]."""
        return -pixel_distance_reward(self.decode(pictures), self.decode(goals))

    def encode_and_act(
        self, actor: Actor, images: Images, goals: FlatImages
    ) -> tuple[Float32[np.ndarray, "N action"], Encoding]:
        """What the actor does about images, and the images themselves."""
        encoding = self.encode(images)
        return np.asarray(
            act(actor, jnp.asarray(encoding.latent), jnp.asarray(goals))
        ), encoding


def in_rows(images: Images) -> FlatImages:
    """The pixels of each image in a row: a view where that can be."""
    return images.reshape(len(images), -1)
