"""What ``rig reach --check`` says of a goal image."""

import json

from rig.errors import UnlikeGoalError
from rig.goals.likeness import Likeness
from rig.goals.tried_goals import HowOften
from rig.terminal import print_line, print_notice


VERDICTS = {
    "like": "like what was practised",
    "odd": "a little unlike what was practised",
    "unlike": "unlike anything practised",
}
NOT_KNOWN = "not known: this run kept nothing of its practice to compare with"


def print_likeness(
    found: Likeness | None, often: HowOften | None, goal: str, *, as_json: bool
) -> None:
    """Print how like anything practised a goal image is, and how often such were reached.

    Args:
        found: None where the run kept nothing to compare with.
        often: None where the run kept too few goals of its evaluation.
        goal: What the image is called.
        as_json: Print one JSON object.

    Raises:
        UnlikeGoalError: It is unlike anything practised.
    """
    if as_json:
        known = {"verdict": "not known"} if found is None else found.as_json()
        print_line(json.dumps(known | {"reach": often and often.as_json()}))
    else:
        print_line(f"{goal}: {NOT_KNOWN if found is None else VERDICTS[found.verdict]}")
        for text in () if found is None else found.sentences:
            print_line(f"  {text}")
        if often:
            print_line(f"  {often.sentence}")
    if found is not None and found.verdict == "unlike":
        raise UnlikeGoalError(
            f"{goal} is unlike anything that this run practised: nothing was moved"
        )


def note_likeness(found: Likeness | None, goal: str) -> None:
    """Print what is unusual about a goal image, before the robot tries."""
    for text in () if found is None else found.sentences:
        print_notice(f"{goal}: {text}")
