"""A stand-in for an arm on ROS 2, run by the slow test in ROS's own Python.

It answers commands by being there, sends joint states at 50 Hz and images at 30 Hz, and says
what it got when it ends.
"""

import json
import sys
import time

import rclpy
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray


def main(duration_s):
    rclpy.init()
    node = rclpy.create_node("arm")
    place, commands = [0.4, 0.0, 0.3], []

    def move(message):
        commands.append(list(message.data))
        place[:] = message.data

    node.create_subscription(Float64MultiArray, "/arm/tool_command", move, 10)
    states = node.create_publisher(JointState, "/arm/tool_states", 10)
    images = node.create_publisher(Image, "/camera/color/image_raw", 10)
    end_s, number = time.monotonic() + duration_s, 0
    while time.monotonic() < end_s:
        states.publish(
            JointState(name=["y", "x", "z"], position=[place[1], place[0], place[2]])
        )
        if number % 2 == 0:
            level = 100 + number % 50
            pixels = bytes([level, 0, 0] * 84 * 84)
            images.publish(
                Image(height=84, width=84, encoding="bgr8", step=3 * 84, data=pixels)
            )
        number += 1
        rclpy.spin_once(node, timeout_sec=0.01)
        time.sleep(0.01)
    sys.stdout.write(json.dumps(commands) + "\n")


main(float(sys.argv[1]))
