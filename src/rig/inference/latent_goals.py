"""A task's pictures as latents and goals, for anyone with a HER buffer of their own.

Wrapped so, an environment is goal-conditioned as Gymnasium-Robotics and stable-baselines3 have
it: ``observation``, ``achieved_goal`` and ``desired_goal`` are latents, and ``compute_reward``
gives the reward that any goal implies, one transition or a batch at a time. With
``stable_baselines3.HerReplayBuffer`` that is hindsight by somebody else's code::

    run, policy = open_trained(Path("runs/push"))
    env = LatentGoals(gymnasium.make("rig.envs.registration:rig/Push-v0"), agent.representation)

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
GOAL_SOURCES = ("imagined", "pictures")


class LatentGoals(gymnasium.Wrapper[dict[str, Any], Any, Any, Any]):
    """One world seen through an encoder; its goals are imagined, or encoded from pictures."""

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        space: LatentRepresentation,
        *,
        goals: str = "imagined",
    ) -> None:
        """Wraps an environment whose observation has ``observation`` and ``desired_goal``.

        Args:
            env: One world, seen as pictures of the size that the space was fitted to.
            space: Encodes and imagines.
            goals: ``imagined``: each episode's goal is a draw from the prior, as in practice;
                ``pictures``: it is the latent of the environment's goal picture.

        Raises:
            ConfigError: There are no such goals.
        """
        super().__init__(env)
        known = " or ".join(GOAL_SOURCES)
        require(goals in GOAL_SOURCES, f"goals must be {known}, got {goals!r}")
        self._space, self._goals = space, goals
        box = spaces.Box(-np.inf, np.inf, (space.latent_dim,), np.float32)
        self.observation_space = spaces.Dict(
            observation=box, achieved_goal=box, desired_goal=box
        )

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Latent], dict[str, Any]]:
        """Begins an episode, and chooses its goal."""
        observation, info = self.env.reset(seed=seed, options=dict(options or {}))
        if self._goals == "pictures":
            self._goal = self._encode(observation["desired_goal"])
        else:
            self._goal = self._space.imagine(1, rng=self.env.unwrapped.np_random)[0]
        return self._see(observation), info

    def step(
        self, action: Float32[np.ndarray, " action"]
    ) -> tuple[dict[str, Latent], float, bool, bool, dict[str, Any]]:
        """Moves, and rewards what the move came to."""
        observation, _reward, terminated, truncated, info = self.env.step(action)
        seen = self._see(observation)
        reward = float(self.compute_reward(seen["achieved_goal"], self._goal, info))
        return seen, reward, terminated, truncated, info

    def compute_reward(
        self, achieved_goal: Latents, desired_goal: Latents, info: Any
    ) -> Float32[np.ndarray, "*B"]:
        """Minus the weighted distance of each pair of latents; ``info`` does not count."""
        del info
        achieved, desired = np.atleast_2d(achieved_goal), np.atleast_2d(desired_goal)
        rewards = latent_reward(achieved, desired, self._space.weight)
        return rewards.reshape(np.shape(achieved_goal)[:-1])

    def _see(self, observation: Mapping[str, np.ndarray]) -> dict[str, Latent]:
        latent = self._encode(observation["observation"])
        return {"observation": latent, "achieved_goal": latent, "desired_goal": self._goal}

    def _encode(self, picture: np.ndarray) -> Latent:
        return self._space.encode(picture[None]).latent[0]
