"""Judge what latents hold of motion within an episode, leaving one episode out.

Where cameras, light or objects differ between episodes, as in recordings of real robots, the
question is how a thing moves, not where the camera stood. So states and latents count from
their mean over an episode. A ridge regression on the other episodes predicts the states of the
one left out. The same regression on an image of 16 x 16 pixels shows what needs no latents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from rig.envs.square_crop import crop_square
from rig.see.data_set import Truth
from rig.see.judge import distances


SIDE_PX = 16
MOST_FOLDS = 25
"""More episodes than this are left out several at a time."""
FEWEST_EPISODES = 3
PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Of the ridge regression; the one with the smallest error over all objects counts."""

Rows = Float[np.ndarray, "N features"]
States = Float[np.ndarray, "N state"]


@dataclass(frozen=True, kw_only=True, slots=True)
class WithinEpisodes:
    """Mean errors of an object's motion within an episode, in the unit of the states."""

    error: float
    """Read off the latents."""
    pixels_error: float
    """Read off 16 x 16 pixels."""
    blind_error: float
    """Of always saying the episode's mean."""


def judge_within_episodes(
    latents: Float[np.ndarray, "N latent"],
    images: UInt8[np.ndarray, "N H W 3"],
    truth: Truth,
    num_steps: Int[np.ndarray, " E"],
) -> dict[str, WithinEpisodes]:
    """Judge latents of episodes by true states; nothing for fewer than three episodes.

    Args:
        latents: Of the images.
        images: Those of an episode are in a row, one more than it has steps.
        truth: States and objects.
        num_steps: Of each episode.
    """
    if len(num_steps) < FEWEST_EPISODES:
        return {}
    episode = np.repeat(np.arange(len(num_steps)), num_steps + 1)
    small = np.stack([crop_square(image, SIDE_PX) for image in images[: len(episode)]])
    used = truth.states[: len(episode)]
    states = centred(used, episode)
    zeros = np.zeros_like(states)
    by_latents = best_errors(centred(latents[: len(episode)], episode), states, episode, truth)
    pixels = centred(small.reshape(len(small), -1) / 255, episode)
    by_pixels = best_errors(pixels, states, episode, truth)
    return {
        name: WithinEpisodes(
            error=by_latents[index],
            pixels_error=by_pixels[index],
            blind_error=float(distances(zeros, states, columns).mean()),
        )
        for index, (name, columns) in enumerate(truth.objects.items())
    }


def centred(rows: Rows, episode: Int[np.ndarray, " N"]) -> Rows:
    """Return rows less their mean over the episode."""
    count = np.bincount(episode)[:, None]
    total = np.zeros((len(count), rows.shape[1]))
    np.add.at(total, episode, rows)
    return rows - (total / count)[episode]


def best_errors(
    features: Rows, states: States, episode: Int[np.ndarray, " N"], truth: Truth
) -> Sequence[float]:
    """Return each object's mean error under the penalty with the smallest sum of shares."""
    fold = episode % MOST_FOLDS
    errors = []
    for penalty in PENALTIES:
        predicted = np.empty_like(states)
        for index in np.unique(fold):
            known, left_out = fold != index, fold == index
            predicted[left_out] = ridge(
                features[left_out], features[known], states[known], penalty
            )
        errors.append(
            [distances(predicted, states, columns).mean() for columns in truth.objects.values()]
        )
    blind = [
        max(float(distances(np.zeros_like(states), states, columns).mean()), 1e-12)
        for columns in truth.objects.values()
    ]
    best = int(np.argmin((np.array(errors) / blind).sum(axis=1)))
    return [float(error) for error in errors[best]]


def ridge(
    queries: Float[np.ndarray, "Q features"],
    known: Float[np.ndarray, "K features"],
    states: Float[np.ndarray, "K state"],
    penalty: float,
) -> Float[np.ndarray, "Q state"]:
    """Return states for queries by ridge regression through the origin."""
    if known.shape[1] > len(known):  # the smaller of two equal systems
        gram = known @ known.T + penalty * np.eye(len(known))
        return np.asarray(queries @ known.T @ np.linalg.solve(gram, states))
    gram = known.T @ known + penalty * np.eye(known.shape[1])
    return np.asarray(queries @ np.linalg.solve(gram, known.T @ states))
