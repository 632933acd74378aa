"""The table that ``rig see`` prints."""

from rig.report.tables import print_table
from rig.see.how_sure import HowSure
from rig.see.sight import Sight
from rig.see.visibility import STATES
from rig.terminal import print_line
from rig.units import amount


COLUMNS = ["object", "error", "share", "correlation", "rank correlation, near"]

VISIBLE_COLUMNS = ["thing", "visible", "hidden", "gone"]
WITHIN_COLUMNS = ["object", "mean error", "by 16 x 16 pixels", "by the episode's mean"]


def print_sight(sight: Sight) -> None:
    """Print what the latents hold of each object, and what fit and encoding cost."""
    num = f"{sight.source.title}: {len(sight.source.collected):,} images"
    if sight.judged:
        print_table(num, COLUMNS, table_rows(sight))
    else:
        print_line(f"{num}, and no true states of named objects to judge by")
    if sight.within_episodes:
        print_table("within episodes, one left out", WITHIN_COLUMNS, within_rows(sight))
    if sight.visibility:
        print_table("share of images", VISIBLE_COLUMNS, visible_rows(sight))
    if sight.how_sure is not None:
        print_line(honesty(sight.how_sure))
    print_line(
        f"fit {sight.fitted.fit_s:.1f} s, encode {sight.fitted.encode_ms:.3f} ms an image"
    )


def table_rows(sight: Sight) -> list[list[str]]:
    """Return one row for each object."""
    return [
        [
            name,
            with_unit(each.error, sight.unit_of(name)),
            "-" if each.share is None else f"{each.share:.3f}",
            f"{each.corr:.2f}",
            "-" if each.near_rank_corr is None else f"{each.near_rank_corr:.2f}",
        ]
        for name, each in sight.judged.items()
    ]


def visible_rows(sight: Sight) -> list[list[str]]:
    """Return one row for each thing that the encoder finds."""
    return [
        [each.name, *(f"{getattr(each, key):.1%}" for key in STATES)]
        for each in sight.visibility
    ]


def honesty(sure: HowSure) -> str:
    """Say how often latents stay within their spread."""
    return (
        f"With a part of an image hidden on purpose, {sure.within_hidden:.0%} of latents stay "
        f"within two standard deviations, and {sure.within_whole:.0%} with other light and "
        "noise alone. 95% is honest; with fewer, the spread is too narrow."
    )


def within_rows(sight: Sight) -> list[list[str]]:
    """Return one row for each object whose motion within episodes was read off."""
    return [
        [
            name,
            *(
                with_unit(value, sight.unit_of(name))
                for value in (each.error, each.pixels_error, each.blind_error)
            ),
        ]
        for name, each in sight.within_episodes.items()
    ]


def with_unit(value: float, unit: str) -> str:
    """Return a distance with its unit, as far as that is known."""
    return amount(f"_{unit}", value) if unit else f"{value:.4g}"
