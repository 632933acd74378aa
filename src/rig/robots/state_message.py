"""The heads of a server's messages: what :mod:`rig.robots.client` reads."""

from typing import Any

from rig.robots.arm import Reading
from rig.robots.camera_feed import Frame
from rig.robots.config import RobotConfig
from rig.robots.guard import Guard
from rig.robots.guard_inputs import Decision, Mode


def describe(config: RobotConfig, name: str, is_simulated_time: bool) -> dict[str, Any]:
    """Return what a client has to know of the robot."""
    return {
        "name": name,
        "type": config.type,
        "joints": list(config.arm.joints),
        "axes": list(config.axes),
        "box_low_m": list(config.limits.box_low_m),
        "box_high_m": list(config.limits.box_high_m),
        "home_m": list(config.arm.home_m),
        "step_m": config.session.step_m,
        "step_s": config.session.step_s,
        "episode_s": config.session.episode_s,
        "image_size": config.camera.image_size,
        "hold_to_run": config.session.hold_to_run,
        "is_simulated_time": is_simulated_time,
        "config_digest": config.digest,
    }


def state_head(
    guard: Guard, decision: Decision, reading: Reading, now_s: float
) -> dict[str, Any]:
    """Return the robot's state, but for the image."""
    head: dict[str, Any] = {
        "type": "state",
        "mode": str(decision.mode),
        "why": decision.why,
        "doing": str(decision.doing),
        "spoiled": decision.spoiled,
        "clipped": guard.clipped,
    }
    if decision.mode == Mode.OFF:
        nothing: list[float] = []
        empty: dict[str, Any] = {
            "is_settled": False, "joints": nothing, "sent": nothing, "tool_m": nothing,
            "target_m": nothing, "episode_s": 0.0, "motor_on_s": 0.0,
        }  # fmt: skip
        return head | empty
    situation, setpoint = guard.situation, guard.mover.setpoint
    began_s = now_s if situation.episode_s is None else situation.episode_s
    forward = guard.envelope.kinematics.forward
    return head | {
        "is_settled": guard.mover.is_settled(situation),
        "joints": situation.measured.round(4).tolist(),
        "sent": setpoint.now.round(4).tolist(),
        "tool_m": forward(situation.measured).round(6).tolist(),
        "target_m": setpoint.tool_m.round(6).tolist(),
        "episode_s": round(now_s - began_s, 4),
        "motor_on_s": round(now_s - guard.mover.armed_s, 4) if situation.is_armed else 0.0,
    }


def image_head(
    frame: Frame | None, config: RobotConfig, now_s: float
) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of the newest image, and what to say about it."""
    if frame is None:
        return b"", {
            "image_shape": None, "frame_seq": -1, "frame_age_ms": 1e9, "is_fresh": False,
        }  # fmt: skip
    here_s = now_s - frame.facts.time_s
    about: dict[str, Any] = {
        "image_shape": list(frame.image.shape),
        "frame_seq": frame.facts.seq,
        "frame_age_ms": round(1000 * (here_s + config.camera.age_s), 1),
        "is_fresh": here_s < config.camera.stale_s,
    }
    return frame.image.tobytes(), about
