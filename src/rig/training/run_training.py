"""Creating a run's directory, training in it, and resuming it."""

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

from rig.agent.agent import Agent
from rig.agent.td3 import update_many
from rig.config import Config
from rig.errors import EnvFailedError, RigError, RunError
from rig.runs.error_log import ERROR_LOG, append_traceback
from rig.runs.interrupt import Interrupt
from rig.runs.output_paths import check_new_directory, default_directory
from rig.runs.run import Run
from rig.terminal import print_to_stderr
from rig.training.callback import Callback, called_back
from rig.training.learn import Update
from rig.training.lengthen import lengthen
from rig.training.loop import train
from rig.training.make_envs import with_task_name
from rig.training.origin import origin
from rig.training.progress import Progress, open_progress
from rig.training.provenance import check_reproducible
from rig.training.robot_report import check_robot
from rig.training.seeds_together import run_together
from rig.training.trackers import TrackerName, check_tracker, tracked


DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS}
"""What a write to an open file fails with; it names no file."""


class How(TypedDict, total=False):
    """What a caller in Python may add."""

    progress: Progress | None
    callback: Callback | None
    may_exit: bool


def train_new_run(
    config: Config,
    preset: str,
    out: Path | None,
    argv: Sequence[str],
    tracker: TrackerName | None = None,
    **how: Unpack[How],
) -> Run:
    """Train in a new directory.

    Args:
        config: Every setting.
        preset: The preset's name, a part of the default directory's name.
        out: The directory to make; by default a new one under runs/.
        argv: The command line, for the record.
        tracker: Also shows the metrics.
        **how: As :func:`train_run`.

    Raises:
        ConfigError: The directory can't be made.
        StoppedError: A signal came.
        RunError: The directory is not empty, or writing to it failed.
    """
    run = start_run(config, preset, out, argv, tracker)
    train_run(run, tracker, **how)
    return run


def start_run(
    config: Config,
    preset: str,
    out: Path | None,
    argv: Sequence[str],
    tracker: TrackerName | None = None,
) -> Run:
    """Create a new run in a directory of its own, and check all that it needs."""
    check_tracker(tracker)
    config = with_task_name(config)
    check_robot(config)
    return create_run(config, out or default_directory(config, preset), argv)


def create_run(
    config: Config, directory: Path, argv: Sequence[str], num_together: int = 1
) -> Run:
    """Create the directory of a new run, without training.

    The origin records if the run is trained together with other seeds: then its numbers
    equal those of a run trained alone except for rounding.
    """
    check_new_directory(directory)
    about = {"seeds_together": num_together} if num_together > 1 else {}
    return Run.create(directory, config, origin(config, argv) | about)


def resume_run(
    directory: Path,
    tracker: TrackerName | None = None,
    *,
    force: bool = False,
    total_timesteps: int | None = None,
    **how: Unpack[How],
) -> Run:
    """Resume a run that was stopped, from its last checkpoint, and train it to its end.

    Args:
        directory: Of the run.
        tracker: Also shows the metrics.
        force: Resume it even if it would end differently here.
        total_timesteps: Lengthen the run, which may be finished, to this many steps.
        **how: As :func:`train_run`.

    Raises:
        ConfigError: It has taken as many steps already.
        RunError: The run is finished, or would end differently here (unless ``force``).
    """
    check_tracker(tracker)
    run = Run.open(directory)
    if run.is_finished and total_timesteps is None:
        raise RunError(
            f"{directory} is finished after {run.config.total_timesteps:,} steps: to train it "
            "further, give --total-timesteps, with all its steps from the first"
        )
    check_reproducible(run, force=force)
    if total_timesteps is not None:
        run = lengthen(run, total_timesteps, print_to_stderr)
    train_run(run, tracker, **how)
    return run


def train_run(run: Run, tracker: TrackerName | None = None, **how: Unpack[How]) -> None:
    """Train a run from where it is to its end, while no other process may.

    Args:
        run: Its directory has everything.
        tracker: Also shows the metrics.
        **how: ``progress`` displays it, by default as fits the terminal or notebook;
            ``callback`` is called after every round; ``may_exit`` lets a signal end the process
            if nothing else stops it at once.

    Raises:
        StoppedError: A signal came.
        RunError: Something can't be written.
    """
    progress = how.get("progress") or open_progress()
    with (
        Interrupt(
            progress.note, how_to_resume(run), may_exit=how.get("may_exit", False)
        ) as interrupt,
        called_back(run, how.get("callback"), interrupt),
    ):
        train_locked(run, progress, interrupt, tracker)


def train_runs_together(
    runs: Mapping[str, Run],
    displays: Mapping[str, Progress],
    tracker: TrackerName | None = None,
) -> Iterator[tuple[str, Agent | RigError]]:
    """Train runs of the same settings together, with their updates in one program.

    Args:
        runs: By any name; each continues from where it is.
        displays: Each run's progress display, by the same name.
        tracker: Also shows the metrics of each.

    Yields:
        A run's name and its agent, or the error that ended it. The other runs continue.
    """
    with Interrupt(print_to_stderr, "each run resumes from its checkpoint") as interrupt:
        calls = {
            name: partial(train_locked, run, displays[name], interrupt, tracker)
            for name, run in runs.items()
        }
        with closing(run_together(calls)) as ended:
            for name, result in ended:
                if isinstance(result, BaseException) and not isinstance(result, RigError):
                    raise result
                yield name, result


def train_locked(
    run: Run,
    progress: Progress,
    interrupt: Interrupt,
    tracker: TrackerName | None = None,
    update: Update = update_many,
) -> Agent:
    """Train a run while holding its lock.

    Raises:
        RunError: The run can't be written.
        EnvFailedError: An environment's own code raised an error.
    """
    with run.lock(), progress:
        try:
            with tracked(run, tracker):
                return train(run.config, run, progress, interrupt, update)
        except EnvFailedError as error:
            log = run.directory / ERROR_LOG
            append_traceback(log, error)
            failed = EnvFailedError(f"{error}; its traceback is in {log}; {how_to_resume(run)}")
            failed.log = str(log)
            raise failed from error
        except OSError as error:
            if not is_about_writing(error, run):
                raise
            raise RunError(
                f"writing to {run.directory} failed: {error.strerror or error}; what was saved "
                f"before is whole: once that is put right, {how_to_resume(run)}"
            ) from error


def is_about_writing(error: OSError, run: Run) -> bool:
    """Return whether an error means that the disk of a run's directory does not take more."""
    if error.filename is not None:
        return Path(str(error.filename)).absolute().is_relative_to(run.directory.absolute())
    return error.errno in DISK_ERRORS


def how_to_resume(run: Run) -> str:
    """Say how a run that was stopped is resumed."""
    return f"resume with `rig train --resume {run.directory}`"
