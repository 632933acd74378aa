"""Our adapter for Sawyer on ROS 1, run by the slow test in ROS's own Python."""

import json
import sys
import time

import ros1_messages  # noqa: F401 - the adapter imports what it registers

from rig.adapters.sawyer import JOINTS, SawyerRobot
from rig.robots.robot import ReadError, Robot


STEP_DEG = 0.5


def main():
    robot = SawyerRobot()
    assert isinstance(robot, Robot)
    robot.connect()
    failed, places, levels, target_deg = 0, [], set(), [0.0] * len(JOINTS)
    end_s = time.monotonic() + 6
    while time.monotonic() < end_s:
        try:
            places.append(list(robot.get_observation().values()))
            target_deg[1] -= STEP_DEG
            target_deg[6] += STEP_DEG
            robot.send_action(dict(zip(robot.action_features, target_deg, strict=True)))
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
