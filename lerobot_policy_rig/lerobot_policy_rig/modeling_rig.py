"""A policy of rig in LeRobot's shape: image and joints in, joint targets out.

The guard of ``rig robot serve`` is not here. Targets are places in the box of its page, or,
where the kinematics finds no joints for one, the joints as measured, which may be outside it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.policies.pretrained import PreTrainedPolicy

from lerobot_policy_rig.configuration_rig import RigConfig
from rig.envs.square_crop import crop_square
from rig.goals.goal_image import read_goal_image
from rig.inference.policy import Policy
from rig.robots.camera_feed import fitted
from rig.robots.drivers import load_kinematics
from rig.robots.read_config import read_config


class RigPolicy(PreTrainedPolicy):
    """Brings what the camera shows closer to the goal image of its config."""

    config_class = RigConfig
    name = "rig"

    def __init__(self, config: RigConfig, **_: Any) -> None:
        """Load the run, the goal image and the page."""
        super().__init__(config)
        self.placeholder = torch.nn.Parameter(torch.zeros(1))
        self._policy = Policy(config.run)
        size = self._policy.image_shape[0]
        self._goal = read_goal_image(Path(config.goal_image), size).image
        self._page = read_config(config.robot_page)
        self._kinematics = load_kinematics(self._page.arm)

    def reset(self) -> None:
        """Do nothing: the policy has no memory."""

    def select_action(self, batch: dict[str, torch.Tensor], **_: Any) -> torch.Tensor:
        """Return the joints' targets, degrees, of shape [1, joints]."""
        image = self._image_of(batch)
        action = self._policy.act(image, self._goal)
        measured = batch["observation.state"][0].cpu().numpy().astype(np.float64)
        targets = self.targets(measured, action)
        return torch.as_tensor(targets, dtype=torch.float32)[None]

    def targets(self, measured: np.ndarray, action: np.ndarray) -> np.ndarray:
        """Return joints one step further, in the box; as measured if none lead there."""
        limits, step_m = self._page.limits, np.zeros(3)
        step_m[list(self._page.axes)] = action * self._page.session.step_m
        place_m = self._kinematics.forward(measured) + step_m
        place_m = np.clip(place_m, limits.box_low_m, limits.box_high_m)
        found = self._kinematics.inverse(place_m, measured)
        return measured if found is None else found

    def predict_action_chunk(self, batch: dict[str, torch.Tensor], **_: Any) -> torch.Tensor:
        """Return a chunk of one action."""
        return self.select_action(batch)[:, None]

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, None]:
        """Refuse: LeRobot does not train this policy."""
        raise NotImplementedError("train with `rig train`")

    def get_optim_params(self) -> dict[str, Any]:
        """Return nothing to train."""
        return {}

    def _image_of(self, batch: dict[str, torch.Tensor]) -> np.ndarray:
        """Return the camera's image as the server of ``rig robot`` would cut and turn it."""
        pixels = batch[self.config.camera][0].cpu().numpy()
        image = np.rint(np.moveaxis(pixels, 0, -1) * 255).clip(0, 255).astype(np.uint8)
        return crop_square(fitted(image, self._page.camera), self._policy.image_shape[0])
