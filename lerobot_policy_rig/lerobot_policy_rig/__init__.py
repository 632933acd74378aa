"""LeRobot imports this by its name, and finds ``rig`` among its policies then."""

from lerobot_policy_rig.configuration_rig import RigConfig
from lerobot_policy_rig.modeling_rig import RigPolicy
from lerobot_policy_rig.processor_rig import make_rig_pre_post_processors


__all__ = ["RigConfig", "RigPolicy", "make_rig_pre_post_processors"]
