"""The report: one page about runs that needs no network, no script and no other file."""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from rig.report import latent_tables, sections
from rig.report.run_facts import Facts, read_facts
from rig.runs.atomic_files import complete_file, read_small_file


MEDIA_TYPES = {".png": "image/png", ".mp4": "video/mp4"}


def write_report(out: Path, directories: Sequence[Path]) -> None:
    """Write the page about these runs.

    Raises:
        RunError: A directory is no run, or damaged.
        OSError: The page can't be written.
    """
    text = page(read_facts(directories))
    with complete_file(out) as partial:
        partial.write_text(text, encoding="utf-8")


def page(runs: Sequence[Facts]) -> str:
    """Return the page as HTML; the template escapes all text."""
    environment = Environment(
        loader=PackageLoader("rig.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = data_uri
    return environment.get_template("report.html.j2").render(
        title=sections.title(runs),
        lead=sections.lead(runs[0]) if len(runs) == 1 else "",
        cards=sections.cards(runs[0]) if len(runs) == 1 else [],
        results=sections.results(runs) if len(runs) > 1 else None,
        problems=sections.problems(runs),
        attempts=sections.attempts(runs),
        distance_plots=sections.distance_plots(runs),
        imagined=sections.imagined(runs),
        reconstructions=sections.figures(runs, "reconstructions.png", sections.RECONSTRUCTION),
        probes=latent_tables.probe_table(runs),
        traversals=sections.figures(runs, "latents.png", sections.TRAVERSAL),
        practice=latent_tables.practice_table(runs),
        loss_plots=sections.loss_plots(runs),
        is_blurred=any(facts.run.config.vae.blur_sigmas_px for facts in runs),
        settings=sections.settings(runs),
        origins=sections.origins(runs),
    )


def data_uri(path: Path) -> str:
    """Return a file as a ``data:`` URI, which holds the file itself."""
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{b64encode(read_small_file(path)).decode()}"
