"""Pictures of the latest episodes of practice, of which a run keeps statistics at its end.

They are in memory only: a run that resumes begins to gather them again.
"""

from collections import deque

import numpy as np
from jaxtyping import UInt8

from rig.config import Config
from rig.goals.practised import Practised, practised_of
from rig.representation.representation import Representation
from rig.types import Episodes


NUM_EPISODES = 256
PER_EPISODE = 4


class PracticePictures:
    """A few pictures of each of the latest episodes."""

    def __init__(self, config: Config) -> None:
        self._seed = config.seed
        self._pictures: deque[UInt8[np.ndarray, "pictures H W 3"]] = deque(maxlen=NUM_EPISODES)

    def add(
        self, representation: Representation, episodes: Episodes, num_env_steps: int
    ) -> None:
        """Add pictures of episodes that ended after that many steps of the run."""
        if representation.needs_true_state:
            return
        # Of its own, so that nothing that learns draws other numbers.
        rng = np.random.default_rng([self._seed, num_env_steps])
        lengths = episodes.num_steps + 1
        for first, length in zip(np.cumsum(lengths) - lengths, lengths, strict=True):
            rows = first + rng.integers(length, size=PER_EPISODE)
            self._pictures.append(representation.images_of(episodes.frames[rows]))

    def practised(self, representation: Representation) -> Practised | None:
        """Return what a run keeps of them; None if they are too few."""
        if not self._pictures:
            return None
        rng = np.random.default_rng(self._seed)
        return practised_of(representation, np.stack(self._pictures), rng=rng)
