from dataclasses import replace

import pytest
from fake_run import make_run

from rig.report.diagnose import findings, probe_cell, what_may_be_wrong, what_practice_did
from rig.report.run_facts import read_facts


@pytest.fixture
def facts(tmp_path):
    run = make_run(tmp_path / "run")
    (run.images / "reached.png").rename(run.images / "latents.png")
    return read_facts([run.directory])[0]


def with_row(facts, row):
    return replace(facts, rows=[*facts.rows, row])


WRONG = {
    "The latents hardly tell puck x: read off them it is 4.00 cm off": {
        "probe/puck_x_cm": 4.0,
        "probe/puck_x_knowing_nothing_cm": 5.0,
    },
    "the true distance of the puck: their correlation is 0.17": {
        "probe/puck_distance_correlation": 0.17
    },
    "time between frames: their correlation is -0.20": {
        "probe/time_distance_correlation": -0.2
    },
    "Latent 3 collapsed": {"vae/kl_3_nats": 0.001},
    "Practice moved the puck in only 2%": {"practice/puck_moved_share": 0.02},
    "Practice brought the puck to only 10%": {"practice/puck_coverage": 0.1},
}
RIGHT = {
    "probe/puck_x_cm": 2.0,
    "probe/puck_x_knowing_nothing_cm": 5.0,
    "probe/puck_distance_correlation": 0.6,
    "probe/time_distance_correlation": 0.3,
    "vae/kl_3_nats": 1.0,
    "vae/weight_1": 0.9,
    "practice/puck_moved_share": 0.3,
    "practice/puck_coverage": 0.5,
}


@pytest.mark.parametrize("text", WRONG)
def test_what_stands_out_is_said_with_its_number(facts, text):
    (found,) = findings(with_row(facts, RIGHT | WRONG[text]))
    assert text in found


def test_nothing_stands_out_where_all_is_well(facts):
    assert findings(with_row(facts, RIGHT)) == []
    assert "nothing stands out" in what_may_be_wrong([with_row(facts, RIGHT)])


def test_light_latents_are_a_finding_only_where_something_is_missed(facts):
    light = RIGHT | {"vae/weight_1": 0.01, "vae/weight_2": 0.02, "vae/kl_1_nats": 0.0}
    assert findings(with_row(facts, light)) == []
    assert "<td>1, 2</td>" in what_practice_did([with_row(facts, light)])
    missed, told = findings(with_row(facts, light | {"probe/puck_x_cm": 4.0}))
    assert "hardly tell puck x" in missed
    assert "Latents 1, 2 hardly vary" in told


def test_a_robot_no_better_than_doing_nothing_is_told(facts):
    hand = {"median": 0.15, "mean": 0.15, "do_nothing_median": 0.16}
    (found,) = findings(replace(facts, evaluation={"distances": {"hand_m": hand}}))
    assert "hand: the distance left is 94% of what doing nothing leaves" in found
    assert "--input true and --reward.distance true tell" in found


def test_share_moved_is_that_of_all_practice(facts):
    rows = [{"practice/puck_moved_share": share} for share in (1.0, 0.0, 0.0)]
    assert findings(replace(facts, rows=rows)) == []


def test_probe_stands_beside_a_blind_guess(facts):
    assert probe_cell(with_row(facts, RIGHT), "probe/puck_x_cm") == "2.00 (blind guess 5.00)"
    assert probe_cell(facts, "probe/hand_x_cm") == "0.75"
    assert probe_cell(facts, "probe/puck_x_cm") == ""


def test_practice_is_shown_with_the_swept_latents(facts):
    html = what_practice_did([with_row(facts, RIGHT)])
    assert "50.0%" in html
    assert "30.0%" in html
    assert html.count("<img") == 1
