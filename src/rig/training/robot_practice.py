"""What practice on a real robot needs besides the loop; nothing of it for a simulation."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rig.config import Config
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.robot_env.nothing_moved import wait_for_motion
from rig.robot_env.vector_env import RobotVectorEnv
from rig.runs.interrupt import Interrupt
from rig.training.kept_episodes import KeptEpisodes
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.progress import Progress
from rig.training.state import State, TrainState


Say = Callable[[str], object]


def robot_of(envs: Envs) -> RobotVectorEnv | None:
    """Return the robot, if it is one."""
    base_envs: ImageGoalVectorEnv = unwrapped_envs(envs)
    return base_envs if isinstance(base_envs, RobotVectorEnv) else None


def begin_practice(
    config: Config, envs: Envs, interrupt: Interrupt, progress: Progress
) -> None:
    """Let a robot's episodes start where the settings say, and show what it does.

    What it waits for is shown too, and it stops waiting when a signal comes.
    """
    robot = robot_of(envs)
    if robot is not None:
        robot.random_start = config.practice.random_start
        robot.listen(progress.note, interrupt.check_while_waiting)
        progress.follow(lambda: robot.status)


def compile_act(state: TrainState, envs: Envs) -> None:
    """Choose an action once before the arm moves: compiling takes longer than a step."""
    if robot_of(envs) is None:
        return
    space = envs.single_observation_space["observation"]  # type: ignore[index]
    frames = np.zeros((1, *space.shape), space.dtype)
    goals = state.agent.representation.imagine(1, rng=np.random.default_rng(0))
    for use_target_actor in (False, True):
        state.agent.act(frames, goals, use_target_actor=use_target_actor)


def with_collected(state: State, kept: KeptEpisodes) -> State:
    """Return the first state with what the robot collected before the run was stopped."""
    collected = kept.collected()
    if isinstance(state, TrainState) or collected is None:
        return state
    return replace(state, collected=collected)


def pause_if_nothing_moves(config: Config, envs: Envs, say: Say) -> None:
    """Ask a person to move something if nothing but the arm has moved for long."""
    robot = robot_of(envs)
    if robot is not None and config.practice.pause_after:
        wait_for_motion(robot, config.practice.pause_after, say)
