"""Kinematics: from joints to the position of the tool, and back.

``arm.kinematics`` in the TOML file names one: ``"so101"``, ``"cartesian"`` or
``"MODULE:CLASS"``, made with the keyword arguments of ``[arm.options]``.
"""

from typing import Protocol, runtime_checkable

import numpy as np

from rig.robots.robot import Joints, Point


@runtime_checkable
class Kinematics(Protocol):
    """An arm's geometry."""

    def forward(self, joints: Joints) -> Point:
        """Return the position of the tool."""
        ...

    def inverse(self, tool_m: Point, near: Joints) -> Joints | None:
        """Return joints that put the tool there, or None if the arm can't reach.

        It has to be continuous: small moves of the tool are small moves of the joints. Joints
        that are not needed, as a gripper, stay as they are in ``near``.
        """
        ...


class CartesianKinematics:
    """An arm with a controller of its own: its three "joints" are the tool's x, y and z, m."""

    def forward(self, joints: Joints) -> Point:
        """Return the position of the tool."""
        return np.asarray(joints, float)[:3]

    def inverse(self, tool_m: Point, near: Joints) -> Joints | None:
        """Return the position as joints; further joints stay as in ``near``."""
        return np.concatenate([np.asarray(tool_m, float), np.asarray(near, float)[3:]])
