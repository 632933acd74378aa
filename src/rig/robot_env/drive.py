"""Drives a robot's tool to a place by actions, so that it moves under the same limits."""

import numpy as np
from jaxtyping import Float64

from rig.robot_env.connection import Connection
from rig.robots.client import RobotDescription, RobotState


NEAR_M = 0.004
"""A tool so near to where it was driven has arrived."""
MOST_DRIVES = 5
"""Tries after which an episode begins at home instead, and no photograph is taken."""
MOST_STEPS = 80
"""Actions after which it stays where it is: something may lie at the place."""


def drive(
    connection: Connection, state: RobotState, target_m: Float64[np.ndarray, " axes"]
) -> RobotState | None:
    """Drive there; return the state after it, or None if the arm was held on its way.

    Args:
        connection: The way to the robot's server.
        state: The arm's, in an episode.
        target_m: Along the axes that actions move.
    """
    robot = connection.robot
    for _ in range(MOST_STEPS):
        connection.check()
        offset_m = target_m - position_m(state, robot)
        action = np.clip(offset_m / robot.step_m, -1, 1)
        after = connection.act(action.tolist(), settle=True)
        if after is None or after.spoiled or not (after.taken and after.is_fresh):
            return None
        state = after
        if np.linalg.norm(offset_m) < NEAR_M:
            break
    return state


def about_held(target_m: Float64[np.ndarray, " axes"]) -> str:
    """Return what to say of a place that the arm was held on its way to each time."""
    return (
        f"the arm was held {MOST_DRIVES} times on its way to {target_m.round(3)} m for a "
        "photograph: look at what holds it there, or make its box smaller"
    )


def position_m(state: RobotState, robot: RobotDescription) -> Float64[np.ndarray, " axes"]:
    """Return where the tool is along the axes that actions move."""
    return np.array(state.tool_m)[list(robot.axes)]
