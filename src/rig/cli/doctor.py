"""What is installed, what it runs on, and how fast the parts are here."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from rig.agent.td3 import Learner, Transitions, new_learner, update_many
from rig.config import TD3Config
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.envs.scene import Scene
from rig.envs.tabletop import STEP_S, Tabletop
from rig.envs.tasks import PUSH
from rig.presets import FAST
from rig.training.origin import device, num_cores, versions


MEASURED_S = 0.25
"""For how long each speed is measured, after a first call that compiles."""
NUM_ENVS = 16
ACTION_SIZE = 2
NUM_CYCLES = 20
"""In one compiled call; more of them would only take longer."""


def examine() -> dict[str, Any]:
    """Everything as one JSON object."""
    return {
        "versions": versions(),
        "device": device(),
        "num_cores": num_cores(),
        "camera": ImageGoalVectorEnv.renderer,
        "speed_per_s": {
            "camera_pictures": round(camera_pictures_per_s()),
            "physics_steps": round(physics_steps_per_s()),
            "environment_steps": round(environment_steps_per_s()),
            "td3_updates": round(updates_per_s()),
        },
    }


def camera_pictures_per_s() -> float:
    """Return the images of Push at 48 px per second, on all cores."""
    tabletop = Tabletop(PUSH, NUM_ENVS)
    states = np.tile(np.array(PUSH.start), (NUM_ENVS, 1))
    speed = NUM_ENVS * calls_per_s(lambda: tabletop.goal_images(states))
    tabletop.close()
    return speed


def physics_steps_per_s() -> float:
    """Return the steps of 0.1 s of Push without images per second, on one core."""
    scene = Scene(PUSH.scene, PUSH.joints)
    data = scene.new_data()
    scene.set_state(data, np.array(PUSH.start))
    num_substeps = round(STEP_S / scene.substep_s)
    still, no_motors = np.zeros(ACTION_SIZE), np.zeros(0)
    return calls_per_s(lambda: scene.move_hand(data, still, no_motors, num_substeps))


def environment_steps_per_s() -> float:
    """Return the steps of Push with images per second, 16 envs on all cores."""
    tabletop = Tabletop(PUSH, NUM_ENVS)
    actions = np.ones((NUM_ENVS, ACTION_SIZE), np.float32)
    speed = NUM_ENVS * calls_per_s(lambda: tabletop.step(actions))
    tabletop.close()
    return speed


def updates_per_s() -> float:
    """TD3 updates of the fast preset, compiled, on the device."""
    config, latent_dim = FAST.td3, FAST.vae.latent_dim
    shape = (NUM_CYCLES, config.policy_delay, config.batch_size)
    latent, action = jnp.ones((*shape, latent_dim)), jnp.ones((*shape, ACTION_SIZE))
    batches = Transitions(latent, action, latent, latent, jnp.ones(shape), jnp.ones(shape))
    state = [untrained(latent_dim, config)]

    def update() -> None:
        state[0] = update_many(state[0], batches, config, key=jax.random.key(0))[0]
        int(state[0].num_updates)  # waits for the device

    return NUM_CYCLES * config.policy_delay * calls_per_s(update)


def untrained(latent_dim: int, config: TD3Config) -> Learner:
    """Return a learner of zeros: random weights compile a program for each shape."""
    create = partial(new_learner, latent_dim, ACTION_SIZE, config, key=jax.random.key(0))
    shapes = eqx.filter_eval_shape(create)
    return jax.tree_util.tree_map(
        lambda leaf: (
            jax.device_put(np.zeros(leaf.shape, leaf.dtype))
            if isinstance(leaf, jax.ShapeDtypeStruct)
            else leaf
        ),
        shapes,
    )


def calls_per_s(call: Callable[[], object]) -> float:
    """How often a call can be made per second; the first, which compiles, is not counted."""
    call()
    num_calls, start_s = 0, perf_counter()
    while perf_counter() - start_s < MEASURED_S:
        call()
        num_calls += 1
    return num_calls / (perf_counter() - start_s)
