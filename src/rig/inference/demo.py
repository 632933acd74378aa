"""``rig demo``: train Reach, show it on some goal images, and write its report."""

from collections.abc import Sequence
from pathlib import Path

from rig.config import Config
from rig.inference.evaluate import try_first_goals
from rig.inference.open_run import open_trained
from rig.inference.video import attempt_frames, save_video
from rig.report.page import write_report
from rig.report.sections import VIDEO
from rig.report.tables import print_evaluation
from rig.training.run_training import train_new_run


def demo(config: Config, preset: str, out: Path | None, argv: Sequence[str]) -> Path:
    """Train, evaluate, make the video and the report; return the report's path."""
    run = train_new_run(config, preset, out, argv, may_exit=True)
    print_evaluation(run.evaluation())
    run, agent = open_trained(run.directory)
    attempts = try_first_goals(run, agent)
    frames = [drawn for attempt in attempts for drawn in attempt_frames(attempt)]
    save_video(run.directory / VIDEO, frames, step_s=attempts[0].step_s)
    report = run.directory / "report.html"
    write_report(report, [run.directory])
    return report
