"""The page of ``rig see``: it needs no network, no script and no other file."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from PIL import Image

from rig.report.elements import Card, Table
from rig.runs.atomic_files import complete_file
from rig.see.missing import missing
from rig.see.motion import Motion, find_motion
from rig.see.sight import Sight
from rig.see.sight_table import (
    COLUMNS,
    VISIBLE_COLUMNS,
    WITHIN_COLUMNS,
    honesty,
    table_rows,
    visible_rows,
    with_unit,
    within_rows,
)
from rig.see.views import unsure_views, views


MISSED_SHARE = 0.5
"""An object is missed if the place read off errs by more than this share of a blind guess."""
LEAST_CORRELATION = 0.2
"""Below this correlation, latent distance says little about an object."""
LIGHT_SWING = 0.1
"""A light that varies by more is worth a word."""
UNSTEADY_LEVELS = 15.0
"""A still pixel that varies by more is not still: the camera or what is behind moves."""
FEW_IMAGES = 500
PICTURES_SEED = 0


def write_page(out: Path, sight: Sight) -> None:
    """Write the page about what a representation holds of images.

    Raises:
        OSError: The page can't be written.
    """
    text = sight_page(sight)
    with complete_file(out) as partial:
        partial.write_text(text, encoding="utf-8")


def sight_page(sight: Sight) -> str:
    """Return the page about what a representation holds of images, as HTML."""
    representation = sight.fitted.representation
    images = sight.source.collected.images
    motion = find_motion(images)
    latents = representation.encode(motion.images).latent
    reconstructions = representation.decode(latents)
    rng = np.random.default_rng(PICTURES_SEED)
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("rig.see", "."), PackageLoader("rig.report", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = data_uri
    return environment.get_template("see.html.j2").render(
        title=sight.source.title,
        lead=lead(sight),
        cards=cards(sight),
        words=what_is_missing(sight),
        judged=Table(COLUMNS, table_rows(sight)),
        within_episodes=Table(WITHIN_COLUMNS, within_rows(sight)),
        visible=Table(VISIBLE_COLUMNS, visible_rows(sight)),
        honesty="" if sight.how_sure is None else honesty(sight.how_sure),
        views=[
            *views(representation, images, motion, reconstructions, latents, rng=rng),
            *unsure_views(sight.how_sure, motion),
        ],
    )


def what_is_missing(sight: Sight) -> list[str]:
    """Return a sentence for each thing that a person with a camera should know."""
    motion = find_motion(sight.source.collected.images)
    latents = sight.fitted.representation.encode(motion.images).latent
    reconstructions = sight.fitted.representation.decode(latents)
    return words(sight, motion) + missing(motion, reconstructions, latents)


def lead(sight: Sight) -> str:
    """Return in a sentence what was fitted."""
    num = len(sight.source.collected)
    return f"What latents hold of these images. Fitted to {num:,} images and nothing else."


def cards(sight: Sight) -> list[Card]:
    """Return the numbers to see first."""
    shown = []
    for name, each in sight.judged.items():
        error = with_unit(each.error, sight.unit_of(name))
        note = (
            "it does not move" if each.share is None else f"{each.share:.0%} of a blind guess's"
        )
        shown.append(Card(error, f"error of the {name}", note))
    fitted = sight.fitted
    note = f"{fitted.encode_ms:.2f} ms to encode an image"
    return [*shown, Card(f"{fitted.fit_s:.0f} s", "to fit", note)]


def words(sight: Sight, motion: Motion) -> list[str]:
    """Say what the true states, the number of images and the light show."""
    found = []
    num = len(sight.source.collected)
    if num < FEW_IMAGES:
        found.append(f"{num} images are few: from about {FEW_IMAGES} on, fits are good.")
    if motion.noise_levels > UNSTEADY_LEVELS:
        found.append(
            f"Most pixels vary by {motion.noise_levels:.0f} grey levels: the camera or what is "
            "behind moves. Fix the camera, or fit to the images of one place."
        )
    if motion.light_swing > LIGHT_SWING:
        found.append(
            f"The light varies by {motion.light_swing:.0%}: fix exposure and white balance of "
            "the camera if you can."
        )
    for name, each in sight.judged.items():
        if each.share is None:
            found.append(f"The {name} does not move in most of the images: show it elsewhere.")
        elif each.share > MISSED_SHARE:
            found.append(
                f"The latents hardly hold the {name}: its place read off them errs by "
                f"{each.share:.0%} of a blind guess's error."
            )
        elif each.corr < LEAST_CORRELATION:
            found.append(
                f"The latents hold the {name}, but latent distance says little about it: their "
                f"correlation is {each.corr:.2f}. The reward would hardly count it."
            )
    return found


def data_uri(image: Image.Image) -> str:
    """Return an image as a ``data:`` URI, which holds the image itself."""
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
