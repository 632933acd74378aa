"""Where a run stops at once: before a step of the environments, and before an update."""

from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

from rig.agent.td3 import Learner, Metrics, Rate, Transitions
from rig.config import Config, TD3Config
from rig.runs.interrupt import Interrupt
from rig.training.learn import Update
from rig.training.make_envs import make_envs


class StoppableEnvs(VectorWrapper):
    """Environments that take no further step once a run has to stop at once."""

    def __init__(self, envs: VectorEnv[Any, Any, Any], interrupt: Interrupt) -> None:
        super().__init__(envs)
        self._interrupt = interrupt

    def step(self, actions: np.ndarray) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step every environment.

        Raises:
            StoppedError: The run has to stop at once.
        """
        self._interrupt.check()
        return self.env.step(actions)


def stoppable_envs(config: Config, interrupt: Interrupt) -> StoppableEnvs:
    """Make the environments of practice."""
    return StoppableEnvs(make_envs(config, config.num_envs), interrupt)


def stoppable_update(update: Update, interrupt: Interrupt) -> Update:
    """Return an update that is not made once a run has to stop at once."""

    def call(
        learner: Learner,
        batches: Transitions,
        config: TD3Config,
        learning_rate: Rate,
        *,
        key: Any,
    ) -> tuple[Learner, Metrics]:
        interrupt.check()
        return update(learner, batches, config, learning_rate, key=key)

    return call
