"""The commands that share a trained policy: ``rig export | upload | download``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from rig.cli.options import Flag, RunDirectory
from rig.runs.output_paths import check_new_directory
from rig.terminal import print_line


Place = Annotated[Positional[str], arg(metavar="PLACE")]


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a trained policy as a directory for the Hugging Face Hub."""

    run: RunDirectory
    """Directory of a trained run."""
    out: Path
    """The directory to make: weights, settings, a model card, a video."""
    force: Flag = False
    """Make the video even if the policy sees different images than it learned from."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Export, and print the directory."""
        check_new_directory(self.out)
        from rig.inference.export import export

        export(self.run, self.out, force=self.force)
        print_line(str(self.out))


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Upload a trained policy to the Hugging Face Hub, or a directory."""

    run: RunDirectory
    """Directory of a trained run, or of an export."""
    to: str
    """OWNER/NAME on the Hub, or a new directory, as ./NAME."""
    force: Flag = False
    """Make the video even if the policy sees different images than it learned from."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Upload, and print where to."""
        from rig.inference.hub import upload

        upload(self.run, self.to, force=self.force)
        print_line(self.to)


@dataclass(frozen=True, kw_only=True)
class Download:
    """Download a trained policy from the Hugging Face Hub, or a directory."""

    place: Place
    """OWNER/NAME on the Hub, or the directory of an export."""
    out: Path
    """The directory to make."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Download, check, and print the directory."""
        check_new_directory(self.out)
        from rig.inference.hub import download

        download(self.place, self.out)
        print_line(str(self.out))
