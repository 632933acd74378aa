"""The table that ``rig see`` prints."""

from rig.report.tables import print_table
from rig.see.sight import Sight
from rig.terminal import print_line


COLUMNS = ["object", "error", "share", "correlation", "rank correlation, near"]


def print_sight(sight: Sight) -> None:
    """Print what the latents hold of each object, and what fit and encoding cost."""
    rows = [
        [
            name,
            f"{each.error:.4g}",
            f"{each.share:.3f}",
            f"{each.corr:.2f}",
            "-" if each.near_rank_corr is None else f"{each.near_rank_corr:.2f}",
        ]
        for name, each in sight.judged.items()
    ]
    num = len(sight.data_set.images)
    if rows:
        print_table(f"{num:,} images", COLUMNS, rows)
    else:
        print_line(f"{num:,} images without true states: nothing to judge by")
    print_line(
        f"fit {sight.fitted.fit_s:.1f} s, encode {sight.fitted.encode_ms:.3f} ms an image"
    )
