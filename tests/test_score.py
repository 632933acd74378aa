"""Arrays of external environments by which evaluation measures distances, and nothing else."""

import json
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from rig.agent.agent import load_agent
from rig.cli import see_command
from rig.cli.main import main
from rig.config import GoalConfig, RewardConfig
from rig.errors import ConfigError, ExternalEnvError
from rig.external.make import EnvSpec, make_external_envs
from rig.external.score import parse_scores
from rig.runs.run import Run
from rig.training.loop import train
from rig.training.progress import PlainProgress


SCORE = "arm/tip:m,pose[2]:rad"
NUM_STEPS = 5


class Slider(gymnasium.Env):
    """A grey square that two actions move; info says where it is, and how it is turned."""

    observation_space = spaces.Box(0, 255, (48, 48, 3), np.uint8)
    action_space = spaces.Box(-1, 1, (2,), np.float32)
    lies = 0.0
    """What is added to all that info says."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.uniform(0.3, 0.6, 2)
        return self.observe(), self.info()

    def step(self, action):
        self.place = np.clip(self.place + 0.05 * action, 0.1, 0.9)
        return self.observe(), 0.0, False, False, self.info()

    def observe(self):
        image = np.zeros((48, 48, 3), np.uint8)
        row, column = (self.place * 40).astype(int)
        image[row : row + 8, column : column + 8] = 200
        return image

    def info(self):
        turn = 6 * self.place[0]
        return {
            "arm/tip": self.place + self.lies,
            "pose": np.array([*self.place, turn]) + self.lies,
            "name": "slider",
        }


class Liar(Slider):
    lies = 7.0


@pytest.fixture(scope="module", autouse=True)
def registered():
    for kind in (Slider, Liar):
        id_ = f"score/{kind.__name__}-v0"
        if id_ not in gymnasium.registry:
            gymnasium.register(id_, kind, max_episode_steps=NUM_STEPS)


def make(score, num=2):
    return make_external_envs(EnvSpec(id="score/Slider-v0", score=score), num, 48, seed=0)


def test_see_is_judged_on_the_scored_arrays(tiny_keypoints, monkeypatch, capsys):
    monkeypatch.setattr(
        see_command, "find_preset", lambda _name, task: replace(tiny_keypoints, task=task)
    )
    assert main(["see", "--env", "score/Slider-v0", "--score", SCORE, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["objects"]) == {"tip", "pose_2"}


def test_numbers_are_copied():
    (score,) = parse_scores("pose")
    pose = np.zeros(2)
    kept = score.read({"pose": pose}, None)
    pose[:] = 9
    assert kept.tolist() == [0, 0]


@pytest.mark.parametrize("value", [None, 1j, "word", [None]])
def test_what_is_no_number_is_refused(value):
    (score,) = parse_scores("pose")
    with pytest.raises(ExternalEnvError, match="is not of numbers"):
        score.read({"pose": value}, None)


def test_spaces_between_words_do_not_count():
    assert parse_scores("tip:m, pose[-1]:rad") == parse_scores("tip:m,pose[-1]:rad")
    assert parse_scores("pose[-1]")[0].part == slice(-1, None)


def test_words_name_arrays_parts_and_units():
    tip, place, turn = parse_scores("arm/tip:m,pose[:2],pose[2]:rad")
    assert (tip.key, tip.name, tip.unit) == ("arm/tip", "tip", "m")
    assert (place.name, place.unit) == ("pose_0_2", "units")
    assert (turn.name, turn.part, turn.unit) == ("pose_2", slice(2, 3), "rad")
    assert parse_scores("") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pose[a]:m", "must be KEY"),
        ("pose:m:m", "must be KEY"),
        ("pose[-]:px", "must be KEY"),
        ("pose[:-]:px", "must be KEY"),
        ("pose[]:px", "must be KEY"),
        (" ,", "names no array"),
        ("a/tip:m,b/tip:rad", "calls two distances alike"),
        ("my/goal:m", "or one of them goal"),
    ],
)
def test_other_words_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_scores(text)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("arm/tp:m", "did you mean 'arm/tip'"),
        ("name", "is not of numbers"),
        ("pose[3]", "has 3 values, and none at 3:4"),
    ],
)
def test_an_array_that_is_not_there_is_one_clear_line(score, message):
    with pytest.raises(ExternalEnvError, match=message):
        make(score)


def test_distances_are_between_goal_and_end():
    envs = make(SCORE)
    goals = envs.goals(2, rng=np.random.default_rng(0))
    assert envs.state_names == ("tip_0", "tip_1", "pose_2_0")
    assert envs.state_units == ("m", "m", "rad")
    info = envs.reset(options=goals.options())[1]
    places = np.stack([env.env.unwrapped.place for env in envs.external_envs])
    apart = np.linalg.norm(places - goals.states[:, :2], axis=1)
    np.testing.assert_allclose(info["tip_distance_m"], apart)
    turns = np.abs(6 * places[:, 0] - goals.states[:, 2]) % (2 * np.pi)
    np.testing.assert_allclose(
        info["pose_2_distance_rad"], np.minimum(turns, 2 * np.pi - turns)
    )
    assert "image_distance_levels" not in info


def test_a_turn_is_measured_around_the_circle():
    (turn,) = parse_scores("pose:rad")
    assert turn.distance(np.array([[3.1]]), np.array([[-3.1]])) == pytest.approx(
        0.0832, abs=1e-3
    )


@pytest.fixture(scope="module")
def config(tiny):
    return replace(tiny, task="score/Slider-v0", episode_steps=NUM_STEPS, score=SCORE)


def trained(directory, config):
    run = Run.create(directory, config, {})
    train(config, run, PlainProgress(lambda _line: None))
    return run


def policy_of(run):
    return (run.policy / "policy.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.ci
def test_no_score_reaches_training(config, tmp_path):
    """With lies in it, or without any, the policy is the same."""
    lied = trained(tmp_path / "lied", replace(config, task="score/Liar-v0"))
    silent = trained(tmp_path / "silent", replace(config, score=""))
    assert policy_of(lied) == policy_of(silent)
    assert set(lied.evaluation()["distances"]) == {"tip_m", "pose_2_rad"}
    assert set(silent.evaluation()["distances"]) == {"image_levels"}


@pytest.mark.parametrize(
    "given",
    [
        {"input": "true"},
        pytest.param({"oracle": True}, marks=pytest.mark.slow),
        pytest.param(
            {"reward": RewardConfig(kind="sqrt_distance", distance="true")},
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda given: next(iter(given)),
)
def test_the_true_state_ablation_takes_what_a_score_names(config, tmp_path, given):
    about = {
        "goals": GoalConfig(source="skewed", refresh_every_steps=100),
        "reward": RewardConfig(kind="sqrt_distance"),
        "online": replace(config.online, every_steps=0),
    }
    run = trained(tmp_path / "run", replace(config, **about | given))
    assert run.evaluation()["distances"]["tip_m"]["median"] >= 0
    representation = load_agent(run.policy, run.config).representation
    assert representation.needs_true_state
    assert representation.latent_dim == (3 if "oracle" in given else 5)


def test_a_task_has_its_own_scores(tmp_path, capsys):
    command = ["train", "Push", "--score", "puck:m", "--out", str(tmp_path / "run")]
    assert main(command) == 2
    assert "--score only with --env" in capsys.readouterr().err
