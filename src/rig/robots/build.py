"""Puts a server together: adapter, kinematics, camera, clock."""

from rig.errors import RobotError
from rig.robots.arm import Arm
from rig.robots.camera_feed import make_feed
from rig.robots.clock import Clock, SimulatedClock
from rig.robots.config import RobotConfig
from rig.robots.drivers import load_kinematics, load_robot
from rig.robots.local_link import Simulation
from rig.robots.robot import Robot, SteppedRobot
from rig.robots.server import RobotServer


def build_server(
    config: RobotConfig, clock: Clock, robot: Robot | None = None, *, is_simulated: bool = False
) -> RobotServer:
    """Connect the arm and its camera, and return their server.

    Args:
        config: The robot's settings.
        clock: The guard's clock.
        robot: The adapter; by default the one that the settings name.
        is_simulated: Whether time passes only when the robot is told.
    """
    arm = Arm(robot or load_robot(config), config.arm.joints)
    try:
        arm.connect()
    except (OSError, RuntimeError) as error:
        raise RobotError(f"the robot can't be connected: {error}") from error
    feed = make_feed(arm.robot, config.camera, clock, is_simulated=is_simulated)
    arm.take_cameras()
    kinematics = load_kinematics(config.arm)
    return RobotServer(config, arm, kinematics, feed, clock, is_simulated_time=is_simulated)


def simulate(config: RobotConfig, robot: Robot | None = None) -> Simulation:
    """Return a server in simulated time.

    Raises:
        RobotError: The robot is a real one.
    """
    clock = SimulatedClock()
    robot = robot or load_robot(config)
    if not isinstance(robot, SteppedRobot):
        raise RobotError(f"{config.type} has no simulated time: it is no simulated robot")
    return Simulation(build_server(config, clock, robot, is_simulated=True), clock)
