"""Every command: its class, and what it does in a line, so that ``rig --help`` loads no other.

A class is a dataclass: its fields are the options, the docstring under each is its ``--help``.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol, runtime_checkable


ROBOT, SHARE, SWEEP = (f"rig.cli.{group}_commands" for group in ("robot", "share", "sweep"))
COMMANDS = {
    "train": ("rig.cli.train_command:Train", "Train a robot from camera images alone."),
    "reach": (f"{ROBOT}:Reach", "Show a trained robot any goal image and let it try."),
    "evaluate": (f"{ROBOT}:Evaluate", "Measure a trained robot on the fixed goal images."),
    "imagine": (f"{ROBOT}:Imagine", "Draw a grid of goals that a trained robot imagines."),
    "look": (f"{ROBOT}:Look", "Save an image of a task through its camera."),
    "report": (f"{ROBOT}:Report", "Write one page about one run or several."),
    "doctor": (f"{ROBOT}:Doctor", "Show versions, the device, and the speed on this machine."),
    "demo": (f"{ROBOT}:Demo", "Train Reach in a few minutes, and write its report and video."),
    "sweep": (f"{SWEEP}:Sweep", "Train many runs in parallel, on cores or on a Ray cluster."),
    "runs": (f"{SWEEP}:Runs", "List runs, sorted and filtered."),
    "compare": (f"{SWEEP}:Compare", "Compare methods over seeds: tables and learning curves."),
    "export": (
        f"{SHARE}:Export",
        "Write a trained policy in the layout of the Hugging Face Hub.",
    ),
    "upload": (f"{SHARE}:Upload", "Upload a trained policy to the Hugging Face Hub."),
    "download": (f"{SHARE}:Download", "Download a trained policy from the Hugging Face Hub."),
}


@runtime_checkable
class Command(Protocol):
    """A parsed command line."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Run the command; ``argv`` is the command line, for the record."""


def load_command(name: str) -> Any:
    """Return the class of a command."""
    module, _, class_name = COMMANDS[name][0].partition(":")
    return getattr(import_module(module), class_name)


def overview(version: str) -> str:
    """Return the text of ``rig --help``."""
    lines = [f"  {name:10}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            f"usage: rig COMMAND [OPTIONS]    (rig {version})",
            "",
            "Teach a robot, from camera images alone, to reach any goal image.",
            "Begin with `rig demo`, or with `rig train Reach`.",
            "",
            *lines,
            "",
            "  rig COMMAND --help shows the options of a command; rig --version the version.",
            "",
        ]
    )
