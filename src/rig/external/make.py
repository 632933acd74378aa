"""Inviting a guest: its id becomes worlds, or one clear line says why not."""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

import gymnasium
import mujoco
import numpy as np

from rig.errors import ExternalEnvError, suggest
from rig.external.env import ExternalEnv, action_bounds, physics_of
from rig.external.image_source import (
    ImageSource,
    ObservationSource,
    RayCasterSource,
    RenderSource,
    image_parts,
)
from rig.external.vector_env import ExternalVectorEnv


EXTRAS = {"gymnasium_robotics": "robotics", "ogbench": "ogbench"}
"""Libraries of environments that are extras of ours: they come in versions that fit."""

BLANK = np.zeros((1, 1, 3), np.uint8)

Env = gymnasium.Env[Any, Any]


@dataclass(frozen=True, kw_only=True)
class EnvSpec:
    """Whose environment, and how it is seen."""

    id: str
    """``MODULE:ID``, or an id that Gymnasium knows by itself."""
    camera: str = ""
    """A camera, as :mod:`rig.external.camera_pose` has it, or a picture's name in
    observations."""
    num_steps: int = 0
    """An episode's length; 0: the environment's own limit."""


def make_external_envs(
    spec: EnvSpec, num_envs: int, image_size: int, *, seed: int
) -> ExternalVectorEnv:
    """So many copies of an environment.

    Raises:
        ExternalEnvError: It can't be found, made, driven or seen.
    """
    name = find(spec.id)
    try:
        image_source, envs = meet(name, spec.camera, num_envs, image_size)
        num_steps = spec.num_steps or own_limit(envs[0])
        return ExternalVectorEnv(
            spec.id, [ExternalEnv(env, num_steps) for env in envs], image_source, seed
        )
    except ExternalEnvError as error:
        raise ExternalEnvError(f"{spec.id}: {error}") from error


def find(id_: str) -> str:
    """The id as Gymnasium has it, after the module before the colon was imported.

    Raises:
        ExternalEnvError: There is no such module, or no such environment.
    """
    module, _, name = id_.rpartition(":")
    try:
        if module:
            import_module(module)
        gymnasium.spec(name)
    except ModuleNotFoundError as error:
        raise ExternalEnvError(f"{id_}: {how_to_install(str(error.name))}") from error
    except gymnasium.error.Error as error:
        raise ExternalEnvError(
            f"there is no environment {id_!r} ({error}): name one as MODULE:ID, where "
            "importing MODULE registers ID with Gymnasium"
        ) from error
    return name


def how_to_install(module: str) -> str:
    """What to do about a module that is not there."""
    library = module.partition(".")[0]
    if library in EXTRAS:
        return f"{library} is not installed: pip install 'imagined-goals[{EXTRAS[library]}]'"
    return f"there is no module {module!r}: install it, or put its folder on PYTHONPATH"


def make(name: str, **options: Any) -> Env:
    """One copy.

    Raises:
        ExternalEnvError: It needs what is not installed, or not in a version that fits.
    """
    try:
        return gymnasium.make(name, disable_env_checker=True, **options)
    except gymnasium.error.DependencyNotInstalled as error:
        raise ExternalEnvError(str(error)) from error
    except AssertionError as error:
        library = str(gymnasium.spec(name).entry_point).partition(".")[0]
        if library not in EXTRAS:
            raise
        raise ExternalEnvError(
            f"{library} {version(library)} does not work with mujoco {mujoco.__version__}: "
            f"pip install 'imagined-goals[{EXTRAS[library]}]'"
        ) from error


def own_limit(env: Env) -> int:
    """The environment's own limit of steps."""
    limit = env.spec.max_episode_steps if env.spec else None
    if not limit:
        raise ExternalEnvError("its episodes have no limit: give --episode-steps")
    return limit


def meet(name: str, told: str, num: int, image_size: int) -> tuple[ImageSource, list[Env]]:
    """So many copies of an environment, and how they are best seen.

    A picture in the observation that is told by its name goes before all; then a MuJoCo scene,
    another picture in the observation, and what the environment draws.
    """
    first = make_still(name)
    action_bounds(first.action_space)
    first.reset(seed=0)
    pictures = image_parts(first.observation_space)
    if physics_of(first) and (not told or told not in pictures):
        return RayCasterSource(image_size, told), [
            first,
            *(make_still(name) for _ in range(num - 1)),
        ]
    first.close()
    if told and told not in pictures:
        raise ExternalEnvError(f"it has no picture {told!r}: {suggest(told, pictures)}")
    if pictures:
        image_source = ObservationSource(image_size, told or pictures[0])
        return image_source, [make(name) for _ in range(num)]
    if "rgb_array" in first.metadata.get("render_modes", ()):
        return RenderSource(image_size), [
            make(name, render_mode="rgb_array") for _ in range(num)
        ]
    raise ExternalEnvError(
        "it has no picture: rig takes a MuJoCo scene, an image in the observation ([H, W, 3], "
        "uint8), or rgb_array among the render modes"
    )


def make_still(name: str) -> Env:
    """One copy that draws nothing where it is built on MuJoCo.

    Its own renderer would need OpenGL, and is slow; the ray camera looks instead. Some show
    their model only after a reset, and draw it before.
    """
    env = make(name)
    inside: Any = env.unwrapped
    if hasattr(type(inside), "model") or "model" in vars(inside):
        inside.render = lambda *_, **__: BLANK
    return env
