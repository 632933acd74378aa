"""Adapters of real arms: LeRobot, ROS 2 and Sawyer. They run in the robot's own Python."""
