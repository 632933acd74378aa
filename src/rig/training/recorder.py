"""What is measured during a run. Nothing learns from it."""

from collections.abc import Callable, Mapping
from time import perf_counter

import numpy as np

from rig.agent.agent import Agent, agent_files, save_agent
from rig.config import Config
from rig.envs.tasks import is_external
from rig.goals.practised import Practised
from rig.report.image_grid import save_image_grid
from rig.report.latent_traversals import latent_traversals
from rig.representation.fit import FitMetrics, OnProgress
from rig.representation.probe import (
    distance_correlation,
    kl_rows,
    probe,
    time_distance_correlation,
    weight_rows,
)
from rig.representation.representation import Images, Representation
from rig.runs.atomic_files import atomic_write
from rig.runs.reward_choice import NEAR_SHARE, NUM_REWARDS, choice_in_words
from rig.runs.run import Run
from rig.training.best import is_best, keep_best
from rig.training.evaluate import (
    GOAL_SEEDS,
    GOALS_AT_ONCE,
    Trial,
    table,
    tried_goals_files,
    try_goals,
)
from rig.training.fixed_goals import fixed_goals
from rig.training.live_round import publish_round
from rig.training.make_envs import Envs, make_envs, unwrapped_envs
from rig.training.progress import Progress
from rig.training.schedule import is_due
from rig.training.summary import as_metrics, sum_up, worst_first
from rig.types import Episodes
from rig.units import metric_of, unit_of


NUM_GRID_COLUMNS = 10


class Recorder:
    """Writes what is measured into a run, and updates the progress display."""

    def __init__(
        self,
        config: Config,
        run: Run,
        progress: Progress,
        envs: Envs,
        check_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """Draw the goals of evaluation.

        Args:
            config: Every setting.
            run: Where everything is written.
            progress: Displays it.
            envs: The environments of practice. External ones are evaluated, too: there is only
                one robot.
            check_stop: Called during a fit; raises if the run has to stop.
        """
        self._check_stop = check_stop
        self._config = config
        self._run = run
        run.images.mkdir(exist_ok=True)  # archives and git leave out empty directories
        self._progress = progress
        clock = next(reversed(run.metrics()), {})  # a run that resumes has a past
        self._start_s = perf_counter() - clock.get("wall_s", 0.0)
        self._evaluation_s = clock.get("evaluation_s", 0.0)
        num_goals = config.evaluate.num_goals
        num_envs = min(GOALS_AT_ONCE, num_goals)
        self._envs = envs if is_external(config.task) else make_envs(config, num_envs)
        self._probe_seed = GOAL_SEEDS[config.evaluate.goals]
        self._goals = fixed_goals(run, self._envs)
        self._latest: dict[str, float] = {}
        self._num_env_steps = 0

    @property
    def elapsed_s(self) -> float:
        """Seconds that the run has taken, all its parts together."""
        return perf_counter() - self._start_s

    def begin_training(self, num_env_steps: int) -> None:
        """Start the display of practice; collection has taken some steps."""
        self._num_env_steps = num_env_steps
        self._progress.begin("train", self._config.total_timesteps)

    def begin_fit(self) -> OnProgress:
        """Start the display of a fit; return what the fit calls with its progress."""
        config = self._config.vae
        self._progress.begin("fit", config.num_fit_steps)
        return self._during_fit

    def after_fit(self, representation: Representation, images: Images) -> None:
        """Log what the latents encode and draw what they leave out."""
        num_probes = self._config.evaluate.num_probes
        some = images[np.linspace(0, len(images) - 1, num_probes).astype(int)]
        encoding = representation.encode(some)
        decoded = representation.decode(encoding.latent)
        error = np.mean((some.astype(np.float32) - decoded) ** 2) / 255**2
        measured = {"vae/mean_squared_error": float(error)} | kl_rows(encoding)
        self._log(measured | weight_rows(representation) | self._probe(representation))
        shown = np.linspace(0, len(some) - 1, NUM_GRID_COLUMNS).astype(int)
        rows = {"image": some[shown], "reconstruction": decoded[shown]}
        save_image_grid(self._run.images / "reconstructions.png", rows, "Reconstructions")
        rows = latent_traversals(representation, encoding.latent)
        save_image_grid(self._run.images / "latents.png", rows, "Latent traversals")

    def after_choice(
        self, share: float, num_rewards: int, horizon: Mapping[str, float]
    ) -> None:
        """Log what :func:`rig.runs.reward_choice.kind_for` was given, and the horizon."""
        self._log({NEAR_SHARE: share, NUM_REWARDS: num_rewards, **horizon})
        self._progress.note(f"reward: {choice_in_words(share, num_rewards)}")

    def after_round(self, num_env_steps: int, metrics: dict[str, float]) -> None:
        """Log a round of practice and learning."""
        self._num_env_steps = num_env_steps
        self._log(metrics)

    def after_episodes(self, agent: Agent, episodes: Episodes, num_new: int) -> None:
        """Evaluate when that is due, between the episodes of practice."""
        publish_round(
            self._run.directory,
            agent.representation,
            episodes,
            self._num_env_steps,
            unwrapped_envs(self._envs).step_s,
        )
        if is_due(self._config.evaluate.every_steps, self._num_env_steps, num_new):
            self._draw_practice(agent.representation, episodes)
            self._probe_practice(agent.representation, episodes)
            self.evaluate(agent)

    def show_progress(self) -> None:
        """Display how far practice is, with the last evaluation."""
        self._progress.advance(self._num_env_steps, self._latest)

    def evaluate(self, agent: Agent) -> Trial:
        """Try the goals of the fixed set, log the distances, save the best agent."""
        start_s = perf_counter()
        trial = try_goals(agent, self._envs, self._goals)
        self._evaluation_s += perf_counter() - start_s
        distances, measured = sum_up(trial.distances, trial.do_nothing), {}
        self._latest = as_metrics(distances)
        for name, figures in distances.items():
            mean_name = metric_of(name).replace("_distance_", "_distance_mean_")
            measured[f"eval/{mean_name}"] = figures["mean"]
        if np.isfinite(trial.successes).all():
            self._latest["eval/success_share"] = float(np.mean(trial.successes))
        measured |= self._latest
        self._log(measured)
        if is_best(self._run.metrics()):
            best = table(self._config, trial, self._num_env_steps)
            files = agent_files(agent) | tried_goals_files(agent, self._config, trial)
            keep_best(self._run, files, best)
        return trial

    def finish(self, agent: Agent, practised: Practised | None) -> None:
        """Save the agent and what goals are compared with, and evaluate for the last time."""
        save_agent(self._run.policy, agent)
        trial = self.evaluate(agent)
        if practised:
            for directory in (self._run.directory, self._run.directory / "best"):
                if directory.is_dir():
                    practised.save(directory)
        for name, data in tried_goals_files(agent, self._config, trial).items():
            atomic_write(self._run.directory / name, data)
        self._run.save_evaluation(table(self._config, trial, self._num_env_steps))
        if not agent.representation.needs_true_state:
            self._draw_trial(agent.representation, trial)
        self._envs.close()

    def _draw_trial(self, representation: Representation, trial: Trial) -> None:
        """Draw goal images above what was reached: the first ones, and the worst."""
        first = np.arange(len(trial.goal_frames))
        worst = worst_first(trial.distances, trial.do_nothing)
        grids = {
            "reached": (first, "Goal images that practice never saw"),
            "worst": (worst, "The goals missed by most"),
        }
        for name, (order, title) in grids.items():
            some = order[:NUM_GRID_COLUMNS]
            frames = {"goal": trial.goal_frames[some], "reached": trial.final_frames[some]}
            rows = {name: representation.images_of(each) for name, each in frames.items()}
            save_image_grid(self._run.images / f"{name}.png", rows, title)

    def _during_fit(self, done: int, metrics: FitMetrics) -> None:
        self._progress.advance(done, metrics)
        self._log({"vae/fit_steps": done} | metrics)
        self._check_stop()

    def _draw_practice(self, representation: Representation, episodes: Episodes) -> None:
        """Draw imagined goals above what their episodes reached."""
        if not representation.needs_true_state:
            num = min(NUM_GRID_COLUMNS, len(episodes))
            rows = {
                "imagined": representation.decode(episodes.goals[:num]),
                "reached": representation.images_of(episodes.frames[episodes.last_rows[:num]]),
            }
            path = self._run.images / f"imagined-{self._num_env_steps:07d}.png"
            save_image_grid(path, rows, f"Practice after {self._num_env_steps} steps")

    def _probe_practice(self, representation: Representation, episodes: Episodes) -> None:
        """Log whether weighted latent distance agrees with time."""
        if representation.weight is not None:
            rng = np.random.default_rng(self._probe_seed)
            value = time_distance_correlation(episodes, representation.weight, rng=rng)
            self._log({"probe/time_distance_correlation": value})

    def _probe(self, representation: Representation) -> dict[str, float]:
        """Return how well latents predict each true value, in its unit: for evaluation only."""
        base_envs = unwrapped_envs(self._envs)
        if not base_envs.state_names or not base_envs.max_probes:
            return {}
        rng = np.random.default_rng(self._probe_seed)
        num_goals = min(self._config.evaluate.num_probes, base_envs.max_probes)
        goals = base_envs.goals(num_goals, rng=rng)
        goals = goals.rows(np.isfinite(goals.states).all(axis=1))  # with everything in view
        states = goals.states
        latents = representation.encode(goals.images).latent * representation.weight
        result = probe(latents, states)
        units = [unit_of(f"state_{unit}") for unit in base_envs.state_units]
        rows = {
            f"probe/{name}{suffix}_{unit.shown}": float(unit.scale * value)
            for suffix, values in (
                ("", result.error),
                ("_knowing_nothing", result.baseline_error),
            )
            for name, unit, value in zip(base_envs.state_names, units, values, strict=True)
        }
        for name, column in base_envs.columns.items():
            correlation = distance_correlation(latents, states[:, column], rng=rng)
            rows[f"probe/{name}_distance_correlation"] = correlation
        return rows

    def _log(self, metrics: dict[str, float]) -> None:
        clock = {
            "num_env_steps": self._num_env_steps,
            "wall_s": round(self.elapsed_s, 3),
            "evaluation_s": round(self._evaluation_s, 3),
        }
        self._run.log(clock | metrics)
