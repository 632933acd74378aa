"""The servos of a simulated arm: dead time, lag, ticks, play and sag, on top of the physics."""

from collections import deque

import mujoco
import numpy as np
from jaxtyping import Float64

from rig.simulated.behaviour import Behaviour


Angles = Float64[np.ndarray, " joints"]
SAGGING = (1, 2)
"""Lift and elbow carry the arm."""
AMPERES_PER_NM = 0.6


class Servos:
    """Turns the targets that were sent into the motors' targets."""

    def __init__(
        self, model: mujoco.MjModel, behaviour: Behaviour, start_deg: Angles, *,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self._behaviour = behaviour
        self._rng = rng
        self._substep_s: float = model.opt.timestep
        self._queue: deque[tuple[float, Angles]] = deque()
        self._wanted = start_deg.copy()
        self._lagged = start_deg.copy()
        self._played = start_deg.copy()
        self._stretched_nm = stretched_torque(model)

    def send(self, target_deg: Angles, time_s: float) -> None:
        """Take targets; they count after the dead time."""
        behaviour = self._behaviour
        is_late = self._rng.random() < behaviour.late_commands
        due_s = time_s + behaviour.dead_time_s + is_late * behaviour.late_s
        self._queue.append((due_s, ticks(target_deg, behaviour.tick_deg)))

    def targets_deg(self, time_s: float, bias_nm: Angles) -> Angles:
        """Return the motors' targets of one substep; ``bias_nm`` is what gravity asks for."""
        while self._queue and self._queue[0][0] <= time_s + 1e-9:
            self._wanted = self._queue.popleft()[1]
        lag_s = self._behaviour.lag_s
        share = 1.0 if lag_s == 0 else 1 - np.exp(-self._substep_s / lag_s)
        self._lagged = self._lagged + share * (self._wanted - self._lagged)
        play = self._behaviour.backlash_deg
        self._played = np.clip(self._played, self._lagged - play, self._lagged + play)
        sag = np.zeros_like(self._played)
        for joint in SAGGING:
            load = np.clip(bias_nm[joint] / self._stretched_nm[joint], -1, 1)
            sag[joint] = -self._behaviour.sag_deg * load
        return self._played + sag


def ticks(angles_deg: Angles, tick_deg: float) -> Angles:
    """Return angles in whole ticks of the servos."""
    return angles_deg.copy() if tick_deg == 0 else np.round(angles_deg / tick_deg) * tick_deg


def stretched_torque(model: mujoco.MjModel) -> Angles:
    """Return the size of gravity's torque on each joint with the arm stretched out."""
    data = mujoco.MjData(model)
    data.qpos[1] = np.deg2rad(75.0)  # the upper arm is horizontal at 76
    data.qpos[2] = np.deg2rad(-73.0)  # and so is the forearm
    mujoco.mj_forward(model, data)
    return np.maximum(np.abs(data.qfrc_bias[:6]), 1e-3)
