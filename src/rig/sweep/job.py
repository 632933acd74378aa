"""A job: the runs that one process of a sweep trains."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from rig.config import Config
from rig.envs.tasks import find_task, is_external
from rig.errors import RigError
from rig.sweep.spec import RunSpec
from rig.sweep.study import Study
from rig.training.resources import Sizes, memory_bytes


NUM_CHANNELS = 3
EXTERNAL_STEPS, EXTERNAL_ACTION_SIZE = 50, 8
"""Assumed of an external env whose settings don't say; the memory hardly depends on them."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run, or several seeds of one setting that are trained together."""

    runs: tuple[RunSpec, ...]
    study: Study
    trainer: "Trainer"

    @property
    def ids(self) -> list[str]:
        """Ids of its runs."""
        return [run.id for run in self.runs]

    @property
    def name(self) -> str:
        """Its name, as ``push-a-seed0`` or ``push-a-seed0 and 4 more``."""
        return self.ids[0] + (f" and {len(self.runs) - 1} more" if len(self.runs) > 1 else "")

    @property
    def memory_bytes(self) -> int:
        """Estimated memory that it needs."""
        config = self.runs[0].config
        return round(memory_bytes(config, expected_sizes(config), len(self.runs)))

    def only(self, ids: Iterable[str]) -> "Job":
        """Return the job with some of its runs."""
        kept = set(ids)
        return replace(self, runs=tuple(run for run in self.runs if run.id in kept))


Trainer = Callable[[Job], Iterator[tuple[str, RigError | None]]]
"""Trains the runs of a job, each from its last checkpoint. Yields the id of each run that ends,
and the error that ended it, if one did."""


def make_jobs(study: Study, runs: Iterable[RunSpec], trainer: Trainer) -> list[Job]:
    """Group runs into jobs, in their order: several seeds of a setting if the plan says so."""
    open_groups: dict[tuple[str, str], list[RunSpec]] = {}
    groups: list[list[RunSpec]] = []
    for run in runs:
        setting = (run.method, run.config.task)
        group = open_groups.get(setting)
        if group is None or len(group) >= run.seeds_together:
            group = open_groups[setting] = []
            groups.append(group)
        group.append(run)
    return [Job(runs=tuple(group), study=study, trainer=trainer) for group in groups]


def expected_sizes(config: Config) -> Sizes:
    """Return the sizes that envs with these settings will have, without making them."""
    image_bytes = NUM_CHANNELS * config.image_size**2
    if is_external(config.task):
        return Sizes(
            num_steps=config.episode_steps or EXTERNAL_STEPS,
            action_size=EXTERNAL_ACTION_SIZE,
            frame_bytes=image_bytes,
        )
    task = find_task(config.task)
    state = len(task.start) * np.dtype(np.float64).itemsize if config.is_given_truth else 0
    return Sizes(
        num_steps=task.num_steps,
        action_size=task.action_size,
        frame_bytes=state + (0 if config.oracle else image_bytes),
    )
