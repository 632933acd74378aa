"""The model card of an export: what a stranger should know before using it."""

import json
from typing import Any

from rig.config import Config
from rig.runs.run import Run
from rig.runs.settings import learned_from, preset_of
from rig.settings import flat
from rig.units import amount, metric_of, object_of


CARD = """---
library_name: imagined-goals
pipeline_tag: robotics
tags:
- reinforcement-learning
- robotics
- goal-conditioned
- self-supervised
- {tag}
model-index:
- name: {label}
  results: {results}
---

# {name}

A policy for {task} that reaches goal pictures. It was trained from {source}, without any
reward from outside ([RIG, Nair et al. 2018](https://arxiv.org/abs/1807.04742)).

![Goal, camera, and what the robot makes of what it sees](replay.gif)

```python
import rig

policy = rig.load("{name}")
action = policy.act(image, goal_image)  # two uint8 pictures of {size} x {size} x 3
```

## How near it comes

{num_episodes} goal pictures that practice never saw, after {num_env_steps:,} environment steps.
{chosen}
{table}

## What it was trained with

{origin}

Settings: {preset}, seed {seed}; all of them are in `config.json`. A policy knows one camera's
pictures: `rig evaluate` and `rig reach` refuse to use it under another one.
"""


CHOSEN = """
The checkpoint was chosen as the best of its run's evaluations on these very goal pictures,
{num_evaluations} until then, so its figures are optimistic: expect it to come less near others.
"""


def card(run: Run, name: str) -> str:
    """The card of a finished run, under that name."""
    config, evaluation = run.config, run.evaluation()
    return CARD.format(
        name=name,
        label=json.dumps(name),
        tag=json.dumps(config.task),
        task=config.task,
        source=learned_from(config),
        size=config.image_size,
        num_episodes=evaluation.get("num_episodes", 0),
        num_env_steps=evaluation.get("num_env_steps", 0),
        chosen=chosen(evaluation),
        table=table(evaluation),
        origin=facts(run.origin()),
        preset=preset_of(config),
        seed=config.seed,
        results=json.dumps(results(config, evaluation)),
    )


def chosen(evaluation: dict[str, Any]) -> str:
    """What to know of a run's best policy, whose figures flatter it; nothing of its last."""
    if "chosen_on" not in evaluation:
        return ""
    return CHOSEN.format(num_evaluations=evaluation.get("chosen_of_evaluations", "several"))


def table(evaluation: dict[str, Any]) -> str:
    """The distances left, as a table."""
    rows = ["| | median | mean | doing nothing |", "|---|---|---|---|"]
    for name, values in evaluation.get("distances", {}).items():
        keys = ("median", "mean", "do_nothing_median")
        cells = [object_of(name), *(amount(name, values[key]) for key in keys)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def facts(origin: dict[str, Any]) -> str:
    """Where the run comes from, as a list."""
    return "\n".join(
        f"- {name.replace('_', ' ')}: {value}" for name, value in flat(origin).items()
    )


def results(config: Config, evaluation: dict[str, Any]) -> list[dict[str, Any]]:
    """The distances left, as the Hub reads them."""
    metrics = [
        {
            "type": metric_of(name),
            "name": f"median {metric_of(name)}",
            "value": values["median"],
        }
        for name, values in evaluation.get("distances", {}).items()
    ]
    task = {"type": "robotics", "name": "reaching goal pictures"}
    dataset = {"type": config.task, "name": config.task}
    return [{"task": task, "dataset": dataset, "metrics": metrics}] if metrics else []
