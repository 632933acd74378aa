"""What a camera's place does to the latents of a hand: ``python -m benchmarks.robot_view``.

The simulated SO-101, without lag, walks at random in its box; latents are fitted to those
images alone. Then the hand is moved by 1, 2 and 4 cm along each direction: along the camera's
line of sight, a distance hardly shows in the image, and so hardly in the latents. A goal that
is 4 cm off there looks reached.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from benchmarks.robot_learning import SIDE
from rig.presets import FAST
from rig.representation.latent import LatentRepresentation, make_latent_representation
from rig.representation.vae import make_vae
from rig.robots.so101_kinematics import So101Kinematics
from rig.simulated.so101 import SimulatedSo101


LOW_M, HIGH_M = np.array([0.17, -0.10, 0.02]), np.array([0.31, 0.10, 0.08])
HOME_M = np.array([0.24, 0.0, 0.05])
VIEWS: Mapping[str, Mapping[str, Any]] = {
    "front": {},
    "above": {"elevation_deg": -80.0, "distance_m": 0.5, "lookat_m": [0.22, 0.0, 0.06]},
    "side": SIDE,
}
DIRECTIONS = {
    "x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0),
    "x+z": (0.71, 0.0, 0.71), "x-z": (0.71, 0.0, -0.71),
}  # fmt: skip
DISTANCES_M = (0.01, 0.02, 0.04)
NUM_FIT = 800
EPISODE = 26
NUM_PAIRS = 12
NOISE_LEVELS = 0.8
Look = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Print a line for each view and direction."""
    for name, view in VIEWS.items():
        look = camera(view)
        rng = np.random.default_rng(0)
        images = np.stack([look(place_m) for place_m in walk(NUM_FIT, rng=rng)])
        latents = fitted(images, rng=rng)
        for direction, way in DIRECTIONS.items():
            row = [distance(latents, look, np.array(way), d, rng=rng) for d in DISTANCES_M]
            text = ", ".join(f"{each:.2f}" for each in row)
            sys.stdout.write(f"{name:6} {direction:4} {text} at 1, 2, 4 cm\n")
            sys.stdout.flush()


def camera(view: Mapping[str, Any]) -> Look:
    """Return a function that gives the image of a place of the tool."""
    arm, kinematics = SimulatedSo101(view=view, puck=False), So101Kinematics()
    noise_rng = np.random.default_rng(1)

    def look(place_m: np.ndarray) -> np.ndarray:
        joints_deg = kinematics.inverse(place_m, np.zeros(6))
        assert joints_deg is not None
        qpos = np.concatenate([np.deg2rad(joints_deg), arm.state_m[3:]])
        image = arm.camera.render(qpos)
        noise = NOISE_LEVELS * noise_rng.standard_normal(image.shape)
        return np.clip(image + noise, 0, 255).astype(np.uint8)

    return look


def walk(num: int, *, rng: np.random.Generator) -> list[np.ndarray]:
    """Return places of random practice from home, episode after episode."""
    places: list[np.ndarray] = []
    for i in range(num):
        if i % EPISODE == 0:
            place_m, step = HOME_M, rng.normal(size=3)
        step = 0.9 * step + 0.44 * rng.normal(size=3)
        place_m = np.clip(place_m + 0.01 * np.clip(step, -1, 1), LOW_M, HIGH_M)
        places.append(place_m)
    return places


def fitted(images: np.ndarray, *, rng: np.random.Generator) -> LatentRepresentation:
    """Return the default preset's latents of the images."""
    vae = make_vae(FAST.vae, images, key=jax.random.key(0), rng=rng)
    return make_latent_representation(vae, images, "seen", 0.0, rng=rng)


def distance(
    latents: LatentRepresentation, look: Look, way: np.ndarray, length_m: float, *,
    rng: np.random.Generator,
) -> float:  # fmt: skip
    """Return the median distance of the latents of two places that far apart."""
    images: list[np.ndarray] = []
    while len(images) < 2 * NUM_PAIRS:
        start_m = rng.uniform(LOW_M, HIGH_M)
        end_m = start_m + length_m * way * rng.choice([-1, 1])
        if (end_m == np.clip(end_m, LOW_M, HIGH_M)).all():
            images += [look(start_m), look(end_m)]
    found = latents.encode(np.stack(images)).latent
    return float(np.median(np.linalg.norm(found[::2] - found[1::2], axis=1)))


if __name__ == "__main__":
    main()
