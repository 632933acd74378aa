"""From what a person names to images: a task, an environment, a data set, or media files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rig.config import Config
from rig.envs.tasks import TASKS, find_task
from rig.errors import ConfigError, TaskError, suggest
from rig.see.data_set import read_data_set
from rig.see.media import read_media
from rig.see.practice import practice_images
from rig.see.source import Source, source_of
from rig.training.progress import Progress
from rig.validation import require


DATA_SET = ".npz"


def open_source(
    words: Sequence[str],
    config: Config,
    progress: Progress,
    *,
    objects: str,
    rng: np.random.Generator,
) -> Source:
    """Return the images that files hold, or those of practice.

    Args:
        words: Files and folders, or one data set; none for practice of ``config.task``.
        config: Every setting.
        progress: Displays what takes time.
        objects: The objects of a data set, in place of those it names.
        rng: Decides what is random.
    """
    if not words:
        return practice_images(config, progress, rng=rng)
    paths, title = [Path(word) for word in words], ", ".join(Path(word).name for word in words)
    are_data_sets = [path.suffix.lower() == DATA_SET for path in paths]
    require(
        len(paths) == 1 or not any(are_data_sets),
        f"{title}: give one data set (.npz) by itself",
    )
    if are_data_sets == [True]:
        return source_of(title, read_data_set(paths[0], config.image_size, objects))
    return source_of(title, read_media(paths, config.image_size, progress))


def task_named(words: Sequence[str]) -> str:
    """Return the task that the words name, empty if they name files.

    Raises:
        ConfigError: They name neither.
    """
    names = {task.name for task in TASKS}
    require(len(words) < 2 or not names.issuperset(words), "rig see takes one TASK at a time")
    if len(words) != 1:
        return ""
    (word,) = words
    try:
        find_task(word)
    except TaskError as error:
        if Path(word).exists() or Path(word).suffix:
            return ""
        if ":" in word:
            raise
        hint = suggest(word, (task.name for task in TASKS))
        raise ConfigError(f"{word} is neither a task nor a file: {hint}") from error
    return word
