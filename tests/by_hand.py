"""Scripted controllers that read the true state, to show that the tasks are possible."""

from collections import deque

import numpy as np

from rig.envs.tabletop import STEP_M
from rig.envs.tasks.rope import points_m


NEAR_M = 5e-4
SETTLE_STEPS = 3


def move_to(
    tabletop, target, max_steps=40, *, motors=(), until=lambda state: False, most_m=STEP_M
):
    """Move the hand of the only copy straight to a position, or until a condition holds."""
    target = np.asarray(target, np.float64)
    for _ in range(max_steps):
        state = tabletop.states()[0]
        away_m = target - state[: len(target)]
        if until(state) or np.abs(away_m).max() < NEAR_M:
            break
        move_by(tabletop, np.clip(away_m, -most_m, most_m), motors)
    return tabletop.states()[0]


def move_by(tabletop, away_m, motors=()):
    """Take one step towards a position at this displacement."""
    action = np.concatenate([np.clip(np.asarray(away_m) / STEP_M, -1, 1), motors])
    tabletop.step(action[None].astype(np.float32))


def open_door(tabletop, angle_rad):
    """Hook the bar, pull until the door is open by this angle, and let go."""

    def is_open(state):
        return state[3] >= angle_rad

    x_m, y_m, _, _ = tabletop.states()[0]
    move_to(tabletop, (x_m, y_m, 0.165))
    move_to(tabletop, (0.05, y_m, 0.165), until=is_open)
    move_to(tabletop, (0.05, 0.45, 0.165), until=is_open, most_m=0.005)
    x_m, y_m, _, _ = tabletop.states()[0]
    return move_to(tabletop, (x_m, y_m, 0.25))


def grip(tabletop, action):
    """Hold the hand still while the fingers move."""
    for _ in range(SETTLE_STEPS):
        move_by(tabletop, (0, 0), (action,))


def carry(tabletop, hand_m):
    """Grip the block under the open hand, and carry it to a position."""
    y_m = tabletop.states()[0, 0]
    move_to(tabletop, (y_m, 0.05), motors=(-1,))
    grip(tabletop, 1)
    move_to(tabletop, (y_m, 0.1), motors=(1,))
    return move_to(tabletop, hand_m, motors=(1,))


class RopePusher:
    """Repeatedly pushes the point of a rope that is farthest from its goal."""

    CELL_M = 0.01
    CLEAR_M = 0.024
    BEHIND_M = 0.03
    TOUCHING_M = 0.021
    CLOSE_ENOUGH_M = 0.008
    PUSH_STEPS = 6

    def __init__(self, tabletop):
        self._tabletop = tabletop
        box = tabletop.task.hand_box
        self._low_m = np.array(box.low)
        self._shape = np.rint((np.array(box.high) - self._low_m) / self.CELL_M).astype(int) + 1
        self._cells_m = self._low_m + self.CELL_M * np.moveaxis(np.indices(self._shape), 0, -1)

    def play(self, goal):
        goals_m = points_m(goal[None, 2:])[0]
        for _ in range(self._tabletop.task.num_steps):
            if not self._act(goals_m):
                break
        return self._tabletop.states()

    def _act(self, goals_m):
        """Move to where a push helps, and push; return False if there is no such place."""
        state = self._tabletop.states()[0]
        hand_m, rope_m = state[:2], points_m(state[None, 2:])[0]
        error_m = np.linalg.norm(goals_m - rope_m, axis=1)
        for point in np.argsort(-error_m):
            if error_m[point] < self.CLOSE_ENOUGH_M:
                return False
            along = (goals_m[point] - rope_m[point]) / error_m[point]
            begin_m = rope_m[point] - self.BEHIND_M * along
            next_m = self._next_on_path(hand_m, begin_m, rope_m)
            if next_m is None:
                continue
            if np.linalg.norm(begin_m - hand_m) < 1.2 * self.CELL_M:
                end_m = goals_m[point] - self.TOUCHING_M * along
                move_to(self._tabletop, end_m, self.PUSH_STEPS)
            else:
                move_by(self._tabletop, next_m - hand_m)
            return True
        return False

    def _next_on_path(self, start_m, end_m, rope_m):
        """Return the next position of the shortest path around the rope, or None."""
        apart_m = np.linalg.norm(self._cells_m[:, :, None] - rope_m, axis=-1).min(axis=-1)
        free = dict(np.ndenumerate(apart_m > self.CLEAR_M))
        start, end = self._cell(start_m), self._cell(end_m)
        if np.linalg.norm(rope_m - end_m, axis=1).min() < self.CLEAR_M or end is None:
            return None
        steps, queue = {end: 0}, deque([end])
        while queue and start not in steps:
            cell = queue.popleft()
            for other in neighbours(cell):
                if other == start or (free.get(other) and other not in steps):
                    steps[other] = steps[cell] + 1
                    queue.append(other)
        if start not in steps:
            return None
        for _ in range(2):
            start = min([start, *neighbours(start)], key=lambda cell: steps.get(cell, np.inf))
        return self._cells_m[start]

    def _cell(self, position_m):
        cell = np.rint((position_m - self._low_m) / self.CELL_M).astype(int)
        return tuple(cell.tolist()) if ((cell >= 0) & (cell < self._shape)).all() else None


def neighbours(cell):
    row, column = cell
    return [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
