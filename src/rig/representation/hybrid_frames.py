"""Frames of the true-state ablation: an image and the true state, packed into one row."""

from typing import Any

import numpy as np
from gymnasium import spaces
from jaxtyping import Float64, UInt8

from rig.nn.patches import IMAGE_CHANNELS, side_of
from rig.representation.representation import Images
from rig.representation.true_state import TrueStateObservation, true_observation


States = Float64[np.ndarray, "N state"]
Frames = UInt8[np.ndarray, "N bytes"]
"""Images and true states, as :func:`pack` puts them into rows of bytes."""


def pack(images: Images, states: States) -> Frames:
    """Return each image and its state as a row of bytes: replay and files store them as one."""
    both = np.empty(len(images), _frame_type(images.shape[1], states.shape[1]))
    both["image"], both["state"] = images, states
    return both.view(np.uint8).reshape(len(both), both.itemsize)


def unpack(frames: Frames, state_size: int) -> tuple[Images, States]:
    """Return the images and states of rows that :func:`pack` made: views, not copies."""
    num_bytes = frames.shape[1] - state_size * np.dtype(np.float64).itemsize
    both = frames.view(_frame_type(side_of(num_bytes), state_size))[:, 0]
    return both["image"], both["state"]


def _frame_type(image_size: int, state_size: int) -> np.dtype:
    image = ("image", np.uint8, (image_size, image_size, IMAGE_CHANNELS))
    return np.dtype([image, ("state", np.float64, (state_size,))])


class HybridObservation(TrueStateObservation):
    """Environments that show their true state packed with each image."""

    def _frame_space(self) -> spaces.Box:
        images = self.env.single_observation_space
        assert isinstance(images, spaces.Dict)
        image_size = images["observation"].shape[0]  # type: ignore[index]
        num_bytes = _frame_type(image_size, self._state_size).itemsize
        return spaces.Box(0, 255, (num_bytes,), np.uint8)

    def _with_state(
        self, observation: dict[str, np.ndarray], info: dict[str, Any]
    ) -> dict[str, np.ndarray]:
        truth = true_observation(self._task, info)
        return {
            name: pack(observation[name], truth[name])
            for name in truth.keys() & observation.keys()
        }
