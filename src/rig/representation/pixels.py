"""End to end: an image is its own latent, so actor and critics see the images themselves.

This is a baseline, hindsight relabelling from pixels, with everything else unchanged. A latent
is the image's pixels in a row; goals are observed images, because nothing can imagine new ones;
actor and critics begin with layers that look at both (:mod:`rig.agent.feature_extractor`).

Source: Nair et al. 2018, section 5, which compares with it.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, UInt8

from rig.config import Config
from rig.nn.patches import IMAGE_CHANNELS, side_of
from rig.replay.buffer import ReplayBuffer
from rig.representation.representation import FitMonitor, Images, Representation, Tree
from rig.representation.reward import pixel_distance_reward
from rig.types import Collected, Encoding


FlatImages = UInt8[np.ndarray, "N pixels"]
"""Images, the pixels of each in a row."""
NUM_GOALS = 1000
"""Images to draw goals from. They are saved with the policy: 7 kB each at 48 x 48."""


class PixelRepresentation(Representation):
    """Images as their own latents, and observed images to draw goals from."""

    latent_dtype = np.uint8

    def __init__(self, goals: FlatImages) -> None:
        self._goals = goals
        self.weight = None

    @classmethod
    def of_images(cls, images: Images, *, rng: np.random.Generator) -> "PixelRepresentation":
        """Return the representation whose goals are some of these images."""
        return cls(flatten(images[rng.permutation(len(images))[:NUM_GOALS]]))

    @classmethod
    def fit(
        cls,
        config: Config,
        collected: Collected,
        monitor: FitMonitor,
        *,
        rng: np.random.Generator,
    ) -> "PixelRepresentation":
        """Draw the goals; nothing is fitted."""
        return cls.of_images(collected.images, rng=rng)

    @classmethod
    def input_size(cls, config: Config) -> int:
        """Return the number of pixel values of an image."""
        return IMAGE_CHANNELS * config.image_size**2

    @classmethod
    def template(cls, config: Config, num_goals: int) -> Tree:
        """Return the shapes of :meth:`arrays`."""
        return {"goals": jnp.zeros((num_goals, cls.input_size(config)), jnp.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Tree, config: Config) -> "PixelRepresentation":
        """Return the representation that :meth:`arrays` saved."""
        return cls(np.asarray(arrays["goals"]))

    def arrays(self) -> Tree:
        """Return all arrays that must be saved."""
        return {"goals": self._goals}

    @property
    def num_goals(self) -> int:
        """The number of images to draw goals from."""
        return len(self._goals)

    @property
    def latent_dim(self) -> int:
        """The number of pixel values of an image."""
        return self._goals.shape[1]

    def encode(self, frames: Images) -> Encoding:
        """Return the images themselves; they have no standard deviation."""
        return Encoding(latent=flatten(frames), log_std=np.empty((len(frames), 0), np.float32))

    def decode(self, latents: FlatImages) -> Images:
        """Return the latents as images."""
        side = side_of(latents.shape[1])
        return latents.reshape(-1, side, side, IMAGE_CHANNELS)

    def imagine(self, num: int, *, rng: np.random.Generator) -> FlatImages:
        """Return goals drawn from observed images: none is new."""
        return self._goals[rng.integers(len(self._goals), size=num)]

    def distance(self, latents: FlatImages, goals: FlatImages) -> Float32[np.ndarray, " N"]:
        """Return the root mean squared error between images with pixels in [0, 1]."""
        return -pixel_distance_reward(self.decode(latents), self.decode(goals))

    def refresh_prior(
        self, replay: ReplayBuffer, config: Config, *, rng: np.random.Generator
    ) -> "PixelRepresentation":
        """Return the representation whose goals are images that replay holds."""
        return self.of_images(replay.frames, rng=rng)


def flatten(images: Images) -> FlatImages:
    """Return the pixels of each image in a row: a view where possible."""
    return images.reshape(len(images), -1)
