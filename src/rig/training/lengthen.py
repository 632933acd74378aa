"""More steps for a run that is finished or was stopped.

What depends on the length of a run follows the new one: the step size is the one that a run of
that length would have after as many steps, so that it rises when a finished run is lengthened.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial

import numpy as np

from rig.agent.agent import load_agent
from rig.runs.atomic_files import write_json
from rig.runs.interrupt import uninterrupted
from rig.runs.reward_choice import chosen_before
from rig.runs.run import FINGERPRINT, Run
from rig.training.buffer import make_replay_buffer
from rig.training.checkpoint_manager import CheckpointManager
from rig.training.coverage import RecordCoverage
from rig.training.make_envs import make_envs, unwrapped_envs
from rig.training.practice_pictures import PracticePictures
from rig.training.state import State, TrainState
from rig.validation import require


def lengthen(run: Run, total_timesteps: int, say: Callable[[str], object]) -> Run:
    """Give a run more steps, and return it as one that was stopped.

    A crash leaves the run as it was, or lengthened.

    Args:
        run: Finished, or stopped.
        total_timesteps: Its steps from now on, those that it has taken included.
        say: Called with a line if its replay buffer is gone.

    Raises:
        ConfigError: The run has taken as many steps already.
        RunError: Another process trains it, or it is damaged.
    """
    num_done = int(max((row["num_env_steps"] for row in run.metrics()), default=0))
    require(
        total_timesteps > num_done,
        f"{run.directory} has taken {num_done:,} steps: give --total-timesteps more than that, "
        f"got {total_timesteps:,}",
    )
    before = run.config.total_timesteps
    longer = Run(run.directory, replace(run.config, total_timesteps=total_timesteps))
    with run.lock():
        if run.is_finished:
            save_end_as_checkpoint(longer, num_done, say)
        origin = run.origin()
        lengths = [*origin.get("earlier_total_timesteps", []), before]
        write_json(run.directory / "origin.json", origin | {"earlier_total_timesteps": lengths})
        write_json(run.directory / "config.json", asdict(longer.config))
        (run.directory / FINGERPRINT).unlink(missing_ok=True)
    return longer


def save_end_as_checkpoint(run: Run, num_done: int, say: Callable[[str], object]) -> None:
    """Save the state at the end of a finished run as one to resume from."""
    with closing(RecordCoverage(make_envs(run.config, run.config.num_envs))) as envs:
        new_replay = partial(make_replay_buffer, run.config, envs, run.directory)
        checkpoints = CheckpointManager(run, uninterrupted(), new_replay, say)
        state = checkpoints.restore(keep_metrics=True)
        if state is None:
            say(
                "the replay buffer was removed when the run finished, and begins empty: expect "
                "a dip at first (--checkpoint.keep-finished keeps it)"
            )
            state = state_without_replay(run, envs, num_done)
        checkpoints.save(state)


def state_without_replay(run: Run, envs: RecordCoverage, num_done: int) -> State:
    """Return the state of a finished run whose checkpoints were removed."""
    return TrainState(
        rng=np.random.default_rng([run.config.seed, num_done]),
        agent=load_agent(run.policy, run.config),
        replay=make_replay_buffer(run.config, envs, run.directory),
        num_env_steps=num_done,
        num_rollbacks=0,
        reward_kind=chosen_before(run.config, run.metrics()),
        env_states=unwrapped_envs(envs).get_state(),
        coverage=envs.empty_coverage(),
        pictures=PracticePictures(),
    )
