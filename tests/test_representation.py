"""Kinds of representation, priors and rewards stand in registries, and take one line more."""

import runpy
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest

from rig.agent.agent import load_agent
from rig.config import Config, GoalConfig, RewardConfig, TD3Config
from rig.errors import ConfigError
from rig.inference.policy import Policy
from rig.representation.prior import PRIORS
from rig.representation.registry import REPRESENTATIONS
from rig.representation.reward import IMAGE_REWARDS, LATENT_REWARDS
from rig.runs.run import Run
from rig.training.run_training import train_run


EXAMPLE = Path(__file__).parent.parent / "examples" / "own_representation.py"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "latent"),
        ({"oracle": True}, "true_state"),
        ({"input": "true", "goals": GoalConfig(source="seen")}, "hybrid"),
        (
            {
                "td3": TD3Config(channels=(4, 8)),
                "goals": GoalConfig(source="seen"),
                "reward": RewardConfig(kind="pixel"),
            },
            "pixels",
        ),
    ],
)
def test_settings_choose_the_kind(changes, kind):
    assert Config(**changes).representation_kind == kind
    assert kind in REPRESENTATIONS


def test_unknown_kind_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ConfigError, match="'thumb': choose one of latent, stacked, pixels"):
        REPRESENTATIONS["thumb"]


def test_every_prior_and_reward_of_the_settings_is_registered():
    assert set(PRIORS) == set(get_args(get_type_hints(GoalConfig)["source"]))
    kinds = set(get_args(get_type_hints(RewardConfig)["kind"]))
    assert {*LATENT_REWARDS, *IMAGE_REWARDS, "auto"} == kinds


@pytest.mark.slow
@pytest.mark.ci
def test_representation_of_ones_own_takes_less_than_60_lines_and_trains(tiny, tmp_path):
    assert len(EXAMPLE.read_text().splitlines()) < 60
    runpy.run_path(str(EXAMPLE))
    try:
        run = Run.create(tmp_path / "run", replace(tiny, representation="thumbnail"), {})
        train_run(run)
        agent = load_agent(run.policy, run.config)
        assert agent.representation.num_goals >= 100
        policy = Policy(run.directory)
        image = np.zeros(policy.image_shape, np.uint8)
        assert policy.act(image, image + 200).shape == (2,)
        assert any("td3/critic_loss" in row for row in run.metrics())
        assert list(run.images.glob("imagined-*.png"))
    finally:
        REPRESENTATIONS.pop("thumbnail")
