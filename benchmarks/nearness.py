"""Whether what is nearer seems nearer: ``python -m benchmarks.nearness``.

Around each of some goals every thing is moved a little, by itself. Told is the rank correlation
of the latents' distance with the true one: 1 where the nearer always seems nearer, 0 by chance.
It takes a minute, so a change to how images are seen can be judged before any run is made.
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
from rig.representation.latent import LatentRepresentation, make_latent_representation, whiten
from rig.representation.vae import make_vae
from rig.training.collect import collect_images
from rig.training.make_envs import make_envs


TASKS = ("Reach", "Push", "PushTwo", "Door", "PickAndPlace", "Rope")
NUM_GOALS, NUM_NEAR = 20, 60
"""Goals, and places near each of them, for every thing."""
NEAR = {"m": 0.03, "rad": 0.1}
"""How far a number of the state is moved at most, in the unit of the thing's score."""


def look(config: Config, *, rng: np.random.Generator) -> np.ndarray:
    """The images that a run of these settings is first fitted to."""
    with closing(make_envs(config, config.num_envs)) as envs:
        envs.reset(seed=int(rng.integers(2**31)))
        seen = collect_images(None, config, envs, rng=rng)
        while len(seen) < config.collect.num_images:
            seen = collect_images(seen, config, envs, rng=rng)
    return seen.images


def space_of(
    images: np.ndarray, config: Config, *, rng: np.random.Generator
) -> LatentRepresentation:
    """The latent space before the VAE's fit, which leaves places of colours where they are."""
    vae = make_vae(config.vae, images, key=jax.random.key(rng.integers(2**32)), rng=rng)
    whitening = whiten(vae, images, config.vae.whiten_floor)
    return make_latent_representation(vae, images, "normal", 0, rng=rng, whitening=whitening)


def nearness(
    task: Task, space: LatentRepresentation, *, rng: np.random.Generator
) -> dict[str, float]:
    """Each thing's rank correlation, the mean over goals."""
    tabletop = Tabletop(task, 1)
    goals = np.repeat(task.sample_states(NUM_GOALS, rng=rng), NUM_NEAR, axis=0)
    wanted = space.encode(tabletop.goal_images(goals)).latent
    told = {}
    for name, score in task.scores.items():
        near, column = goals.copy(), task.columns[name]
        most = NEAR[score.unit]
        near[:, column] += rng.uniform(-most, most, near[:, column].shape)
        is_truly = score.distance(near[:, column], goals[:, column])
        seems = space.distance(space.encode(tabletop.goal_images(near)).latent, wanted)
        told[name] = rank_correlation(
            seems.reshape(NUM_GOALS, -1), is_truly.reshape(NUM_GOALS, -1)
        )
    return told


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's, the mean over rows."""
    return float(
        np.mean(
            [np.corrcoef(ranks(a), ranks(b))[0, 1] for a, b in zip(first, second, strict=True)]
        )
    )


def ranks(values: np.ndarray) -> np.ndarray:
    """Each value's place among them in order."""
    return values.argsort().argsort()


def row(name: str) -> Row:
    """What the preset sees of a task."""
    task, config, rng = find_task(name), find_preset("fast", name), np.random.default_rng(0)
    told = nearness(task, space_of(look(config, rng=rng), config, rng=rng), rng=rng)
    return {"task": name} | {thing: round(number, 2) for thing, number in told.items()}


def main() -> None:
    """Prints a row for every task."""
    rows = [row(name) for name in TASKS]
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    blank = dict.fromkeys(headings, "")
    print(section(Table(title="Nearness", rows=[blank | row for row in rows])))


if __name__ == "__main__":
    main()
