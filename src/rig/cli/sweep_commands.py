"""The verbs about many runs: their options, and what each does.

The verbs about one robot are in ``verbs``; the rules are the same.
"""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from rig.cli.options import DirectoryOption, Flag
from rig.runs.output_paths import RUNS, check_new_directory
from rig.training.trackers import TrackerName
from rig.validation import require


SpecFile = Annotated[Positional[Path], arg(metavar="SPEC")]
Sources = Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN|SPEC [RUN|SPEC ...]")]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Run a study: many runs side by side, on this machine's cores or on a Ray cluster."""

    spec: SpecFile
    """The study's plan, a TOML file: methods, tasks, seeds and settings."""
    out: DirectoryOption = None
    """Directory of the study; by default runs/NAME, for a spec called NAME.toml."""
    status: Flag = False
    """Tell what is done, running, failed and why, and do nothing."""
    seeds: tuple[int, ...] = ()
    """Only the runs of these seeds; by default of all that are planned."""
    again: Flag = False
    """Try runs that failed again."""
    cores: int | None = None
    """Runs at once on this machine, one a core; by default all cores that we may use."""
    ray_address: str | None = None
    """A Ray cluster to run on, as `ray.init` takes it: auto, or HOST:PORT."""
    tracker: TrackerName | None = None
    """Show every run's metrics in TensorBoard or in Weights & Biases too."""
    json: Flag = False
    """Print where every run stands as one JSON object."""

    def __post_init__(self) -> None:
        require(
            self.cores is None or self.cores >= 1, f"--cores must be >= 1, got {self.cores}"
        )
        require(
            self.cores is None or self.ray_address is None,
            "--cores is for this machine, --ray-address for a cluster: give one of them",
        )

    def __call__(self, argv: Sequence[str]) -> None:
        """Does what is left of the study, and prints where every run stands."""
        from rig.report.tables import print_json
        from rig.sweep.directory import Study
        from rig.sweep.progress import open_board, print_standings
        from rig.sweep.spec import read_spec
        from rig.sweep.status import as_json
        from rig.sweep.sweep import check_failures, sweep
        from rig.sweep.worker import train_planned
        from rig.training.trackers import check_tracker

        whole = read_spec(self.spec)
        spec = whole.of_seeds(self.seeds) if self.seeds else whole
        study = Study(spec, (self.out or RUNS / spec.name).absolute(), whole=whole)
        if self.status:
            standings = study.standings()
        else:
            check_tracker(self.tracker)
            standings = sweep(
                study,
                open_board(),
                address=self.ray_address,
                num_cores=self.cores,
                again=self.again,
                trainer=partial(train_planned, tracker=self.tracker),
            )
        if self.json:
            print_json(as_json(standings) | {"directory": str(study.directory)})
        else:
            print_standings(spec.name, standings)
        if not self.status:
            sys.stdout.flush()
            out = ["--out", str(self.out)] if self.out else []
            seeds = ["--seeds", *map(str, self.seeds)] if self.seeds else []
            command = ["rig", "sweep", str(self.spec), *out, *seeds]
            check_failures(standings, shlex.join(command))


@dataclass(frozen=True, kw_only=True)
class Runs:
    """List the runs under a directory: sorted, filtered, any number of them."""

    directory: Annotated[Positional[Path], arg(metavar="DIR")] = RUNS
    """The directory that runs lie under, at any depth."""
    task: str | None = None
    """Only runs of this task."""
    preset: str | None = None
    """Only runs nearest to this preset."""
    where: UseAppendAction[tuple[str, ...]] = ()
    """Only runs of which this is true; may be said again. A setting, a metric's last value or a
    column, and a value: "td3.gamma=0.98", "eval/puck_distance_m<0.03", "state=done"."""
    sort: str = "date"
    """What to sort by: a setting, a metric or a column; -NAME (as --sort=-NAME): the largest
    first."""
    json: Flag = False
    """Print the runs as one JSON object."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Brings the index up to date, asks it, and prints the answer."""
        from rig.report.tables import print_json, print_table
        from rig.sweep.index import open_index
        from rig.sweep.query import SHOWN, cells, select

        asked = {"task": self.task, "preset": self.preset}
        conditions = [f"{name}={value}" for name, value in asked.items() if value is not None]
        with open_index(self.directory) as index:
            rows = select(index, [*conditions, *self.where], self.sort)
        if self.json:
            print_json({"runs": rows})
        else:
            title = f"{self.directory}: {len(rows)} run{'' if len(rows) == 1 else 's'}"
            print_table(title, list(SHOWN), [cells(row) for row in rows])


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Compare methods over seeds: tables with intervals, and learning curves."""

    sources: Sources
    """Runs' or studies' directories, specs of studies that lie under runs/, or files of
    results (.jsonl)."""
    against: str | None = None
    """The method that the others are compared with; by default the first one."""
    out: DirectoryOption = None
    """Directory for comparison.md, comparison.csv and the plots; made if it is not there."""
    json: Flag = False
    """Print every number as one JSON object."""

    def __post_init__(self) -> None:
        require(len(self.sources) > 0, "rig compare needs at least one RUN or SPEC")

    def __call__(self, argv: Sequence[str]) -> None:
        """Compares, prints the tables, and writes them if asked."""
        if self.out:
            check_new_directory(self.out)
        from rig.compare.comparison import Comparison
        from rig.compare.kept_results import gather
        from rig.compare.tables import as_json, print_comparison, write_comparison
        from rig.report.tables import print_json, print_line, print_notice

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


STUDY_VERBS = {"sweep": Sweep, "runs": Runs, "compare": Compare}
