"""The setpoint: the joints' targets that the guard advances each tick, and the way to rest.

With every step the setpoint keeps a plan: the checked path from there to rest. A new step is
taken only if the path from it to rest is allowed as a whole; otherwise the setpoint follows its
plan. By induction, no command and no fault can lead to a place from which it can't stop within
the limits.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from rig.robots.envelope import Caps, Envelope, Path
from rig.robots.robot import Joints, Point


STEADY = 0.8
"""Share of the acceleration with which goals are approached; the rest is for corrections."""
ARRIVED_M = 1e-6
ARRIVED_DEG = 1e-4
PROBE_M = 1e-3
MAX_TICKS_TO_REST = 400


class Setpoint:
    """The targets of this tick and the last one, and the plan."""

    def __init__(self, envelope: Envelope, joints: Joints) -> None:
        """Start at rest."""
        self._envelope = envelope
        self.before = self.now = np.array(joints, float)
        self._plan: list[Joints] = []

    @property
    def is_at_rest(self) -> bool:
        """Return whether the targets don't move, and nothing is planned."""
        return not self._plan and bool((self.before == self.now).all())

    @property
    def tool_m(self) -> Point:
        """Return where the targets put the tool."""
        return self._envelope.kinematics.forward(self.now)

    def brake(self) -> None:
        """Follow the plan to rest."""
        self.before = self.now
        if self._plan:
            self.now = self._plan.pop(0)

    def move_tool(self, goal_m: Point, caps: Caps) -> None:
        """Take one step of a straight way to a position of the tool."""
        self._follow(tool_paths(self._envelope, self.before, self.now, goal_m, caps), caps)

    def move_joints(self, goal: Joints, caps: Caps) -> None:
        """Take one step of a straight way to a pose, in joint space."""
        self._follow(joint_paths(self._envelope, self.before, self.now, goal, caps), caps)

    def is_at(self, joints: Joints) -> bool:
        """Return whether the targets are at rest in a pose."""
        return self.is_at_rest and bool(np.abs(self.now - joints).max() < 10 * ARRIVED_DEG)

    def _follow(self, paths: Iterable[Path], caps: Caps) -> None:
        for path in paths:
            if self._envelope.allows(self.before, self.now, path, caps):
                self.before, self.now, self._plan = self.now, path[0], list(path[1:])
                return
        self.brake()


def tool_paths(
    envelope: Envelope, before: Joints, now: Joints, goal_m: Point, caps: Caps
) -> Iterator[Path]:
    """Yield paths towards a position of the tool, the fastest first, each ending at rest.

    There, none: to compute the same joints again would change their last digit for ever.
    """
    forward, dt_s = envelope.kinematics.forward, envelope.dt_s
    start_m = forward(now)
    velocity = (start_m - forward(before)) / dt_s
    way_m = goal_m - start_m
    distance_m = float(np.linalg.norm(way_m))
    if max(distance_m, float(np.linalg.norm(velocity)) * dt_s) < ARRIVED_M:
        return
    cap_m_s = speed_within_joints(envelope, now, way_m, caps)
    for share in (1.0, 0.5, 0.2):
        speed_m_s = min(
            share * cap_m_s,
            approach_speed(envelope.acceleration_m_s2, envelope.dt_s, distance_m),
        )
        wanted = way_m / distance_m * speed_m_s if distance_m > ARRIVED_M else 0 * way_m
        change = limited(wanted - velocity, envelope.acceleration_m_s2 * dt_s)
        path = braking_path(envelope, start_m, velocity + change, now)
        if path:
            yield path


def approach_speed(acceleration: float, dt_s: float, distance: float) -> float:
    """Return the speed from which the setpoint can still stop at a distance."""
    steady = STEADY * acceleration
    half_step = steady * dt_s / 2
    braking = float(np.sqrt(half_step**2 + 2 * steady * distance)) - half_step
    return min(braking, distance / dt_s)


def speed_within_joints(envelope: Envelope, now: Joints, way_m: Point, caps: Caps) -> float:
    """Return the speed of the tool along a way at which no joint is too fast, about."""
    distance_m = float(np.linalg.norm(way_m))
    if distance_m < ARRIVED_M:
        return caps.speed_m_s
    kinematics = envelope.kinematics
    start_m = kinematics.forward(now)
    here = kinematics.inverse(start_m, now)
    there = kinematics.inverse(start_m + way_m / distance_m * PROBE_M, now)
    if here is None or there is None:
        return caps.speed_m_s
    turn_deg = max(float(np.abs(there - here).max()), 1e-9)
    return min(caps.speed_m_s, 0.9 * caps.joint_speed_deg_s * PROBE_M / turn_deg)


def limited(vector: Point, longest: float) -> Point:
    """Return a vector, shortened where it is longer than allowed."""
    length = float(np.linalg.norm(vector))
    return vector if length <= longest else vector * (longest / length)


def braking_path(
    envelope: Envelope, start_m: Point, velocity: Point, near: Joints
) -> list[Joints]:
    """Return joints for one step at a velocity and a straight stop after it; empty: none."""
    path: list[Joints] = []
    position_m = start_m
    for _ in range(MAX_TICKS_TO_REST):
        position_m = position_m + velocity * envelope.dt_s
        joints = envelope.kinematics.inverse(position_m, near)
        if joints is None:
            return []
        path.append(joints)
        near = joints
        speed_m_s = float(np.linalg.norm(velocity))
        if speed_m_s < ARRIVED_M:
            break
        slower = max(0.0, speed_m_s - envelope.acceleration_m_s2 * envelope.dt_s)
        velocity = velocity * (slower / speed_m_s)
    return path


def joint_paths(
    envelope: Envelope, before: Joints, now: Joints, goal: Joints, caps: Caps
) -> Iterator[Path]:
    """Yield paths straight towards a pose, the fastest first, each ending at rest."""
    dt_s, way = envelope.dt_s, goal - now
    distance = float(np.abs(way).max())
    if distance < ARRIVED_DEG:
        return
    direction = way / distance
    last = float((now - before) @ direction) / float(direction @ direction)
    if np.abs(now - before - last * direction).max() > 1e-6 or last < -1e-9:
        return  # it moves in another direction: rest first
    fastest, change = joint_rates(envelope, now, direction, caps)
    fastest = min(fastest, approach_speed(change, dt_s, distance))
    for raised in (change, change / 4, 0.0, -change / 2):
        rate = min(last / dt_s + raised * dt_s, fastest)
        if rate > 0:
            yield joint_braking_path(now, direction, rate, change, (distance, dt_s))


def joint_rates(
    envelope: Envelope, now: Joints, direction: Joints, caps: Caps
) -> tuple[float, float]:
    """Return the fastest rate along a direction, deg/s, and how fast it may change, deg/s2."""
    forward = envelope.kinematics.forward
    metres_per_deg = float(np.linalg.norm(forward(now + direction) - forward(now)))
    metres_per_deg = max(metres_per_deg, 1e-6)
    fastest = min(0.95 * caps.joint_speed_deg_s, 0.9 * caps.speed_m_s / metres_per_deg)
    change = 0.5 * envelope.acceleration_m_s2 / metres_per_deg
    return fastest, min(change, 10 * fastest)


def joint_braking_path(
    now: Joints, direction: Joints, rate: float, change: float, way: tuple[float, float]
) -> list[Joints]:
    """Return one step at a rate and a stop after it that does not go beyond the way's end."""
    distance, dt_s = way
    path: list[Joints] = []
    done = 0.0
    while len(path) < MAX_TICKS_TO_REST:
        done = min(done + rate * dt_s, distance)
        path.append(now + done * direction)
        rate -= change * dt_s
        if rate <= 0 or done >= distance:
            break
    return path
