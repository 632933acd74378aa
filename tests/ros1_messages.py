"""Rethink's message, made from its published definition: its package is in no index.

Import this before the adapter, in ROS 1's own Python.
"""

import sys
from types import ModuleType

from genpy.dynamic import generate_dynamic


JOINT_COMMAND = """
std_msgs/Header header
int32 mode
string[] names
float64[] position
float64[] velocity
float64[] acceleration
float64[] effort
int32 POSITION_MODE=1
================================================================================
MSG: std_msgs/Header
uint32 seq
time stamp
string frame_id
"""
JointCommand = generate_dynamic("intera_core_msgs/JointCommand", JOINT_COMMAND)[
    "intera_core_msgs/JointCommand"
]

package, messages = ModuleType("intera_core_msgs"), ModuleType("intera_core_msgs.msg")
messages.JointCommand = JointCommand
sys.modules |= {"intera_core_msgs": package, "intera_core_msgs.msg": messages}
