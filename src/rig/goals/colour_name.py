"""Colours in words."""

import numpy as np


GREYS = (("black", 40), ("dark grey", 90), ("grey", 180), ("light grey", 225), ("white", 256))
"""Names of colours without hue, and the level below which they hold."""
HUES = (
    *(("red", 18), ("orange", 45), ("yellow", 70), ("green", 165), ("cyan", 195)),
    *(("blue", 260), ("purple", 300), ("pink", 340), ("red", 361)),
)
"""Names of hues, and the angle in degrees below which they hold."""
LEAST_CHROMA = 45
"""Grey levels between the largest and the smallest channel below which a colour is a grey."""


def colour_name(rgb: np.ndarray) -> str:
    """Return the name of a colour with channels from 0 to 255."""
    high, low = float(rgb.max()), float(rgb.min())
    if high - low < LEAST_CHROMA:
        return next(name for name, limit in GREYS if rgb.mean() < limit)
    red, green, blue = (float(channel) for channel in rgb)
    sectors = {
        red: ((green - blue) / (high - low)) % 6,
        green: (blue - red) / (high - low) + 2,
        blue: (red - green) / (high - low) + 4,
    }
    hue = 60 * sectors[high] % 360
    return next(name for name, limit in HUES if hue < limit)
