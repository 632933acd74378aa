from dataclasses import replace

import pytest
from fake_run import make_run

from rig.report.diagnose import findings
from rig.report.page import page
from rig.report.run_facts import MINUTES, read_facts


@pytest.fixture
def facts(tmp_path):
    run = make_run(tmp_path / "run")
    (run.images / "reached.png").rename(run.images / "latents.png")
    return read_facts([run.directory])[0]


def with_row(facts, row):
    return replace(facts, rows=[*facts.rows, {MINUTES: 3.0} | row])


WRONG = {
    "The latents hardly encode puck x: a probe of them is 4.00 cm off": {
        "probe/puck_x_cm": 4.0,
        "probe/puck_x_knowing_nothing_cm": 5.0,
    },
    "the true distance of the puck: their correlation is 0.17": {
        "probe/puck_distance_correlation": 0.17
    },
    "time between frames: their correlation is -0.20": {
        "probe/time_distance_correlation": -0.2
    },
    "Latent 3 collapsed": {"vae/kl_nats": 0.0, "vae/kl_3_nats": 0.001},
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
def test_what_stands_out_is_reported_with_its_number(facts, text):
    (found,) = findings(with_row(facts, RIGHT | WRONG[text]))
    assert text in found


def test_nothing_stands_out_in_a_good_run(facts):
    assert findings(with_row(facts, RIGHT)) == []
    assert "Nothing stands out" in page([with_row(facts, RIGHT)])


def test_light_latents_are_a_finding_only_where_a_quantity_is_missed(facts):
    light = RIGHT | {"vae/weight_1": 0.01, "vae/weight_2": 0.02, "vae/kl_1_nats": 0.0}
    assert findings(with_row(facts, light)) == []
    assert "<td>1, 2</td>" in page([with_row(facts, light)])
    missed, weights = findings(with_row(facts, light | {"probe/puck_x_cm": 4.0}))
    assert "hardly encode puck x" in missed
    assert "Latents 1, 2 hardly vary" in weights


def test_a_policy_no_better_than_the_no_op_policy_is_reported(facts):
    hand = {"median": 0.15, "mean": 0.15, "do_nothing_median": 0.16}
    (found,) = findings(replace(facts, evaluation={"distances": {"hand_m": hand}}))
    assert "The hand ends at 94% of the no-op policy's distance" in found
    assert "--input true and --reward.distance true show" in found


def test_share_moved_is_that_of_all_practice(facts):
    rows = [{"practice/puck_moved_share": share} for share in (1.0, 0.0, 0.0)]
    assert findings(replace(facts, rows=rows)) == []


def test_page_shows_probes_next_to_a_blind_guess_and_practice_with_traversals(facts):
    html = page([with_row(facts, RIGHT)])
    for cell in ("2.00 (blind guess 5.00)", "0.75", "50.0%", "30.0%"):
        assert f"<td>{cell}</td>" in html
    assert "Each row: one latent" in html
