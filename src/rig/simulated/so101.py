"""The simulated SO-101, a table, a tray with a rim, and a puck: ``type = "sim:so101"``.

A :class:`~rig.robots.robot.Robot` like any other. Options: ``seed``, ``puck`` (false: none),
``view`` (where the camera stands: fields of :class:`~rig.envs.viewpoint.Camera`), ``flat_m``
(half of the part of the tray that does not slope), ``faults`` (rows of name, start and end),
``perfect`` (no imperfections), and every field of :class:`~rig.simulated.behaviour.Behaviour`.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float64

from rig.envs.camera import STATIC_GROUP
from rig.errors import ConfigError
from rig.robots.robot import POSITION, ReadError
from rig.robots.so101_kinematics import HIGH, JOINTS, LOW
from rig.simulated.behaviour import PERFECT, Faults, behaviour_of
from rig.simulated.camera import SimulatedCamera, view_of
from rig.simulated.servos import AMPERES_PER_NM, Servos, ticks
from rig.simulated.slope import TRAY_M, Slope


REST_DEG = (0.0, -95.0, 90.0, 60.0, 0.0, 0.0)
PUCK_M = (0.26, 0.0)
PUCK_AWAY_M = (2.0, 2.0)
BLOCKED = "elbow_flex"
PUSH_NM = 3.5
"""Torque on the pan joint of a person who pushes the arm aside."""
NUM = len(JOINTS)
RANGES_DEG = {joint: high - low for joint, low, high in zip(JOINTS, LOW, HIGH, strict=True)}
"""How far each joint turns in all."""


class SimulatedSo101:
    """An arm that lags, sags, plays, and has faults when it is told to."""

    name = "simulated so101"

    def __init__(
        self,
        seed: int = 0,
        *,
        puck: bool = True,
        view: Mapping[str, object] = MappingProxyType({}),
        flat_m: Sequence[float] = TRAY_M,
        faults: Sequence[Sequence[object]] = (),
        perfect: bool = False,
        start_deg: Sequence[float] = REST_DEG,
        **options: Any,
    ) -> None:
        """Make the scene, with the arm in its rest pose.

        Raises:
            ConfigError: An option, a fault or a part of the view is unknown or wrong, or flat_m
                is no part of the tray.
            ValueError, TypeError: Another option is wrong.
        """
        rngs = [np.random.default_rng([seed, part]) for part in range(3)]
        self.behaviour = PERFECT if perfect else behaviour_of(options)
        self.faults = Faults(faults)
        self.model = load_model()
        self._data = mujoco.MjData(self.model)
        start = angles(start_deg)
        self._data.qpos[:NUM] = np.deg2rad(start)
        self._data.qpos[NUM:] = PUCK_M if puck else PUCK_AWAY_M
        mujoco.mj_forward(self.model, self._data)
        self._servos = Servos(self.model, self.behaviour, start, rng=rngs[0])
        self.camera = SimulatedCamera(
            self.model, self.behaviour, self.faults, view_of(view), rng=rngs[1]
        )
        self.cameras = {"front": self.camera}
        self._slope = Slope(flat_m)
        self._rng = rngs[2]
        self._blocked_at: float | None = None
        self._spare_s = 0.0
        self.time_s = 0.0
        self.is_connected = False
        self.is_calibrated = True
        self.joint_ranges_deg = dict(RANGES_DEG)

    @property
    def observation_features(self) -> Mapping[str, Any]:
        """Return each observation's type."""
        return {**self.action_features, "front": (84, 84, 3)}

    @property
    def action_features(self) -> Mapping[str, Any]:
        """Return each action's type."""
        return {joint + POSITION: float for joint in JOINTS}

    def connect(self, calibrate: bool = True) -> None:
        """Connect."""
        self.is_connected = True

    def configure(self) -> None:
        """Do nothing."""

    def disconnect(self) -> None:
        """Disconnect; the servos hold their last targets."""
        self.is_connected = False

    def get_observation(self) -> Mapping[str, Any]:
        """Return joints in degrees, in whole ticks, and the servos' health.

        Raises:
            ReadError: The bus did not answer.
        """
        if self._has("bus") or self._rng.random() < self.behaviour.read_errors:
            raise ReadError("no answer from servo 1")
        angles_deg = ticks(np.rad2deg(self._data.qpos[:NUM]), self.behaviour.tick_deg)
        if self._has("nan"):
            angles_deg[1] = np.nan
        torque_nm = float(np.abs(self._data.actuator_force).max())
        return {
            **dict(zip(self.action_features, angles_deg.tolist(), strict=True)),
            "shoulder_lift.temperature": 70.0 if self._has("hot") else 38.0,
            "shoulder_lift.current": 3.0
            if self._has("overload")
            else AMPERES_PER_NM * torque_nm,
            "shoulder_lift.voltage": 3.9 if self._has("brownout") else 7.2,
        }

    def send_action(self, action: dict[str, Any]) -> Mapping[str, Any]:
        """Take targets in degrees."""
        target_deg = np.array([action[key] for key in self.action_features], float)
        self._servos.send(target_deg, self.time_s)
        return action

    def advance(self, duration_s: float) -> None:
        """Simulate this long, in whole substeps; the rest is kept for the next time."""
        substep_s = float(self.model.opt.timestep)
        self._spare_s += duration_s
        while self._spare_s >= substep_s - 1e-9:
            self._spare_s -= substep_s
            self._substep(substep_s)

    @property
    def state_m(self) -> Float64[np.ndarray, "5"]:
        """Return the true position of the tool, x y z, and of the puck, x y. For evaluation."""
        tool_m = self._data.site("tool").xpos
        return np.concatenate([tool_m, self._data.qpos[NUM:]])

    def place_puck(self, x_m: float, y_m: float) -> None:
        """Put the puck somewhere, as a person does."""
        self._data.qpos[NUM:] = x_m, y_m
        self._data.qvel[NUM:] = 0

    def _substep(self, substep_s: float) -> None:
        data = self._data
        targets_deg = self._servos.targets_deg(self.time_s, data.qfrc_bias[:NUM].copy())
        data.ctrl[:] = np.deg2rad(self._blocked(targets_deg))
        data.qfrc_applied[0] = PUSH_NM if self._has("pushed") else 0.0
        data.qfrc_applied[NUM:] = self._slope.pull_n(data.qpos[NUM:])
        mujoco.mj_step(self.model, data)
        self.time_s += substep_s
        self.camera.expose(data.qpos, self.time_s)

    def _blocked(
        self, targets_deg: Float64[np.ndarray, " joints"]
    ) -> Float64[np.ndarray, " joints"]:
        """Keep a blocked joint where it was when it was blocked."""
        joint = JOINTS.index(BLOCKED)
        if not self._has("blocked"):
            self._blocked_at = None
            return targets_deg
        if self._blocked_at is None:
            self._blocked_at = float(np.rad2deg(self._data.qpos[joint]))
        targets_deg[joint] = self._blocked_at
        return targets_deg

    def _has(self, fault: str) -> bool:
        return self.faults.has(fault, self.time_s)


def angles(start_deg: Sequence[float]) -> Float64[np.ndarray, "joints"]:
    """Return the angles in which the arm begins, degrees.

    Raises:
        ConfigError: They are more or fewer than the joints.
    """
    if len(start_deg) != NUM:
        raise ConfigError(f"start_deg needs {NUM} numbers, got {list(start_deg)}")
    return np.array(start_deg, float)


def load_model() -> mujoco.MjModel:
    """Compile the scene; geoms of the world are static for the camera."""
    text = (files("rig.simulated") / "so101.xml").read_text()
    model = mujoco.MjModel.from_xml_string(text)
    model.geom_group[model.geom_bodyid == 0] = STATIC_GROUP
    return model
