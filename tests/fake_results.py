"""Results without training. Their numbers name task, method, seed and evaluation."""

import numpy as np

from rig.compare.kept_results import Result


STEPS = (1000, 2000, 3000, 4000)
UNITS = {"Push": ("puck", "m"), "Reach": ("hand", "m"), "Door": ("door", "rad")}


def fake_result(method="a", seed=0, task="Reach", finals=0.02, **changes):
    """A curve that falls linearly to ``finals`` plus 1 mm a seed, with means 1 cm higher."""
    name, unit = UNITS[task]
    end = finals + 0.001 * seed
    ours = np.linspace(0.1, end, len(STEPS)).tolist()
    curve = {
        "num_env_steps": list(STEPS),
        "training_s": [(60.0 + seed) * index for index in range(1, len(STEPS) + 1)],
        f"eval/{name}_distance_{unit}": ours,
        f"eval/{name}_distance_mean_{unit}": [median + 0.01 for median in ours],
        f"eval/do_nothing_{name}_distance_{unit}": [0.1] * len(STEPS),
    }
    if name != "hand":
        curve |= {"eval/hand_distance_m": ours, "eval/do_nothing_hand_distance_m": [0.1] * 4}
    return Result(
        id=f"{task}-{method}-seed{seed}".lower(),
        study="fake",
        task=task,
        method=method,
        seed=seed,
        preset="fast",
        changes=changes,
        command=f"rig train {task} --seed {seed}",
        commit="0123456789abcdef",
        device="abacus",
        date="2024-01-31T12:00:00+00:00",
        curve=curve,
    )
