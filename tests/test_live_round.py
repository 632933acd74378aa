"""Watching a run while it trains: what is drawn, and that the run ends the same."""

import json
import os
from dataclasses import replace
from time import time

import numpy as np
import pytest
from PIL import Image

from rig.runs import live_files
from rig.runs.live_files import ABOUT_KEY, MAX_FRAMES, is_watched, keep_watching
from rig.runs.run import Run
from rig.training.live_round import frame_rows
from rig.training.run_training import train_run
from rig.types import Encoding, Episodes


def episodes(*num_steps):
    rows = sum(num + 1 for num in num_steps)
    return Episodes(
        num_steps=np.array(num_steps),
        actions=np.zeros((sum(num_steps), 2), np.float32),
        frames=np.arange(rows, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3),
        encoding=Encoding(
            latent=np.zeros((rows, 2), np.float32), log_std=np.zeros((rows, 2), np.float32)
        ),
        goals=np.zeros((len(num_steps), 2), np.float32),
    )


def test_frames_are_evenly_spaced_within_each_episode():
    rows = frame_rows(episodes(2, 4), 2)
    assert rows.tolist() == [[0, 0, 1, 2, 2], [3, 4, 5, 6, 7]]
    assert frame_rows(episodes(500, 300), 2).shape == (2, MAX_FRAMES)


def test_only_a_fresh_sign_counts(tmp_path):
    assert not is_watched(tmp_path)
    keep_watching(tmp_path)
    assert is_watched(tmp_path)
    old_s = time() - 2 * live_files.FRESH_S
    os.utime(tmp_path / "live" / "watched", (old_s, old_s))
    assert not is_watched(tmp_path)


def test_nobody_can_watch_where_nobody_may_write(tmp_path):
    keep_watching(tmp_path / "nowhere" / "run")
    assert not is_watched(tmp_path / "nowhere" / "run")


@pytest.mark.slow
@pytest.mark.ci
def test_a_watched_run_ends_with_the_same_bytes(
    every_kind, finished_run, tmp_path, monkeypatch
):
    monkeypatch.setattr(live_files, "FRESH_S", 1e9)
    config = replace(every_kind["latents"])
    run = Run.create(tmp_path / "run", config, {})
    keep_watching(run.directory)
    train_run(run)
    alone = finished_run("latents")
    assert not (alone.directory / "live").exists()
    with Image.open(run.directory / "live" / "round.png") as image:
        about = json.loads(image.info[ABOUT_KEY])
        side = about["size"]
        assert image.size == ((about["num_frames"] + 1) * side, about["num_worlds"] * side)
    for name in ("fingerprint.json", "metrics.jsonl", "evaluation.json"):
        ours, theirs = (found.directory / name for found in (run, alone))
        assert ours.read_bytes() == theirs.read_bytes(), name
