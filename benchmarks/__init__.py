"""What rig costs, next to its peers: ``python -m benchmarks.run`` writes docs/benchmarks.md.

==================  =======================================================================
envs                images and steps per second, next to ``mujoco.Renderer``
update              TD3 updates per second, next to stable-baselines3's TD3 + HER
end_to_end          updates per second from pixels, next to convolutions
vae                 images per second of fitting and of encoding
loop                steps per second of training, and where the time goes
checkpoint          what a checkpoint costs, and frames read from a file
floor               lower bounds from the arithmetic that this machine can do
==================  =======================================================================

Other commands, each ``python -m benchmarks.NAME``:

==================  =======================================================================
results             writes docs/results.md from studies that ``rig sweep`` ran (``specs/``)
pushany             takes runs of PushTwo to goals with fewer pucks
sb3                 gives a run's latents to stable-baselines3's TD3 + HER
nearness            rank correlation of latent and true distances, before any training
reached             draws goal images above where runs ended, for the README
sweep               what Ray costs on one machine
soak                whether the memory and open files of a long run stay flat
parity              checks that a refactoring changed no number of training
startup             times ``import rig`` and each command's ``--help``
thresholds          how far the thresholds of learning tests are from what is learned
tasks               writes docs/tasks.md
==================  =======================================================================
"""
