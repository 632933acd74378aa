"""Evaluation goals of external environments: states that are reached, and their images.

A multi-goal environment has goals of its own. If it is built on MuJoCo, it is put at such a
goal in one of three ways: the free object that its goal is about is placed there, its hand
moves there, or its mocap body (mostly a gripper's) is pulled there. If none works, and for all
other environments, a goal is what a random policy reached from the same start.
"""

from collections.abc import Sequence

import mujoco
import numpy as np

from rig.envs.image_goal_env import Goals
from rig.external.env import ExternalEnv, Physics, Point, physics_of
from rig.external.image_source import ImageSource


MAX_SEED = 2**31
NUM_AXES = 3
"""A goal with this many numbers is taken for a position in the scene, in metres."""
NEAR_M = 0.01
"""Within this distance a goal is reached, and a free joint is that of the goal's object."""
NUM_REDRAWN = 4
"""Number of goals drawn in place of one that can't be reached."""
NUM_PULLS = 20
NUM_PULL_SUBSTEPS = 20
"""How often a mocap body is moved, and for how many substeps it then pulls."""
ACTION_PER_M = 10.0
"""Gain of a hand that moves to a goal: full speed until it is 10 cm away."""
HOLD_STEPS = 5
"""Number of steps for which a random action is repeated."""


def make_goals(
    envs: Sequence[ExternalEnv], source: ImageSource, num: int, *, rng: np.random.Generator
) -> Goals:
    """Make goals, each from a seed of its own in one of the environments."""
    seeds = rng.integers(MAX_SEED, size=num)
    images, states = [], []
    for first in range(0, num, len(envs)):
        rows = range(first, min(first + len(envs), num))
        for env, row in zip(envs, rows, strict=False):
            seeds[row] = reach_goal_state(env, int(seeds[row]))
        images.append(source.images(envs)[: len(rows)])
        states += [env.state for env in envs[: len(rows)]]
    return Goals(images=np.concatenate(images), states=np.stack(states), seeds=seeds)


def reach_goal_state(env: ExternalEnv, seed: int) -> int:
    """Bring an environment to a goal of its own, or to a random state; return the start's seed.

    Where something else is in the way of a goal, as a gripper, another goal is drawn.
    """
    env.reset(seed)
    rng = np.random.default_rng(seed)
    scene = physics_of(env.env)
    if scene and len(env.desired) == NUM_AXES:
        for start in (seed, *rng.integers(MAX_SEED, size=NUM_REDRAWN).tolist()):
            if reach_own_goal(env, start, scene):
                return start
        env.reset(seed)
    step_randomly(env, rng=rng)
    return seed


def reach_own_goal(env: ExternalEnv, seed: int, scene: Physics) -> bool:
    """Bring an environment to the goal that it asks for after this seed, if that works."""
    for bring in (place_object, move_hand, pull_mocap_body):
        env.reset(seed)
        bring(env, env.desired, scene)
        if is_at(env, env.desired):
            return True
    return False


def is_at(env: ExternalEnv, goal: Point) -> bool:
    """Check whether an environment is at a goal."""
    return bool(np.linalg.norm(env.achieved - goal) < NEAR_M)


def place_object(env: ExternalEnv, goal: Point, scene: Physics) -> None:
    """Move the free object whose position is ``achieved`` to the goal, at rest."""
    model, data = scene
    for joint in np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE.value):
        qpos, qvel = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
        if np.linalg.norm(data.qpos[qpos : qpos + 3] - env.achieved) < NEAR_M:
            data.qpos[qpos : qpos + 3] += goal - env.achieved
            data.qvel[qvel : qvel + 6] = 0
            mujoco.mj_forward(model, data)
            env.step_no_op()
            return


def move_hand(env: ExternalEnv, goal: Point, _scene: Physics) -> None:
    """Move the hand to the goal by actions, if the first three are the hand's axes.

    The arm then has a posture that practice can reach; pulling it there gives another one.
    """
    for _ in range(env.num_steps if env.action_size >= NUM_AXES else 0):
        if env.has_ended or is_at(env, goal):
            return
        action = np.zeros(env.action_size, np.float32)
        action[:NUM_AXES] = np.clip(ACTION_PER_M * (goal - env.achieved), -1, 1)
        env.step(action)


def pull_mocap_body(env: ExternalEnv, goal: Point, scene: Physics) -> None:
    """Pull what is welded to the only mocap body to the goal."""
    model, data = scene
    for _ in range(NUM_PULLS if model.nmocap == 1 and model.neq else 0):
        if is_at(env, goal):
            return
        data.mocap_pos[0] += goal - env.achieved
        mujoco.mj_step(model, data, nstep=NUM_PULL_SUBSTEPS)
        env.step_no_op()


def step_randomly(env: ExternalEnv, *, rng: np.random.Generator) -> None:
    """Take random actions for a random number of steps within an episode."""
    for step in range(rng.integers(1, env.num_steps + 1)):
        if step % HOLD_STEPS == 0:
            action = rng.uniform(-1, 1, env.action_size).astype(np.float32)
        if not env.has_ended:
            env.step(action)
