"""How far a policy of the simulated SO-101 pushes the puck, by the scene's true state.

A real robot does not measure its puck, so ``rig evaluate`` can't either. Here server and client
are in one process, and the puck is put and measured from outside, as a person would with a
ruler. Training never sees any of it.
"""

from pathlib import Path
from typing import Any

import numpy as np

from rig.envs.image_goal_env import Goals
from rig.inference.open_run import open_trained
from rig.robot_env.connection import Connection
from rig.robot_env.vector_env import RobotVectorEnv
from rig.robots.build import simulate
from rig.robots.client import RobotClient
from rig.robots.local_link import LocalLink
from rig.robots.read_config import read_config
from rig.simulated.so101 import PUCK_AWAY_M, SimulatedSo101


NUM_GOALS = 30
CLEAR_M = 0.045
"""Between the tool and the puck where a person puts it."""
SEED = 20_181_204
SETTLE_S = 0.5


class Table:
    """The simulated arm behind its server, in this process, and a person next to it."""

    def __init__(self, page: Path, num_steps: int, image_size: int, *, settle: bool) -> None:
        """Arm the arm."""
        self.config = read_config(page)
        self.simulation = simulate(self.config)
        robot = self.simulation.server.arm.robot
        assert isinstance(robot, SimulatedSo101)
        self.robot = robot
        self.simulation.run(0.2)
        self.simulation.server.person("arm")
        self.connection = Connection(
            lambda: RobotClient(LocalLink(self.simulation)), lambda _text: None
        )
        self.envs = RobotVectorEnv(
            self.connection, "push", num_steps, image_size, settle=settle
        )

    @property
    def puck_m(self) -> np.ndarray:
        """Where the puck is: x, y."""
        return self.robot.state_m[3:].copy()

    def home(self) -> None:
        """Bring the arm home with no puck in its way."""
        self.robot.place_puck(*PUCK_AWAY_M)
        self.envs.reset()

    def put_puck(self, *, rng: np.random.Generator) -> None:
        """Put the puck somewhere in the box, clear of the tool."""
        limits = self.config.limits
        while True:
            place_m = rng.uniform(limits.box_low_m[:2], limits.box_high_m[:2])
            if np.linalg.norm(place_m - self.robot.state_m[:2]) > CLEAR_M:
                break
        self.robot.place_puck(*place_m.tolist())
        self.simulation.run(SETTLE_S)

    def photograph(self, *, rng: np.random.Generator) -> Goals:
        """Return a photograph with tool and puck anywhere."""
        limits = self.config.limits
        self.home()
        place_m = rng.uniform(limits.box_low_m, limits.box_high_m)
        self.envs.drive_to(place_m[list(self.envs.robot.axes)])
        self.put_puck(rng=rng)
        state = self.connection.observe(SETTLE_S)
        assert state is not None
        assert state.image is not None
        unknown = np.full((1, len(self.envs.state_names)), np.nan)
        return Goals(images=state.image[None], states=unknown, seeds=np.zeros(1, np.int64))


def push_distances(run_dir: Path, page: Path, num_steps: int) -> dict[str, Any]:
    """Return the puck's final distance from its place in the goal images, metres."""
    run, agent = open_trained(run_dir)
    config, rng = run.config, np.random.default_rng(SEED)
    settle = config.practice.delay == "settle"
    table = Table(page, num_steps, config.image_size, settle=settle)
    envs = agent.representation.observe(table.envs, config)
    starts, ends = [], []
    for _ in range(NUM_GOALS):
        goal = table.photograph(rng=rng)
        goal_m = table.puck_m
        table.home()
        table.put_puck(rng=rng)
        starts.append(float(np.linalg.norm(table.puck_m - goal_m)))
        observation, _ = envs.reset(options=goal.options())
        latents = agent.representation.encode(observation["desired_goal"]).latent
        for _ in range(num_steps):
            action, _ = agent.act(observation["observation"], latents, use_target_actor=True)
            observation, *_ = envs.step(action)
        ends.append(float(np.linalg.norm(table.puck_m - goal_m)))
    return {"puck_m": {
        "median": float(np.median(ends)), "mean": float(np.mean(ends)),
        "do_nothing_median": float(np.median(starts)),
        "do_nothing_mean": float(np.mean(starts)),
    }}  # fmt: skip
