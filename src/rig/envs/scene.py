"""A scene: the model made from a scene file, and where a task's numbers are in it."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import mujoco
import numpy as np
from jaxtyping import Bool, Float64, Int

from rig.envs import arm
from rig.envs.camera import MOVING_GROUP, STILL_GROUP
from rig.errors import SceneError, suggest


HAND_JOINTS = ("hand_x", "hand_y", "hand_z")
"""What the hand's joints are called; a hand has some of them."""
TOUCHING_M = 1e-6
MEMORY = mujoco.mjtState.mjSTATE_INTEGRATION
"""What of a world MuJoCo needs to go on to the same bytes."""
AWAY_M = 10.0
"""Where things go that are not there: so far aside, and so far from each other."""
JOINT, ACTUATOR = mujoco.mjtObj.mjOBJ_JOINT, mujoco.mjtObj.mjOBJ_ACTUATOR
UNITS = {mujoco.mjtJoint.mjJNT_SLIDE: "m", mujoco.mjtJoint.mjJNT_HINGE: "rad"}


class Scene:
    """One scene's model, and the joints whose positions are a task's state.

    Nothing here changes after it is made: threads may share it, each with its own data.
    """

    def __init__(
        self, source: str | Path, joints: Sequence[str], motors: Sequence[str] = ()
    ) -> None:
        """Compiles a scene file, and finds the joints, the motors and the arm in it."""
        self.model = load_model(source)
        self._state = joint_addresses(self.model, joints)
        self._motors = np.array([find(self.model, ACTUATOR, name) for name in motors], int)
        known = names_of(self.model, JOINT)
        self._hand_axes = [axis for axis, name in enumerate(HAND_JOINTS) if name in known]
        hand = [HAND_JOINTS[axis] for axis in self._hand_axes]
        self._hand = joint_addresses(self.model, hand)
        driven = [name for name in hand if name in names_of(self.model, ACTUATOR)]
        self._drives = np.array([find(self.model, ACTUATOR, name) for name in driven], int)
        self._driven = np.array([hand.index(name) for name in driven], int)
        self._flange_m = self.model.site("flange").pos.copy()
        self._links = [self.model.body(link).mocapid[0] for link in arm.LINKS]
        self.substep_s: float = self.model.opt.timestep

    @property
    def units(self) -> list[str]:
        """The unit of each number of the state: ``m``, or ``rad`` for a hinge."""
        kinds = dict(zip(self.model.jnt_qposadr, self.model.jnt_type, strict=True))
        return [UNITS[mujoco.mjtJoint(kinds[address])] for address in self._state]

    def new_data(self) -> mujoco.MjData:
        """A world of its own, at rest."""
        return mujoco.MjData(self.model)

    def state(self, data: mujoco.MjData) -> Float64[np.ndarray, " state"]:
        """A copy of the positions that the task counts as its state."""
        return data.qpos[self._state]

    def set_state(self, data: mujoco.MjData, state: Float64[np.ndarray, " state"]) -> None:
        """Puts a world at rest in this state; nothing of what it did before is left.

        What has no position (NaN) is put aside, out of sight and out of reach.
        """
        mujoco.mj_resetData(self.model, data)
        aside_m = -AWAY_M * (1 + np.arange(len(state)))
        data.qpos[self._state] = np.where(np.isnan(state), aside_m, state)

    def full_state(self, data: mujoco.MjData) -> Float64[np.ndarray, " memory"]:
        """A copy of all that decides how a world goes on, MuJoCo's warm start included."""
        numbers = np.empty(mujoco.mj_stateSize(self.model, MEMORY))
        mujoco.mj_getState(self.model, data, numbers, MEMORY)
        return numbers

    def set_full_state(
        self, data: mujoco.MjData, state: Float64[np.ndarray, " memory"]
    ) -> None:
        """Puts a world where its memory says; it goes on as if it had never stopped."""
        mujoco.mj_setState(self.model, data, state, MEMORY)

    def hands_m(self, datas: Sequence[mujoco.MjData]) -> Float64[np.ndarray, "N axes"]:
        """A copy of each hand's position along its axes."""
        return np.array([data.qpos for data in datas])[:, self._hand]

    def drive(
        self,
        data: mujoco.MjData,
        velocity_m_s: Float64[np.ndarray, " axes"],
        settings: Float64[np.ndarray, " motors"],
        num_substeps: int,
    ) -> None:
        """Lets the hand go at a constant velocity for so many substeps.

        A hand of great inertia keeps the velocity that it is given: it pushes what it meets,
        and arrives. Where the scene gives the hand's joints drives of their own, those keep it
        up, and yield to what is stronger.

        Args:
            data: The world.
            velocity_m_s: Of the hand.
            settings: What each motor is set to, from 0 to 1 over its range.
            num_substeps: For how long.
        """
        data.qvel[self._hand] = velocity_m_s
        data.ctrl[self._drives] = velocity_m_s[self._driven]
        ranges = self.model.actuator_ctrlrange[self._motors]
        data.ctrl[self._motors] = ranges[:, 0] + settings * (ranges[:, 1] - ranges[:, 0])
        mujoco.mj_step(self.model, data, nstep=num_substeps)

    def pose(self, datas: Sequence[mujoco.MjData]) -> None:
        """Draws the arm to each world's hand and puts all geoms in place for the camera."""
        flange_m = self._flange_m[None].repeat(len(datas), axis=0)
        flange_m[:, self._hand_axes] += self.hands_m(datas)
        positions, turns = arm.link_poses(flange_m)
        for data, position, turn in zip(datas, positions, turns, strict=True):
            data.mocap_pos[self._links] = position
            data.mocap_quat[self._links] = turn
            mujoco.mj_kinematics(self.model, data)

    def overlapping(
        self, states: Float64[np.ndarray, "N state"], has_hand: bool = True
    ) -> Bool[np.ndarray, " N"]:
        """Whether any two things would be inside each other, in each state.

        Args:
            states: To put the scene in.
            has_hand: Whether the hand counts as one of the things.
        """
        data, hand = self.new_data(), self.model.body("hand").id
        of_hand = self.model.body_rootid[self.model.geom_bodyid] == hand

        def overlaps(state: Float64[np.ndarray, " state"]) -> bool:
            self.set_state(data, state)
            mujoco.mj_kinematics(self.model, data)
            mujoco.mj_collision(self.model, data)
            counts = has_hand | ~of_hand[data.contact.geom].any(axis=1)
            return bool(data.contact.dist[counts].min(initial=0.0) < -TOUCHING_M)

        return np.array([overlaps(state) for state in states], bool)


def load_model(source: str | Path) -> mujoco.MjModel:
    """Compiles a scene file, and tells the camera what in it stands still.

    Args:
        source: The name of one of ours, without its ``.xml``, or the path of one's own, which
            may include ours: ``<include file="pusher.xml"/>``.
    """
    texts = {file.name: file.read_bytes() for file in (files("rig.envs") / "scenes").iterdir()}
    text = source.read_bytes() if isinstance(source, Path) else ours(source, texts)
    try:
        model = mujoco.MjModel.from_xml_string(text.decode(), texts)
    except ValueError as error:
        raise SceneError(f"scene {str(source)!r} does not compile: {error}") from error
    # What belongs to the world itself, and not to a body, stands still.
    stands_still = (model.geom_bodyid == 0) & (model.geom_group == MOVING_GROUP)
    model.geom_group[stands_still] = STILL_GROUP
    return model


def ours(name: str, texts: dict[str, bytes]) -> bytes:
    """The text of one of our scene files, taken out of all of them: none includes itself."""
    if f"{name}.xml" not in texts:
        hint = suggest(name, (file.removesuffix(".xml") for file in texts))
        raise SceneError(f"there is no scene {name!r}: {hint}")
    return texts.pop(f"{name}.xml")


def joint_addresses(model: mujoco.MjModel, joints: Sequence[str]) -> Int[np.ndarray, " joints"]:
    """Where each joint's position is; all joints have one number, so its speed is there too."""
    return model.jnt_qposadr[[find(model, JOINT, joint) for joint in joints]]


def names_of(model: mujoco.MjModel, kind: mujoco.mjtObj) -> list[str]:
    """The names of all joints, or of all actuators, of a model."""
    num = {JOINT: model.njnt, ACTUATOR: model.nu}[kind]
    return [mujoco.mj_id2name(model, kind, index) or "" for index in range(num)]


def find(model: mujoco.MjModel, kind: mujoco.mjtObj, name: str) -> int:
    """The number of the joint, or the actuator, of that name."""
    known = names_of(model, kind)
    if name not in known:
        what = {JOINT: "joint", ACTUATOR: "motor"}[kind]
        raise SceneError(f"the scene has no {what} {name!r}: {suggest(name, known)}")
    return known.index(name)
