"""A stand-in for Sawyer on ROS 1, run by the slow test in ROS's own Python.

It answers commands by being there, sends joint states at 100 Hz and images at 30 Hz, and says
what it got when it ends.
"""

import json
import sys
import time

import rospy
from ros1_messages import JointCommand
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64


LIMB = "/robot/limb/right"
NUM_JOINTS = 7


def main(duration_s):
    rospy.init_node("arm", disable_signals=True)
    place, got = [0.0] * NUM_JOINTS, {"commands": 0, "modes": [], "numbers": {}}

    def move(message):
        got["commands"] += 1
        got["modes"] = sorted({*got["modes"], message.mode})
        for name, position in zip(message.names, message.position, strict=True):
            place[int(name[-1])] = position

    def hear(topic):
        return lambda message: got["numbers"].update({topic: round(message.data, 3)})

    rospy.Subscriber(f"{LIMB}/joint_command", JointCommand, move)
    for topic in ("set_speed_ratio", "joint_command_timeout"):
        rospy.Subscriber(f"{LIMB}/{topic}", Float64, hear(topic))
    states = rospy.Publisher("/robot/joint_states", JointState, queue_size=1)
    images = rospy.Publisher("/kinect2/hd/image_color", Image, queue_size=1)
    names = ["head_pan", *(f"right_j{index}" for index in reversed(range(NUM_JOINTS)))]
    end_s, number = time.monotonic() + duration_s, 0
    while time.monotonic() < end_s:
        states.publish(JointState(name=names, position=[9.0, *reversed(place)]))
        if number % 3 == 0:
            level = 100 + number % 50
            pixels = bytes([level, 0, 0] * 84 * 84)
            images.publish(
                Image(height=84, width=84, encoding="bgr8", step=3 * 84, data=pixels)
            )
        number += 1
        time.sleep(0.01)
    sys.stdout.write(json.dumps(got) + "\n")


main(float(sys.argv[1]))
