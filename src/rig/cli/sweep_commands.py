"""The commands for many runs: sweep, runs and compare."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from rig.cli.options import DirectoryOption, Flag
from rig.runs.output_paths import RUNS, check_new_directory
from rig.terminal import print_line, print_notice
from rig.training.trackers import TrackerName
from rig.validation import require


SpecFile = Annotated[Positional[Path], arg(metavar="SPEC")]
Sources = Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN|SPEC [RUN|SPEC ...]")]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Train the runs of a study side by side, here or on a Ray cluster."""

    spec: SpecFile
    """The spec of the study, a TOML file: methods, tasks, seeds and settings."""
    out: DirectoryOption = None
    """Directory of the study; by default runs/NAME for a spec NAME.toml."""
    status: Flag = False
    """Only show which runs are done, running, failed and why, interrupted or waiting, and how
    often the process of a run was lost: killed, or out of memory. It is then tried again."""
    seeds: tuple[int, ...] = ()
    """Train only the runs of these seeds; by default of all seeds in the spec."""
    again: Flag = False
    """Also try the runs that failed."""
    cores: int | None = None
    """Runs at once on this machine, one on each core; by default all cores that rig may use."""
    ray_address: str | None = None
    """A Ray cluster to run on, as `ray.init` takes it: auto, or HOST:PORT."""
    tracker: TrackerName | None = None
    """Also show the metrics of each run in TensorBoard or in Weights & Biases."""
    json: Flag = False
    """Print the status of each run as one JSON object."""

    def __post_init__(self) -> None:
        require(
            self.cores is None or self.cores >= 1, f"--cores must be >= 1, got {self.cores}"
        )
        require(
            self.cores is None or self.ray_address is None,
            "--cores is for this machine, --ray-address for a cluster: give only one of them",
        )

    def __call__(self, argv: Sequence[str]) -> None:
        """Train what is left of the study, and print the status of each run."""
        from rig.report.tables import print_json
        from rig.sweep.progress import SweepProgress, print_statuses
        from rig.sweep.spec import read_spec
        from rig.sweep.status import as_json
        from rig.sweep.study import Study
        from rig.sweep.sweep import check_failures, sweep
        from rig.sweep.worker import train_runs
        from rig.training.trackers import check_tracker

        full_spec = read_spec(self.spec)
        spec = full_spec.of_seeds(self.seeds) if self.seeds else full_spec
        study = Study(spec, (self.out or RUNS / spec.name).absolute(), full_spec=full_spec)
        if self.status:
            statuses = study.statuses()
        else:
            check_tracker(self.tracker)
            statuses = sweep(
                study,
                SweepProgress(),
                address=self.ray_address,
                num_cores=self.cores,
                again=self.again,
                trainer=partial(train_runs, tracker=self.tracker),
            )
        if self.json:
            print_json(as_json(statuses) | {"directory": str(study.directory)})
        else:
            print_statuses(spec.name, statuses)
        if not self.status:
            out = ["--out", str(self.out)] if self.out else []
            seeds = ["--seeds", *map(str, self.seeds)] if self.seeds else []
            command = ["rig", "sweep", str(self.spec), *out, *seeds]
            check_failures(statuses, shlex.join(command))


@dataclass(frozen=True, kw_only=True)
class Runs:
    """List the runs under a directory, filtered and sorted."""

    directory: Annotated[Positional[Path], arg(metavar="DIR")] = RUNS
    """The directory that has runs under it, at any depth."""
    task: str | None = None
    """Only runs of this task."""
    preset: str | None = None
    """Only runs nearest to this preset."""
    where: UseAppendAction[tuple[str, ...]] = ()
    """Only runs that meet this condition; may be given several times. It names a setting, a
    metric's last value or a column: "td3.gamma=0.98", "eval/puck_distance_m<0.03",
    "state=done"."""
    sort: str = "date"
    """The setting, metric or column to sort by; -NAME (as --sort=-NAME) for the largest
    first."""
    json: Flag = False
    """Print the runs as one JSON object."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Update the index, query it, and print the runs found."""
        from rig.report.tables import print_json, print_listing
        from rig.sweep.index import read_index
        from rig.sweep.query import COLUMNS, cells, select

        given = {"task": self.task, "preset": self.preset}
        conditions = [f"{name}={value}" for name, value in given.items() if value is not None]
        rows = select(read_index(self.directory), [*conditions, *self.where], self.sort)
        if self.json:
            print_json({"runs": rows})
        else:
            title = f"{self.directory}: {len(rows)} run{'' if len(rows) == 1 else 's'}"
            print_listing(title, list(COLUMNS), [cells(row) for row in rows])


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Compare methods over seeds: tables with intervals, learning curves."""

    sources: Sources
    """Directories of runs or studies, specs of studies under runs/, or files of results
    (.jsonl)."""
    against: str | None = None
    """The method to compare the others with; by default the first one."""
    out: DirectoryOption = None
    """Directory for comparison.md, comparison.csv and the plots; made if it does not exist."""
    json: Flag = False
    """Print every number as one JSON object."""

    def __post_init__(self) -> None:
        require(len(self.sources) > 0, "rig compare needs at least one RUN or SPEC")

    def __call__(self, argv: Sequence[str]) -> None:
        """Compare, print the tables, and write them if asked."""
        if self.out:
            check_new_directory(self.out)
        from rig.compare.comparison import Comparison
        from rig.compare.kept_results import gather
        from rig.compare.tables import as_json, print_comparison, write_comparison
        from rig.report.tables import print_json

        results, left_out = gather(self.sources)
        if left_out:
            print_notice(f"not finished, left out: {', '.join(left_out)}")
        comparison = Comparison(results, self.against)
        if self.json:
            print_json(as_json(comparison))
        else:
            print_comparison(comparison)
        if self.out:
            written = write_comparison(self.out, comparison)
            for path in () if self.json else written:
                print_line(str(path))
