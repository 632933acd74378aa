from dataclasses import replace

import jax
import numpy as np
import pytest

from rig.agent.agent import Agent
from rig.agent.td3 import new_learner
from rig.config import TD3Config
from rig.envs.tasks import PUSH_ANY, REACH
from rig.representation.true_state import TrueStateRepresentation
from rig.runs.run import Run
from rig.training import recorder as measure
from rig.training.evaluate import Trial, evaluation_goals, table, try_goals
from rig.training.make_envs import make_envs
from rig.training.progress import PlainProgress
from rig.types import Encoding


START = np.array(REACH.start)


class ByHand(Agent):
    """Goes straight to its goal, or nowhere: a policy that needs no learning."""

    def __init__(self, speed):
        ones = np.ones(2, np.float32)
        space = TrueStateRepresentation(0 * ones, ones, ones[None])
        super().__init__(space, new_learner(2, 2, TD3Config(), key=jax.random.key(0)))
        self._speed = speed

    def act(self, frames, goals, *, use_target_actor=False):
        action = np.clip(self._speed * (goals - frames) / 0.02, -1, 1).astype(np.float32)
        encoding = self.representation.encode(frames)
        return action, Encoding(latent=encoding.latent, log_std=encoding.log_std)


@pytest.fixture
def envs(tiny_oracle):
    envs = make_envs(tiny_oracle, 2)
    yield envs
    envs.close()


@pytest.fixture
def goals(envs):
    return evaluation_goals(envs, 5)


def test_evaluation_always_asks_for_the_same_goals(envs):
    seven, many = evaluation_goals(envs, 7), evaluation_goals(envs, 90)
    np.testing.assert_array_equal(seven.states, many.states[:7])
    np.testing.assert_array_equal(seven.images, many.images[:7])


def test_goals_to_choose_settings_by_are_others_than_those_of_results(envs):
    test, tuning = (evaluation_goals(envs, 40, kind).states for kind in ("test", "tuning"))
    assert np.linalg.norm(test[:, None] - tuning[None], axis=-1).min() > 0
    np.testing.assert_array_equal(evaluation_goals(envs, 40).states, test)


@pytest.mark.parametrize("kind", ["test", "tuning"])
def test_a_run_is_measured_by_the_goals_that_its_settings_name(
    kind, tmp_path, tiny_oracle, envs, monkeypatch
):
    monkeypatch.setattr(measure, "is_best", lambda _rows: False)  # nothing to keep
    evaluate = replace(tiny_oracle.evaluate, goals=kind)
    run = Run.create(tmp_path / "run", replace(tiny_oracle, evaluate=evaluate), {})
    recorder = measure.Recorder(run.config, run, PlainProgress(lambda _line: None), envs)
    start_m = recorder.evaluate(ByHand(0)).do_nothing["hand_m"]
    wanted = evaluation_goals(envs, evaluate.num_goals, kind).states - START
    np.testing.assert_allclose(start_m, np.linalg.norm(wanted, axis=1))


def test_evaluation_asks_for_as_many_goals_as_wanted(envs):
    assert evaluation_goals(envs, 1300).states.shape == (1300, 2)


def test_doing_nothing_leaves_every_hand_as_far_from_its_goal_as_it_was(envs, goals):
    trial = try_goals(ByHand(0.0), envs, goals)
    far_m = np.linalg.norm(goals.states - START, axis=1)
    np.testing.assert_allclose(trial.distances["hand_m"], far_m, atol=1e-6)
    np.testing.assert_allclose(trial.do_nothing["hand_m"], far_m, atol=1e-6)
    assert set(trial.distances) == {"hand_m"}


def test_going_straight_reaches_every_goal(envs, goals):
    trial = try_goals(ByHand(1.0), envs, goals)
    assert trial.distances["hand_m"].max() < 1e-3
    assert trial.do_nothing["hand_m"].min() > 0.01
    np.testing.assert_allclose(trial.final_frames, goals.states, atol=1e-3)


def test_frames_of_a_trial_are_in_the_order_of_its_goals(envs, goals):
    trial = try_goals(ByHand(1.0), envs, goals)
    np.testing.assert_array_equal(trial.goal_frames, goals.states)
    np.testing.assert_array_equal(trial.first_frames, np.tile(START, (5, 1)))


def test_table_sums_up_by_hand(tiny):
    frames = np.zeros((3, 1))
    trial = Trial(
        goal_frames=frames,
        first_frames=frames,
        final_frames=frames,
        distances={"hand_m": np.array([0.01, 0.02, 0.06])},
        do_nothing={"hand_m": np.array([0.1, 0.2, 0.9])},
        successes=np.array([1.0, 0.0, 0.0]),
    )
    rows = table(tiny, trial, 1234)
    assert (rows["task"], rows["num_episodes"], rows["num_env_steps"]) == ("Reach", 3, 1234)
    assert rows["success_share"] == pytest.approx(1 / 3)
    assert rows["distances"]["hand_m"] == pytest.approx(
        {
            "median": 0.02,
            "mean": 0.03,
            "std": np.sqrt((0.02**2 + 0.01**2 + 0.03**2) / 3),
            "do_nothing_median": 0.2,
            "do_nothing_mean": 0.4,
        }
    )


def test_oracle_sees_what_is_missing_at_its_start_and_wants_it_there(tiny_oracle):
    base_envs = make_envs(replace(tiny_oracle, task="PushAny"), 1)
    goal = np.array([[0.0, 0.6, 0.15, 0.65, np.nan, np.nan]])
    observation, info = base_envs.reset(options={"goal_states": goal})
    np.testing.assert_array_equal(observation["observation"], [PUSH_ANY.start])
    wanted = [[*goal[0, :4], *PUSH_ANY.start[4:]]]
    np.testing.assert_array_equal(observation["desired_goal"], wanted)
    assert np.isnan(info["puck_2_distance_m"]).all()
    base_envs.close()
