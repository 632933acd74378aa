"""The table that ``rig see`` prints."""

from rig.report.tables import print_table
from rig.see.sight import Sight
from rig.terminal import print_line
from rig.units import amount


COLUMNS = ["object", "error", "share", "correlation", "rank correlation, near"]

WITHIN_COLUMNS = ["object", "mean error", "by 16 x 16 pixels", "by the episode's mean"]


def print_sight(sight: Sight) -> None:
    """Print what the latents hold of each object, and what fit and encoding cost."""
    num = f"{sight.source.title}: {len(sight.source.collected):,} images"
    if sight.judged:
        print_table(num, COLUMNS, table_rows(sight))
    else:
        print_line(f"{num} without true states: nothing to judge by")
    if sight.within_episodes:
        print_table("within episodes, one left out", WITHIN_COLUMNS, within_rows(sight))
    print_line(
        f"fit {sight.fitted.fit_s:.1f} s, encode {sight.fitted.encode_ms:.3f} ms an image"
    )


def table_rows(sight: Sight) -> list[list[str]]:
    """Return one row for each object."""
    return [
        [
            name,
            with_unit(each.error, sight.unit_of(name)),
            f"{each.share:.3f}",
            f"{each.corr:.2f}",
            "-" if each.near_rank_corr is None else f"{each.near_rank_corr:.2f}",
        ]
        for name, each in sight.judged.items()
    ]


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
