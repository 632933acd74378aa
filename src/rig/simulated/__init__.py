"""Simulated robots for the server of :mod:`rig.robots`: they lag, sag and blink like real ones.

``type = "sim:so101"`` in a robot's TOML file. Physics by MuJoCo, the camera is the ray camera
of :mod:`rig.envs`. Apart from :mod:`rig.robots`, so that a real arm's server needs neither.
"""
