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
from rig.simulated.so101 import SimulatedSo101


NUM_GOALS = 30
CLEAR_M = 0.045
"""Between the tool and the puck where a person puts it."""
SEED = 20_181_204
SETTLE_S = 0.5


def push_distances(run_dir: Path, page: Path, num_steps: int) -> dict[str, Any]:
    """Return the puck's final distance from its place in the goal images, metres."""
    run, agent = open_trained(run_dir)
    config = read_config(page)
    simulation = simulate(config)
    robot = simulation.server.arm.robot
    assert isinstance(robot, SimulatedSo101)
    simulation.run(0.2)
    simulation.server.person("arm")
    connection = Connection(lambda: RobotClient(LocalLink(simulation)), lambda _text: None)
    settle = run.config.practice.delay == "settle"
    size = run.config.image_size
    envs = RobotVectorEnv(connection, "push", num_steps, size, settle=settle)
    stacked = agent.representation.observe(envs, run.config)
    rng = np.random.default_rng(SEED)
    low_m, high_m = np.array(config.limits.box_low_m), np.array(config.limits.box_high_m)

    def put_puck() -> None:
        while True:
            place_m = rng.uniform(low_m[:2], high_m[:2])
            if np.linalg.norm(place_m - robot.state_m[:2]) > CLEAR_M:
                break
        robot.place_puck(*place_m.tolist())
        simulation.run(SETTLE_S)

    ends, starts = [], []
    for _ in range(NUM_GOALS):
        robot.place_puck(2.0, 2.0)
        envs.reset()
        envs.drive_to(rng.uniform(low_m, high_m)[list(envs.robot.axes)])
        put_puck()
        state = connection.observe(SETTLE_S)
        assert state is not None
        assert state.image is not None
        goal_m = robot.state_m[3:].copy()
        states = np.full((1, len(envs.state_names)), np.nan)
        goal = Goals(images=state.image[None], states=states, seeds=np.zeros(1, np.int64))
        robot.place_puck(2.0, 2.0)
        envs.reset()
        put_puck()
        starts.append(np.linalg.norm(robot.state_m[3:] - goal_m))
        observation, _ = stacked.reset(options=goal.options())
        latents = agent.representation.encode(observation["desired_goal"]).latent
        for _ in range(num_steps):
            action, _ = agent.act(observation["observation"], latents, use_target_actor=True)
            observation, *_ = stacked.step(action)
        ends.append(np.linalg.norm(robot.state_m[3:] - goal_m))
    return {
        "puck_m": {
            "median": float(np.median(ends)), "mean": float(np.mean(ends)),
            "do_nothing_median": float(np.median(starts)),
            "do_nothing_mean": float(np.mean(starts)),
        }
    }  # fmt: skip
