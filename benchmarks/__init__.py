"""What it costs, beside its peers: ``python -m benchmarks.run`` writes docs/benchmarks.md.

==================  =======================================================================
world               pictures and steps per second, beside ``mujoco.Renderer``
update              TD3 updates per second, beside stable-baselines3's TD3 + HER
vae                 images per second of fitting and of encoding
loop                steps per second of training, and where the time goes
floor               how far all that is from what this machine can multiply
==================  =======================================================================

What is learned, over seeds, is another command: ``python -m benchmarks.learning``.
"""
