"""A robot of your own as a Gymnasium environment: a camera image and a few motors.

Put the driver of your robot in place of ``Plotter``, then train::

    PYTHONPATH=examples rig train --env own_robot:OwnRobot-v0 --num-envs 1
"""

import gymnasium
import numpy as np
from gymnasium import spaces


SPEED_M_S = 0.1
STEP_S = 0.2


class Plotter:
    """A simulated pen on a table of 20 cm, seen from above."""

    def go_home(self):
        """Move to the start of every episode."""
        self.position_m = np.zeros(2)

    def drive(self, velocity_m_s):
        """Move for one step, and stop."""
        self.position_m = np.clip(self.position_m + STEP_S * velocity_m_s, -0.1, 0.1)

    def photograph(self):
        """Return an RGB image of 96 x 128 pixels."""
        rows, columns = np.mgrid[:96, :128]
        row, column = 48 - 400 * self.position_m[1], 64 + 400 * self.position_m[0]
        is_pen = (rows - row) ** 2 + (columns - column) ** 2 < 8**2
        return np.where(is_pen[..., None], [200, 30, 30], [230, 230, 220]).astype(np.uint8)


class OwnRobot(gymnasium.Env):
    """The plotter, controlled by velocities in metres per second."""

    metadata = {"render_modes": [], "render_fps": round(1 / STEP_S)}  # noqa: RUF012
    observation_space = spaces.Box(0, 255, (96, 128, 3), np.uint8)
    action_space = spaces.Box(-SPEED_M_S, SPEED_M_S, (2,), np.float32)

    def __init__(self):
        self.robot = Plotter()

    def reset(self, *, seed=None, options=None):
        """Begin an episode."""
        super().reset(seed=seed)
        self.robot.go_home()
        return self.robot.photograph(), {}

    def step(self, action):
        """Move for one step; there is no reward, and no end but the time limit."""
        self.robot.drive(action)
        return self.robot.photograph(), 0.0, False, False, {}


gymnasium.register("OwnRobot-v0", entry_point=OwnRobot, max_episode_steps=25)
