"""The loop that moves the robot towards a goal, one step after the other."""

from time import monotonic
from typing import Any

import numpy as np

from rig.serve.attempts import Recording
from rig.serve.goals import Goal
from rig.serve.hub import Hub
from rig.serve.images import jpeg, png
from rig.serve.robot_status import STOPPED
from rig.serve.seen import Seen
from rig.serve.stop_signal import StopSignal, WaitEndedError
from rig.serve.trained import Trained


def move_to_goal(
    trained: Trained,
    recording: Recording,
    hub: Hub,
    signal: StopSignal,
    *,
    is_reset: bool,
    speed: float,
) -> str:
    """Take the steps of an attempt, and show each.

    Args:
        trained: The policy and its robot.
        recording: Of the attempt; each step is added to it.
        hub: Shows each step.
        signal: Looked at right before each step.
        is_reset: Begin at the start, and not where the robot is.
        speed: Times real time; 0: as fast as it can.

    Returns:
        How it ended: ``done``, ``stopped`` or ``lost``.
    """
    arm, goal = trained.arm, recording.goal
    try:
        seen = arm.begin(goal.image, is_reset=is_reset)
    except WaitEndedError as ended:
        return ended.why
    due_s = monotonic()
    for step in range(arm.num_steps + 1):
        action, encoding = trained.agent.act(
            seen.frame[None], goal.latent, use_target_actor=True
        )
        note_step(trained, recording, hub, seen, encoding.latent)
        due_s += arm.step_s / speed if speed else 0.0
        if why := signal.wait_until(due_s):
            return why
        if step < arm.num_steps:
            seen = arm.step(action)
    return "done"


def new_recording(goal: Goal, trained: Trained) -> Recording:
    """Return the recording of an attempt that begins."""
    task, arm = trained.run.config.task, trained.arm
    return Recording(goal=goal, task=task, num_steps=arm.num_steps, step_s=arm.step_s)


def begin_first(trained: Trained, hub: Hub) -> None:
    """Put a robot that wakes at its start, compile its policy, and show what it sees."""
    try:
        seen = trained.arm.begin(None, is_reset=True)
    except BaseException:  # this robot is not used: others may want it
        trained.arm.stop(STOPPED)
        trained.arm.close()
        raise
    latent = trained.encode(seen.image)
    trained.agent.act(seen.frame[None], latent, use_target_actor=True)
    show(hub, seen, trained.decode(latent))


def note_step(
    trained: Trained, recording: Recording, hub: Hub, seen: Seen, latent: np.ndarray
) -> None:
    """Record what was seen after a step, and show it."""
    decoded = trained.decode(latent)
    distance = float(trained.agent.representation.distance(latent, recording.goal.latent)[0])
    recording.add(seen, decoded, distance)
    step = len(recording.images) - 1
    hub.publish(
        "attempt",
        id=recording.id,
        step=step,
        num_steps=recording.num_steps,
        seconds=round(step * recording.step_s, 3),
        latent_distance=distance,
        distances=seen.distances,
    )
    show(hub, seen, decoded, attempt=recording.id, step=step)


def show(hub: Hub, seen: Seen, decoded: np.ndarray, **head: Any) -> None:
    """Send what the robot sees, what it makes of it, and the large view."""
    hub.publish_frame("camera", png(seen.image), format="png", **head)
    hub.publish_frame("decoded", png(decoded), format="png", **head)
    if seen.large is not None:
        hub.publish_frame("large", jpeg(seen.large), format="jpeg", **head)
