"""Exports: a trained policy as a directory in the layout of the Hugging Face Hub.

::

    README.md           the model card
    config.json         every setting
    model.safetensors   all arrays
    collage.safetensors what latents are shown with, if the run kept it
    policy.json         what is needed to read them
    origin.json         what made it
    evaluation.json     the distances that are left
    practised.safetensors   what a goal image is compared with, if the run kept it
    tried_goals.safetensors the goals of its evaluation, and which were reached, likewise
    metrics.jsonl       the course of training, and clock.jsonl its times
    replay.gif          a video

Every command that takes a finished run takes an export, too.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.agent.agent import ARRAY_FILES, load_agent
from rig.errors import RunError
from rig.goals.practised import FILE as PRACTISED_FILE
from rig.goals.tried_goals import FILE as TRIED_GOALS_FILE
from rig.inference.evaluate import try_first_goals
from rig.inference.model_card import card
from rig.inference.open_run import image_representation, open_trained
from rig.inference.video import attempt_frames, save_video
from rig.representation.collage import FILE as COLLAGE_FILE
from rig.runs.atomic_files import TEMPORARY_SUFFIX, is_about
from rig.runs.run import Run


COPIED = ("config.json", "origin.json", "evaluation.json", "metrics.jsonl", "clock.jsonl")
"""Files that are the same in a run and in its export."""
FILES = ("README.md", *COPIED, "policy.json", "model.safetensors", "replay.gif")
"""Those of every export."""
ABOUT_GOALS = (PRACTISED_FILE, TRIED_GOALS_FILE)
ALL_FILES = (*FILES, *ABOUT_GOALS, COLLAGE_FILE)


def export(directory: Path, out: Path, *, force: bool = False) -> None:
    """Write what a finished run has learned into a new directory; copy what is an export.

    Raises:
        RunError: The run is not finished or damaged, or the directory exists.
    """
    check_not_existing(out)
    if (directory / "README.md").is_file():
        copy_export(directory, out)
        return
    run, agent = open_trained(directory, force=force)
    image_representation(agent)
    attempts = try_first_goals(run, agent)
    frames = [drawn for tried in attempts for drawn in attempt_frames(tried)]
    with new_directory(out) as partial:
        copy(run.directory, partial, (*COPIED, *ABOUT_GOALS))
        copy(run.policy, partial, (COLLAGE_FILE,))
        arrays = next(name for name in ARRAY_FILES if (run.policy / name).is_file())
        shutil.copyfile(run.policy / arrays, partial / "model.safetensors")
        shutil.copyfile(run.policy / "policy.json", partial / "policy.json")
        save_video(partial / "replay.gif", frames, step_s=attempts[0].step_s)
        (partial / "README.md").write_text(card(run, out.absolute().name), encoding="utf-8")


def copy_export(source: Path, out: Path) -> None:
    """Check an export and copy its files, and no others.

    Raises:
        RunError: It is no export, or damaged, or the directory exists.
    """
    check_not_existing(out)
    run = Run.open(source)
    load_agent(run.policy, run.config)
    with new_directory(out) as partial:
        copy(source, partial, ALL_FILES)


def copy(source: Path, out: Path, names: Iterable[str]) -> None:
    """Copy the files of these names that exist."""
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, out / name)


def check_not_existing(out: Path) -> None:
    """Raise RunError if there is something already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out} exists and is not empty: choose another place")


@contextmanager
def new_directory(out: Path) -> Iterator[Path]:
    """Give an empty directory next to ``out``; move it there once it is complete.

    Raises:
        OSError: It can't be written; the error names ``out``, and nothing is left behind.
            One about a file that was read names that file.
    """
    partial = out.absolute().with_name(out.absolute().name + TEMPORARY_SUFFIX)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(out)
    except OSError as error:
        if not is_about(error, partial, out):
            raise
        raise OSError(error.errno, error.strerror or str(error), str(out)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
