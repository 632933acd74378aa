"""The kinds of representation by name. To add one, add its line here."""

from rig.config import Config
from rig.errors import ConfigError
from rig.representation.hybrid import HybridRepresentation
from rig.representation.latent import LatentRepresentation
from rig.representation.pixels import PixelRepresentation
from rig.representation.representation import Representation
from rig.representation.true_state import TrueStateRepresentation


REPRESENTATIONS: dict[str, type[Representation]] = {
    "latent": LatentRepresentation,
    "pixels": PixelRepresentation,
    "true_state": TrueStateRepresentation,
    "hybrid": HybridRepresentation,
}


def representation_kind(config: Config) -> type[Representation]:
    """Return the class that the settings ask for.

    Raises:
        ConfigError: No kind has that name.
    """
    name = config.representation_kind
    if name not in REPRESENTATIONS:
        raise ConfigError(
            f"unknown representation {name!r}: choose one of {', '.join(REPRESENTATIONS)}, or "
            "register it in rig.representation.registry.REPRESENTATIONS"
        )
    return REPRESENTATIONS[name]
