"""The peer stable-baselines3: updates of TD3 + HER; run by :mod:`benchmarks.update`.

It runs in a virtual environment of its own, so it cannot import rig.
"""

import json
import sys
from functools import cache
from time import perf_counter, process_time

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import TD3, HerReplayBuffer


NUM_STEPS = 50
"""Steps of an episode, as in Push."""
NUM_TRANSITIONS = 4000
GOALS_PER_TRANSITION = 4
"""As in the HER paper: four in five goals are from the same episode's future."""


class Noise(gymnasium.Env):
    """Random numbers of the right shapes, and the distance as the reward.

    The policy's input is the concatenated observation, achieved goal and desired goal; together
    they have as many numbers as our latent and goal.
    """

    def __init__(self, latent_dim: int, action_size: int) -> None:
        half = latent_dim // 2
        box = gymnasium.spaces.Box
        self.observation_space = gymnasium.spaces.Dict(
            observation=box(-1, 1, (2 * latent_dim - 2 * half,)),
            achieved_goal=box(-1, 1, (half,)),
            desired_goal=box(-1, 1, (half,)),
        )
        self.action_space = box(-1, 1, (action_size,))

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        """Begin an episode."""
        super().reset(seed=seed, options=options)
        self._num_done = 0
        return self.observation_space.sample(), {}

    def step(self, action: np.ndarray) -> tuple:
        """Return random numbers, and end the episode at its time limit."""
        self._num_done += 1
        return self.observation_space.sample(), 0.0, False, self._num_done >= NUM_STEPS, {}

    def compute_reward(
        self, achieved: np.ndarray, desired: np.ndarray, _info: dict
    ) -> np.ndarray:
        """Return the negative distance of each row."""
        return -np.linalg.norm(achieved - desired, axis=-1)


@cache
def learner(hidden_sizes: tuple[int, ...], latent_dim: int, action_size: int) -> TD3:
    """Return a TD3 with a filled replay buffer."""
    model = TD3(
        "MultiInputPolicy",
        Noise(latent_dim, action_size),
        policy_kwargs={"net_arch": list(hidden_sizes)},
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs={"n_sampled_goal": GOALS_PER_TRANSITION},
        buffer_size=100_000,
        learning_starts=10 * NUM_TRANSITIONS,
        policy_delay=2,
        device="cpu",
        seed=0,
    )
    return model.learn(NUM_TRANSITIONS)


def measure(question: dict) -> dict[str, float]:
    """Measure updates, with drawing and relabelling their batches."""
    sizes = (question["latent_dim"], question["action_size"])
    model = learner(tuple(question["hidden_sizes"]), *sizes)
    torch.set_num_threads(question["num_threads"])
    start_s, core_start_s = perf_counter(), process_time()
    model.train(question["num_updates"], question["batch_size"])
    return {"wall_s": perf_counter() - start_s, "core_s": process_time() - core_start_s}


def answer(question: dict) -> dict[str, object]:
    """Return the versions of this peer, or the time of some updates."""
    if "about" in question:
        return {
            "stable-baselines3": stable_baselines3.__version__,
            "torch": torch.__version__,
            "gymnasium": gymnasium.__version__,
        }
    return measure(question)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
