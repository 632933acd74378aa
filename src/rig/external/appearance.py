"""How a MuJoCo scene looks: all that the ray camera draws, and what it can't.

An environment may change its looks whenever it likes: the colour or the size of a geom, a whole
new model at a reset. So the looks are compared before every image.
"""

import copy
from collections.abc import Sequence

import mujoco
import numpy as np
from jaxtyping import Float32

from rig.envs.camera import STATIC_GROUP
from rig.errors import ExternalEnvError


HIDDEN_GROUP = 5
NUM_SHOWN_GROUPS = 3
"""MuJoCo's own viewers show the groups 0 to 2; collision shapes are in the others."""
UNSET_RGBA = np.array([0.5, 0.5, 0.5, 1.0], np.float32)
"""A geom of this colour, MuJoCo's default, has the colour of its material."""
FAR_AWAY_M = 1e4
"""More than half the size of any scene."""
SMALL = (
    *("geom_type", "geom_size", "geom_dataid", "geom_matid", "geom_rgba", "geom_group"),
    *("site_type", "site_size", "site_matid", "site_rgba", "site_group", "mat_rgba"),
    *("geom_bodyid", "body_geomadr", "body_bvhnum"),
)
"""The arrays of a model that decide how it looks, or which data fits it."""
LARGE = ("hfield_data", "mesh_vert", "mesh_face")
"""More of them; they are compared at the start of an episode only."""
USE_RENDER = "--camera render takes the images from the environment's own render"
"""What to do about a scene that the ray camera can't draw."""


def looks(model: mujoco.MjModel) -> bytes:
    """Return what is the same for two models that are drawn alike, but for ``LARGE``."""
    return b"".join(getattr(model, name).tobytes() for name in SMALL)


def are_same(one: mujoco.MjModel, other: mujoco.MjModel, names: Sequence[str]) -> bool:
    """Check whether these arrays of two models are the same."""
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def check_drawable(model: mujoco.MjModel) -> None:
    """Raise ExternalEnvError if the scene shows something that the ray camera can't draw."""
    shown = {
        "skin": shown_groups(model.skin_group),
        "soft body (flex)": shown_groups(model.flex_group),
        "tendon": shown_groups(model.tendon_group) & is_spatial(model),
    }
    for kind, is_shown in shown.items():
        if num := int(is_shown.sum()):
            raise ExternalEnvError(
                f"its scene shows a {kind} ({num}), which the ray camera does not draw: "
                f"{USE_RENDER}"
            )


def check_same_textures(first: mujoco.MjModel, model: mujoco.MjModel) -> None:
    """Raise ExternalEnvError if the textures have changed: the ray camera draws none."""
    if not np.array_equal(first.tex_data, model.tex_data):
        raise ExternalEnvError(
            "its textures change, and the ray camera draws colours without textures: "
            f"{USE_RENDER}"
        )


def check_same_meshes(before: mujoco.MjModel, model: mujoco.MjModel) -> None:
    """Raise ExternalEnvError if a model's meshes have changed: rays need a new model then."""
    if not np.array_equal(before.mesh_vert, model.mesh_vert):
        raise ExternalEnvError(
            "the vertices of its meshes change, which the ray camera does not see: compile a "
            f"new model, or {USE_RENDER}"
        )


def shown_groups(groups: np.ndarray) -> np.ndarray:
    """Mark what is in a group that MuJoCo's own viewers show."""
    return groups < NUM_SHOWN_GROUPS


def is_spatial(model: mujoco.MjModel) -> np.ndarray:
    """Mark the tendons that are drawn: those that pass through points of the scene."""
    if not model.ntendon:
        return np.zeros(0, bool)
    return model.wrap_type[model.tendon_adr] != mujoco.mjtWrap.mjWRAP_JOINT.value


def as_seen(model: mujoco.MjModel) -> mujoco.MjModel:
    """Return a copy of a scene with colours on its geoms, and hidden geoms in their group."""
    seen = copy.copy(model)
    seen.geom_rgba[:] = colours(model, model.geom_rgba, model.geom_matid)
    is_shown = shown_groups(model.geom_group) & (seen.geom_rgba[:, 3] > 0)
    seen.geom_group[:] = np.where(is_shown, STATIC_GROUP, HIDDEN_GROUP)
    update_bounds(seen)
    return seen


def sites_as_geoms(model: mujoco.MjModel, is_shown: np.ndarray) -> mujoco.MjModel:
    """Return a scene that has a geom in place of each site: rays hit no sites."""
    spheres = "<geom size='1'/>" * model.nsite
    seen = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{spheres}</worldbody></mujoco>")
    seen.geom_type[:], seen.geom_size[:] = model.site_type, model.site_size
    seen.geom_rgba[:] = colours(model, model.site_rgba, model.site_matid)
    is_shown = is_shown & shown_groups(model.site_group) & (seen.geom_rgba[:, 3] > 0)
    seen.geom_group[:] = np.where(is_shown, STATIC_GROUP, HIDDEN_GROUP)
    update_bounds(seen)
    return seen


def colours(
    model: mujoco.MjModel, rgba: Float32[np.ndarray, "N 4"], material_ids: np.ndarray
) -> Float32[np.ndarray, "N 4"]:
    """Return the colour of each geom or site: its own, or its material's, without texture."""
    has_own = (rgba != UNSET_RGBA).any(axis=1)
    materials = np.vstack([model.mat_rgba, UNSET_RGBA])  # the last row, -1, is no material
    return np.where(has_own[:, None], rgba, materials[material_ids])


def update_bounds(model: mujoco.MjModel) -> None:
    """Fit the bounds to the sizes of the geoms: MuJoCo computes them only when it compiles.

    Where a bound is too small, rays pass through what is outside of it. Whole bodies get no
    bound, since their geoms may have moved, too.
    """
    kinds = mujoco.mjtGeom
    x, y, z = model.geom_size.T
    halves_m = {
        kinds.mjGEOM_SPHERE: (x, x, x),
        kinds.mjGEOM_CAPSULE: (x, x, x + y),
        kinds.mjGEOM_ELLIPSOID: (x, y, z),
        kinds.mjGEOM_CYLINDER: (x, x, y),
        kinds.mjGEOM_BOX: (x, y, z),
    }
    for kind, half_m in halves_m.items():
        rows = model.geom_type == kind.value
        boxes = np.stack(half_m, axis=1)[rows]
        model.geom_aabb[rows] = np.concatenate([np.zeros_like(boxes), boxes], axis=1)
        model.geom_rbound[rows] = np.linalg.norm(boxes, axis=1)
    for first, num in zip(model.body_bvhadr, model.body_bvhnum, strict=True):
        model.bvh_aabb[first : first + num] = [0, 0, 0, *[FAR_AWAY_M] * 3]
