"""An arm that ROS 2 drives: ``type = "ros2"``, in the Python that has ``rclpy``.

::

    type = "ros2"
    [options]
    joints = ["joint1", "joint2", "joint3", "joint4"]
    joint_states = "/joint_states"                  # sensor_msgs/JointState
    command = "/arm_controller/joint_trajectory"    # trajectory_msgs/JointTrajectory
    image = "/camera/color/image_raw"               # sensor_msgs/Image
    unit = "rad"

With ``command_type = "array"`` the command is a ``std_msgs/Float64MultiArray``. Set a speed
limit in the controller too: the guard limits what is asked for, and nobody else does.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from rig.adapters.latest import Latest, TopicCamera
from rig.adapters.ros_messages import joints_of, scale_of, targets_of
from rig.errors import ConfigError
from rig.robots.robot import POSITION, ReadError


MAX_AGE_S = 0.1
"""An older joint state is a failed read."""
NEXT_TARGET_S = 0.02
"""When the controller should be at the target: a tick of the guard."""
COMMANDS = ("trajectory", "array")


class Ros2Robot:
    """Topics as a robot in LeRobot's shape."""

    name = "ros2"

    def __init__(
        self,
        joints: Sequence[str],
        joint_states: str = "/joint_states",
        command: str = "/joint_trajectory_controller/joint_trajectory",
        image: str = "/image_raw",
        *,
        command_type: str = "trajectory",
        unit: str = "rad",
        camera: str = "front",
    ) -> None:
        """Store the names of the topics.

        Raises:
            ConfigError: A type or unit is unknown.
        """
        if command_type not in COMMANDS or unit not in ("rad", "deg", "m"):
            raise ConfigError(
                "command_type must be trajectory or array, and unit rad, deg or m, got "
                f"{command_type!r} and {unit!r}"
            )
        self._joints, self._scale, self._command_type = (
            tuple(joints),
            scale_of(unit),
            command_type,
        )
        self._topics = {"joint_states": joint_states, "command": command, "image": image}
        self._camera_name, self._camera = camera, TopicCamera()
        self.cameras = {camera: self._camera}
        self._states = Latest()
        self._node: Any = None
        self._publisher: Any = None
        self._executor: Any = None
        self.is_calibrated = None

    @property
    def observation_features(self) -> Mapping[str, Any]:
        """Return each observation's type."""
        return {**self.action_features, self._camera_name: (0, 0, 3)}

    @property
    def action_features(self) -> Mapping[str, Any]:
        """Return each action's type."""
        return {joint + POSITION: float for joint in self._joints}

    @property
    def is_connected(self) -> bool:
        """Return whether the node is there; whether the arm answers, its messages tell."""
        return self._node is not None

    def connect(self) -> None:
        """Open the node and its topics."""
        try:
            import rclpy
            from rclpy.executors import SingleThreadedExecutor
            from rclpy.qos import qos_profile_sensor_data
            from sensor_msgs.msg import Image, JointState
        except ImportError as error:
            raise RuntimeError(f"rclpy is not here ({error}): source ROS 2 first") from error
        if not rclpy.ok():
            rclpy.init()
        self._node = rclpy.create_node("rig_robot")
        states, image = self._topics["joint_states"], self._topics["image"]
        node, newest = self._node, qos_profile_sensor_data
        node.create_subscription(JointState, states, self._states.put, newest)
        node.create_subscription(Image, image, self._camera.latest.put, newest)
        self._publisher = node.create_publisher(
            self._command_class(), self._topics["command"], 1
        )
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        threading.Thread(target=self._executor.spin, name="rig-ros2", daemon=True).start()

    def configure(self) -> None:
        """Do nothing: the controller has its own settings."""

    def get_observation(self) -> Mapping[str, Any]:
        """Return the positions of the joints.

        Raises:
            ReadError: There is no joint state of the last 0.1 s.
        """
        return joints_of(self._states.get(MAX_AGE_S), self._joints, self._scale)

    def send_action(self, action: dict[str, Any]) -> Mapping[str, Any]:
        """Publish the targets."""
        if self._publisher is None:
            raise ReadError("not connected")
        self._publisher.publish(self._message(targets_of(action, self._joints, self._scale)))
        return action

    def disconnect(self) -> None:
        """Close the node; the controller holds the last target."""
        if self._node is None:
            return
        self._executor.shutdown()
        self._node.destroy_node()
        self._node = self._publisher = None

    def _command_class(self) -> Any:
        if self._command_type == "array":
            from std_msgs.msg import Float64MultiArray

            return Float64MultiArray
        from trajectory_msgs.msg import JointTrajectory

        return JointTrajectory

    def _message(self, targets: list[float]) -> Any:
        if self._command_type == "array":
            return self._command_class()(data=targets)
        from trajectory_msgs.msg import JointTrajectoryPoint

        point = JointTrajectoryPoint(positions=targets)
        point.time_from_start.nanosec = int(1e9 * NEXT_TARGET_S)
        return self._command_class()(joint_names=list(self._joints), points=[point])
