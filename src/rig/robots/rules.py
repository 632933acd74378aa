"""All rules of the guard, in the order in which they are named in a message."""

from collections.abc import Mapping

from rig.robots.camera_checks import CameraRule, PictureRule, RepeatRule
from rig.robots.checks import (
    BoxRule,
    CommandRule,
    FollowingRule,
    GapRule,
    HealthRule,
    HoldToRunRule,
    HomingRule,
    JointRule,
    ReadRule,
    RequestRule,
)
from rig.robots.config import RobotConfig
from rig.robots.envelope import Envelope
from rig.robots.situation import Rule


Rules = Mapping[str, Rule]


def make_rules(config: RobotConfig, envelope: Envelope) -> dict[str, Rule]:
    """Return all rules by name."""
    rules: list[Rule] = [
        GapRule(config),
        ReadRule(config),
        HealthRule(config),
        FollowingRule(config),
        BoxRule(config, envelope),
        JointRule(config, envelope),
        CameraRule(config),
        RepeatRule(config),
        PictureRule(config),
        CommandRule(config),
        RequestRule(config),
        HoldToRunRule(config),
        HomingRule(config),
    ]
    return {rule.name: rule for rule in rules}
