"""Actions in a robot's units and back, from frames of its own camera."""

import numpy as np
import pytest
from fake_run import make_run
from gymnasium import spaces

import rig
from rig.errors import ConfigError, DivergedError, ExternalEnvError, ImageError


LOW, HIGH = [-0.1, -0.7, 0.05], [0.2, 0.3, 0.35]


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return rig.load(make_run(tmp_path_factory.mktemp("runs") / "run").directory)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_bounds_are_reached_and_never_left(dtype, rng):
    bounds = rig.ActionBounds(LOW, HIGH, dtype)
    ends = bounds.to_units(np.array([[-1] * 3, [1] * 3, [0] * 3], np.float32))
    np.testing.assert_allclose(ends, [LOW, HIGH, np.mean([LOW, HIGH], axis=0)], rtol=1e-6)
    box = spaces.Box(np.array(LOW, dtype), np.array(HIGH, dtype), dtype=dtype)
    actions = rng.uniform(-1.5, 1.5, (500, 3)).astype(np.float32)
    assert all(map(box.contains, rig.ActionBounds.of(box).to_units(actions)))


def test_whole_numbers_are_rounded_and_boxes_keep_their_shape():
    bounds = rig.ActionBounds.of(spaces.Box(-1, 1, (2, 2), np.int64))
    command = bounds.to_units(np.array([0.9, -0.9, 0.2, -0.6], np.float32))
    assert (command.dtype, command.tolist()) == (np.int64, [[1, -1], [0, -1]])
    assert bounds.to_units(np.zeros((5, 4), np.float32)).shape == (5, 2, 2)


@pytest.mark.parametrize("batch", [(), (7,)])
def test_way_back_is_the_inverse(batch, rng):
    bounds = rig.ActionBounds(np.reshape([*LOW, 1], (2, 2)), np.reshape([*HIGH, 1], (2, 2)))
    actions = rng.uniform(-1, 1, (*batch, 4)).astype(np.float32)
    actions[..., 3] = 0  # its bounds are equal
    np.testing.assert_allclose(bounds.from_units(bounds.to_units(actions)), actions, atol=1e-6)


def test_wrong_bounds_and_actions_are_refused():
    for low, high in ((1, 0), ([0, 0], [1]), ([], []), (0, np.inf), (np.nan, 1)):
        with pytest.raises(ConfigError):
            rig.ActionBounds(low, high)
    with pytest.raises(ExternalEnvError, match="Discrete"):
        rig.ActionBounds.of(spaces.Discrete(3))
    whole = np.iinfo(np.int64)
    with pytest.raises(ExternalEnvError, match="has no bounds"):
        rig.ActionBounds.of(spaces.Box(whole.min, whole.max, (2,), np.int64))
    bounds = rig.ActionBounds(LOW, HIGH)
    with pytest.raises(DivergedError, match="not finite"):
        bounds.to_units(np.full(3, np.nan, np.float32))
    with pytest.raises(ConfigError, match="the robot has 3"):
        bounds.to_units(np.zeros(2, np.float32))


def test_frames_of_any_size_become_commands_as_in_training(policy, rng):
    bounds = rig.ActionBounds([-0.1, 0.0], [0.1, 0.5], np.float32)
    frames = rng.integers(256, size=(3, 96, 128, 3), dtype=np.uint8)
    small = policy.see(frames)
    halved = frames[:, :, 16:112].reshape(3, 48, 2, 48, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(small, halved, atol=1)
    commands = policy.act_in_units(frames, frames[0], bounds)
    np.testing.assert_array_equal(commands, bounds.to_units(policy.act(small, small[0])))
    one = policy.act_in_units(frames[1], frames[0], bounds)
    np.testing.assert_allclose(one, commands[1], atol=1e-6)
    assert np.ptp(commands, axis=0).max() > 0


def test_what_is_no_frame_is_refused(policy):
    shapes = ((96, 128), (0, 128, 3), (0, 96, 128, 3))
    nothing = [np.zeros(shape, np.uint8) for shape in shapes]
    for frame in (*nothing, np.zeros((96, 128, 3), np.float32)):
        with pytest.raises(ImageError, match="give uint8 RGB"):
            policy.see(frame)
