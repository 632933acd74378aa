"""Training from Python: what ``rig train`` does, with a callback, for scripts and notebooks."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from rig.config import Config
from rig.envs.tasks import find_task, is_external
from rig.errors import StoppedError
from rig.inference.evaluate import evaluate_run
from rig.inference.open_run import open_trained
from rig.inference.policy import Policy
from rig.presets import find_preset
from rig.runs.old_names import check_new_names
from rig.runs.run import Run
from rig.runs.settings import differences
from rig.settings import change, option
from rig.training.callback import Callback, TrainingProgress
from rig.training.make_envs import with_task_name
from rig.training.progress import PlainProgress, Progress
from rig.training.run_training import How, resume_run, start_run, train_run
from rig.training.trackers import TrackerName
from rig.validation import require


PresetName = Literal["paper", "fast", "her"]
ProgressName = Literal["auto", "none"]
Place = str | PathLike[str]


def train(  # noqa: PLR0913 (options by name, as on the command line)
    task: str = "",
    *,
    env: str = "",
    seed: int | None = None,
    total_timesteps: int | None = None,
    out: Place | None = None,
    preset: PresetName = "fast",
    settings: Mapping[str, Any] | None = None,
    config: Config | None = None,
    callback: Callback | None = None,
    progress: ProgressName = "auto",
    tracker: TrackerName | None = None,
) -> Policy:
    """Train a policy in a new run, from camera images alone.

    Args:
        task: A task of ours, as ``Push``, or a registered one of your own, as ``MODULE:ID``.
        env: Any Gymnasium environment in place of a task, as ``MODULE:ID``.
        seed: Seed of everything random; by default 0.
        total_timesteps: Environment steps of the run; by default the preset's.
        out: The run's directory, which must be new or empty; by default one under ``runs/``.
        preset: The settings to begin with.
        settings: Further settings by dotted name: ``{"td3.gamma": 0.98}``.
        config: All settings, in place of task and env.
        callback: Called after every round with a :class:`rig.TrainingProgress`; returns False
            to stop. The run can then be resumed.
        progress: ``auto``: a bar or plain lines, as fits the terminal or notebook.
        tracker: Also log to TensorBoard or Weights & Biases.

    Returns:
        The policy. If the callback stopped the run: the best one so far.

    Raises:
        ConfigError: A setting is unknown or out of its range.
        TaskError: There is no such task.
        RunError: The directory is not empty, or writing to it failed.
        StoppedError: A signal came, or the callback stopped the run before any evaluation.
    """
    changes = dict(settings or {})
    changes |= {} if seed is None else {"seed": seed}
    changes |= {} if total_timesteps is None else {"total_timesteps": total_timesteps}
    check_new_names(changes)
    if config is None:
        check_task(task, env)
        config = find_preset(preset, env or task)
    else:
        require(not (task or env), "give config, or a task and a preset")
    config = change(config, changes)
    require(
        not config.is_given_truth,
        "a policy acts from images, and oracle, input and reward.distance use the true state: "
        "leave them out, or use `rig train`",
    )
    directory = Path(out) if out else None
    config = with_task_name(config)
    run = start_run(config, preset, directory, command(config, preset), tracker)
    return train_with(run, callback, progress, tracker)


def resume(
    directory: Place,
    *,
    callback: Callback | None = None,
    progress: ProgressName = "auto",
    tracker: TrackerName | None = None,
    force: bool = False,
    total_timesteps: int | None = None,
) -> Policy:
    """Resume a run that was stopped, with its own settings, and train it to its end.

    Args:
        directory: Of the run.
        total_timesteps: Lengthen the run, which may be finished, to this many steps in all.
        callback: As in :func:`train`.
        progress: As in :func:`train`.
        tracker: As in :func:`train`.
        force: Resume even if other versions or hardware would change the result.

    Raises:
        RunError: There is no such run, it is finished, or it would end differently here.
        StoppedError: As in :func:`train`.
    """
    run = Run.open(Path(directory))
    more = {"force": force, "total_timesteps": total_timesteps}
    return train_with(run, callback, progress, tracker, resume=more)


def load(path: Place) -> Policy:
    """Return the policy of a finished run, of an export, or of ``OWNER/NAME`` on the Hub.

    Raises:
        RunError: There is none, or it is damaged.
    """
    return Policy.from_pretrained(path)


def evaluate(
    policy: Policy | Place, *, num_goals: int = 100, task: str = "", force: bool = False
) -> dict[str, Any]:
    """Try the fixed goal images, and return the distances that are left.

    Args:
        policy: A policy, or the directory of a run or an export.
        num_goals: Goal images to try, always the same ones.
        task: Try the goals of another task that looks the same at the start.
        force: Try them even if the images look different from those of training.

    Returns:
        As ``evaluation.json``: ``["distances"]["puck_m"]["median"]`` is in metres.

    Raises:
        RunError: There is no trained run, or the images look different.
    """
    require(num_goals >= 1, f"num_goals must be at least 1, got {num_goals}")
    directory = policy.directory if isinstance(policy, Policy) else Path(policy)
    run, agent = open_trained(directory, force=force)
    return evaluate_run(run, agent, num_goals, task, force=force)


def train_with(
    run: Run,
    callback: Callback | None,
    progress: ProgressName,
    tracker: TrackerName | None,
    *,
    resume: Mapping[str, Any] | None = None,
) -> Policy:
    """Train a run to its end, or to where the callback stops it, and return its policy.

    ``resume`` has the options of resuming; None for a new run.
    """
    is_stopped = False

    def call(state: TrainingProgress) -> bool:
        """Call back, and note if that is to be the end."""
        nonlocal is_stopped
        is_stopped = callback is not None and callback(state) is False
        return not is_stopped

    how: How = {"callback": call if callback else None, "progress": display(progress)}
    try:
        if resume is None:
            train_run(run, tracker, **how)
        else:
            resume_run(run.directory, tracker, **resume, **how)
    except StoppedError:
        best = run.directory / "best"
        if not (is_stopped and best.is_dir()):
            raise
        return Policy(best)
    return Policy(run.directory)


def display(progress: ProgressName) -> Progress | None:
    """Return a display of progress; None for the one that fits."""
    return PlainProgress(lambda _line: None) if progress == "none" else None


def check_task(task: str, env: str) -> None:
    """Raise unless one task of ours, or else an environment, is named.

    Raises:
        ConfigError: Both are named, or neither.
        TaskError: There is no such task.
    """
    require(
        (task == "") != (env == ""),
        "give a task, as rig.train('Push'), or env='MODULE:ID', and not both",
    )
    if task:
        find_task(task)


def command(config: Config, preset: str) -> Sequence[str]:
    """Return the command line that trains the same, for the record."""
    plain = find_preset(preset, config.task)
    words = [w for key, value in differences(plain, config).items() for w in option(key, value)]
    task = ["--env", config.task] if is_external(config.task) else [config.task]
    return ["train", *task, "--preset", preset, "--seed", str(config.seed), *words]
