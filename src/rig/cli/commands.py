"""Every command and its class.

A class is a dataclass: its fields are the options, the docstring under each is its ``--help``.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol, runtime_checkable


ROBOT, RECORDING, SHARE, SWEEP = (
    f"rig.cli.{group}_commands" for group in ("robot", "recording", "share", "sweep")
)
COMMANDS = {
    "train": "rig.cli.train_command:Train",
    "reach": f"{ROBOT}:Reach",
    "evaluate": f"{ROBOT}:Evaluate",
    "imagine": f"{ROBOT}:Imagine",
    "look": "rig.cli.look_command:Look",
    "see": "rig.cli.see_command:See",
    "record": f"{RECORDING}:Record",
    "report": f"{ROBOT}:Report",
    "robot": "rig.cli.robot_group:Robot",
    "doctor": f"{ROBOT}:Doctor",
    "demo": f"{ROBOT}:Demo",
    "sweep": f"{SWEEP}:Sweep",
    "runs": f"{SWEEP}:Runs",
    "compare": f"{SWEEP}:Compare",
    "serve": "rig.cli.serve_command:Serve",
    "export": f"{SHARE}:Export",
    "upload": f"{SHARE}:Upload",
    "download": f"{SHARE}:Download",
}


@runtime_checkable
class Command(Protocol):
    """A parsed command line."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Run the command; ``argv`` is the command line, for the record."""


def load_command(name: str) -> Any:
    """Return the class of a command."""
    module, _, class_name = COMMANDS[name].partition(":")
    return getattr(import_module(module), class_name)


def overview(version: str) -> str:
    """Return the text of ``rig --help``."""
    lines = [f"  {name:10}{load_command(name).__doc__.splitlines()[0]}" for name in COMMANDS]
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
        ]
    )
