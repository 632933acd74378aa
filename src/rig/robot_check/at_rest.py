"""What can be checked before anything moves."""

import numpy as np

from rig.robot_check.result import Result
from rig.robots.client import RobotClient, RobotState
from rig.robots.config import RobotConfig
from rig.robots.robot import Image


NUM_FRAMES = 60
RATE_SHARE = 0.7
"""Some frames are lost, and some overtake others."""
APART_S = 5.0
STEADY_LEVELS = 10.0
"""The mean of the image may change by so much in 5 s; more is auto exposure, or the sun."""


def names(client: RobotClient, config: RobotConfig) -> Result:
    """Compare joints, and their positions, with the file."""
    state, arm = client.observe(0.2), config.arm
    if client.robot.config_digest != config.digest:
        text = "the server runs with another content of the file: restart it"
        return Result("names and ranges", False, text)
    rows = zip(arm.joints, state.joints, arm.low_deg, arm.high_deg, strict=False)
    outside = [name for name, at, low, high in rows if not low - 5 <= at <= high + 5]
    if not state.joints or outside:
        about = f"{', '.join(outside)} outside of its range" if outside else "no joint read"
        return Result("names and ranges", False, f"{about}: calibrate the arm again")
    text = f"{len(state.joints)} joints are where the file allows them"
    return Result("names and ranges", True, text)


def camera(client: RobotClient, config: RobotConfig) -> Result:
    """Measure rate and age of the images."""
    states = [client.observe(1.0, until="frame") for _ in range(NUM_FRAMES)]
    duration_s = states[-1].time_s - states[0].time_s
    num = states[-1].frame_seq - states[0].frame_seq
    rate_hz = num / duration_s if duration_s > 0 else 0.0
    age_ms = max(state.frame_age_ms for state in states)
    wanted_hz = config.camera.rate_hz
    is_right = states[-1].image is not None and rate_hz > RATE_SHARE * wanted_hz
    text = f"{rate_hz:.1f} images a second of {wanted_hz:g}, at most {age_ms:.0f} ms old"
    hint = "" if is_right else ": look at the cable, the light and other programs"
    return Result("camera", is_right, text + hint, {"rate_hz": rate_hz, "age_ms": age_ms})


def drift(client: RobotClient, _config: RobotConfig) -> Result:
    """Compare two photographs, 5 s apart, of an arm that stands still."""
    first = image_of(client.observe(0.2))
    second = image_of(client.observe(APART_S))
    levels = abs(float(second.mean()) - float(first.mean()))
    is_right = levels <= STEADY_LEVELS
    hint = "" if is_right else ": fix exposure and white balance, shut out the sun"
    text = f"brightness changed by {levels:.1f} levels in {APART_S:g} s{hint}"
    return Result("exposure", is_right, text, {"drift_levels": levels})


def image_of(state: RobotState) -> Image:
    """Return the image of a state; black if there is none."""
    return np.zeros((84, 84, 3), np.uint8) if state.image is None else state.image
