"""What the server takes of a camera's image, and what it says of one that does not fit."""

from dataclasses import replace

import numpy as np
import pytest

from rig.errors import ConfigError
from rig.robots.build import simulate
from rig.robots.camera_feed import CameraFeed
from rig.robots.clock import SimulatedClock
from rig.robots.config import CameraConfig
from rig.robots.read_config import read_config


def feed(*crop_px):
    return CameraFeed(CameraConfig(crop_px=crop_px), SimulatedClock())


def test_the_mean_is_that_of_what_the_policy_sees():
    image = np.full((84, 84, 3), 200, np.uint8)
    image[:10, :10] = 0
    dark = feed(0, 0, 10, 10)
    dark.offer(image)
    assert dark.newest.facts.mean == 0


@pytest.mark.parametrize("crop_px", [(600, 600, 64, 64), (40, 0, 45, 84), (0, 40, 84, 45)])
def test_a_part_that_leaves_the_image_is_one_line(crop_px):
    config = read_config("examples/robots/perfect.toml")
    config = replace(config, camera=replace(config.camera, crop_px=crop_px))
    with pytest.raises(ConfigError, match="leaves the camera's image, which is 84 pixels wide"):
        simulate(config)


def test_an_image_that_is_smaller_than_its_part_is_no_image():
    small = feed(0, 0, 84, 84)
    small.offer(np.zeros((80, 84, 3), np.uint8))
    assert small.newest is None
    small.offer(np.zeros((84, 84, 3), np.uint8))
    assert small.newest.facts.seq == 0
