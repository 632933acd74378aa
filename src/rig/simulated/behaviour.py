"""How a simulated robot differs from a perfect one, and the faults that it can have.

The defaults are measurements of real SO-101s and webcams that others published; each can be set
to 0 in ``[options]`` of the robot's TOML file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from rig.errors import ConfigError, suggest
from rig.robots.read_config import group


FAULTS = (
    "freeze", "repeat", "black", "white", "jump", "blocked", "bus", "nan", "hot", "overload",
    "brownout", "pushed",
)  # fmt: skip
"""Camera: no new frames, the same frame, black, white, 60 levels brighter. Arm: a joint is
blocked, no read works, reads give NaN, a servo is hot, takes much current, lacks voltage; the
arm is pushed out of the box from outside."""


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Imperfections, all drawn from one seed."""

    dead_time_s: float = 0.09
    """Time from a command to the beginning of its motion."""
    lag_s: float = 0.06
    """Time constant of the motion after that."""
    tick_deg: float = 360 / 4096
    """Resolution of command and measurement."""
    backlash_deg: float = 0.5
    """Half the play of each joint."""
    sag_deg: float = 2.0
    """How far lift and elbow sag with the arm stretched out; less with less load."""
    frame_rate_hz: float = 30.0
    """Frames a second."""
    frame_age_s: tuple[float, float] = (0.06, 0.12)
    """Shortest and longest time from exposure to the frame's arrival."""
    noise_levels: float = 0.8
    """Standard deviation of a pixel's noise."""
    jpeg_quality: int = 90
    """Quality of the camera's JPEG; 0: none."""
    walk_levels: float = 8.0
    """How far the brightness walks, slowly, up and down."""
    swing_levels: float = 16.0
    """Size of a rare swing of the brightness, 3 s long."""
    swings_per_frame: float = 1 / 2000
    """Probability that a swing begins."""
    lost_frames: float = 1 / 200
    """Probability that a frame is lost."""
    late_commands: float = 1 / 10000
    """Probability that a command is late by 80 ms: 1 in 2000 steps of 0.1 s."""
    late_s: float = 0.08
    """How late it is then."""
    read_errors: float = 1 / 5000
    """Probability that a read of the bus fails."""


RANGES: dict[str, tuple[float, float]] = {
    "dead_time_s": (0, 10),
    "lag_s": (0, 10),
    "tick_deg": (0, inf),
    "backlash_deg": (0, inf),
    "sag_deg": (0, inf),
    "frame_rate_hz": (1, 1000),
    "noise_levels": (0, 255),
    "jpeg_quality": (0, 100),
    "walk_levels": (0, 255),
    "swing_levels": (0, 255),
    "swings_per_frame": (0, 1),
    "lost_frames": (0, 1),
    "late_commands": (0, 1),
    "late_s": (0, 10),
    "read_errors": (0, 1),
}
"""Smallest and largest value of each number."""
PERFECT = Behaviour(
    dead_time_s=0.0, lag_s=0.0, tick_deg=0.0, backlash_deg=0.0, sag_deg=0.0,
    frame_age_s=(0.0, 0.0), noise_levels=0.8, jpeg_quality=0, walk_levels=0.0,
    swings_per_frame=0.0, lost_frames=0.0, late_commands=0.0, read_errors=0.0,
)  # fmt: skip
"""No imperfections but the noise of the camera, without which every frame is the last one."""


@dataclass
class Faults:
    """Which faults the robot has now: set by hand, or by a schedule in its options."""

    schedule: Sequence[Sequence[object]] = ()
    """Rows of name, start and end, in seconds since the robot was made."""
    now: set[str] = field(default_factory=set)
    """Faults of this moment, besides the schedule's; add to it and take from it."""

    def __post_init__(self) -> None:
        for row in self.schedule:
            is_row = len(row) == 3 and isinstance(row[0], str)
            if not is_row or not all(type(each) in (int, float) for each in row[1:]):
                raise ConfigError(f"a fault is [name, start in s, end in s], got {list(row)!r}")
            if row[0] not in FAULTS:
                hint = suggest(str(row[0]), FAULTS)
                raise ConfigError(f"there is no fault {row[0]!r}: {hint}")

    def has(self, name: str, time_s: float) -> bool:
        """Return whether the robot has a fault at a time."""
        scheduled = (
            row[0] == name and float(str(row[1])) <= time_s < float(str(row[2]))
            for row in self.schedule
        )
        return name in self.now or any(scheduled)


def behaviour_of(options: dict[str, object]) -> Behaviour:
    """Return the behaviour that options ask for; lists become tuples.

    Raises:
        ConfigError: There is no such option, or its value makes no sense.
    """
    place = "[options] of sim:so101"
    ages = options.get("frame_age_s", [0.0, 0.0])
    if isinstance(ages, list) and len(ages) != 2:
        raise ConfigError(f"{place}: frame_age_s is [shortest, longest], got {ages}")
    behaviour = group(Behaviour, options, place)
    for key, (low, high) in RANGES.items():
        found = getattr(behaviour, key)
        if not low <= found <= high:
            raise ConfigError(f"{place}: {key} must be from {low:g} to {high:g}, got {found:g}")
    shortest_s, longest_s = behaviour.frame_age_s
    if not 0 <= shortest_s <= longest_s:
        raise ConfigError(
            f"{place}: frame_age_s must rise, from 0, got [{shortest_s:g}, {longest_s:g}]"
        )
    return behaviour
