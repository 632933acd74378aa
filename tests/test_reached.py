import numpy as np
from benchmarks import reached
from fake_run import make_run
from PIL import Image

from rig.report.image_grid import enlarged


def test_goals_are_drawn_above_what_was_reached(tmp_path, monkeypatch):
    monkeypatch.setattr(reached, "IMAGE", tmp_path / "reached.png")
    monkeypatch.setattr(reached, "NUM_GOALS", 2)
    run = make_run(tmp_path / "run").directory
    reached.main([str(run)])
    (label, goals), _ = reached.rows(run)
    assert label == "Reach: goal"
    grid = np.asarray(Image.open(tmp_path / "reached.png").convert("RGB"))
    windows = np.lib.stride_tricks.sliding_window_view(grid, (96, 96, 3))[:, :, 0]
    first = np.asarray(enlarged(goals[0]))
    assert (windows[:, :, ::8, ::8] == first[::8, ::8]).all(axis=(2, 3, 4)).any()
