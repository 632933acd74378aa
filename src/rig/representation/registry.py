"""The kinds of representation by name. To add one, add its line here."""

from typing import NoReturn

from rig.errors import ConfigError
from rig.representation.hybrid import HybridRepresentation
from rig.representation.latent import LatentRepresentation
from rig.representation.pixels import PixelRepresentation
from rig.representation.representation import Representation
from rig.representation.stacked_actions import StackedActions
from rig.representation.true_state import TrueStateRepresentation


class Registry(dict[str, type[Representation]]):
    """Classes by name; an unknown name is an error that lists the known ones."""

    def __missing__(self, name: str) -> NoReturn:
        """Raise ConfigError."""
        raise ConfigError(
            f"unknown representation {name!r}: choose one of {', '.join(self)}, or add yours "
            "to rig.representation.registry.REPRESENTATIONS"
        )


REPRESENTATIONS = Registry(
    latent=LatentRepresentation,
    stacked=StackedActions,
    pixels=PixelRepresentation,
    true_state=TrueStateRepresentation,
    hybrid=HybridRepresentation,
)
"""Indexed by ``Config.representation_kind``."""
