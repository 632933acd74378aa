"""What it costs, beside its peers: ``python -m benchmarks.run`` writes docs/benchmarks.md.

==================  =======================================================================
world               pictures and steps per second, beside ``mujoco.Renderer``
update              TD3 updates per second, beside stable-baselines3's TD3 + HER
vae                 images per second of fitting and of encoding
loop                steps per second of training, and where the time goes
floor               how far all that is from what this machine can multiply
==================  =======================================================================

Other commands, each ``python -m benchmarks.NAME``:

==================  =======================================================================
results             writes docs/results.md from studies that ``rig sweep`` ran (``specs/``)
pushany             takes runs of PushTwo to goals with fewer pucks
sb3                 gives a run's latents to stable-baselines3's TD3 + HER
nearness            whether what is nearer seems nearer, before any run is made
reached             draws goal images above where runs ended, for the README
sweep               what Ray costs on one machine
soak                whether a long run keeps its memory
tasks               writes docs/tasks.md
==================  =======================================================================
"""
