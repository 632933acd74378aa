"""What is measured while a run goes on. Nothing learns from it."""

from time import perf_counter

import numpy as np

from rig.config import Config
from rig.lab.evaluate import (
    EVALUATION_SEED,
    GOALS_AT_ONCE,
    Trial,
    evaluation_goals,
    make_world,
    table,
    tabletop_env,
    try_goals,
)
from rig.lab.figures import save_sheet
from rig.lab.policy import Policy, save_policy
from rig.lab.progress import Progress
from rig.lab.run import Run
from rig.lab.summary import sum_up
from rig.lab.units import SHOWN
from rig.latent.fit import FitMetrics, OnProgress
from rig.latent.probe import distance_correlation, probe
from rig.latent.space import LatentSpace
from rig.latent.vae import kl_nats_of
from rig.types import Encoding, Episodes
from rig.world.tasks import find_task


NUM_SHEET_COLUMNS = 10
NUM_PROBE_STATES = 2000


class Recorder:
    """Writes what is measured into a run, and tells the progress display."""

    def __init__(self, config: Config, run: Run, progress: Progress) -> None:
        self._config = config
        self._run = run
        self._progress = progress
        self._start_s = perf_counter()
        self._evaluation_s = 0.0
        self._next_evaluation = config.evaluate.every_steps
        self._world = make_world(config, min(GOALS_AT_ONCE, config.evaluate.num_goals))
        self._goals = evaluation_goals(config.task, config.evaluate.num_goals)
        self._latest: dict[str, float] = {}
        self._num_env_steps = 0

    def begin_practice(self, num_env_steps: int) -> None:
        """Starts the display of practice; some steps were taken by collection."""
        self._num_env_steps = num_env_steps
        self._progress.begin("practise", self._config.num_env_steps)

    def begin_fit(self) -> OnProgress:
        """Starts the display of a fit; returns what the fit is to call as it goes on."""
        config = self._config.vae
        self._progress.begin("fit", config.num_fit_steps)
        return self._during_fit

    def after_fit(self, space: LatentSpace, images: np.ndarray) -> None:
        """Logs what the latents hold and draws what they leave out."""
        some = images[np.linspace(0, len(images) - 1, NUM_PROBE_STATES).astype(int)]
        encoding = space.encode(some)
        decoded = space.decode(encoding.latent)
        error = np.mean((some.astype(np.float32) - decoded) ** 2) / 255**2
        self._log(
            {"vae/mean_squared_error": float(error)} | kl_rows(encoding) | self._probe(space)
        )
        shown = np.linspace(0, len(some) - 1, NUM_SHEET_COLUMNS).astype(int)
        rows = {"image": some[shown], "reconstruction": decoded[shown]}
        save_sheet(self._run.pictures / "reconstructions.png", rows, "What the VAE keeps")

    def after_round(
        self,
        policy: Policy,
        episodes: Episodes,
        num_env_steps: int,
        metrics: dict[str, float],
    ) -> None:
        """Logs a round of practice, and evaluates when that is due."""
        self._num_env_steps = num_env_steps
        self._log(metrics)
        if num_env_steps >= self._next_evaluation:
            self._next_evaluation += self._config.evaluate.every_steps
            self._draw_practice(policy, episodes)
            self.evaluate(policy)
        self._progress.advance(num_env_steps, self._latest)

    def evaluate(self, policy: Policy) -> Trial:
        """Tries the goals of the fixed set, and logs how near the robot came."""
        start_s = perf_counter()
        trial = try_goals(policy, self._world, self._goals)
        self._evaluation_s += perf_counter() - start_s
        measured = {}
        for name, figures in sum_up(trial.distances, trial.do_nothing).items():
            thing, unit = name.rsplit("_", 1)
            measured[f"eval/{thing}_distance_{unit}"] = figures["median"]
            measured[f"eval/{thing}_distance_mean_{unit}"] = figures["mean"]
            do_nothing = figures["do_nothing_median"]
            measured[f"eval/do_nothing_{thing}_distance_{unit}"] = do_nothing
        self._latest = {name: value for name, value in measured.items() if "mean" not in name}
        self._log(measured)
        return trial

    def finish(self, policy: Policy) -> None:
        """Evaluates for the last time, and saves the policy."""
        save_policy(self._run.policy, policy)
        trial = self.evaluate(policy)
        self._run.save_evaluation(table(self._config, trial, self._num_env_steps))
        if not self._config.oracle:
            rows = {"goal": trial.goal_frames, "reached": trial.final_frames}
            shown = {name: images[:NUM_SHEET_COLUMNS] for name, images in rows.items()}
            save_sheet(
                self._run.pictures / "reached.png", shown, "Goal pictures never practised"
            )
        self._world.close()

    def _during_fit(self, done: int, metrics: FitMetrics) -> None:
        self._progress.advance(done, metrics)
        self._log({"vae/fit_steps": done} | metrics)

    def _draw_practice(self, policy: Policy, episodes: Episodes) -> None:
        """Draws imagined goals above what their rollouts reached."""
        if isinstance(policy.space, LatentSpace):
            num = min(NUM_SHEET_COLUMNS, len(episodes))
            rows = {
                "imagined": policy.space.decode(episodes.goals[:num]),
                "reached": episodes.frames[:num, -1],
            }
            path = self._run.pictures / f"imagined-{self._num_env_steps:07d}.png"
            save_sheet(path, rows, f"Practice after {self._num_env_steps} steps")

    def _probe(self, space: LatentSpace) -> dict[str, float]:
        """How well latents predict each true number, with its unit: for evaluation only."""
        task = find_task(self._config.task)
        rng = np.random.default_rng(EVALUATION_SEED)
        states = task.sample_states(NUM_PROBE_STATES, rng=rng)
        tabletop = tabletop_env(self._world).tabletop
        images = tabletop.goal_images(states)
        latents = space.encode(images).latent * space.weight
        result = probe(latents, states)
        rows = {
            f"probe/{name}_{SHOWN[unit].name}": float(SHOWN[unit].scale * error)
            for name, unit, error in zip(task.joints, tabletop.units, result.error, strict=True)
        }
        for name, column in task.columns.items():
            correlation = distance_correlation(latents, states[:, column], rng=rng)
            rows[f"probe/{name}_distance_correlation"] = correlation
        return rows

    def _log(self, metrics: dict[str, float]) -> None:
        elapsed_s = perf_counter() - self._start_s
        clock = {
            "num_env_steps": self._num_env_steps,
            "wall_s": round(elapsed_s, 3),
            "evaluation_s": round(self._evaluation_s, 3),
        }
        self._run.log(clock | metrics)


def kl_rows(encoding: Encoding) -> dict[str, float]:
    """The KL of each latent, averaged over images [nats]."""
    per_latent = kl_nats_of(encoding.latent, encoding.log_std).mean(axis=0)
    return {f"vae/kl_{index}_nats": float(kl) for index, kl in enumerate(per_latent)}
