"""Replay: every frame once, its latent next to it, and batches by index arithmetic.

An episode of T actions has T + 1 frames; each episode has its own T. The frames of all episodes
lie in one ring of rows, one after another. With room for 8 rows and episodes of T = 3, 1 and 2
the third one wraps around, and the first, whose rows it begins to take, is dropped::

    row       0 1 2 3   4 5   6 7        step t of an episode   first row + t
    episode   2 . . .   1 1   2 2        the frame after it     first row + t + 1
                                         a later frame          ... first row + T

Row numbers only grow, and are taken modulo the size of the ring where an array is read.
Latents are a cache of the frames' encodings; after the VAE has changed,
:meth:`ReplayBuffer.reencode` updates them. A buffer that does not keep frames stores only their
latents. Where a latent is the image itself, it is a view of the frame: nothing is stored twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from rig.errors import NotEnoughDataError
from rig.replay.memmap import advise_dontneed
from rig.replay.prioritize import Shares, draw_steps
from rig.replay.transitions import SampledTransitions
from rig.types import Encoding, Episodes, Goals, Latents


Rows = Int[np.ndarray, " B"]
NewFrames = Callable[[tuple[int, ...], np.dtype], np.ndarray]


class ReplayBuffer:
    """The last episodes, of any lengths; the oldest are dropped first."""

    def __init__(
        self,
        num_transitions: int,
        num_steps: int,
        new_frames: NewFrames = np.empty,
        *,
        keeps_frames: bool = True,
    ) -> None:
        """Make room for transitions.

        Args:
            num_transitions: Of episodes of ``num_steps``. Shorter episodes have more frames per
                transition, so fewer of their transitions fit.
            num_steps: The longest episode's length.
            new_frames: Makes the array of all frames: in memory, or in a file.
            keeps_frames: Whether frames are stored, or only their latents.
        """
        self._new_frames = new_frames
        self._keeps_frames = keeps_frames
        self._num_rows = max(1, num_transitions // num_steps) * (num_steps + 1)
        self._num_added = 0
        self._frames = np.empty(0)
        self._latents: np.ndarray = np.empty((0, 0), np.float32)
        self._log_stds = self._actions = np.empty((0, 0), np.float32)
        self._first_row = self._num_steps = np.empty(0, np.int64)
        self._goals: np.ndarray = np.empty((0, 0), np.float32)

    @property
    def num_episodes(self) -> int:
        """The number of episodes held."""
        return len(self._num_steps)

    @property
    def num_transitions(self) -> int:
        """The number of transitions held."""
        return int(self._num_steps.sum())

    @property
    def num_steps(self) -> Int[np.ndarray, " episodes"]:
        """The number of steps of each episode held: a view, not a copy."""
        return self._num_steps

    @property
    def frames(self) -> np.ndarray:
        """All frames still there, one row each: a view, not a copy."""
        assert self._keeps_frames, "this buffer does not keep frames"
        return self._frames[: self._num_added]

    @property
    def latents(self) -> Latents:
        """The latents of those frames: a view, not a copy."""
        return self._latents[: self._num_added]

    @property
    def num_rows(self) -> int:
        """The number of rows it has room for."""
        return self._num_rows

    @property
    def rows_held(self) -> tuple[int, int]:
        """The oldest row still there, and the one after the newest; row numbers only grow."""
        return max(0, self._num_added - self._num_rows), self._num_added

    def add(self, episodes: Episodes) -> None:
        """Add episodes, in place of the oldest ones if it is full."""
        # Not kept, a frame has no rows of pixels: an array of the usual rank, without bytes.
        frames = episodes.frames if self._keeps_frames else episodes.frames[:, :0]
        if self._num_added == 0:
            self._allocate(frames, episodes.goals, episodes.actions.shape[1])
        last, new = episodes.last_rows, np.arange(len(episodes.frames))
        has_action = np.isin(new, last, invert=True)
        first_row = self._num_added + last - episodes.num_steps
        row = self._places(self._num_added + new)
        self._frames[row] = frames
        advise_dontneed(self._frames)  # frames are seldom read again: their latents are
        self._latents[row] = episodes.encoding.latent
        self._log_stds[row] = episodes.encoding.log_std
        self._actions[row[has_action]] = episodes.actions
        self._num_added += len(new)
        self._index(first_row, episodes)

    def sample(
        self, num: int, share: Shares | None = None, *, rng: np.random.Generator
    ) -> SampledTransitions:
        """Return transitions drawn with replacement.

        Args:
            num: How many.
            share: How often each episode is drawn; by default, all transitions alike.
            rng: Draws them.

        Raises:
            NotEnoughDataError: It is empty.
        """
        if self.num_episodes == 0:
            raise NotEnoughDataError("the buffer holds no episode: add some before sampling")
        episode, step = draw_steps(self._num_steps, num, share, rng=rng)
        first, num_steps = self._first_row[episode], self._num_steps[episode]
        future = rng.integers(step + 1, num_steps + 1)
        row = self._places(first + step)
        return SampledTransitions(
            latent=self._latents[row],
            action=self._actions[row],
            goal=self._goals[episode],
            future_latent=self._latents[self._places(first + future)],
            num_left=num_steps - step,
            **self._reached(self._places(first + step + 1)),
        )

    def later(self, sampled: SampledTransitions, num_steps: int) -> SampledTransitions:
        """Return transitions that end some steps later, or where their episode ends."""
        steps = np.minimum(num_steps, sampled.num_left - 1)
        reached = self._reached(self._places(sampled.next_row + steps))
        return replace(sampled, num_left=sampled.num_left - steps, **reached)

    def latents_after(self, part: float) -> Latents:
        """Return the latent of each episode after a part of its steps, from 0 to 1."""
        step = (part * self._num_steps).astype(np.int64)
        return self._latents[self._places(self._first_row + step)]

    def reencode(
        self, encode: Callable[[np.ndarray], Encoding], reencode_goals: Callable[[Goals], Goals]
    ) -> None:
        """Encode every frame again: the VAE has changed.

        Args:
            encode: The new encoder.
            reencode_goals: Returns the new goals of old ones, whose images the caller decodes
                with the old VAE and encodes with the new one.
        """
        encoding = encode(self.frames)
        self._latents[: len(encoding.latent)] = encoding.latent
        self._log_stds[: len(encoding.latent)] = encoding.log_std
        self._goals = reencode_goals(self._goals)

    def immutable_arrays(self, first: int, end: int) -> dict[str, np.ndarray]:
        """Return frames and actions of some rows: what never changes once it is stored."""
        places = self._places(np.arange(first, end))
        return {"frames": self._frames[places], "actions": self._actions[places]}

    def mutable_arrays(self) -> dict[str, np.ndarray]:
        """Return the rest: latents, and where each episode is. Views, not copies.

        Latents that are the frames themselves have no column.
        """
        return {
            "latents": self.latents[:, : self._num_columns],
            "log_stds": self._log_stds[: self._num_added],
            "goals": self._goals,
            "first_row": self._first_row,
            "num_steps": self._num_steps,
        }

    def restore(
        self,
        mutable_arrays: dict[str, np.ndarray],
        parts: Iterable[tuple[int, dict[str, np.ndarray]]],
    ) -> None:
        """Become, byte for byte, the buffer that was saved; this one must be new.

        Args:
            mutable_arrays: From :meth:`mutable_arrays`.
            parts: First rows, each with the :meth:`immutable_arrays` from there on, in order;
                none if nothing was stored yet.
        """
        for first, immutable_arrays in parts:
            if self._num_added == 0:
                action_size = immutable_arrays["actions"].shape[1]
                self._allocate(immutable_arrays["frames"], mutable_arrays["goals"], action_size)
            self._num_added = first + len(immutable_arrays["frames"])
            row = self._places(np.arange(first, self._num_added))
            self._frames[row] = immutable_arrays["frames"]
            self._actions[row] = immutable_arrays["actions"]
        self.latents[:, : self._num_columns] = mutable_arrays["latents"]
        self._log_stds[: self._num_added] = mutable_arrays["log_stds"]
        self._first_row = mutable_arrays["first_row"]
        self._num_steps = mutable_arrays["num_steps"]
        self._goals = mutable_arrays["goals"]

    def _index(self, first_row: Rows, episodes: Episodes) -> None:
        """Record where new episodes begin, and drop those that lost rows to them."""
        first_row = np.concatenate([self._first_row, first_row])
        num_steps = np.concatenate([self._num_steps, episodes.num_steps])
        goals = np.concatenate([self._goals, episodes.goals])
        held = np.flatnonzero(first_row >= self._num_added - self._num_rows)
        held = held[np.argsort(self._places(first_row[held]))]
        self._first_row, self._num_steps = first_row[held], num_steps[held]
        self._goals = goals[held]

    def _reached(self, row: Rows) -> dict[str, np.ndarray]:
        """Return what transitions say of the frames that they end with."""
        latent, log_std = self._latents[row], self._log_stds[row]
        return {"next_latent": latent, "next_log_std": log_std, "next_row": row}

    def _places(self, row: Rows) -> Rows:
        """Return where rows are in the arrays."""
        return row % self._num_rows

    @property
    def _num_columns(self) -> int:
        """The values of a latent stored next to its frame: none of an image."""
        return self._log_stds.shape[1]

    def _allocate(self, frames: np.ndarray, goals: Goals, action_size: int) -> None:
        """Take address space for all that fits; pages are touched only when written."""
        size, is_image = goals.shape[1], goals.dtype == np.uint8
        self._frames = self._new_frames((self._num_rows, *frames.shape[1:]), frames.dtype)
        self._latents = np.empty((self._num_rows, size), np.float32)
        if is_image:
            self._latents = self._frames.reshape(self._num_rows, size)
        self._log_stds = np.empty((self._num_rows, 0 if is_image else size), np.float32)
        # Zeros, because the last row of an episode has no action and is saved all the same.
        self._actions = np.zeros((self._num_rows, action_size), np.float32)
        self._goals = goals[:0]
