"""The steps of a check, in order: nothing moves before what can be seen at rest is right."""

from collections.abc import Callable, Iterator
from itertools import pairwise, product
from math import isfinite

import numpy as np

from rig.robot_check.at_rest import camera, drift, image_of, names
from rig.robot_check.motion import Wiggle, changed, middle, shift_px
from rig.robot_check.person import Person, arm, ask
from rig.robot_check.result import Result
from rig.robots.client import RobotClient
from rig.robots.config import RobotConfig


WIGGLE_STEPS, NUM_WIGGLES = 10, 3
STOP_S = 0.1
REST_S, REST_M = 2.0, 0.003
"""A stopped tool that was given a second to come to rest moves by less in so long."""
NUM_HOMINGS = 3
HOME_PX, HOME_M = 1.5, 0.005
MAX_DRIVE_STEPS = 80
MAX_RELEASE_STEPS = 100
FEW_STEPS = 5
"""Steps that the arm has to take with the key held before a hold counts as letting it go."""
AXES = "xyz"
UNSEEN = "the camera does not see the arm move: see camera.crop_px"


class Check:
    """A check of one robot."""

    def __init__(self, client: RobotClient, config: RobotConfig, person: Person) -> None:
        self._client, self._config, self._person = client, config, person
        self._num_axes = client.robot.action_size

    def run(self) -> Iterator[Result]:
        """Yield one result after another; a wrong one before the first motion is the last."""
        for step in (names, camera, drift):
            result = step(self._client, self._config)
            yield result
            if not result.is_right:
                return
        text = "stand clear, one hand at the power switch; the arm goes home slowly"
        if self._config.session.hold_to_run:
            text += " once you hold the hold-to-run key, from now to the next question"
        self._person.ask(text)
        arm(self._person, self._client)
        yield from self._moving()

    def _moving(self) -> Iterator[Result]:
        result = self.homing()
        yield result
        if not result.is_right:
            return
        steps: list[Callable[[], Result]] = [self.wiggle, self.corners, self.stopping]
        if self._config.session.hold_to_run:
            steps.insert(0, self.releasing)
        for step in steps:
            yield step()

    def homing(self) -> Result:
        """Go home three times from elsewhere; compare where the arm is, and what is seen."""
        places, images, away = [], [], []
        self._client.wait_until_idle()
        for index in range(NUM_HOMINGS):
            self._client.begin()
            for _ in range(3):
                away.append(self._client.act(self._along(index % self._num_axes, 1.0)))
            self._client.home()
            state = self._client.wait_until_idle()
            if state.mode != "ARMED":
                text = f"homing ended in {state.mode}: {state.why}"
                return Result("homing", False, text)
            places.append(state.tool_m)
            images.append(image_of(self._client.observe(0.3)))
        spread_m = float(np.ptp(np.array(places), axis=0).max())
        is_arm = changed(images[0], image_of(away[2]))
        pixels = float(np.max([shift_px(one, two, is_arm) for one, two in pairwise(images)]))
        is_right = spread_m < HOME_M and pixels <= HOME_PX
        text = f"three homings end within {1000 * spread_m:.1f} mm and {pixels:.2f} pixels"
        hint = "" if is_right else ": look for loose screws, and at the supply"
        if not isfinite(pixels):
            text, hint = UNSEEN, ""
        values = {"home_spread_m": spread_m, "home_px": pixels}
        return Result("homing", is_right, text + hint, values)

    def wiggle(self) -> Result:
        """Move 1 cm along each axis and back: direction and delay."""
        wiggles = {
            axis: [self._wiggle(axis, sign) for _ in range(NUM_WIGGLES) for sign in (1, -1)]
            for axis in range(self._num_axes)
        }
        wrong, arm_s, image_s = [], [], []
        for axis, each in wiggles.items():
            moved = float(np.mean([wiggle.moved_m for wiggle in each]))
            if moved < 0.3 * self._client.robot.step_m:
                wrong.append(AXES[self._client.robot.axes[axis]])
            arm_s.append(middle([wiggle.arm_delay_s for wiggle in each]))
            image_s.append(middle([wiggle.image_delay_s for wiggle in each]))
        worst_s, worst_seen_s = float(np.max(arm_s)), float(np.max(image_s))
        values = {"arm_delay_s": worst_s, "image_delay_s": worst_seen_s}
        text = self._lateness(worst_s, worst_seen_s)
        if wrong:
            text += f"; along {', '.join(wrong)} it does not follow: wrong sign, or too stiff"
        is_right = not wrong and isfinite(worst_s) and isfinite(worst_seen_s)
        return Result("wiggle", is_right, text, values)

    def corners(self) -> Result:
        """Drive to each corner of the box."""
        self._ask("watch: the tool goes to all corners of its box")
        sides = [
            sorted({low, high})
            for low, high in zip(
                self._client.robot.box_low_m, self._client.robot.box_high_m, strict=True
            )
        ]
        worst_m = 0.0
        for corner in product(*sides):
            self._client.home()
            self._client.wait_until_idle()
            self._client.begin()
            offset_m = self._drive(np.array(corner))
            worst_m = max(worst_m, offset_m)
        tolerance_m = self._config.limits.box_tolerance_m
        is_right = worst_m <= tolerance_m
        text = f"corners are reached within {1000 * worst_m:.0f} mm"
        hint = "" if is_right else ": make the box smaller, or see what is in the way"
        return Result("box", is_right, text + hint, {"corner_m": worst_m})

    def releasing(self) -> Result:
        """Prove that the arm holds when the person lets the key go."""
        self._ask("hold the hold-to-run key; let it go a moment after the arm moves")
        state, num_taken, moved = self._client.begin(), 0, False
        for _ in range(MAX_RELEASE_STEPS):
            state = self._client.act(self._along(0, 0.2))
            num_taken, moved = num_taken + state.taken, moved or state.taken
            if state.mode == "HOLD" and num_taken >= FEW_STEPS:
                break
            if state.mode == "HOLD":  # a key that is pressed begins to repeat late
                num_taken = 0
                self._client.observe(self._client.robot.step_s)
                self._client.begin()
        is_held = state.mode == "HOLD" and num_taken >= FEW_STEPS
        text = f"the arm moved {num_taken} steps, then held: {state.why}"
        if not moved:
            text = f"the arm did not move with the key held ({state.why or state.mode})"
        elif state.mode == "HOLD" and not is_held:
            text = "the key was let go too soon: hold it for a second first"
        elif not is_held:
            text = "the arm moved on without the key"
        self._ask("hold the hold-to-run key again, and keep it until the next question")
        hint = "" if is_held else ": see session.hold_to_run, and the key's program"
        return Result("hold to run", is_held, text + hint, {"hold_steps": num_taken})

    def stopping(self) -> Result:
        """Prove that the arm stops, that no client can clear that, and that a person can."""
        self._client.home()
        self._client.wait_until_idle()
        self._client.begin()
        before = self._client.act(self._along(0, 1.0))
        self._person.say("stop")
        stopped = self._client.observe(0.0)
        took_s = stopped.time_s - before.time_s
        after = self._client.act(self._along(0, 1.0))
        self._client.home()
        resting, still = self._client.observe(1.0), self._client.observe(REST_S)
        moved_m = float(np.linalg.norm(np.subtract(still.tool_m, resting.tool_m)))
        is_right = stopped.mode == after.mode == still.mode == "STOPPED"
        is_right = is_right and not after.taken and took_s <= STOP_S + self._client.robot.step_s
        self._person.ask("the arm is stopped; look at it, then it is cleared")
        self._person.say("clear")
        cleared = self._client.observe(0.2).mode
        is_right = is_right and cleared != "STOPPED"
        text = (
            f"stops within {1000 * took_s:.0f} ms, stays stopped, and only a person clears it"
        )
        if not before.taken:
            text = f"the arm was not moving ({before.why or before.mode}): check again"
        elif moved_m > REST_M:
            text = f"the tool moved {1000 * moved_m:.0f} mm when stopped: do not use this robot"
        elif not is_right:
            modes = f"mode {stopped.mode}, then {still.mode}, then {cleared}"
            text = f"{modes}: do not use this robot"
        is_right = is_right and before.taken and moved_m <= REST_M
        values = {"stop_s": took_s, "stopped_m": moved_m}
        return Result("stop", is_right, text, values)

    def _ask(self, text: str) -> None:
        """Ask the person for something while the arm may move."""
        ask(self._person, self._client, text)

    def _lateness(self, arm_s: float, image_s: float) -> str:
        """Return how late arm and image are, and which setting fits."""
        if not isfinite(image_s):
            return UNSEEN
        text = f"the arm is {1000 * arm_s:.0f} ms late, its image {1000 * image_s:.0f} ms"
        seen_s, camera = image_s - arm_s, self._config.camera
        if seen_s > camera.age_s + 1 / camera.rate_hz:
            text += f": set camera.age_s = {seen_s:.2f}, it is {camera.age_s:g}"
        return text

    def _wiggle(self, axis: int, sign: int) -> Wiggle:
        """Move one step along an axis and wait; the curves point in the direction of motion."""
        start = self._client.act(self._along(axis, 0.0), settle=True)
        if start.mode in ("HOLD", "READY"):
            self._client.begin()
        states = [start, self._client.act(self._along(axis, sign))]
        zero = self._along(axis, 0.0)
        states += [self._client.act(zero) for _ in range(WIGGLE_STEPS)]
        place = self._client.robot.axes[axis]
        shown = [state for state in states if state.image is not None]
        return Wiggle(
            np.array([state.time_s for state in shown]),
            sign * np.array([state.target_m[place] for state in shown]),
            sign * np.array([state.tool_m[place] for state in shown]),
            [image_of(state) for state in shown],
        )

    def _along(self, axis: int, size: float) -> list[float]:
        """Return an action along one axis."""
        action = [0.0] * self._num_axes
        action[axis] = size
        return action

    def _drive(self, place_m: np.ndarray) -> float:
        """Drive the tool's target to a place; return how far the tool is from there, metres."""
        robot, axes = self._client.robot, list(self._client.robot.axes)
        state = self._client.act(self._along(0, 0.0))
        for _ in range(MAX_DRIVE_STEPS):
            left_m = (place_m - np.array(state.target_m))[axes]
            if np.abs(left_m).max() < robot.step_m / 20:
                break
            state = self._client.act(np.clip(left_m / robot.step_m, -1, 1).tolist())
        state = self._client.act(self._along(0, 0.0), settle=True)
        return float(np.linalg.norm((np.array(state.tool_m) - place_m)[axes]))
