"""The guard's rules about the camera: a policy that sees the past, or nothing, must not act."""

from dataclasses import dataclass, field

from rig.robots.config import RobotConfig
from rig.robots.guard_inputs import Finding, FrameFacts, Inputs
from rig.robots.situation import Since, Situation


@dataclass
class CameraRule:
    """There must be a newer frame in time."""

    config: RobotConfig
    name: str = "camera"

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare the age of the newest frame with its limits."""
        camera = self.config.camera
        since_s = inputs.frame.time_s if inputs.frame else situation.connected_s
        age_s = situation.now_s - max(since_s, situation.connected_s)
        if age_s < camera.stale_s:
            return None
        limit_s = camera.lost_s if age_s >= camera.lost_s else camera.stale_s
        text = f"no newer image for {age_s:.2f} s, limit {limit_s:g} s: see the camera's cable"
        return Finding(self.name, text, stops=age_s >= camera.lost_s)


@dataclass
class RepeatRule:
    """A camera that repeats a frame shows the past: real frames differ by their noise."""

    config: RobotConfig
    name: str = "repeat"
    seq: int = -1
    digest: int = -1
    num: int = 0
    since: Since = field(default_factory=Since)

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Count frames with the same bytes."""
        if inputs.frame and inputs.frame.seq != self.seq:
            is_same = inputs.frame.digest == self.digest
            self.num = self.num + 1 if is_same else 0
            self.seq, self.digest = inputs.frame.seq, inputs.frame.digest
        camera = self.config.camera
        lasted_s = self.since.duration_s(self.num > 0, situation.now_s)
        if self.num < camera.max_repeats:
            return None
        text = f"{self.num} frames with the same bytes, limit {camera.max_repeats}"
        return Finding(self.name, text, stops=lasted_s >= camera.lost_s)


@dataclass
class PictureRule:
    """A frame must show something, and not change as a whole from one to the next."""

    config: RobotConfig
    name: str = "picture"
    seq: int = -1
    good_mean: float | None = None
    wrong: str = ""
    since: Since = field(default_factory=Since)

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare the mean of each new frame with its limits."""
        if inputs.clear:
            self.good_mean = None
        if inputs.frame and (inputs.frame.seq != self.seq or inputs.clear):
            self.seq = inputs.frame.seq
            self.wrong = self._judge(inputs.frame)
        lasted_s = self.since.duration_s(bool(self.wrong), situation.now_s)
        if not self.wrong:
            return None
        return Finding(self.name, self.wrong, stops=lasted_s >= self.config.camera.bad_s)

    def _judge(self, frame: FrameFacts) -> str:
        camera, mean = self.config.camera, frame.mean
        if mean < camera.dark_level or mean > 255 - camera.dark_level:
            limits = f"limits {camera.dark_level:g} and {255 - camera.dark_level:g}"
            return f"the image is black or white: mean level {mean:.0f}, {limits}"
        if self.good_mean is not None and abs(mean - self.good_mean) > camera.jump_levels:
            jump = abs(mean - self.good_mean)
            return f"the mean level jumped by {jump:.0f}, limit {camera.jump_levels:g}"
        self.good_mean = mean
        return ""
