import pytest
from fake_run import TINY, make_run, untrained_policy

from rig.agent.agent import agent_files
from rig.inference.open_run import num_env_steps, open_trained
from rig.runs.run import Run
from rig.training.best import is_best, keep_best


def row(hand, puck, **others):
    return {"eval/hand_distance_m": hand, "eval/puck_distance_m": puck} | others


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], False),
        ([{"td3/value": 1.0}], False),
        ([row(1, 1)], True),
        ([row(1, 1), row(1, 0.5)], True),
        ([row(1, 1), row(0.5, 2)], False),
        ([row(1, 1), row(1, 1)], False),
        ([row(1, 1), row(0.5, 0.5, **{"eval/do_nothing_hand_distance_m": 9.0})], True),
        ([row(1, 1), row(0.5, 0.5, **{"eval/hand_distance_mean_m": 9.0})], True),
        ([row(1, 1), {"td3/value": 1.0}], True),
    ],
)
def test_best_evaluation_leaves_the_least_distance_in_all(rows, expected):
    assert is_best(rows) == expected


def test_best_policy_is_a_run_of_its_own(tmp_path):
    run = make_run(tmp_path / "run")
    keep_best(run, agent_files(untrained_policy(TINY)), {"num_env_steps": 2000})
    best, _policy = open_trained(run.directory / "best")
    assert best.config == run.config
    assert num_env_steps(best) == 2000


def test_best_policy_tells_what_it_was_chosen_on(tmp_path):
    run = make_run(tmp_path / "run")  # three evaluations among its metrics
    keep_best(run, agent_files(untrained_policy(TINY)), {"num_env_steps": 2000})
    told = Run.open(run.directory / "best").evaluation()
    assert told == {"num_env_steps": 2000, "chosen_on": "test", "chosen_of_evaluations": 3}
