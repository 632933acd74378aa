"""A representation of your own: a grey 12 x 12 thumbnail of the image in place of a VAE."""
# ruff: noqa: D102

import numpy as np

from rig.representation.registry import REPRESENTATIONS
from rig.representation.representation import Representation
from rig.types import Encoding


class Thumbnail(Representation):
    """The thumbnail is the latent; goals are thumbnails of observed images."""

    latent_dim = 12 * 12
    num_goals = property(lambda self: len(self.goals))

    def __init__(self, goals):
        self.goals = goals
        self.weight = np.ones(self.latent_dim, np.float32)

    @classmethod
    def input_size(cls, config):
        return cls.latent_dim

    @classmethod
    def fit(cls, config, collected, monitor, *, rng):
        return cls(thumbnails(collected.images))

    @classmethod
    def template(cls, config, num_goals):
        return {"goals": np.empty((num_goals, cls.latent_dim), np.float32)}

    @classmethod
    def from_arrays(cls, arrays, config):
        return cls(np.asarray(arrays["goals"]))

    def arrays(self):
        return {"goals": self.goals}

    def encode(self, frames):
        latent = thumbnails(frames)
        return Encoding(latent=latent, log_std=np.full_like(latent, -5))

    def decode(self, latents):
        grey = (255 * latents.reshape(-1, 12, 12, 1)).astype(np.uint8)
        return grey.repeat(4, axis=1).repeat(4, axis=2).repeat(3, axis=3)

    def imagine(self, num, *, rng):
        return self.goals[rng.integers(self.num_goals, size=num)]


def thumbnails(images):
    """Return the mean grey, in [0, 1], of each 4 x 4 pixels."""
    blocks = images.reshape(-1, 12, 4, 12, 4, 3).mean(axis=(2, 4, 5)) / 255
    return blocks.reshape(len(images), -1).astype(np.float32)


REPRESENTATIONS["thumbnail"] = Thumbnail
