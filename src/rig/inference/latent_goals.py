"""A wrapper that shows a task's images as latents, for use with your own HER buffer.

The wrapped environment is goal-conditioned as Gymnasium-Robotics and stable-baselines3 expect:
``observation``, ``achieved_goal`` and ``desired_goal`` are latents, and ``compute_reward``
takes one transition or a batch. It works with ``stable_baselines3.HerReplayBuffer``::

    run, agent = open_trained(Path("runs/push"))
    env = LatentGoals(gymnasium.make("rig/Push-v0"), agent.representation)

The true state stays in ``info``, for evaluation.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float32

from rig.representation.latent import LatentRepresentation
from rig.representation.reward import latent_reward
from rig.validation import require


Latent = Float32[np.ndarray, " latent"]
Latents = Float32[np.ndarray, "*B latent"]
GOAL_SOURCES = ("imagined", "images")


class LatentGoals(
    gymnasium.Wrapper[dict[str, Any], Any, Any, Any], gymnasium.utils.RecordConstructorArgs
):
    """One environment seen through an encoder, with imagined goals or encoded goal images."""

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        representation: LatentRepresentation,
        *,
        goals: str = "imagined",
    ) -> None:
        """Wrap an environment whose observation has ``observation`` and ``desired_goal``.

        Args:
            env: Shows images of the size that the representation was fitted to.
            representation: Encodes images and imagines goals.
            goals: ``imagined``: each episode's goal is a draw from the prior, as in practice;
                ``images``: it is the latent of the environment's goal image.

        Raises:
            ConfigError: ``goals`` is neither.
        """
        gymnasium.utils.RecordConstructorArgs.__init__(
            self, representation=representation, goals=goals
        )
        gymnasium.Wrapper.__init__(self, env)
        known = " or ".join(GOAL_SOURCES)
        require(goals in GOAL_SOURCES, f"goals must be {known}, got {goals!r}")
        self._representation, self._goals = representation, goals
        box = spaces.Box(-np.inf, np.inf, (representation.latent_dim,), np.float32)
        self.observation_space = spaces.Dict(
            observation=box, achieved_goal=box, desired_goal=box
        )

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Latent], dict[str, Any]]:
        """Begin an episode and choose its goal."""
        observation, info = self.env.reset(seed=seed, options=dict(options or {}))
        if self._goals == "images":
            self._goal = self._encode(observation["desired_goal"])
        else:
            self._goal = self._representation.imagine(1, rng=self.env.unwrapped.np_random)[0]
        return self._observe(observation), info

    def step(
        self, action: Float32[np.ndarray, " action"]
    ) -> tuple[dict[str, Latent], float, bool, bool, dict[str, Any]]:
        """Take a step; the reward is minus the latent distance after it."""
        observation, _reward, terminated, truncated, info = self.env.step(action)
        seen = self._observe(observation)
        reward = float(self.compute_reward(seen["achieved_goal"], self._goal, info))
        return seen, reward, terminated, truncated, info

    def compute_reward(
        self, achieved_goal: Latents, desired_goal: Latents, info: Any
    ) -> Float32[np.ndarray, "*B"]:
        """Return minus the weighted distance of each pair of latents; ``info`` is unused."""
        del info
        achieved, desired = np.atleast_2d(achieved_goal), np.atleast_2d(desired_goal)
        rewards = latent_reward(achieved, desired, self._representation.weight)
        return rewards.reshape(np.shape(achieved_goal)[:-1])

    def _observe(self, observation: Mapping[str, np.ndarray]) -> dict[str, Latent]:
        latent = self._encode(observation["observation"])
        return {
            "observation": latent,
            "achieved_goal": latent.copy(),
            "desired_goal": self._goal.copy(),
        }

    def _encode(self, image: np.ndarray) -> Latent:
        return self._representation.encode(image[None]).latent[0].copy()
