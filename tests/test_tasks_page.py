"""The page about the tasks is up to date, and its boxes are drawn in the right place."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks import tasks as page

from rig.envs.tasks import DOOR, PUSH, ROPE, TASKS


ROOT = Path(__file__).parent.parent


def test_page_shows_every_task():
    written = (ROOT / page.PAGE).read_text()
    assert [line[3:] for line in written.splitlines() if line.startswith("## ")] == [
        task.name for task in TASKS
    ]


@pytest.mark.parametrize("task", [PUSH, DOOR, ROPE], ids=lambda task: task.name)
def test_page_is_up_to_date(task):
    folder = page.PAGE.with_suffix("").name
    written = (ROOT / page.PAGE).read_text()
    assert page.section(task, f"{folder}/{task.name}.png") in written
    assert (ROOT / page.PAGE.parent / folder / f"{task.name}.png").is_file()


def test_point_on_a_ray_is_projected_to_the_middle_of_its_pixel():
    rays = PUSH.camera.rays(9).reshape(9, 9, 3)
    points_m = PUSH.camera.position_m() + 0.7 * rays[2, [0, 5, 8]]
    drawn = page.projected(PUSH.camera, points_m, 9)
    np.testing.assert_allclose(drawn, [(0.5, 2.5), (5.5, 2.5), (8.5, 2.5)], atol=1e-9)


def test_box_on_the_table_has_four_edges_and_one_in_space_twelve():
    flat = PUSH.goals["puck"]
    lines = list(page.edges(flat.low, flat.high, PUSH.objects["puck"]))
    assert len(lines) == 4
    assert {tuple(end) for line in lines for end in line.tolist()} == {
        (x, y, 0.0) for x in (-0.15, 0.15) for y in (0.5, 0.7)
    }
    assert (
        len(list(page.edges(DOOR.hand_box.low, DOOR.hand_box.high, DOOR.objects["hand"]))) == 12
    )


def test_angle_has_no_box():
    assert not list(page.edges((0.0,), (0.83,), DOOR.objects["door"]))


def test_boxes_are_drawn_into_the_start():
    row = page.row_of_images(PUSH)
    inks = {row.getpixel((x, y)) for x in range(page.IMAGE_PX) for y in range(row.height)}
    assert (0x1F, 0x23, 0x28) in inks
    assert (0x0B, 0x57, 0xB8) in inks
