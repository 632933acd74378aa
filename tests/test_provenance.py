import json
from dataclasses import replace

import pytest
from fake_run import make_run

from rig.errors import RunError
from rig.inference.open_run import open_trained
from rig.training.origin import surroundings
from rig.training.provenance import check_reproducible, check_same_observations, differences
from rig.training.run_training import resume_run


@pytest.fixture
def run(tmp_path):
    run = make_run(tmp_path / "run")
    record(run, **surroundings(run.config))
    return run


def record(run, **values):
    path = run.directory / "origin.json"
    path.write_text(json.dumps(run.origin() | values))


def test_run_is_used_where_it_was_made(run):
    check_same_observations(run, run.config, force=False)
    check_reproducible(run, force=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("camera", "egl"),
        ("image_size", 84),
        ("task", "rig/Push-v0"),
        ("reference_picture_sha256", "0123456789ab" * 5),
    ],
)
def test_policy_that_would_see_other_pictures_is_refused_by_what_differs(run, name, value):
    record(run, **{name: value})
    with pytest.raises(RunError) as caught:
        open_trained(run.directory)
    assert f"learned under another {name} ({str(value)[:12]}" in str(caught.value)
    assert "--force" in str(caught.value)
    open_trained(run.directory, force=True)


def test_another_task_is_tried_only_where_it_looks_the_same(run):
    two = replace(run.config, task="PushTwo")
    record(run, **surroundings(two))
    check_same_observations(run, replace(two, task="PushAny"), force=False)
    with pytest.raises(RunError, match="another reference_picture_sha256"):
        check_same_observations(run, replace(two, task="Push"), force=False)
    check_same_observations(run, replace(two, task="Push"), force=True)


def test_other_programs_matter_only_to_a_run_that_goes_on(run):
    record(run, packages=run.origin()["packages"] | {"jax": "0.1"})
    (run.directory / "evaluation.json").unlink()
    open_trained(run.directory)
    with pytest.raises(RunError, match=r"another packages\.jax \(0\.1, now .*same bytes"):
        resume_run(run.directory)


def test_picture_is_not_compared_where_a_camera_took_it():
    then = {"camera": "a webcam", "reference_picture_sha256": "1"}
    now = {"camera": "a webcam", "reference_picture_sha256": "2"}
    assert differences(then, now, ("camera", "reference_picture_sha256")) == []


def test_what_was_not_recorded_is_not_missed():
    assert differences({}, {"camera": "mj_multiRay"}, ("camera",)) == []
