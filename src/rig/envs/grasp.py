"""A hand that takes what is near: it joins a point of the scene to itself, and lets it go.

Such a scene has equality constraints called ``grasp_...``, inactive, each between the site of a
point and a site of the hand. Which of them is active is part of a simulation's state, so that a
hand that holds something resumes with it.
"""

import mujoco
import numpy as np
from jaxtyping import Float64


PREFIX = "grasp_"
REACH_M = 0.02
"""A point that is farther away is not taken."""
HALF_CLOSED = 0.5
"""A hand that is closed further than this holds; what it holds is taken as it closes."""


class Grasp:
    """The constraints of a scene that hold a point in the hand; there may be none."""

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the constraints, and the sites that they join."""
        names = [model.equality(row).name for row in range(model.neq)]
        self._rows = np.array(
            [row for row, name in enumerate(names) if name.startswith(PREFIX)], int
        )
        self._points, self._hands = model.eq_obj1id[self._rows], model.eq_obj2id[self._rows]
        self._model = model

    def update(
        self,
        data: mujoco.MjData,
        before: Float64[np.ndarray, " motors"],
        now: Float64[np.ndarray, " motors"],
    ) -> None:
        """Take the nearest point if the hand closes, and let it go if it is open.

        Args:
            data: Of which the constraints are switched.
            before: How far each motor was closed until now, from 0 to 1; the last one counts.
            now: How far it is to be closed.
        """
        if not len(self._rows):
            return
        if now[-1] <= HALF_CLOSED:
            data.eq_active[self._rows] = 0
        elif before[-1] <= HALF_CLOSED:
            mujoco.mj_kinematics(self._model, data)  # a state that was set has no places yet
            offsets_m = data.site_xpos[self._points] - data.site_xpos[self._hands]
            distances_m = np.linalg.norm(offsets_m, axis=1)
            nearest = distances_m.argmin()
            data.eq_active[self._rows[nearest]] = distances_m[nearest] <= REACH_M
