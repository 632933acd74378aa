"""A scene: the model made from a scene file, and where a task's numbers are in it."""

from collections.abc import Sequence
from importlib.resources import files

import mujoco
import numpy as np
from jaxtyping import Bool, Float64, Int

from rig.errors import SceneError, name_the_nearest
from rig.world import arm
from rig.world.camera import MOVING_GROUP, STILL_GROUP


HAND_JOINTS = ("hand_x", "hand_y")
TOUCHING_M = 1e-6
MEMORY = mujoco.mjtState.mjSTATE_INTEGRATION
"""What of a world MuJoCo needs to go on to the same bytes."""


class Scene:
    """One scene's model, and the joints whose positions are a task's state.

    Nothing here changes after it is made: threads may share it, each with its own data.
    """

    def __init__(self, name: str, joints: Sequence[str]) -> None:
        """Compiles the scene file ``name``, and finds the joints and the arm in it."""
        self.model = load_model(name)
        self._state = joint_addresses(self.model, joints)
        self._hand = joint_addresses(self.model, HAND_JOINTS)
        self._flange_m = self.model.site("flange").pos.copy()
        self._links = [self.model.body(link).mocapid[0] for link in arm.LINKS]
        self.substep_s: float = self.model.opt.timestep

    def new_data(self) -> mujoco.MjData:
        """A world of its own, at rest."""
        return mujoco.MjData(self.model)

    def state(self, data: mujoco.MjData) -> Float64[np.ndarray, " state"]:
        """A copy of the positions that the task counts as its state."""
        return data.qpos[self._state]

    def set_state(self, data: mujoco.MjData, state: Float64[np.ndarray, " state"]) -> None:
        """Puts a world at rest in this state; nothing of what it did before is left."""
        mujoco.mj_resetData(self.model, data)
        data.qpos[self._state] = state

    def memory(self, data: mujoco.MjData) -> Float64[np.ndarray, " memory"]:
        """A copy of all that decides how a world goes on, MuJoCo's warm start included."""
        numbers = np.empty(mujoco.mj_stateSize(self.model, MEMORY))
        mujoco.mj_getState(self.model, data, numbers, MEMORY)
        return numbers

    def recall(self, data: mujoco.MjData, memory: Float64[np.ndarray, " memory"]) -> None:
        """Puts a world where its memory says; it goes on as if it had never stopped."""
        mujoco.mj_setState(self.model, data, memory, MEMORY)

    def hands_m(self, worlds: Sequence[mujoco.MjData]) -> Float64[np.ndarray, "N 2"]:
        """A copy of each hand's position on the table."""
        return np.array([data.qpos for data in worlds])[:, self._hand]

    def drive(
        self, data: mujoco.MjData, velocity_m_s: Float64[np.ndarray, "2"], num_substeps: int
    ) -> None:
        """Lets the hand go at a constant velocity for so many substeps.

        The hand's drive is far stiffer than anything on the table, so that its velocity is set
        and not its force: it pushes what it meets, and arrives.
        """
        data.qvel[self._hand] = velocity_m_s
        mujoco.mj_step(self.model, data, nstep=num_substeps)

    def pose(self, worlds: Sequence[mujoco.MjData]) -> None:
        """Draws the arm to each world's hand and puts all geoms in place for the camera."""
        flange_m = np.tile(self._flange_m, (len(worlds), 1))
        flange_m[:, :2] += self.hands_m(worlds)
        positions, turns = arm.link_poses(flange_m)
        for data, position, turn in zip(worlds, positions, turns, strict=True):
            data.mocap_pos[self._links] = position
            data.mocap_quat[self._links] = turn
            mujoco.mj_kinematics(self.model, data)

    def overlapping(self, states: Float64[np.ndarray, "N state"]) -> Bool[np.ndarray, " N"]:
        """Whether any two things would be inside each other, in each state."""
        data = self.new_data()
        return np.array([self._overlaps(data, state) for state in states], bool)

    def _overlaps(self, data: mujoco.MjData, state: Float64[np.ndarray, " state"]) -> bool:
        self.set_state(data, state)
        mujoco.mj_kinematics(self.model, data)
        mujoco.mj_collision(self.model, data)
        return bool(data.contact.dist.min(initial=0.0) < -TOUCHING_M)


def load_model(name: str) -> mujoco.MjModel:
    """Compiles ``scenes/<name>.xml``, and tells the camera what in it stands still."""
    folder = files("rig.world") / "scenes"
    texts = {file.name: file.read_bytes() for file in folder.iterdir()}
    if f"{name}.xml" not in texts:
        hint = name_the_nearest(name, (file.removesuffix(".xml") for file in texts))
        raise SceneError(f"there is no scene {name!r}: {hint}")
    model = mujoco.MjModel.from_xml_string(texts.pop(f"{name}.xml").decode(), texts)
    # What belongs to the world itself, and not to a body, stands still.
    stands_still = (model.geom_bodyid == 0) & (model.geom_group == MOVING_GROUP)
    model.geom_group[stands_still] = STILL_GROUP
    return model


def joint_addresses(model: mujoco.MjModel, joints: Sequence[str]) -> Int[np.ndarray, " joints"]:
    """Where each joint's position is; all joints have one number, so its speed is there too."""
    known = [model.joint(index).name for index in range(model.njnt)]
    for joint in joints:
        if joint not in known:
            raise SceneError(
                f"the scene has no joint {joint!r}: {name_the_nearest(joint, known)}"
            )
    return np.array([model.joint(joint).qposadr[0] for joint in joints])
