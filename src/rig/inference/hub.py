"""Uploads of exports to the Hugging Face Hub, and downloads; a directory can stand in for it.

A place is a directory if it exists or begins as a path does, else the Hub's ``owner/name``. A
directory needs no network and no other package.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from rig.errors import RunError
from rig.inference.export import ALL_FILES, copy_export, export


REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def upload(directory: Path, place: str, *, force: bool = False) -> None:
    """Export a run to a place; copy what is an export already.

    Raises:
        RunError: It is no finished run, there is something already, or the Hub refused.
    """
    if not is_repository(place):
        export(directory, Path(place), force=force)
        return
    with tempfile.TemporaryDirectory() as scratch:
        exported = Path(scratch) / directory.absolute().name
        export(directory, exported, force=force)
        with refusals(place) as hub:
            hub.HfApi().create_repo(place, exist_ok=True)
            hub.HfApi().upload_folder(repo_id=place, folder_path=exported)


def download(place: str, out: Path) -> None:
    """Copy an export from a place into a new directory, and check it.

    Raises:
        RunError: There is no such export, it is damaged, or there is something already.
    """
    if not is_repository(place):
        copy_export(Path(place), out)
        return
    with tempfile.TemporaryDirectory() as scratch:
        with refusals(place) as hub:
            hub.snapshot_download(place, local_dir=scratch, allow_patterns=list(ALL_FILES))
        copy_export(Path(scratch), out)


def cached(place: str) -> Path:
    """Download an export from the Hub into its cache, and return the directory there.

    Raises:
        RunError: The package is missing, or the Hub refused.
    """
    with refusals(place) as hub:
        return Path(hub.snapshot_download(place, allow_patterns=list(ALL_FILES)))


def is_repository(place: str) -> bool:
    """Return whether a place is on the Hub, not a directory."""
    is_path = place.startswith((".", "/", "~")) or Path(place).exists()
    return not is_path and REPOSITORY.fullmatch(place) is not None


@contextmanager
def refusals(place: str) -> Iterator[ModuleType]:
    """Return the Hub's package; what the Hub refuses becomes one line.

    Raises:
        RunError: The package is missing, or the Hub refused.
    """
    try:
        import huggingface_hub as hub
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError as error:
        raise RunError(
            f"{place} is on the Hugging Face Hub: `pip install 'imagined-goals[hub]'` first, "
            f"or give a directory, as ./{place.rsplit('/', 1)[-1]}"
        ) from error
    try:
        yield hub
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise RunError(f"the Hub refused {place}: {error}") from error
