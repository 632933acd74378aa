"""The TOML file of a robot: arm, limits, camera, wire and session. Units are in the names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


Vector = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ArmConfig:
    """The arm's joints, its geometry, and the poses that it goes to by itself."""

    joints: tuple[str, ...]
    """Names of the joints, in the order of all lists here."""
    low_deg: Vector
    """Lower limit of each joint; percent for a gripper, metres for kinematics "cartesian"."""
    high_deg: Vector
    """Upper limit of each joint."""
    rest_deg: Vector
    """Pose in which the arm may lose its torque without falling far."""
    fixed_deg: Vector
    """Positions of the joints that the kinematics leaves alone, such as wrist roll and gripper;
    the others are not read."""
    home_m: Vector
    """Where the tool starts each episode: x, y, z in the box."""
    kinematics: str = "so101"
    """``so101``, ``cartesian``, or MODULE:CLASS of a ``Kinematics``."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the kinematics."""


@dataclass(frozen=True, kw_only=True)
class LimitsConfig:
    """What the guard holds. Protective limits, not safety-rated."""

    box_low_m: Vector
    """Lower corner of the box that targets of the tool stay in: x, y, z."""
    box_high_m: Vector
    """Upper corner; an axis with equal corners is pinned and has no action."""
    box_tolerance_m: float = 0.010
    """How far the measured tool may be outside of the box."""
    speed_m_s: float = 0.10
    """Speed of the tool's target."""
    acceleration_m_s2: float = 0.5
    """Acceleration of the tool's target."""
    joint_speed_deg_s: float = 60.0
    """Speed of each joint's target."""
    recovery_speed_m_s: float = 0.05
    """Speed of the tool on the way back into the box, and while homing after a stop."""
    recovery_joint_speed_deg_s: float = 30.0
    """Speed of each joint then."""
    joint_margin_deg: float = 5.0
    """Targets keep this far from the limits of the joints."""
    following_error_deg: float = 10.0
    """Largest distance of a joint from its target; longer than ``following_s``: blocked."""
    following_s: float = 0.3
    """How long a joint may be that far away."""
    temperature_c: float = 60.0
    """Hottest servo, longer than ``health_s``."""
    current_a: float = 2.0
    """Largest current of a servo, longer than ``health_s``."""
    voltage_low_v: float = 4.5
    """Lowest supply voltage, longer than ``health_s``."""
    voltage_high_v: float = 13.0
    """Highest supply voltage, longer than ``health_s``."""
    health_s: float = 0.2
    """How long temperature, current and voltage may be out of their limits."""
    max_failed_reads: int = 3
    """Failed reads of the bus in a row that stop the arm."""


@dataclass(frozen=True, kw_only=True)
class CameraConfig:
    """The camera whose images the policy sees."""

    name: str = "front"
    """Key in ``robot.cameras``, or in the arm's observations."""
    image_size: int = 84
    """Width and height of the images that are sent, pixels."""
    crop_px: tuple[int, ...] = ()
    """Left, top, width and height of the part to use; empty: the largest middle square."""
    rotate_deg: int = 0
    """Turn of the image, counter-clockwise: 0, 90, 180 or 270."""
    rate_hz: float = 30.0
    """Frames a second."""
    age_s: float = 0.12
    """Age of a frame when the camera gives it, at most; `rig robot check` measures it."""
    stale_s: float = 0.2
    """Without a newer frame for so long: hold."""
    lost_s: float = 2.0
    """Without a newer frame for so long: stop."""
    max_repeats: int = 10
    """Frames of the same bytes in a row that count as no newer frame."""
    dark_level: float = 8.0
    """A frame with a mean below is black; above 255 minus this, white."""
    jump_levels: float = 40.0
    """A change of the mean from frame to frame that is no light's."""
    bad_s: float = 1.0
    """Black, white or jumping frames for so long: stop."""


@dataclass(frozen=True, kw_only=True)
class WireConfig:
    """Where the server listens, and how old a command may be."""

    address: str = "127.0.0.1"
    """Loopback, unless ``allow_network`` says otherwise."""
    port: int = 5757
    """TCP port; 0 takes a free one."""
    allow_network: bool = False
    """Whether ``address`` may be one that other machines reach. Nothing is encrypted."""
    command_s: float = 0.23
    """Hold if no command came for so long after the last one."""
    answer_s: float = 0.13
    """Hold if no command came for so long after the answer to the last one."""
    lease_s: float = 5.0
    """A client that was silent for so long may be replaced by another."""


@dataclass(frozen=True, kw_only=True)
class SessionConfig:
    """How the arm is used: rates, times, and what a person has to do."""

    guard_hz: float = 50.0
    """Rate of the guard."""
    step_s: float = 0.1
    """Time of an action."""
    settle_s: float = 1.0
    """Longest wait of a client for the arm to come to rest after an action."""
    step_m: float = 0.01
    """How far an action of 1 moves the tool's target along an axis."""
    hold_to_run: bool = False
    """Whether a person has to hold a key or pedal while the arm moves."""
    hold_to_run_s: float = 0.23
    """Hold if the key's keep-alive (10 Hz) is missing for so long."""
    ramp_s: float = 1.0
    """Time in which the speed limit grows from 0 after the arm is armed."""
    homing_s: float = 15.0
    """Longest time of homing."""
    episode_s: float = 120.0
    """Longest time of an episode."""
    motor_on_s: float = 7200.0
    """Longest time armed; then rest pose and READY."""


@dataclass(frozen=True, kw_only=True)
class RobotConfig:
    """One robot; :func:`rig.robots.read_config.read_config` reads its file."""

    type: str
    """``sim:so101``, ``sim:perfect``, ``lerobot:...``, ``ros2``, ``sawyer`` or MODULE:CLASS."""
    arm: ArmConfig
    limits: LimitsConfig
    camera: CameraConfig = field(default_factory=CameraConfig)
    wire: WireConfig = field(default_factory=WireConfig)
    session: SessionConfig = field(default_factory=SessionConfig)
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the adapter."""
    digest: str = ""
    """SHA-256 of the file: a check report names the file that it is about."""
    file: str = ""
    """Path of the file."""

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes (0 x, 1 y, 2 z) that actions move, in order."""
        low, high = self.limits.box_low_m, self.limits.box_high_m
        return tuple(axis for axis in range(3) if high[axis] > low[axis])
