"""No processing: images and joints come as they are, targets go as they are."""

from typing import Any

from lerobot.processor import PolicyProcessorPipeline


def make_rig_pre_post_processors(
    config: Any, dataset_stats: Any = None, **_: Any
) -> tuple[Any, Any]:
    """Return an empty pipeline before the policy, and one after it."""
    names = ("policy_preprocessor", "policy_postprocessor")
    pre, post = (PolicyProcessorPipeline(steps=[], name=name) for name in names)
    return pre, post
