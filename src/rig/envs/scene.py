"""A scene: the MuJoCo model of a scene file, and where a task's state is in it."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import mujoco
import numpy as np
from jaxtyping import Bool, Float64, Int

from rig.envs import arm
from rig.envs.camera import MOVING_GROUP, STATIC_GROUP
from rig.envs.grasp import Grasp
from rig.envs.patterns import Pattern
from rig.errors import SceneError, suggest


HAND_JOINTS = ("hand_x", "hand_y", "hand_z")
"""Names of the hand's joints; a scene has some of them."""
TOUCHING_M = 1e-6
FULL_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
"""The part of ``MjData`` that MuJoCo needs to continue with the same bytes."""
AWAY_M = 10.0
"""Distance of absent objects from the table, and from each other."""
JOINT, ACTUATOR = mujoco.mjtObj.mjOBJ_JOINT, mujoco.mjtObj.mjOBJ_ACTUATOR
GEOM = mujoco.mjtObj.mjOBJ_GEOM
UNITS = {mujoco.mjtJoint.mjJNT_SLIDE: "m", mujoco.mjtJoint.mjJNT_HINGE: "rad"}

Rgb = tuple[float, float, float]
"""Red, green and blue, from 0 to 1."""


class Scene:
    """The model of a scene, and the joints whose positions are a task's state.

    It does not change after it is made: threads may share it, each with its own data.
    """

    def __init__(
        self,
        source: str | Path,
        joints: Sequence[str],
        motors: Sequence[str] = (),
        colours: Mapping[str, Rgb] | None = None,
    ) -> None:
        """Compile a scene file, and find the joints, the motors and the arm in it.

        Args:
            source: The name of a built-in scene, or the path of a file.
            joints: Whose positions are the state.
            motors: Actuators with an action of their own.
            colours: Colours of geoms in place of the file's, by their names.
        """
        self.model = load_model(source)
        for name, rgb in (colours or {}).items():
            self.model.geom_rgba[find(self.model, GEOM, name), :3] = rgb
        self._state = joint_addresses(self.model, joints)
        self._motors = np.array([find(self.model, ACTUATOR, name) for name in motors], int)
        known = names_of(self.model, JOINT)
        self._hand_axes = [axis for axis, name in enumerate(HAND_JOINTS) if name in known]
        hand = [HAND_JOINTS[axis] for axis in self._hand_axes]
        self._hand = joint_addresses(self.model, hand)
        driven = [name for name in hand if name in names_of(self.model, ACTUATOR)]
        self._hand_actuators = np.array(
            [find(self.model, ACTUATOR, name) for name in driven], int
        )
        self._driven = np.array([hand.index(name) for name in driven], int)
        self._flange_m = self.model.site("flange").pos.copy()
        self._links = [self.model.body(link).mocapid[0] for link in arm.LINKS]
        self._grasp = Grasp(self.model)
        self.substep_s: float = self.model.opt.timestep

    @property
    def units(self) -> list[str]:
        """The unit of each number of the state: ``m``, or ``rad`` for a hinge."""
        kinds = dict(zip(self.model.jnt_qposadr, self.model.jnt_type, strict=True))
        return [UNITS[mujoco.mjtJoint(kinds[address])] for address in self._state]

    @property
    def static_geoms(self) -> list[int]:
        """The geoms that never move and that the camera sees."""
        return np.flatnonzero(self.model.geom_group == STATIC_GROUP).tolist()

    def by_geom(self, patterns: Mapping[str, Pattern]) -> dict[int, Pattern]:
        """Return patterns by the id of their geom.

        Raises:
            SceneError: There is no geom of that name.
        """
        return {find(self.model, GEOM, name): value for name, value in patterns.items()}

    def new_data(self) -> mujoco.MjData:
        """Return new data of this model, at rest."""
        return mujoco.MjData(self.model)

    def state(self, data: mujoco.MjData) -> Float64[np.ndarray, " state"]:
        """Return a copy of the joint positions that are the task's state."""
        return data.qpos[self._state]

    def set_state(self, data: mujoco.MjData, state: Float64[np.ndarray, " state"]) -> None:
        """Reset the data, and put it at rest in this state.

        An object without a position (NaN) is put far aside, out of sight and out of reach.
        """
        mujoco.mj_resetData(self.model, data)
        aside_m = -AWAY_M * (1 + np.arange(len(state)))
        data.qpos[self._state] = np.where(np.isnan(state), aside_m, state)

    def full_state(self, data: mujoco.MjData) -> Float64[np.ndarray, " full_state"]:
        """Return a copy of all that decides the next steps, MuJoCo's warm start included."""
        numbers = np.empty(mujoco.mj_stateSize(self.model, FULL_STATE))
        mujoco.mj_getState(self.model, data, numbers, FULL_STATE)
        return numbers

    def set_full_state(
        self, data: mujoco.MjData, state: Float64[np.ndarray, " full_state"]
    ) -> None:
        """Restore a full state; the next steps give the same bytes."""
        mujoco.mj_setState(self.model, data, state, FULL_STATE)

    def hands_m(self, datas: Sequence[mujoco.MjData]) -> Float64[np.ndarray, "N axes"]:
        """Return a copy of each hand's position along its axes."""
        return np.array([data.qpos for data in datas])[:, self._hand]

    def move_hand(
        self,
        data: mujoco.MjData,
        velocity_m_s: Float64[np.ndarray, " axes"],
        settings: Float64[np.ndarray, " motors"],
        num_substeps: int,
    ) -> None:
        """Move the hand at a constant velocity for a number of substeps.

        The hand has so much inertia that it keeps this velocity, pushes what it meets, and
        arrives. Where the scene has actuators on the hand's joints, they hold the velocity,
        and yield to larger forces.

        Args:
            data: The data to step.
            velocity_m_s: Velocity of the hand along its axes.
            settings: Setting of each motor, from 0 to 1 over its range.
            num_substeps: Number of MuJoCo's time steps.
        """
        data.qvel[self._hand] = velocity_m_s
        data.ctrl[self._hand_actuators] = velocity_m_s[self._driven]
        low, high = self.model.actuator_ctrlrange[self._motors].T
        self._grasp.update(data, (data.ctrl[self._motors] - low) / (high - low), settings)
        data.ctrl[self._motors] = low + settings * (high - low)
        mujoco.mj_step(self.model, data, nstep=num_substeps)

    def pose(self, datas: Sequence[mujoco.MjData]) -> None:
        """Attach the drawn arm to each hand, and place all geoms for the camera."""
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
        """Check each state for objects that are inside each other.

        Args:
            states: The states to check.
            has_hand: Whether the hand counts as one of the objects.
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
    """Compile a scene file, and put its static geoms in the camera's static group.

    Args:
        source: The name of a built-in scene, without ``.xml``, or the path of a file, which may
            include the built-in ones: ``<include file="pusher.xml"/>``.

    Raises:
        SceneError: There is no such scene, or it does not compile.
    """
    texts = {file.name: file.read_bytes() for file in (files("rig.envs") / "scenes").iterdir()}
    text = source.read_bytes() if isinstance(source, Path) else pop_builtin(source, texts)
    try:
        model = mujoco.MjModel.from_xml_string(text.decode(), texts)
    except ValueError as error:
        raise SceneError(f"scene {str(source)!r} does not compile: {error}") from error
    # Geoms of the world body are static.
    is_static = (model.geom_bodyid == 0) & (model.geom_group == MOVING_GROUP)
    model.geom_group[is_static] = STATIC_GROUP
    return model


def pop_builtin(name: str, texts: dict[str, bytes]) -> bytes:
    """Return the text of a built-in scene, and remove it, since no scene includes itself."""
    if f"{name}.xml" not in texts:
        hint = suggest(name, (file.removesuffix(".xml") for file in texts))
        raise SceneError(f"there is no scene {name!r}: {hint}")
    return texts.pop(f"{name}.xml")


def joint_addresses(model: mujoco.MjModel, joints: Sequence[str]) -> Int[np.ndarray, " joints"]:
    """Return the index of each joint in qpos and qvel; every joint has one number."""
    return model.jnt_qposadr[[find(model, JOINT, joint) for joint in joints]]


def names_of(model: mujoco.MjModel, kind: mujoco.mjtObj) -> list[str]:
    """Return the names of all joints, actuators or geoms of a model."""
    num = {JOINT: model.njnt, ACTUATOR: model.nu, GEOM: model.ngeom}[kind]
    return [mujoco.mj_id2name(model, kind, index) or "" for index in range(num)]


def find(model: mujoco.MjModel, kind: mujoco.mjtObj, name: str) -> int:
    """Return the id of the joint, actuator or geom of that name."""
    known = names_of(model, kind)
    if name not in known:
        what = {JOINT: "joint", ACTUATOR: "motor", GEOM: "geom"}[kind]
        raise SceneError(
            f"the scene has no {what} {name!r}: {suggest(name, filter(None, known))}"
        )
    return known.index(name)
