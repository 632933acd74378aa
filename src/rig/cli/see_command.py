"""``rig see``: what the latents hold of any images, before any robot moves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from rig.cli.options import Flag
from rig.config import CountOrNone, Positive
from rig.presets import find_preset
from rig.terminal import print_notice
from rig.validation import Checked, require


@dataclass(frozen=True, kw_only=True)
class See(Checked):
    """Fit to any images, and show what the latents hold of them."""

    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILES")] = ()
    """A data set: an NPZ file with images [N, H, W, 3] uint8 and, if they are known, states and
    the columns of each object (docs/see.md)."""
    image_size: Literal[48, 84] = 48
    """Height and width that images get, pixels: those of training."""
    near: Positive = 0.03
    """True distance under which two places of an object are near, in the unit of the states."""
    seed: CountOrNone = 0
    """Seed of everything random."""
    json: Flag = False
    """Print everything as one JSON object."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Read, fit, judge, and print."""
        require(len(self.files) == 1, f"rig see needs one NPZ file, got {len(self.files)}")
        from rig.report.tables import print_json
        from rig.see.data_set import read_data_set
        from rig.see.sight import see
        from rig.see.sight_table import print_sight
        from rig.training.progress import open_progress

        config = replace(find_preset("fast", ""), seed=self.seed, image_size=self.image_size)
        data_set = read_data_set(self.files[0], self.image_size)
        for note in data_set.notes:
            print_notice(f"{self.files[0]}: {note}")
        with open_progress() as progress:
            sight = see(config, data_set, self.near, progress)
        if self.json:
            print_json(sight.as_json())
        else:
            print_sight(sight)
