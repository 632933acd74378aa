"""What a check asks of the person next to the robot, who may have one keyboard for all."""

from typing import Protocol, runtime_checkable

from rig.robots.client import RobotClient


KEY_WAIT_S = 20.0
"""How long a person may take from one terminal to the hold-to-run key in another."""
LOOK_S = 0.5


@runtime_checkable
class Person(Protocol):
    """Who stands next to the robot."""

    def ask(self, text: str) -> None:
        """Ask for something, and wait until it is done."""
        ...

    def say(self, word: str) -> None:
        """Say a word to the robot's server: one of ``rig.robots.mailbox.WORDS``."""
        ...


def ask(person: Person, client: RobotClient, text: str) -> None:
    """Ask for something; then give the person time to hold the hold-to-run key again."""
    person.ask(text)
    if client.robot.hold_to_run:
        state = client.observe()
        end_s = state.time_s + KEY_WAIT_S
        while state.mode == "HOLD" and state.time_s < end_s:
            state = client.observe(LOOK_S)


def arm(person: Person, client: RobotClient) -> None:
    """Arm the arm, as soon as the hold-to-run key is held, if it has one."""
    end_s = client.observe().time_s + KEY_WAIT_S
    while True:
        person.say("arm")
        state = client.observe(LOOK_S)
        if state.mode != "READY" or not client.robot.hold_to_run or state.time_s >= end_s:
            return
