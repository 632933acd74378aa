"""Make external environments from an id, or say in one line why that is impossible."""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

import gymnasium
import mujoco
import numpy as np
from jaxtyping import UInt8

from rig.errors import ExternalEnvError, suggest
from rig.external.action_bounds import ActionBounds
from rig.external.env import ExternalEnv, is_multi_goal, physics_of
from rig.external.failures import calling, named
from rig.external.image_source import (
    ImageSource,
    ObservationSource,
    RenderSource,
    image_parts,
)
from rig.external.ray_caster import RayCasterSource
from rig.external.score import parse_scores
from rig.external.vector_env import ExternalVectorEnv


EXTRAS = {"gymnasium_robotics": "robotics", "ogbench": "ogbench"}
"""Libraries with an extra of this package, which installs versions that fit."""

RENDER = "render"
"""The camera that stands for the environment's own ``render``."""

BLANK_IMAGE = np.zeros((1, 1, 3), np.uint8)

Env = gymnasium.Env[Any, Any]


@dataclass(frozen=True, kw_only=True)
class EnvSpec:
    """An external environment, and how to see it."""

    id: str
    """``MODULE:ID``, or an id that Gymnasium itself registers."""
    camera: str = ""
    """A camera (see :mod:`rig.external.camera_pose`), the name of an image in the observation,
    or ``render`` for the environment's own."""
    num_steps: int = 0
    """Time limit of an episode; 0 for the environment's own limit."""
    score: str = ""
    """Arrays to measure in evaluation (see :mod:`rig.external.score`)."""


def make_external_envs(
    spec: EnvSpec, num_envs: int, image_size: int, *, seed: int
) -> ExternalVectorEnv:
    """Make copies of an environment.

    Raises:
        ExternalEnvError: It can't be found or made, or has no usable actions or images.
    """
    name, scores = import_id(spec.id), parse_scores(spec.score)
    with named(spec.id):
        image_source, envs = make_with_source(name, spec.camera, num_envs, image_size)
        mujoco.mj_clearCache(mujoco.mj_getCache())  # of meshes and textures: all are compiled
        num_steps = spec.num_steps or own_time_limit(envs[0])
        external_envs = [ExternalEnv(env, num_steps, scores) for env in envs]
        return ExternalVectorEnv(spec.id, external_envs, image_source, seed)


def import_id(id_: str) -> str:
    """Import the module before the colon, and return the id after it.

    Raises:
        ExternalEnvError: There is no such module, or no such environment.
        EnvFailedError: The module raised another error.
    """
    module, _, name = id_.rpartition(":")
    with calling(id_, "import"):
        try:
            if module:
                import_module(module)
            gymnasium.spec(name)
        except ModuleNotFoundError as error:
            raise ExternalEnvError(f"{id_}: {how_to_install(str(error.name))}") from error
        except gymnasium.error.Error as error:
            raise ExternalEnvError(
                f"there is no environment {id_!r} ({error}): give MODULE:ID, where importing "
                "MODULE registers ID with Gymnasium"
            ) from error
    return name


def how_to_install(module: str) -> str:
    """Say what installs a missing module."""
    library = module.partition(".")[0]
    if library in EXTRAS:
        return f"{library} is not installed: pip install 'imagined-goals[{EXTRAS[library]}]'"
    return f"there is no module {module!r}: install it, or put its folder on PYTHONPATH"


def how_to_install_for(name: str, module: str) -> str:
    """Say what installs a missing module that an environment needs."""
    package = str(gymnasium.spec(name).entry_point).partition(":")[0].split(".")
    if package[:2] == ["gymnasium", "envs"] and len(package) > 2:
        extra = package[2].replace("_", "-")
        return f"it needs {module}, which is not installed: pip install 'gymnasium[{extra}]'"
    if module.partition(".")[0] in EXTRAS:
        return how_to_install(module)
    return f"it needs the module {module}, which is not installed: pip install what has it"


def make(name: str, **options: Any) -> Env:
    """Make one copy.

    Raises:
        ExternalEnvError: A library that it needs is missing, or its version does not fit.
        EnvFailedError: It raised another error.
    """
    with calling(name, "make"):
        try:
            return gymnasium.make(name, disable_env_checker=True, **options)
        except gymnasium.error.DependencyNotInstalled as error:
            raise ExternalEnvError(str(error)) from error
        except ModuleNotFoundError as error:
            raise ExternalEnvError(how_to_install_for(name, str(error.name))) from error
        except AssertionError as error:
            library = str(gymnasium.spec(name).entry_point).partition(".")[0]
            if library not in EXTRAS:
                raise
            raise ExternalEnvError(
                f"{library} {version(library)} does not work with mujoco {mujoco.__version__}: "
                f"pip install 'imagined-goals[{EXTRAS[library]}]'"
            ) from error


def own_time_limit(env: Env) -> int:
    """Return the environment's own time limit in steps."""
    limit = env.spec.max_episode_steps if env.spec else None
    if not limit:
        raise ExternalEnvError("its episodes have no time limit: give --episode-steps")
    return limit


def make_with_source(
    name: str, camera: str, num: int, image_size: int
) -> tuple[ImageSource, list[Env]]:
    """Make copies of an environment, and the source of their images.

    The first of these that there is: the image in the observation that ``camera`` names, the
    environment's own ``render`` if ``camera`` asks for it, a MuJoCo scene, any image in the
    observation, and the environment's own ``render``.
    """
    first = make_without_render(name)
    with calling(name, "make"):
        ActionBounds.of(first.action_space)
        names = image_parts(first.observation_space)
    with calling(name, "reset"):
        first.reset(seed=0)
    can_render = "rgb_array" in first.metadata.get("render_modes", ())
    if camera not in {*names, RENDER} - {""} and physics_of(first):
        others = [make_without_render(name) for _ in range(num - 1)]
        source = RayCasterSource(
            image_size, camera, is_multi_goal=is_multi_goal(first.observation_space)
        )
        return source, [first, *others]
    with calling(name, "close"):
        first.close()
    choices = [*names, RENDER] if can_render else names
    if camera and camera not in choices:
        raise ExternalEnvError(f"it has no image {camera!r}: {suggest(camera, choices)}")
    if names and camera in {*names, ""}:
        return ObservationSource(image_size, camera, names), [make(name) for _ in range(num)]
    if can_render:
        envs = [make(name, render_mode="rgb_array") for _ in range(num)]
        return RenderSource(image_size), envs
    raise ExternalEnvError(
        "it has no image: use an environment with a MuJoCo scene, an image in the observation "
        "(uint8, [H, W, 3]), or the render mode rgb_array"
    )


def make_without_render(name: str) -> Env:
    """Make one copy that does not render if it is built on MuJoCo.

    The ray camera takes its images: its own renderer is slow and needs OpenGL, and some
    environments render in their first reset, before their model is there.
    """
    env = make(name)
    inner: Any = env.unwrapped
    if hasattr(type(inner), "model") or "model" in vars(inner):
        inner.render = blank_image
    return env


def blank_image(*_: Any, **__: Any) -> UInt8[np.ndarray, "1 1 3"]:
    """Render nothing. A named function, since a lambda could not be pickled."""
    return BLANK_IMAGE
