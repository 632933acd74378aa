"""The verbs about many runs: their options, and what each does.

The verbs about one robot are in ``verbs``; the rules are the same.
"""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from rig.config import require
from rig.lab.outputs import RUNS
from rig.lab.verbs import DirectoryOption, Flag


SpecFile = Annotated[Positional[Path], arg(metavar="SPEC")]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Run a study: many runs side by side, on this machine's cores or on a Ray cluster."""

    spec: SpecFile
    """The study's plan, a TOML file: methods, tasks, seeds and settings."""
    out: DirectoryOption = None
    """Directory of the study; by default runs/NAME, for a spec called NAME.toml."""
    status: Flag = False
    """Tell what is done, running, failed and why, and do nothing."""
    again: Flag = False
    """Try runs that failed again."""
    cores: int | None = None
    """Runs at once on this machine, one a core; by default all cores that we may use."""
    ray_address: str | None = None
    """A Ray cluster to run on, as `ray.init` takes it: auto, or HOST:PORT."""
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
        from rig.lab.study.board import open_board, print_standings
        from rig.lab.study.directory import Study, as_json
        from rig.lab.study.spec import read_spec
        from rig.lab.study.sweep import require_all_done, sweep
        from rig.lab.tables import print_json

        spec = read_spec(self.spec)
        study = Study(spec, (self.out or RUNS / spec.name).absolute())
        if self.status:
            standings = study.standings()
        else:
            standings = sweep(
                study,
                open_board(),
                address=self.ray_address,
                num_cores=self.cores,
                again=self.again,
            )
        if self.json:
            print_json(as_json(standings) | {"directory": str(study.directory)})
        else:
            print_standings(spec.name, standings)
        if not self.status:
            sys.stdout.flush()
            out = ["--out", str(self.out)] if self.out else []
            require_all_done(standings, shlex.join(["rig", "sweep", str(self.spec), *out]))


STUDY_VERBS = {"sweep": Sweep}
