"""Names that older versions wrote to disk, and what they are called now.

Runs and exported policies of older versions still load: their names are translated on reading.
"""

ARRAYS = {
    "['vae'].base": "['vae'].mean_logits",
    "['vae'].canvas.": "['vae'].output_basis.",
    ".encoder.colours": ".encoder.colors",
    ".encoder.usual": ".encoder.mean_position",
    ".encoder.is_constant": ".encoder.always_visible",
    ".decoder.spread.": ".decoder.expand.",
    ".eyes.": ".features.",
}
"""Parts of the names of saved arrays."""


def current_array_name(name: str) -> str:
    """Return the current name of a saved array."""
    for old, new in ARRAYS.items():
        name = name.replace(old, new)
    return name
