"""The config of a policy of rig, as LeRobot saves it in ``config.json``."""

from dataclasses import dataclass, field
from typing import Any

from lerobot.configs.policies import PreTrainedConfig


@PreTrainedConfig.register_subclass("rig")
@dataclass
class RigConfig(PreTrainedConfig):
    """A trained run, a goal image, and the page of the robot's geometry."""

    run: str = ""
    """Directory of the run, or of an export of it."""
    goal_image: str = ""
    """The image that the robot should make the camera show."""
    camera: str = "observation.images.front"
    """The observation with the camera's image."""
    robot_page: str = ""
    """The robot's TOML file: its joints, kinematics, box and step."""
    input_features: dict[str, Any] = field(default_factory=dict)
    output_features: dict[str, Any] = field(default_factory=dict)

    @property
    def observation_delta_indices(self) -> None:
        """Ask for the present observation only."""
        return

    @property
    def action_delta_indices(self) -> None:
        """Ask for no past actions."""
        return

    @property
    def reward_delta_indices(self) -> None:
        """Ask for no rewards."""
        return

    def get_optimizer_preset(self) -> None:
        """Refuse: LeRobot does not train this policy."""
        raise NotImplementedError("train with `rig train`")

    def get_scheduler_preset(self) -> None:
        """Return none."""
        return

    def validate_features(self) -> None:
        """Accept any: the camera is looked up when it acts."""
