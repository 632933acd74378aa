"""The drawn arm: a Sawyer's links, placed so that its wrist is above the hand.

The arm has no physics. Its joints 2 and 4 stay at zero, which leaves a turn of the base and two
links in an upright plane: inverse kinematics in closed form, for all worlds at once.

In that plane ``r`` is the distance from the base's axis, ``z`` is up, and the links lie beside
the plane at their own sideways offsets (to the robot's left).
"""

import numpy as np
from jaxtyping import Float64

from rig.errors import SceneError


SHOULDER_RADIUS_M = 0.081
SHOULDER_HEIGHT_M = 0.317
UPPER_ARM_M = 0.4
FOREARM_M = 0.4
WRIST_TO_FLANGE_M = 0.13375
UPPER_ARM_LEFT_M = 0.1925
FOREARM_LEFT_M = UPPER_ARM_LEFT_M - 0.1685
WRIST_LEFT_M = FOREARM_LEFT_M + 0.1363

LINKS = ("shoulder", "upper_arm", "forearm", "wrist")
"""The arm's moving bodies, in the order of the poses."""

Points = Float64[np.ndarray, "N 3"]
Angles = Float64[np.ndarray, " N"]


def link_poses(
    flange_m: Points,
) -> tuple[Float64[np.ndarray, "N 4 3"], Float64[np.ndarray, "N 4 4"]]:
    """Where each link's joint is, and how the link is turned, for flanges that point down.

    Args:
        flange_m: The arm's end, in each world.

    Returns:
        Positions in metres and unit quaternions (w first), links in the order of ``LINKS``.
        A link's frame has x along the link and y to the robot's left.
    """
    turn_rad, wrist_r_m = base_turn(flange_m)
    wrist_z_m = flange_m[:, 2] + WRIST_TO_FLANGE_M
    upper_rad, fore_rad = elbow_up(wrist_r_m, wrist_z_m)
    elbow_r_m = SHOULDER_RADIUS_M + UPPER_ARM_M * np.cos(upper_rad)
    elbow_z_m = SHOULDER_HEIGHT_M + UPPER_ARM_M * np.sin(upper_rad)
    positions = [
        _in_world(turn_rad, SHOULDER_RADIUS_M, 0.0, SHOULDER_HEIGHT_M),
        _in_world(turn_rad, SHOULDER_RADIUS_M, UPPER_ARM_LEFT_M, SHOULDER_HEIGHT_M),
        _in_world(turn_rad, elbow_r_m, FOREARM_LEFT_M, elbow_z_m),
        _in_world(turn_rad, wrist_r_m, WRIST_LEFT_M, wrist_z_m),
    ]
    pitches_rad = [
        np.zeros_like(turn_rad),
        upper_rad,
        fore_rad,
        np.full_like(turn_rad, -np.pi / 2),
    ]
    turns = [_quaternion(turn_rad, pitch_rad) for pitch_rad in pitches_rad]
    return np.stack(positions, axis=1), np.stack(turns, axis=1)


def base_turn(flange_m: Points) -> tuple[Angles, Angles]:
    """The base's angle, and the wrist's distance from its axis within the arm's plane.

    The wrist lies ``WRIST_LEFT_M`` beside the plane, so the plane passes the hand on its right.
    """
    across_m = np.hypot(flange_m[:, 0], flange_m[:, 1])
    wrist_r_m = np.sqrt(np.maximum(across_m**2 - WRIST_LEFT_M**2, 0))
    beside_rad = np.arctan2(WRIST_LEFT_M, wrist_r_m)
    return np.arctan2(flange_m[:, 1], flange_m[:, 0]) - beside_rad, wrist_r_m


def elbow_up(wrist_r_m: Angles, wrist_z_m: Angles) -> tuple[Angles, Angles]:
    """How steeply the upper arm and the forearm rise: the law of cosines, elbow above."""
    out_m, up_m = wrist_r_m - SHOULDER_RADIUS_M, wrist_z_m - SHOULDER_HEIGHT_M
    span_m = np.hypot(out_m, up_m)
    _refuse_out_of_reach(span_m)
    cosine = (UPPER_ARM_M**2 + span_m**2 - FOREARM_M**2) / (2 * UPPER_ARM_M * span_m)
    upper_rad = np.arctan2(up_m, out_m) + np.arccos(cosine)
    fore_rad = np.arctan2(
        up_m - UPPER_ARM_M * np.sin(upper_rad), out_m - UPPER_ARM_M * np.cos(upper_rad)
    )
    return upper_rad, fore_rad


def _refuse_out_of_reach(span_m: Angles) -> None:
    farthest_m, reach_m = span_m.max(initial=0), UPPER_ARM_M + FOREARM_M
    if farthest_m > reach_m:
        raise SceneError(
            f"a hand is {farthest_m:.2f} m from the shoulder and the arm reaches {reach_m} m: "
            "keep hand positions in the task's hand box"
        )


def _in_world(
    turn_rad: Angles, r_m: float | Angles, left_m: float, z_m: float | Angles
) -> Points:
    cosine, sine = np.cos(turn_rad), np.sin(turn_rad)
    x_m, y_m = r_m * cosine - left_m * sine, r_m * sine + left_m * cosine
    return np.stack([x_m, y_m, np.broadcast_to(z_m, x_m.shape)], axis=1)


def _quaternion(turn_rad: Angles, rise_rad: Angles) -> Float64[np.ndarray, "N 4"]:
    """A turn about the upright axis, then a rise of the link's x towards z."""
    turn_cos, turn_sin = np.cos(turn_rad / 2), np.sin(turn_rad / 2)
    rise_cos, rise_sin = np.cos(rise_rad / 2), np.sin(-rise_rad / 2)
    parts = [
        turn_cos * rise_cos,
        -turn_sin * rise_sin,
        turn_cos * rise_sin,
        turn_sin * rise_cos,
    ]
    return np.stack(parts, axis=1)
