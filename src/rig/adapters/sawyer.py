"""Rethink's Sawyer, RIG's own robot: ``type = "sawyer"``, in the Python of its ROS 1.

The arm's own controller takes position commands (``intera_core_msgs/JointCommand``) and holds
the last one. Set its speed with ``speed_ratio``, 0.1 to 0.15 as in Nair et al. 2018; the arm
stops by itself when commands stay away. Kinematics: ``rig.adapters.sawyer_kinematics``.
"""

from collections.abc import Mapping
from typing import Any

from rig.adapters.latest import Latest, TopicCamera
from rig.adapters.ros_messages import joints_of, scale_of, targets_of
from rig.robots.robot import POSITION, ReadError


JOINTS = tuple(f"right_j{index}" for index in range(7))
POSITION_MODE = 1
"""``intera_core_msgs/JointCommand.POSITION_MODE``."""
MAX_AGE_S = 0.1
TIMEOUT_S = 0.2
"""The arm's controller gives up without a command for so long."""
LIMB = "/robot/limb/right"
RAD = scale_of("rad")


class SawyerRobot:
    """Sawyer's topics as a robot in LeRobot's shape."""

    name = "sawyer"
    is_calibrated = True

    def __init__(
        self,
        image: str = "/kinect2/hd/image_color",
        speed_ratio: float = 0.1,
        node: str = "rig",
    ) -> None:
        """Store the camera's topic and the speed, a fraction of the arm's own limit."""
        self._image, self._speed_ratio, self._node = image, speed_ratio, node
        self._camera, self._states = TopicCamera(), Latest()
        self.cameras = {"front": self._camera}
        self._command: Any = None
        self._message: Any = None
        self._subscribers: list[Any] = []

    @property
    def observation_features(self) -> Mapping[str, Any]:
        """Return each observation's type."""
        return {**self.action_features, "front": (0, 0, 3)}

    @property
    def action_features(self) -> Mapping[str, Any]:
        """Return each action's type."""
        return {joint + POSITION: float for joint in JOINTS}

    @property
    def is_connected(self) -> bool:
        """Return whether the topics are open."""
        return self._command is not None

    def connect(self) -> None:
        """Open the topics, and set speed and timeout of the arm's own controller."""
        try:
            import rospy
            from intera_core_msgs.msg import JointCommand
            from sensor_msgs.msg import Image, JointState
            from std_msgs.msg import Float64
        except ImportError as error:
            raise RuntimeError(f"ROS 1 is not here ({error}): source intera.sh") from error
        rospy.init_node(self._node, disable_signals=True)
        self._message = JointCommand
        self._subscribers = [
            rospy.Subscriber("/robot/joint_states", JointState, self._states.put, queue_size=1),
            rospy.Subscriber(self._image, Image, self._camera.latest.put, queue_size=1),
        ]
        for topic, number in (
            ("set_speed_ratio", self._speed_ratio),
            ("joint_command_timeout", TIMEOUT_S),
        ):
            latched = rospy.Publisher(f"{LIMB}/{topic}", Float64, latch=True, queue_size=1)
            latched.publish(Float64(number))
            self._subscribers.append(latched)
        self._command = rospy.Publisher(
            f"{LIMB}/joint_command", JointCommand, tcp_nodelay=True, queue_size=1
        )

    def configure(self) -> None:
        """Do nothing: ``connect`` did it."""

    def get_observation(self) -> Mapping[str, Any]:
        """Return the positions of the joints.

        Raises:
            ReadError: There is no joint state of the last 0.1 s.
        """
        return joints_of(self._states.get(MAX_AGE_S), JOINTS, RAD)

    def send_action(self, action: dict[str, Any]) -> Mapping[str, Any]:
        """Publish the targets."""
        if self._command is None:
            raise ReadError("not connected")
        message = self._message()
        message.names, message.mode = list(JOINTS), POSITION_MODE
        message.position = targets_of(action, JOINTS, RAD)
        self._command.publish(message)
        return action

    def disconnect(self) -> None:
        """Close the topics; the arm holds its pose."""
        for each in (self._command, *self._subscribers):
            if each is not None:
                each.unregister()
        self._command, self._subscribers = None, []
