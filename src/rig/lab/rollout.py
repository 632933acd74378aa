"""Rollouts: the robot tries, and what happened is kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from jaxtyping import Float32

from rig.agent.explore import Noise, RandomPolicy
from rig.types import Encoding, Episodes


Act = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Encoding]]
"""Frames and goals in; actions, and what the frames encode to, out."""
Goals = Float32[np.ndarray, "N latent"]


def seen(observation: dict[str, np.ndarray]) -> np.ndarray:
    """The one part of an observation that learning may look at."""
    return observation["observation"]


def start(world: VectorEnv[Any, Any, Any], *, rng: np.random.Generator) -> np.ndarray:
    """The first frames of episodes that begin now in every world.

    The run's generator gives the worlds their seed each time, so that nothing which they draw
    depends on anything but the run's own random state.
    """
    return seen(world.reset(seed=int(rng.integers(2**31)))[0])


def practise(
    world: VectorEnv[Any, Any, Any],
    act: Act,
    goals: Goals,
    noise: Noise,
    num_steps: int,
    *,
    rng: np.random.Generator,
) -> Episodes:
    """One episode in every world, each aimed at its goal, with noise on the actions."""
    noise.reset()
    frame = start(world, rng=rng)
    frames, actions, encodings = [frame], [], []
    for _ in range(num_steps):
        action, encoding = act(frame, goals)
        action = noise.add_to(action, rng=rng)
        frame = seen(world.step(action)[0])
        frames.append(frame)
        actions.append(action)
        encodings.append(encoding)
    encodings.append(act(frame, goals)[1])
    return side_by_side(
        np.stack(actions, axis=1), np.stack(frames, axis=1), join(encodings), goals
    )


def wander(
    world: VectorEnv[Any, Any, Any],
    policy: RandomPolicy,
    num_steps: int,
    *,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """One episode of random actions in every world: actions and frames, ``[N, T, ...]``."""
    policy.reset(rng=rng)
    frames, actions = [start(world, rng=rng)], []
    for _ in range(num_steps):
        actions.append(policy.act(rng=rng))
        frames.append(seen(world.step(actions[-1])[0]))
    return np.stack(actions, axis=1), np.stack(frames, axis=1)


def join(encodings: list[Encoding]) -> Encoding:
    """Encodings of N worlds at each step, as rows: episode after episode."""
    latents = np.stack([encoding.latent for encoding in encodings], axis=1)
    log_stds = np.stack([encoding.log_std for encoding in encodings], axis=1)
    size = latents.shape[-1]
    return Encoding(latent=latents.reshape(-1, size), log_std=log_stds.reshape(-1, size))


def side_by_side(
    actions: np.ndarray, frames: np.ndarray, encoding: Encoding, goals: Goals
) -> Episodes:
    """Episodes of one length, from actions ``[N, T, ...]`` and frames ``[N, T+1, ...]``."""
    num, num_steps = actions.shape[:2]
    return Episodes(
        num_steps=np.full(num, num_steps),
        actions=actions.reshape(num * num_steps, -1),
        frames=frames.reshape(num * (num_steps + 1), *frames.shape[2:]),
        encoding=encoding,
        goals=goals,
    )
