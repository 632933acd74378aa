"""Rank correlation of latent and true distances: ``python -m benchmarks.nearness``.

Near each of some goals, every object is moved a little by itself. The correlation is 1 if a
smaller true distance always has a smaller latent distance, and 0 by chance. It takes a minute,
so that a change of the representation can be judged before any training.
"""

from contextlib import closing

import jax
import numpy as np

from benchmarks.page import section
from benchmarks.part import Row, Table
from rig.config import Config
from rig.envs.tabletop import Tabletop
from rig.envs.task import Task
from rig.envs.tasks import find_task
from rig.presets import find_preset
from rig.representation.fit_vae import whiten
from rig.representation.latent import LatentRepresentation, make_latent_representation
from rig.representation.vae import make_vae
from rig.training.collect import collect_images
from rig.training.make_envs import make_envs


TASKS = ("Reach", "Push", "PushTwo", "Door", "PickAndPlace", "Rope")
NUM_GOALS, NUM_NEAR = 20, 60
"""Number of goals, and of states near each of them for each object."""
NEAR = {"m": 0.03, "rad": 0.1}
"""Largest change of a number of the state, by the unit of the object's distance."""


def collect(config: Config, *, rng: np.random.Generator) -> np.ndarray:
    """Collect the images that a run of these settings first fits its representation to."""
    with closing(make_envs(config, config.num_envs)) as envs:
        envs.reset(seed=int(rng.integers(2**31)))
        seen = collect_images(None, config, envs, rng=rng)
        while len(seen) < config.collect.num_images:
            seen = collect_images(seen, config, envs, rng=rng)
    return seen.images


def representation_of(
    images: np.ndarray, config: Config, *, rng: np.random.Generator
) -> LatentRepresentation:
    """Make the representation before the VAE's fit, which does not move its keypoints."""
    vae = make_vae(config.vae, images, key=jax.random.key(rng.integers(2**32)), rng=rng)
    whitening = whiten(vae, images, config.vae.whiten_floor)
    return make_latent_representation(vae, images, "normal", 0, rng=rng, whitening=whitening)


def nearness(
    task: Task, representation: LatentRepresentation, *, rng: np.random.Generator
) -> dict[str, float]:
    """Compute each object's rank correlation, the mean over goals."""
    tabletop = Tabletop(task, 1)
    goals = np.repeat(task.sample_states(NUM_GOALS, rng=rng), NUM_NEAR, axis=0)
    wanted = representation.encode(tabletop.goal_images(goals)).latent
    correlations = {}
    for name, score in task.scores.items():
        near, column = goals.copy(), task.columns[name]
        most = NEAR[score.unit]
        near[:, column] += rng.uniform(-most, most, near[:, column].shape)
        true_distance = score.distance(near[:, column], goals[:, column])
        latent_distance = representation.distance(
            representation.encode(tabletop.goal_images(near)).latent, wanted
        )
        correlations[name] = rank_correlation(
            latent_distance.reshape(NUM_GOALS, -1), true_distance.reshape(NUM_GOALS, -1)
        )
    return correlations


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Compute Spearman's rank correlation, the mean over rows."""
    return float(
        np.mean(
            [np.corrcoef(ranks(a), ranks(b))[0, 1] for a, b in zip(first, second, strict=True)]
        )
    )


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value."""
    return values.argsort().argsort()


def row(name: str) -> Row:
    """Measure a task with the default preset."""
    task, config = find_task(name), find_preset("fast", name)
    rng = np.random.default_rng(0)
    correlations = nearness(
        task, representation_of(collect(config, rng=rng), config, rng=rng), rng=rng
    )
    return {"task": name} | {key: round(number, 2) for key, number in correlations.items()}


def main() -> None:
    """Print a row for every task."""
    rows = [row(name) for name in TASKS]
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    blank = dict.fromkeys(headings, "")
    print(section(Table(title="Nearness", rows=[blank | row for row in rows])))


if __name__ == "__main__":
    main()
