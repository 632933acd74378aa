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

LEFT_M = np.array([0.0, UPPER_ARM_LEFT_M, FOREARM_LEFT_M, WRIST_LEFT_M])
"""How far each link's joint is to the left of the arm's plane."""

Points = Float64[np.ndarray, "N 3"]
Angles = Float64[np.ndarray, " N"]
ByLink = Float64[np.ndarray, "N 4"]


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
    still = np.zeros_like(turn_rad)
    r_m = by_link(SHOULDER_RADIUS_M + still, SHOULDER_RADIUS_M + still, elbow_r_m, wrist_r_m)
    z_m = by_link(SHOULDER_HEIGHT_M + still, SHOULDER_HEIGHT_M + still, elbow_z_m, wrist_z_m)
    rise_rad = by_link(still, upper_rad, fore_rad, still - np.pi / 2)
    return _in_base_frame(turn_rad, r_m, z_m), _quaternions(turn_rad, rise_rad)


def by_link(*angles: Angles) -> ByLink:
    """One number for each link of each arm, from those of all arms for each link."""
    return np.array(angles).T


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


def _in_base_frame(turn_rad: Angles, r_m: ByLink, z_m: ByLink) -> Float64[np.ndarray, "N 4 3"]:
    cosine, sine = np.cos(turn_rad)[:, None], np.sin(turn_rad)[:, None]
    places_m = np.empty((*r_m.shape, 3))
    places_m[..., 0] = r_m * cosine - LEFT_M * sine
    places_m[..., 1] = r_m * sine + LEFT_M * cosine
    places_m[..., 2] = z_m
    return places_m


def _quaternions(turn_rad: Angles, rise_rad: ByLink) -> Float64[np.ndarray, "N 4 4"]:
    """A turn about the upright axis, then a rise of each link's x towards z."""
    turn_cos, turn_sin = np.cos(turn_rad / 2)[:, None], np.sin(turn_rad / 2)[:, None]
    rise_cos, rise_sin = np.cos(rise_rad / 2), np.sin(-rise_rad / 2)
    turns = np.empty((*rise_rad.shape, 4))
    turns[..., 0] = turn_cos * rise_cos
    turns[..., 1] = -turn_sin * rise_sin
    turns[..., 2] = turn_cos * rise_sin
    turns[..., 3] = turn_sin * rise_cos
    return turns
