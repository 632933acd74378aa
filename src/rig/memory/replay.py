"""Replay: every frame once, its latent beside it, and batches by index arithmetic.

An episode of T actions has T + 1 frames. All frames of all episodes lie in one long array, so
with T = 3 the frames of the first two episodes are rows::

    episode 0   0 1 2 3        step t of episode e   row      = e * (T + 1) + t
    episode 1   4 5 6 7        the frame after it    row + 1
                               a later frame         row + 1 ... e * (T + 1) + T

Latents are a cache of what the VAE says of the frames. When the VAE has moved,
:meth:`Replay.reencode` makes them anew.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from rig.errors import NotEnoughDataError
from rig.types import Encoding, Episodes


Goals = Float32[np.ndarray, "N latent"]
Rows = Int[np.ndarray, " B"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalled:
    """Transitions as they happened, each with a frame reached later in its episode."""

    latent: Float32[np.ndarray, "B latent"]
    action: Float32[np.ndarray, "B action"]
    next_latent: Float32[np.ndarray, "B latent"]
    next_log_std: Float32[np.ndarray, "B latent"]
    goal: Float32[np.ndarray, "B latent"]
    """The goal the rollout was aimed at."""
    future_latent: Float32[np.ndarray, "B latent"]
    """A latent reached later in the same episode; the next latent is one of them."""
    next_row: Rows
    """Where the next frame lies."""

    def __len__(self) -> int:
        return len(self.latent)


class Replay:
    """The last episodes, all of one length; the oldest go first."""

    def __init__(self, num_transitions: int, num_steps: int) -> None:
        self._num_steps = num_steps
        self._capacity = max(1, num_transitions // num_steps)
        self._num_added = 0
        self._frames = np.empty(0)
        self._latents = self._log_stds = np.empty((0, 0), np.float32)
        self._actions = self._goals = np.empty((0, 0), np.float32)

    @property
    def num_episodes(self) -> int:
        """Episodes held."""
        return min(self._num_added, self._capacity)

    @property
    def num_transitions(self) -> int:
        """Transitions held."""
        return self.num_episodes * self._num_steps

    @property
    def frames(self) -> np.ndarray:
        """All frames held, one row each: a view, not a copy."""
        return self._frames[: self.num_episodes * (self._num_steps + 1)]

    @property
    def latents(self) -> Float32[np.ndarray, "rows latent"]:
        """The latents of all frames held: a view, not a copy."""
        return self._latents[: self.num_episodes * (self._num_steps + 1)]

    def add(self, episodes: Episodes) -> None:
        """Takes in episodes, in the place of the oldest ones if it is full."""
        if self._num_added == 0:
            self._allocate(episodes)
        places = (self._num_added + np.arange(len(episodes))) % self._capacity
        rows = self._first_rows(places)[:, None] + np.arange(self._num_steps + 1)
        self._frames[rows] = episodes.frames
        self._latents[rows.reshape(-1)] = episodes.encoding.latent
        self._log_stds[rows.reshape(-1)] = episodes.encoding.log_std
        self._actions[places] = episodes.actions
        self._goals[places] = episodes.goals
        self._num_added += len(episodes)

    def sample(self, num: int, *, rng: np.random.Generator) -> Recalled:
        """Transitions drawn uniformly, with replacement.

        Raises:
            NotEnoughDataError: It is empty.
        """
        if self.num_episodes == 0:
            raise NotEnoughDataError("replay holds no episode: practise before sampling")
        episode = rng.integers(self.num_episodes, size=num)
        step = rng.integers(self._num_steps, size=num)
        future = rng.integers(step + 1, self._num_steps + 1)
        first = self._first_rows(episode)
        row = first + step
        return Recalled(
            latent=self._latents[row],
            action=self._actions[episode, step],
            next_latent=self._latents[row + 1],
            next_log_std=self._log_stds[row + 1],
            goal=self._goals[episode],
            future_latent=self._latents[first + future],
            next_row=row + 1,
        )

    def reencode(
        self,
        encode: Callable[[np.ndarray], Encoding],
        move_goals: Callable[[Goals], Goals],
    ) -> None:
        """Makes every latent anew: the VAE has moved.

        Args:
            encode: The VAE as it is now.
            move_goals: Old goals to new ones. A goal stands for a picture, so the caller
                decodes it with the VAE that imagined it and encodes it with the new one.
        """
        encoding = encode(self.frames)
        self._latents[: len(encoding.latent)] = encoding.latent
        self._log_stds[: len(encoding.latent)] = encoding.log_std
        self._goals[: self.num_episodes] = move_goals(self._goals[: self.num_episodes])

    def _first_rows(self, episode: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
        return episode * (self._num_steps + 1)

    def _allocate(self, episodes: Episodes) -> None:
        """Takes address space for all that fits; pages are touched only when written."""
        num_rows = self._capacity * (self._num_steps + 1)
        latent_size = episodes.encoding.latent.shape[1]
        self._frames = np.empty((num_rows, *episodes.frames.shape[2:]), episodes.frames.dtype)
        self._latents = np.empty((num_rows, latent_size), np.float32)
        self._log_stds = np.empty((num_rows, latent_size), np.float32)
        self._actions = np.empty((self._capacity, *episodes.actions.shape[1:]), np.float32)
        self._goals = np.empty((self._capacity, latent_size), np.float32)
