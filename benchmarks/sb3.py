"""Train stable-baselines3's TD3 + HER on our latents: ``python -m benchmarks.sb3 RUN...``.

Each finished run gives its encoder and the goals that it imagined last. Both learners are
evaluated on the same goal images; docs/results/sb3.jsonl gets the results. It needs the extra
``sb3``.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3 import TD3, HerReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import NormalActionNoise

from benchmarks.results import add_results, made_now, place_of
from rig.compare.kept_results import STEPS, TRAINING_S, Result, result_of, rounded
from rig.config import Config, decided
from rig.envs.tasks import find_task, gymnasium_id
from rig.inference.latent_goals import LatentGoals
from rig.inference.open_run import open_trained
from rig.runs.reward_choice import with_reward_chosen
from rig.training.evaluate import GOALS_AT_ONCE, evaluation_goals, try_goals
from rig.training.horizon import with_horizon
from rig.training.make_envs import make_envs
from rig.training.summary import as_metrics, sum_up


GOALS_PER_TRANSITION = 4
"""As in the HER paper: four in five goals are from the same episode's future."""


class ModelAgent:
    """A model of stable-baselines3 with the interface that evaluation needs."""

    def __init__(self, model: TD3, representation: Any) -> None:
        self.model, self.representation = model, representation

    def act(
        self, frames: np.ndarray, goals: np.ndarray, *, use_target_actor: bool = False
    ) -> tuple[np.ndarray, Any]:
        """Return its actions for frames, and the encoding of these."""
        encoding = self.representation.encode(frames)
        rows = {"observation": encoding.latent, "achieved_goal": encoding.latent}
        action, _ = self.model.predict(rows | {"desired_goal": goals}, deterministic=True)
        return np.asarray(action), encoding


class EvaluateCallback(BaseCallback):
    """A callback that evaluates the model on the goal images at regular intervals."""

    def __init__(self, envs: Any, goals: Any, representation: Any, every_steps: int) -> None:
        super().__init__()
        self._envs, self._goals, self._representation = envs, goals, representation
        self._every_steps = every_steps
        self._begun_s = perf_counter()
        self.rows: list[dict[str, float]] = []

    def _on_step(self) -> bool:
        if self.num_timesteps % self._every_steps == 0:
            self._evaluate()
        return True

    def _evaluate(self) -> None:
        training_s = perf_counter() - self._begun_s
        trial = try_goals(ModelAgent(self.model, self._representation), self._envs, self._goals)  # type: ignore[arg-type]
        row = {STEPS: self.num_timesteps, TRAINING_S: round(training_s, 1)}
        row |= as_metrics(sum_up(trial.distances, trial.do_nothing))
        self.rows.append(row)
        print(row, flush=True)
        self._begun_s = perf_counter() - training_s


def study(directory: Path) -> list[Result]:
    """Return the result of a run, and that of stable-baselines3 on its latents."""
    run, agent = open_trained(directory)
    ours = replace(result_of(run, "ours", "sb3"), id=f"ours-{directory.name}")
    config, every_steps = run.config, run.config.evaluate.every_steps
    task = gymnasium.make(gymnasium_id(config.task), disable_env_checker=True)
    envs = make_envs(config, GOALS_AT_ONCE)
    goals = evaluation_goals(envs, config.evaluate.num_goals, config.evaluate.goals)
    callback = EvaluateCallback(envs, goals, agent.representation, every_steps)
    env = LatentGoals(task, agent.representation)
    known = with_horizon(with_reward_chosen(config, run.metrics()))
    new_model(env, known).learn(ours.num_env_steps, callback=callback)
    theirs = replace(
        ours,
        id=f"sb3-{directory.name}",
        method="stable-baselines3's TD3 + HER on our latents",
        command=f"python -m benchmarks.sb3 {place_of(directory)}",
        **made_now(),
        curve={key: [rounded(row[key]) for row in callback.rows] for key in callback.rows[0]},
    )
    return [ours, theirs]


def new_model(env: LatentGoals, config: Config) -> TD3:
    """Return an untrained TD3 + HER with the settings of the run that it has too."""
    size, td3 = env.action_space.shape[0], config.td3  # type: ignore[index]
    return TD3(
        "MultiInputPolicy",
        env,
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs={"n_sampled_goal": GOALS_PER_TRANSITION},
        policy_kwargs={"net_arch": list(td3.hidden_sizes)},
        action_noise=NormalActionNoise(np.zeros(size), np.full(size, config.explore.sigma)),
        batch_size=td3.batch_size,
        learning_rate=lambda left: td3.learning_rate_at(1 - left),
        tau=td3.tau,
        gamma=decided(td3.gamma),
        learning_starts=td3.learning_starts,
        train_freq=(1, "episode"),
        gradient_steps=round(find_task(config.task).num_steps * td3.utd_ratio),
        seed=config.seed,
    )


def main(argv: Sequence[str]) -> None:
    """Keep both results of every run."""
    add_results("sb3", [result for name in argv for result in study(Path(name))])


if __name__ == "__main__":
    main(sys.argv[1:])
