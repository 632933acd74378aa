"""Goals of evaluation for guests: pictures of what can be reached, and what is true in them.

A multi-goal environment asks for a goal of its own. If it is built on MuJoCo it is put there:
the object that it tells of is set down at the goal, or its hand goes there, or what is welded
to a mocap body (a gripper, mostly) is led there. Where that does not work, and for all other
environments, the goal is what a random policy reached from the same start.
"""

from collections.abc import Sequence

import mujoco
import numpy as np

from rig.envs.image_goal_env import Goals
from rig.external.env import ExternalEnv, Point, physics_of
from rig.external.image_source import ImageSource


MAX_SEED = 2**31
NUM_AXES = 3
"""A goal of so many numbers is taken for a place in the scene, in metres."""
NEAR_M = 0.01
"""A goal nearer than this is reached; what is nearer than this to a joint is its object."""
NUM_REDRAWN = 4
"""Goals that are drawn in place of one where nothing could be put."""
NUM_PULLS = 20
NUM_PULL_SUBSTEPS = 20
"""How often a mocap body is moved on, and for how long it then pulls."""
ACTION_PER_M = 10.0
"""Of a hand on its way to a goal: full speed until it is 10 cm away."""
HOLD_STEPS = 5
"""How long a random action lasts."""


def make_goals(
    external_envs: Sequence[ExternalEnv],
    image_source: ImageSource,
    num: int,
    *,
    rng: np.random.Generator,
) -> Goals:
    """So many goals, each made from a seed of its own in one of the guests."""
    seeds = rng.integers(MAX_SEED, size=num)
    images, states = [], []
    for first in range(0, num, len(external_envs)):
        some = range(first, min(first + len(external_envs), num))
        for external_env, row in zip(external_envs, some, strict=False):
            seeds[row] = bring_to_a_goal(external_env, int(seeds[row]))
        images.append(image_source.look(external_envs)[: len(some)])
        states += [external_env.achieved for external_env in external_envs[: len(some)]]
    return Goals(images=np.concatenate(images), states=np.stack(states), seeds=seeds)


def bring_to_a_goal(external_env: ExternalEnv, seed: int) -> int:
    """Brings a guest to a goal of its own, or to some place; the seed of the start it had.

    A goal may be where nothing can be set down (a gripper is there): then another is drawn.
    """
    external_env.begin(seed)
    rng = np.random.default_rng(seed)
    scene = physics_of(external_env.env)
    if scene and len(external_env.desired) == NUM_AXES:
        for start in (seed, *rng.integers(MAX_SEED, size=NUM_REDRAWN).tolist()):
            if is_put_at_goal(external_env, start, *scene):
                return start
        external_env.begin(seed)
    collect_random(external_env, rng=rng)
    return seed


def is_put_at_goal(
    external_env: ExternalEnv, seed: int, model: mujoco.MjModel, data: mujoco.MjData
) -> bool:
    """Whether a guest could be put at the goal that it asks for after this seed."""
    for bring in (set_down, go, lead):
        external_env.begin(seed)
        bring(external_env, external_env.desired, model, data)
        if is_at(external_env, external_env.desired):
            return True
    return False


def is_at(external_env: ExternalEnv, goal: Point) -> bool:
    """Whether a guest is at its goal."""
    return bool(np.linalg.norm(external_env.achieved - goal) < NEAR_M)


def set_down(
    external_env: ExternalEnv, goal: Point, model: mujoco.MjModel, data: mujoco.MjData
) -> None:
    """Moves the free object that the guest tells of to its goal, at rest."""
    for joint in np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE.value):
        place, speed = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
        if np.linalg.norm(data.qpos[place : place + 3] - external_env.achieved) < NEAR_M:
            data.qpos[place : place + 3] += goal - external_env.achieved
            data.qvel[speed : speed + 6] = 0
            mujoco.mj_forward(model, data)
            external_env.rest()
            return


def go(
    external_env: ExternalEnv, goal: Point, _model: mujoco.MjModel, _data: mujoco.MjData
) -> None:
    """Has the guest go to its goal by itself, if its first actions are its hand's three axes.

    Then all of it is as practice would have it: an arm that is torn there is folded otherwise.
    """
    for _ in range(external_env.num_steps if external_env.action_size >= NUM_AXES else 0):
        if external_env.has_ended or is_at(external_env, goal):
            return
        action = np.zeros(external_env.action_size, np.float32)
        action[:NUM_AXES] = np.clip(ACTION_PER_M * (goal - external_env.achieved), -1, 1)
        external_env.move(action)


def lead(
    external_env: ExternalEnv, goal: Point, model: mujoco.MjModel, data: mujoco.MjData
) -> None:
    """Leads what is welded to the only mocap body to its goal."""
    for _ in range(NUM_PULLS if model.nmocap == 1 and model.neq else 0):
        if is_at(external_env, goal):
            return
        data.mocap_pos[0] += goal - external_env.achieved
        mujoco.mj_step(model, data, nstep=NUM_PULL_SUBSTEPS)
        external_env.rest()


def collect_random(external_env: ExternalEnv, *, rng: np.random.Generator) -> None:
    """Random actions for a random time within an episode."""
    for step in range(rng.integers(1, external_env.num_steps + 1)):
        if step % HOLD_STEPS == 0:
            action = rng.uniform(-1, 1, external_env.action_size).astype(np.float32)
        if not external_env.has_ended:
            external_env.move(action)
