"""What it costs, beside its peers: ``python -m benchmarks.run`` writes docs/benchmarks.md.

==================  =======================================================================
world               pictures and steps per second, beside ``mujoco.Renderer``
update              TD3 updates per second, beside stable-baselines3's TD3 + HER
vae                 images per second of fitting and of encoding
loop                steps per second of training, and where the time goes
floor               how far all that is from what this machine can multiply
==================  =======================================================================

Other commands: ``python -m benchmarks.results`` writes docs/results.md from studies that ``rig
sweep`` ran (their specs are in ``specs/``), ``python -m benchmarks.pushany`` adds goals with
fewer pucks, and ``python -m benchmarks.sweep`` measures what Ray costs.
"""
