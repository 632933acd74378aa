"""Inverse kinematics of the drawn arm: a Sawyer's links, with the wrist above the hand.

The arm has no physics. Its joints 2 and 4 stay at zero, which leaves a turn of the base and two
links in an upright plane: inverse kinematics in closed form, for all environments at once.

In that plane ``r`` is the distance from the base's axis and ``z`` is up. Each link is offset
sideways from the plane, to the robot's left.
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
"""The arm's moving bodies, in the order of their poses."""

LEFT_M = np.array([0.0, UPPER_ARM_LEFT_M, FOREARM_LEFT_M, WRIST_LEFT_M])
"""Offset of each link's joint to the left of the arm's plane."""

Points = Float64[np.ndarray, "N 3"]
Angles = Float64[np.ndarray, " N"]
ByLink = Float64[np.ndarray, "N 4"]


def link_poses(
    flange_m: Points,
) -> tuple[Float64[np.ndarray, "N 4 3"], Float64[np.ndarray, "N 4 4"]]:
    """Compute the pose of each link, for flanges that point down.

    Args:
        flange_m: The end of the arm, in each environment.

    Returns:
        Positions of the links' joints in metres and unit quaternions (w first), in the order
        of ``LINKS``. A link's frame has x along the link and y to the robot's left.

    Raises:
        SceneError: A flange is out of the arm's reach.
    """
    turn_rad, wrist_r_m = base_turn(flange_m)
    wrist_z_m = flange_m[:, 2] + WRIST_TO_FLANGE_M
    upper_rad, fore_rad = elbow_up(wrist_r_m, wrist_z_m)
    elbow_r_m = SHOULDER_RADIUS_M + UPPER_ARM_M * np.cos(upper_rad)
    elbow_z_m = SHOULDER_HEIGHT_M + UPPER_ARM_M * np.sin(upper_rad)
    zeros = np.zeros_like(turn_rad)
    r_m = by_link(SHOULDER_RADIUS_M + zeros, SHOULDER_RADIUS_M + zeros, elbow_r_m, wrist_r_m)
    z_m = by_link(SHOULDER_HEIGHT_M + zeros, SHOULDER_HEIGHT_M + zeros, elbow_z_m, wrist_z_m)
    rise_rad = by_link(zeros, upper_rad, fore_rad, zeros - np.pi / 2)
    return _in_base_frame(turn_rad, r_m, z_m), _quaternions(turn_rad, rise_rad)


def by_link(*angles: Angles) -> ByLink:
    """Stack one array per link into rows of one number per link."""
    return np.array(angles).T


def base_turn(flange_m: Points) -> tuple[Angles, Angles]:
    """Compute the base's angle, and the wrist's distance from its axis in the arm's plane.

    The wrist is ``WRIST_LEFT_M`` to the left of the plane.
    """
    across_m = np.hypot(flange_m[:, 0], flange_m[:, 1])
    wrist_r_m = np.sqrt(np.maximum(across_m**2 - WRIST_LEFT_M**2, 0))
    offset_rad = np.arctan2(WRIST_LEFT_M, wrist_r_m)
    return np.arctan2(flange_m[:, 1], flange_m[:, 0]) - offset_rad, wrist_r_m


def elbow_up(wrist_r_m: Angles, wrist_z_m: Angles) -> tuple[Angles, Angles]:
    """Compute the pitch of upper arm and forearm by the law of cosines, elbow up."""
    out_m, up_m = wrist_r_m - SHOULDER_RADIUS_M, wrist_z_m - SHOULDER_HEIGHT_M
    span_m = np.hypot(out_m, up_m)
    _check_within_reach(span_m)
    cosine = (UPPER_ARM_M**2 + span_m**2 - FOREARM_M**2) / (2 * UPPER_ARM_M * span_m)
    upper_rad = np.arctan2(up_m, out_m) + np.arccos(cosine)
    fore_rad = np.arctan2(
        up_m - UPPER_ARM_M * np.sin(upper_rad), out_m - UPPER_ARM_M * np.cos(upper_rad)
    )
    return upper_rad, fore_rad


def _check_within_reach(span_m: Angles) -> None:
    farthest_m, reach_m = span_m.max(initial=0), UPPER_ARM_M + FOREARM_M
    if farthest_m > reach_m:
        raise SceneError(
            f"a hand is {farthest_m:.2f} m from the shoulder, but the arm reaches {reach_m} m: "
            "keep hand positions in the task's hand box"
        )


def _in_base_frame(turn_rad: Angles, r_m: ByLink, z_m: ByLink) -> Float64[np.ndarray, "N 4 3"]:
    cosine, sine = np.cos(turn_rad)[:, None], np.sin(turn_rad)[:, None]
    positions_m = np.empty((*r_m.shape, 3))
    positions_m[..., 0] = r_m * cosine - LEFT_M * sine
    positions_m[..., 1] = r_m * sine + LEFT_M * cosine
    positions_m[..., 2] = z_m
    return positions_m


def _quaternions(turn_rad: Angles, rise_rad: ByLink) -> Float64[np.ndarray, "N 4 4"]:
    """Compose a turn about the upright axis with a rise of each link's x towards z."""
    turn_cos, turn_sin = np.cos(turn_rad / 2)[:, None], np.sin(turn_rad / 2)[:, None]
    rise_cos, rise_sin = np.cos(rise_rad / 2), np.sin(-rise_rad / 2)
    turns = np.empty((*rise_rad.shape, 4))
    turns[..., 0] = turn_cos * rise_cos
    turns[..., 1] = -turn_sin * rise_sin
    turns[..., 2] = turn_cos * rise_sin
    turns[..., 3] = turn_sin * rise_cos
    return turns
