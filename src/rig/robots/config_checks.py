"""Checks of a robot's settings: ranges, lengths, and whether the arm can reach its box."""

from itertools import product
from typing import Any

import numpy as np

from rig.errors import ConfigError
from rig.robots.config import RobotConfig
from rig.robots.drivers import load_kinematics
from rig.robots.kinematics import Kinematics


SPEED_CEILING_M_S = 0.25
"""Manual reduced speed of ISO 10218: no file may ask for more."""
RANGES: dict[str, tuple[float, float]] = {
    "limits.box_tolerance_m": (0.001, 0.05),
    "limits.speed_m_s": (0.001, SPEED_CEILING_M_S),
    "limits.acceleration_m_s2": (0.05, 2.0),
    "limits.joint_speed_deg_s": (1.0, 180.0),
    "limits.recovery_speed_m_s": (0.001, 0.05),
    "limits.recovery_joint_speed_deg_s": (1.0, 30.0),
    "limits.joint_margin_deg": (0.0, 45.0),
    "limits.following_error_deg": (0.01, 30.0),
    "limits.following_s": (0.02, 2.0),
    "limits.temperature_c": (20.0, 80.0),
    "limits.current_a": (0.05, 50.0),
    "limits.voltage_low_v": (0.0, 60.0),
    "limits.voltage_high_v": (1.0, 60.0),
    "limits.health_s": (0.02, 2.0),
    "limits.max_failed_reads": (1, 5),
    "camera.image_size": (16, 512),
    "camera.rate_hz": (1.0, 120.0),
    "camera.age_s": (0.0, 1.0),
    "camera.stale_s": (0.05, 1.0),
    "camera.lost_s": (0.1, 10.0),
    "camera.max_repeats": (2, 100),
    "camera.dark_level": (0.0, 60.0),
    "camera.jump_levels": (5.0, 255.0),
    "camera.bad_s": (0.05, 10.0),
    "wire.port": (0, 65535),
    "wire.command_s": (0.05, 1.0),
    "wire.answer_s": (0.02, 1.0),
    "wire.lease_s": (0.5, 600.0),
    "session.guard_hz": (20.0, 500.0),
    "session.step_s": (0.02, 2.0),
    "session.settle_s": (0.05, 5.0),
    "session.step_m": (0.0005, 0.05),
    "session.hold_to_run_s": (0.05, 1.0),
    "session.ramp_s": (0.0, 10.0),
    "session.homing_s": (1.0, 60.0),
    "session.episode_s": (1.0, 3600.0),
    "session.motor_on_s": (1.0, 86400.0),
}
"""Smallest and largest value of each number."""


def require(is_right: bool, message: str) -> None:
    """Raise ConfigError with the message unless a setting is right."""
    if not is_right:
        raise ConfigError(message)


def check_config(config: RobotConfig, name: str) -> None:
    """Raise ConfigError if a value is out of range, or does not fit the others."""
    for dotted, (low, high) in RANGES.items():
        group, _, key = dotted.partition(".")
        number: Any = getattr(getattr(config, group), key)
        message = f"{name}: {dotted} must be from {low} to {high}, got {number}"
        require(low <= number <= high, message)
    check_lengths(config, name)
    check_box(config, name)
    check_times(config, name)
    check_address(config, name)
    check_camera(config, name)
    kinematics = load_kinematics(config.arm)
    check_joints(config, name, kinematics)
    check_reach(config, name, kinematics)


def check_lengths(config: RobotConfig, name: str) -> None:
    """Check that the lists have one number for each joint, or for x, y and z."""
    arm, limits = config.arm, config.limits
    num = len(arm.joints)
    require(num > 0 and len(set(arm.joints)) == num, f"{name}: arm.joints must be unique names")
    for key in ("low_deg", "high_deg", "rest_deg", "fixed_deg"):
        found = len(getattr(arm, key))
        require(
            found == num, f"{name}: arm.{key} needs {num} numbers as arm.joints, got {found}"
        )
    for key, vector in (
        ("arm.home_m", arm.home_m),
        ("limits.box_low_m", limits.box_low_m),
        ("limits.box_high_m", limits.box_high_m),
    ):
        require(len(vector) == 3, f"{name}: {key} needs x, y and z, got {len(vector)} numbers")
    for joint, low, high in zip(arm.joints, arm.low_deg, arm.high_deg, strict=True):
        require(low < high, f"{name}: limits of {joint}: {low} must be below {high}")
    for key, margin in (("rest_deg", limits.joint_margin_deg), ("fixed_deg", 0.0)):
        for joint, angle, low, high in zip(
            arm.joints, getattr(arm, key), arm.low_deg, arm.high_deg, strict=True
        ):
            require(
                low + margin <= angle <= high - margin,
                f"{name}: arm.{key} of {joint} must be from {low + margin:g} to "
                f"{high - margin:g}, inside its limits, got {angle:g}",
            )


def check_box(config: RobotConfig, name: str) -> None:
    """Check that the box has a size, and that home is in it."""
    limits = config.limits
    for axis, low, high, home in zip(
        "xyz", limits.box_low_m, limits.box_high_m, config.arm.home_m, strict=True
    ):
        require(low <= high, f"{name}: box, {axis}: {low} must not be above {high}")
        message = f"{name}: arm.home_m, {axis}: must be in the box, {low} to {high}, got {home}"
        require(low <= home <= high, message)
    require(len(config.axes) > 0, f"{name}: the box is a point: give it a size")


def check_times(config: RobotConfig, name: str) -> None:
    """Check times against each other."""
    limits, camera, wire = config.limits, config.camera, config.wire
    require(
        limits.voltage_low_v < limits.voltage_high_v,
        f"{name}: limits.voltage_low_v must be below limits.voltage_high_v",
    )
    require(
        camera.stale_s < camera.lost_s, f"{name}: camera.stale_s must be below camera.lost_s"
    )
    require(
        wire.answer_s <= wire.command_s,
        f"{name}: wire.answer_s must not be above wire.command_s",
    )


def check_address(config: RobotConfig, name: str) -> None:
    """Check that the server listens on loopback unless the file allows more."""
    address = config.wire.address
    require(":" not in address, f"{name}: wire.address {address!r}: use IPv4, as 127.0.0.1")
    is_local = address in ("127.0.0.1", "localhost")
    require(
        is_local or config.wire.allow_network,
        f"{name}: wire.address {address!r} can be reached from other machines: use 127.0.0.1 "
        "and an SSH tunnel, or set wire.allow_network = true",
    )


def check_camera(config: RobotConfig, name: str) -> None:
    """Check how the image is cut and turned."""
    camera = config.camera
    require(
        camera.rotate_deg in (0, 90, 180, 270),
        f"{name}: camera.rotate_deg must be 0, 90, 180 or 270, got {camera.rotate_deg}",
    )
    crop = camera.crop_px
    require(
        not crop or (len(crop) == 4 and min(crop) >= 0 and min(crop[2:]) > 0),
        f"{name}: camera.crop_px needs left, top, width and height, got {list(crop)}",
    )


def check_joints(config: RobotConfig, name: str, kinematics: Kinematics) -> None:
    """Check that the kinematics fits the number of joints."""
    joints = np.array(config.arm.fixed_deg)
    try:
        kinematics.inverse(kinematics.forward(joints), joints)
    except (ValueError, IndexError) as error:
        raise ConfigError(
            f"{name}: arm.kinematics {config.arm.kinematics!r} does not work with "
            f"{len(joints)} arm.joints: {error}"
        ) from error


def check_reach(config: RobotConfig, name: str, kinematics: Kinematics) -> None:
    """Check a grid of points in the box: the arm must reach each, clear of its limits."""
    arm, limits = config.arm, config.limits
    near = np.array(arm.fixed_deg)
    margin = limits.joint_margin_deg
    sides = zip(limits.box_low_m, limits.box_high_m, strict=True)
    for corner in product(*(np.linspace(low, high, 5) for low, high in sides)):
        joints = kinematics.inverse(np.array(corner), near)
        place = ", ".join(f"{number:.3f}" for number in corner)
        require(
            joints is not None,
            f"{name}: the arm can't reach ({place}) m in its box: make the box smaller",
        )
        assert joints is not None
        for joint, angle, low, high in zip(
            arm.joints, joints.tolist(), arm.low_deg, arm.high_deg, strict=True
        ):
            require(
                low + margin <= angle <= high - margin or is_fixed(kinematics, joint),
                f"{name}: at ({place}) m in the box, {joint} would be at {angle:.0f}, less "
                f"than {margin:g} from its limits {low:g} to {high:g}: make the box smaller",
            )


def is_fixed(kinematics: Kinematics, joint: str) -> bool:
    """Return whether the kinematics leaves a joint alone."""
    return joint in getattr(kinematics, "fixed_joints", ())
