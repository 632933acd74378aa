"""``rig serve``: the live page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Interval
from tyro.conf import Positional, arg

from rig.cli.options import Flag
from rig.runs.output_paths import RUNS
from rig.validation import Checked


RunsOrDirectories = Annotated[Positional[tuple[Path, ...]], arg(metavar="[RUN|DIR ...]")]


@dataclass(frozen=True, kw_only=True)
class Serve(Checked):
    """Open a page: watch runs train, show a robot a goal, press go."""

    runs: RunsOrDirectories = ()
    """Runs, and directories of runs; by default runs/."""
    port: Annotated[int, Interval(ge=0, le=65_535)] = 8018
    """Port; if it is taken, the next free one. 0: any free one."""
    host: str = "127.0.0.1"
    """Address to listen at. Others than this machine's own let the network in."""
    no_browser: Flag = False
    """Do not open a browser."""
    read_only: Flag = False
    """Show everything, and move nothing."""
    no_token: Flag = False
    """Let in every account of this machine, without the token in the address."""
    allow_env: Flag = False
    """Import the environments' code of all runs, and not only of runs named here."""
    json: Flag = False
    """Print address, token file and process id as one line of JSON."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Serve the page until Ctrl-C."""
        from rig.serve.server import ServeOptions, serve

        if not self.runs:
            RUNS.mkdir(exist_ok=True)
        serve(
            ServeOptions(
                roots=self.runs or (RUNS,),
                host=self.host,
                port=self.port,
                has_token=not self.no_token,
                is_read_only=self.read_only,
                allow_env=self.allow_env,
                opens_browser=not self.no_browser,
                is_json=self.json,
            )
        )
