"""Stand-ins that carry their identity: a mix-up shows as a wrong number."""

from collections.abc import Mapping

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space

from rig.representation.latent import LatentRepresentation
from rig.types import Encoding, Episodes


ACTION_SIZE = 2
LATENT, LOG_STD, ACTION, GOAL = 1000, 2000, 3000, 4000
"""Each field of a numbered episode has its own thousand."""


def numbered_episodes(first, num, num_steps):
    """Numbers are ``thousand + 10 * episode + step``; frames have no thousand.

    Each episode has its own number of steps, or all have the same.
    """
    lengths = np.broadcast_to(num_steps, num)
    goals = 10 * np.arange(first, first + num)[:, None]
    number = np.concatenate(
        [goal + np.arange(steps + 1) for goal, steps in zip(goals[:, 0], lengths, strict=True)]
    )
    is_last = np.isin(np.arange(len(number)), np.cumsum(lengths + 1) - 1)
    row = number[:, None].astype(np.float32)
    return Episodes(
        num_steps=lengths.copy(),
        actions=ACTION + row[~is_last].repeat(ACTION_SIZE, axis=1),
        frames=row[:, :, None, None].astype(np.uint8),
        encoding=Encoding(latent=LATENT + row, log_std=LOG_STD + row),
        goals=(GOAL + goals).astype(np.float32),
    )


class Things(LatentRepresentation):
    """Shows three latents; each of the first ``num_things`` belongs to a thing of its own."""

    def __init__(self, num_things):
        self.weight, self.num_things = np.ones(3, np.float32), num_things

    @property
    def latent_dim(self):
        return len(self.weight)

    @property
    def parts(self):
        eye = np.eye(3, dtype=np.float32)[: self.num_things]
        return np.stack([np.diag(row) for row in eye])


class ImageEnv(VectorEnv):
    """Worlds of a picture each; all that is no picture is poison."""

    def __init__(self, num_envs, image_shape):
        self.num_envs = num_envs
        self.single_observation_space = spaces.Dict(
            observation=spaces.Box(0, 255, image_shape, np.uint8)
        )
        self.single_action_space = spaces.Box(-1, 1, (ACTION_SIZE,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def look(self):
        raise NotImplementedError

    def begin(self):
        raise NotImplementedError

    def move(self, actions):
        raise NotImplementedError

    def reset(self, *, seed=None, options: Mapping | None = None):
        super().reset(seed=seed)
        self.begin()
        return {"observation": self.look()}, self._poison()

    def step(self, actions):
        self.move(actions)
        nan, never = np.full(self.num_envs, np.nan), np.zeros(self.num_envs, bool)
        return {"observation": self.look()}, nan, never, never, self._poison()

    def _poison(self):
        return {"state": np.full((self.num_envs, 2), np.nan)}


class CountingEnv(ImageEnv):
    """Its picture shows ``10 * world + step``, and it remembers what it was told to do."""

    def __init__(self, num_envs):
        super().__init__(num_envs, (1, 1, 3))
        self.told = []

    def begin(self):
        self.num_steps_done = 0

    def move(self, actions):
        self.num_steps_done += 1
        self.told.append(actions.copy())

    def look(self):
        shown = 10 * np.arange(self.num_envs) + self.num_steps_done
        return shown.astype(np.uint8).reshape(-1, 1, 1, 1).repeat(3, axis=-1)


class DotEnv(ImageEnv):
    """A dot in a square of side 2 that goes where it is told, seen as a bright blob."""

    STEP = 0.25
    SIZE = 24
    BLOB_PX = 2.0

    def __init__(self, num_envs):
        super().__init__(num_envs, (self.SIZE, self.SIZE, 3))

    def begin(self):
        self.places = np.zeros((self.num_envs, 2), np.float32)

    def move(self, actions):
        moved = self.places + self.STEP * np.clip(actions, -1, 1)
        self.places = np.clip(moved, -1, 1).astype(np.float32)

    def look(self):
        return picture_of(self.places)


class BareDotEnv(DotEnv):
    """A dot that shows its place in place of a picture."""

    def look(self):
        return self.places.astype(np.float64)


def picture_of(places):
    """Pictures of dots at these places, each coordinate in [-1, 1]."""
    size = DotEnv.SIZE
    centre_px = (np.asarray(places) + 1) / 2 * (size - 9) + 4
    offset = np.arange(size)[None, :, None] - centre_px[:, None, :]
    weight = np.exp(-0.5 * (offset / DotEnv.BLOB_PX) ** 2)
    blob = weight[:, :, None, 1] * weight[:, None, :, 0]
    return np.round(255 * np.repeat(blob[..., None], 3, axis=-1)).astype(np.uint8)
