"""A camera like a real one, before any environment: light, shadows, grain, noise, JPEG."""

from rig.envs.camera_effects.vector_env import CameraEffects


__all__ = ["CameraEffects"]
