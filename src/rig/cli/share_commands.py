"""The verbs that give away what a run has learned: ``rig export | push | pull``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from rig.cli.options import Flag, RunDirectory
from rig.runs.output_paths import check_new_directory


Place = Annotated[Positional[str], arg(metavar="PLACE")]


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write what a run has learned in the layout of the Hugging Face Hub."""

    run: RunDirectory
    """Directory of a trained run."""
    out: Path
    """The directory to make: weights, settings, a model card, a video."""
    force: Flag = False
    """Film it even where its policy sees other pictures than it learned from."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Exports, and prints the directory."""
        check_new_directory(self.out)
        from rig.inference.export import export
        from rig.report.tables import print_line

        export(self.run, self.out, force=self.force)
        print_line(str(self.out))


@dataclass(frozen=True, kw_only=True)
class Push:
    """Put what a run has learned on the Hugging Face Hub, or into a directory."""

    run: RunDirectory
    """Directory of a trained run, or of an export."""
    to: str
    """OWNER/NAME on the Hub, or a new directory, as ./NAME."""
    force: Flag = False
    """Film it even where its policy sees other pictures than it learned from."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Pushes, and prints where to."""
        from rig.inference.hub import push
        from rig.report.tables import print_line

        push(self.run, self.to, force=self.force)
        print_line(self.to)


@dataclass(frozen=True, kw_only=True)
class Pull:
    """Fetch what somebody's run has learned from the Hugging Face Hub, or from a directory."""

    place: Place
    """OWNER/NAME on the Hub, or the directory of an export."""
    out: Path
    """The directory to make."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Pulls, looks whether it is whole, and prints the directory."""
        check_new_directory(self.out)
        from rig.inference.hub import pull
        from rig.report.tables import print_line

        pull(self.place, self.out)
        print_line(str(self.out))


SHARE_VERBS = {"export": Export, "push": Push, "pull": Pull}
