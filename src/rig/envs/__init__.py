"""Tasks as Gymnasium environments, with their scenes, arm and camera. NumPy and MuJoCo only.

Importing this package registers the tasks with Gymnasium; MuJoCo is imported when one is made.
"""

from rig.envs.registration import register_task


__all__ = ["register_task"]
