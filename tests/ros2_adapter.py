"""Our adapter and our server against ROS 2, run by the slow test in ROS's own Python."""

import json
import sys
import time

import numpy as np

from rig.adapters.ros2 import Ros2Robot
from rig.robots.robot import ReadError, Robot


def main():
    options = {"joints": ("x", "y", "z"), "joint_states": "/arm/tool_states", "unit": "m"}
    topics = {"command": "/arm/tool_command", "image": "/camera/color/image_raw"}
    robot = Ros2Robot(**options, **topics, command_type="array")
    assert isinstance(robot, Robot)
    robot.connect()
    failed, places, levels, target = 0, [], set(), np.array([0.4, 0.0, 0.3])
    end_s = time.monotonic() + 6
    while time.monotonic() < end_s:
        try:
            places.append(list(robot.get_observation().values()))
            target += np.array([0.001, -0.001, 0.0])
            names = robot.action_features
            robot.send_action(dict(zip(names, target.tolist(), strict=True)))
            image = robot.cameras["front"].async_read(timeout_ms=200)
            levels.add(int(image[0, 0, 2]))
            assert not image[..., :2].any(), "bgr8 became RGB"
        except (ReadError, TimeoutError):
            failed += 1
        time.sleep(0.02)
    robot.disconnect()
    report = {"places": places, "levels": len(levels), "failed": failed}
    sys.stdout.write(json.dumps(report) + "\n")


main()
