"""Exports: what a run has learned, as a directory in the layout of the Hugging Face Hub.

::

    README.md           the model card
    config.json         every setting
    model.safetensors   the VAE, the prior and the networks
    policy.json         what is needed to read them
    origin.json         what made it
    evaluation.json     how near it comes
    metrics.jsonl       how it got there, and clock.jsonl when
    replay.gif          how it looks

Every verb that takes a finished run takes an export, too.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.agent.agent import ARRAY_FILES, load_agent
from rig.errors import RunError
from rig.inference.demo import attempts
from rig.inference.model_card import card
from rig.inference.open_run import latent_space, open_trained
from rig.inference.video import attempt_frames, save_video
from rig.runs.atomic_files import TEMPORARY_SUFFIX
from rig.runs.run import Run


COPIED = ("config.json", "origin.json", "evaluation.json", "metrics.jsonl", "clock.jsonl")
"""Files that are the same in a run and in its export."""
FILES = ("README.md", *COPIED, "policy.json", "model.safetensors", "replay.gif")


def export(directory: Path, out: Path, *, force: bool = False) -> None:
    """Writes what a finished run has learned into a new directory.

    Raises:
        RunError: The run is not finished or damaged, or there is something already.
    """
    run, policy = open_trained(directory, force=force)
    latent_space(policy)
    check_not_existing(out)
    with new_directory(out) as beside:
        copy(run.directory, beside, COPIED)
        numbers = next(name for name in ARRAY_FILES if (run.policy / name).is_file())
        shutil.copyfile(run.policy / numbers, beside / "model.safetensors")
        shutil.copyfile(run.policy / "policy.json", beside / "policy.json")
        video_frames = [
            frame for tried in attempts(run, policy) for frame in attempt_frames(tried)
        ]
        save_video(beside / "replay.gif", video_frames)
        (beside / "README.md").write_text(card(run, out.absolute().name))


def copy_export(source: Path, out: Path) -> None:
    """Copies an export that was looked at, and nothing that does not belong to one.

    Raises:
        RunError: It is no export, or damaged, or there is something at its place already.
    """
    check_not_existing(out)
    run = Run.open(source)
    load_agent(run.policy, run.config)
    with new_directory(out) as beside:
        copy(source, beside, FILES)


def copy(source: Path, out: Path, names: Iterable[str]) -> None:
    """Copies the files of these names that are there."""
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, out / name)


def check_not_existing(out: Path) -> None:
    """Raises RunError if there is something already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out} exists and is not empty: choose another place")


@contextmanager
def new_directory(out: Path) -> Iterator[Path]:
    """An empty directory beside a place: moved there once it is whole, or else removed."""
    beside = out.absolute().with_name(out.absolute().name + TEMPORARY_SUFFIX)
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
