"""The track of a rollout: what N worlds showed side by side, cut into episodes at the end."""

import numpy as np
from jaxtyping import Bool

from rig.types import Encoding, Rollouts


EnvMask = Bool[np.ndarray, " N"]
"""Which of the worlds."""


class EpisodeBuilder:
    """Layers of frames, one frame of each world; a layer may be of some of the worlds only.

    A row is a frame of one world. It leads on if the world's next row is what its action led
    to; where a row does not lead on, an episode ends.
    """

    def __init__(self) -> None:
        self._frames: list[np.ndarray] = []
        self._actions: list[np.ndarray] = []
        self._is_there: list[EnvMask] = []
        self._leads_on: list[EnvMask] = []

    def add(self, frames: np.ndarray, actions: np.ndarray, leads_on: EnvMask) -> None:
        """A frame of every world, and what it was told to do then."""
        self._frames.append(frames)
        self._actions.append(actions)
        self._is_there.append(np.ones(len(frames), bool))
        self._leads_on.append(leads_on)

    def add_last(self, frames: np.ndarray, ended: EnvMask) -> None:
        """The last frame of the episodes of the worlds that ended; the others have none."""
        self._frames.append(frames)
        self._actions.append(np.zeros_like(self._actions[-1]))
        self._is_there.append(ended)
        self._leads_on.append(np.zeros(len(frames), bool))

    def rollouts(self) -> Rollouts:
        """All episodes of at least one step, world after world."""
        kept, leads_on = self._rows()
        ends = np.flatnonzero(~leads_on)
        return Rollouts(
            num_steps=np.diff(ends, prepend=-1) - 1,
            actions=np.stack(self._actions, axis=1)[kept][leads_on],
            frames=np.stack(self._frames, axis=1)[kept],
            env_indices=np.nonzero(kept)[0][ends],
        )

    def rows_of(self, encodings: list[Encoding]) -> Encoding:
        """The rows of the episodes, of what each layer encodes to."""
        kept, _ = self._rows()
        latents = np.stack([encoding.latent for encoding in encodings], axis=1)
        log_stds = np.stack([encoding.log_std for encoding in encodings], axis=1)
        return Encoding(latent=latents[kept], log_std=log_stds[kept])

    def _rows(self) -> tuple[Bool[np.ndarray, "N layers"], Bool[np.ndarray, " rows"]]:
        """Which frames of which world are rows of an episode, and which of those lead on.

        A frame that nothing led to and that leads to nothing is no episode.
        """
        is_there = np.stack(self._is_there, axis=1)
        leads_on = np.stack(self._leads_on, axis=1)[is_there]
        is_reached = np.concatenate([[False], leads_on[:-1]])
        in_episode = leads_on | is_reached
        kept = is_there.copy()
        kept[is_there] = in_episode
        return kept, leads_on[in_episode]
