"""True-state statistics of practice. They are logged, never used for training.

Two questions help to see why a policy fails: which places did each object visit (state
coverage, Pong et al. 2020), and did an episode move it at all? The loop steps the environments
through this wrapper.
"""

from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper
from jaxtyping import Bool, Float64

from rig.envs.task import Region
from rig.errors import RunError


CELL = 0.02
"""Side of a cell of coverage: metres, or radians where the region is in radians."""
MOVED = 0.01
"""An object that moved further than this in an episode was moved; in the same units."""

MOST_AXES = 3
"""A grid along more axes, as a rope's bends, has more cells than practice has steps."""

Cells = Bool[np.ndarray, " cells"]
"""Which cells were visited, those of all objects one after another."""


class RecordCoverage(VectorWrapper):
    """Records the true states of the current episodes; external environments have none."""

    def __init__(self, envs: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(envs)
        task = getattr(envs.unwrapped, "task", None)
        self._columns = task.columns if task else {}
        regions = task.goals if task else {}
        self._regions = {n: r for n, r in regions.items() if len(r.low) <= MOST_AXES}
        self._states: list[np.ndarray] = []

    def reset(self, **kwargs: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begin an episode in every environment.

        A reset of all of them also clears the record.
        """
        observation, info = self.env.reset(**kwargs)
        if "reset_mask" not in (kwargs.get("options") or {}):
            self._states = []
        self._record(info)
        return observation, info

    def step(self, actions: np.ndarray) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step every environment, and record the true states."""
        result = self.env.step(actions)
        self._record(result[-1])
        return result

    def empty_coverage(self) -> Cells:
        """Return the cells before anything was visited."""
        sizes = [num_cells(region) for region in self._regions.values()]
        return np.zeros(sum(sizes), bool)

    def metrics(self, coverage: Cells) -> tuple[Cells, dict[str, float]]:
        """Return the cells visited so far, and the metrics of the last episodes.

        Args:
            coverage: The cells visited before. Not modified.

        Raises:
            RunError: The cells are not this task's.
        """
        if coverage.shape != self.empty_coverage().shape:
            raise RunError(
                f"{len(coverage)} cells of coverage don't fit the task: it is damaged"
            )
        coverage, metrics, start = coverage.copy(), {}, 0
        for name, region in self._regions.items():
            states = self._recorded(name)
            own = coverage[start : (start := start + num_cells(region))]
            own[cells_of(states.reshape(-1, states.shape[-1]), region)] = True
            metrics[f"practice/{name}_coverage"] = float(own.mean())
        for name in self._columns:
            states = self._recorded(name)
            if (is_there := ~np.isnan(states[0]).any(axis=1)).any():
                share = moved(states[:, is_there]).mean()
                metrics[f"practice/{name}_moved_share"] = float(share)
        return coverage, metrics

    def _recorded(self, name: str) -> Float64[np.ndarray, "time N axes"]:
        return np.stack(self._states)[:, :, self._columns[name]]

    def _record(self, info: dict[str, Any]) -> None:
        if self._columns:
            self._states.append(np.array(info["state"]))


def num_cells(region: Region) -> int:
    """Return the number of cells of a region."""
    return int(np.prod(cells_along(region)))


def cells_along(region: Region) -> np.ndarray:
    """Return the cells along each axis: at least one; the last one may stick out."""
    lengths = np.subtract(region.high, region.low) / CELL
    return np.maximum(np.ceil(lengths.round(6)), 1).astype(int)


def cells_of(points: Float64[np.ndarray, "num axes"], region: Region) -> np.ndarray:
    """Return the cell of each point in the region: its index among the region's."""
    is_inside = ((points >= region.low) & (points <= region.high)).all(axis=1)
    shape = cells_along(region)
    place = ((points[is_inside] - region.low) / CELL).astype(int)
    return np.ravel_multi_index(tuple(np.minimum(place, shape - 1).T), tuple(shape))


def moved(states: Float64[np.ndarray, "time N axes"]) -> Bool[np.ndarray, " N"]:
    """Return whether each environment's object ever left where its episode began."""
    return np.linalg.norm(states - states[0], axis=-1).max(axis=0) > MOVED
