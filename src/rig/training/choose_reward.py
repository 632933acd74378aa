"""``reward.kind auto``: sparse where practice often comes near imagined goals, else dense.

Dense, too, where each thing has a reward of its own.

Under a sparse reward a detour costs no more than its time, so a hand leaves its own goal to put
an object right. But a reward that is hardly ever given teaches nothing. How often it would be
given shows in the images of the first fit: the more things move by themselves, the more rarely
an episode comes near what another one showed. What counts are the goals that ask for a thing to
be moved, of the thing that is hardest: a rope that mostly lies where it lay is near to where it
should be in many goals, and that says nothing of how to carry it.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Float64

from rig.config import Config, RewardKind
from rig.errors import ConfigError
from rig.representation.goal_density import goals_among
from rig.representation.representation import Representation
from rig.representation.reward import IMAGE_REWARDS
from rig.runs.reward_choice import kind_for
from rig.training.horizon import horizon_metrics, with_horizon
from rig.training.learn import parts_rewarded
from rig.training.recorder import Recorder
from rig.types import Episodes, Parts


NUM_GOALS = 1500
"""Goals that it is measured with, at most."""
NUM_SEEN = 1500
"""Images in which they are sought, at most: the share grows with their number."""
MIN_ASKED = 0.05
"""Share of the goals that ask for a thing to be moved below which it does not count."""


def choose_reward(
    config: Config, episodes: Episodes, representation: Representation, recorder: Recorder
) -> RewardKind:
    """Return the reward of the settings, or which one suits what was collected.

    Args:
        config: Every setting.
        episodes: What was collected, encoded.
        representation: Encoded it.
        recorder: Logs what was chosen, and why.

    Raises:
        ConfigError: It has to be chosen, and the representation gives its latents no weight.
    """
    if config.reward.kind != "auto":
        return config.reward.kind
    if representation.weight is None:
        raise ConfigError(
            "reward.kind auto compares weighted latents, which this representation does not "
            f"have: choose one of {', '.join(IMAGE_REWARDS)}"
        )
    share = near_share(config, episodes, representation.weight, representation.parts)
    parts = parts_rewarded(config.reward, representation)
    num_rewards = 1 if parts is None else len(parts)
    kind = kind_for(share, num_rewards)
    chosen = replace(config, reward=replace(config.reward, kind=kind))
    horizon = horizon_metrics(with_horizon(chosen))
    recorder.after_choice(share, num_rewards, horizon)
    return kind


def near_share(
    config: Config,
    episodes: Episodes,
    weight: Float32[np.ndarray, " latent"],
    parts: Parts | None = None,
) -> float:
    """Return the share of imagined goals that an episode came near, other than their own.

    Of the goals that ask for a thing to be moved, and of the thing for which it is least. It is
    0 without episodes, as of images that are in no order.

    Args:
        config: Every setting; its seed draws the goals.
        episodes: What was collected, encoded.
        weight: Of each latent in distances.
        parts: What each thing adds to a latent, if that is known.
    """
    if not len(episodes):
        return 0.0
    rng = np.random.default_rng(config.seed)
    latent, log_std = episodes.encoding.latent * (weight > 0), episodes.encoding.log_std
    source = "skewed" if config.goals.source in ("skewed", "composed") else "seen"
    goals = goals_among(latent, source, config.goals.skew, rng=rng)[:NUM_GOALS]
    seen = rng.permutation(len(latent))[:NUM_SEEN]
    std = np.maximum(np.exp(log_std[seen]), config.reward.min_std)
    squared = mahalanobis_squared(latent[seen], latent[goals], std)
    episode = np.repeat(np.arange(len(episodes)), episodes.num_steps + 1)
    is_close = squared < config.reward.sparse_threshold**2
    is_close &= episode[seen][:, None] != episode[goals]
    is_near = np.asarray(is_close.any(axis=0))
    shares = [is_near.mean()]
    for part in () if parts is None else parts:
        away = (latent @ part - usual(latent @ part, episodes)) / np.median(std, axis=0)
        is_asked = (away[goals] ** 2).sum(axis=1) > config.reward.sparse_threshold**2
        if is_asked.mean() >= MIN_ASKED:
            shares.append(is_near[is_asked].mean())
    return float(min(shares))


def usual(
    latents: Float32[np.ndarray, "N latent"], episodes: Episodes
) -> Float32[np.ndarray, " latent"]:
    """Return the median latent of the images with which episodes begin."""
    lengths = episodes.num_steps + 1
    return np.median(latents[np.cumsum(lengths) - lengths], axis=0)


def mahalanobis_squared(
    first: Float32[np.ndarray, "N latent"],
    second: Float32[np.ndarray, "M latent"],
    std: Float32[np.ndarray, "N latent"],
) -> Float64[np.ndarray, "N M"]:
    """Return the squared distance of all pairs, in units of the first one's deviation."""
    precision = 1 / std.astype(np.float64) ** 2
    scaled = precision * first
    cross = scaled @ second.T.astype(np.float64)
    return (scaled * first).sum(axis=1)[:, None] - 2 * cross + precision @ (second**2).T
