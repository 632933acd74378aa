"""Cuts what N environments showed side by side into episodes."""

import numpy as np
from jaxtyping import Bool

from rig.types import Encoding, Rollouts


EnvMask = Bool[np.ndarray, " N"]
"""Some of the environments."""


class EpisodeBuilder:
    """Layers of frames, one frame of each environment; a layer may have only some of them.

    A row is a frame of one environment. It has a next one if the environment's next row is what
    its action led to; where it has none, an episode ends.
    """

    def __init__(self) -> None:
        self._frames: list[np.ndarray] = []
        self._actions: list[np.ndarray] = []
        self._is_there: list[EnvMask] = []
        self._has_next: list[EnvMask] = []

    def add(self, frames: np.ndarray, actions: np.ndarray, has_next: EnvMask) -> None:
        """Add a frame of every environment, and the action taken in it."""
        self._frames.append(frames)
        self._actions.append(actions)
        self._is_there.append(np.ones(len(frames), bool))
        self._has_next.append(has_next)

    def add_last(self, frames: np.ndarray, ended: EnvMask) -> None:
        """Add the last frame of the episodes that ended; the other environments have none."""
        self._frames.append(frames)
        self._actions.append(np.zeros_like(self._actions[-1]))
        self._is_there.append(ended)
        self._has_next.append(np.zeros(len(frames), bool))

    def spoil(self, mask: EnvMask) -> None:
        """Drop the present episode of these environments: none of it may be learned from."""
        for index in np.flatnonzero(mask):
            for is_there, has_next in zip(
                self._is_there[::-1], self._has_next[::-1], strict=True
            ):
                if is_there[index] and not has_next[index]:
                    break
                has_next[index] = False

    def rollouts(self) -> Rollouts:
        """Return all episodes of at least one step, environment after environment."""
        kept, has_next = self._rows()
        ends = np.flatnonzero(~has_next)
        return Rollouts(
            num_steps=np.diff(ends, prepend=-1) - 1,
            actions=np.stack(self._actions, axis=1)[kept][has_next],
            frames=np.stack(self._frames, axis=1)[kept],
            env_indices=np.nonzero(kept)[0][ends],
        )

    def rows_of(self, encodings: list[Encoding]) -> Encoding:
        """Return the episodes' rows of the encodings of each layer."""
        kept, _ = self._rows()
        latents = np.stack([encoding.latent for encoding in encodings], axis=1)
        log_stds = np.stack([encoding.log_std for encoding in encodings], axis=1)
        return Encoding(latent=latents[kept], log_std=log_stds[kept])

    def _rows(self) -> tuple[Bool[np.ndarray, "N layers"], Bool[np.ndarray, " rows"]]:
        """Return which frames are rows of an episode, and which of those have a next one.

        A frame that nothing led to and that leads to nothing is not an episode.
        """
        is_there = np.stack(self._is_there, axis=1)
        has_next = np.stack(self._has_next, axis=1)[is_there]
        is_reached = np.concatenate([[False], has_next[:-1]])
        in_episode = has_next | is_reached
        kept = is_there.copy()
        kept[is_there] = in_episode
        return kept, has_next[in_episode]
