"""The demonstration: Reach is trained, shown reaching a few goal pictures, and reported."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rig.agent.agent import Agent
from rig.config import Config
from rig.goals.goal_image import GoalImage
from rig.inference.open_run import open_trained
from rig.inference.reach import Attempt, reach
from rig.inference.video import attempt_frames, save_video
from rig.report.page import write_report
from rig.report.sections import VIDEO
from rig.report.tables import print_evaluation
from rig.runs.run import Run
from rig.training.evaluate import evaluation_goals
from rig.training.make_envs import make_envs, unwrapped_envs
from rig.training.run_training import train_new_run


NUM_SHOWN = 4
"""Goal pictures that the video shows."""


def demo(config: Config, preset: str, out: Path | None, argv: Sequence[str]) -> Path:
    """Trains, evaluates, films and reports; the report's path."""
    run = train_new_run(config, preset, out, argv)
    print_evaluation(run.evaluation())
    _run, policy = open_trained(run.directory)
    video_frames = [
        frame for attempt in attempts(run, policy) for frame in attempt_frames(attempt)
    ]
    save_video(run.directory / VIDEO, video_frames)
    report = run.directory / "report.html"
    write_report(report, [run.directory])
    return report


def attempts(run: Run, policy: Agent) -> list[Attempt]:
    """The robot's tries at the first goal pictures of evaluation, each from its own start."""
    with closing(make_envs(run.config, num_envs=1)) as envs:
        goals, id_ = evaluation_goals(envs, NUM_SHOWN), unwrapped_envs(envs).id
        pictures = [
            GoalImage(image=image, changes=(), task=id_, state=state, seed=int(seed))
            for image, state, seed in zip(goals.images, goals.states, goals.seeds, strict=True)
        ]
        return [reach(policy, envs, picture) for picture in pictures]
