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

A policy for {task} that reaches goal images. It was trained from {source}, without any
reward from outside ([RIG, Nair et al. 2018](https://arxiv.org/abs/1807.04742)).

![Goal, camera, and the decoded latent](replay.gif)

```python
import rig

policy = rig.load("{name}")
action = policy.act(image, goal_image)  # two uint8 images of {size} x {size} x 3
```

## Evaluation

{num_episodes} held-out goal images, after {num_env_steps:,} environment steps.
{chosen}
{table}

## Training

{origin}

Settings: {preset}, seed {seed}; all settings are in `config.json`. A policy knows the images
of one camera: `rig evaluate` and `rig reach` refuse to use it with another one.
"""


CHOSEN = """
This checkpoint is the best of {num_evaluations} evaluations on these same goal images, so its
numbers are optimistic. Expect larger distances on other goals.
"""


def card(run: Run, name: str) -> str:
    """Return the model card of a finished run."""
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
    """Return the warning that a best checkpoint needs; nothing for a last one."""
    if "chosen_on" not in evaluation:
        return ""
    return CHOSEN.format(num_evaluations=evaluation.get("chosen_of_evaluations", "several"))


def table(evaluation: dict[str, Any]) -> str:
    """Return the final distances as a Markdown table."""
    rows = ["| | median | mean | no-op policy |", "|---|---|---|---|"]
    for name, values in evaluation.get("distances", {}).items():
        keys = ("median", "mean", "do_nothing_median")
        cells = [object_of(name), *(amount(name, values[key]) for key in keys)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def facts(origin: dict[str, Any]) -> str:
    """Return the origin of the run as a Markdown list."""
    return "\n".join(
        f"- {name.replace('_', ' ')}: {value}" for name, value in flat(origin).items()
    )


def results(config: Config, evaluation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the final distances in the Hub's format."""
    metrics = [
        {
            "type": metric_of(name),
            "name": f"median {metric_of(name)}",
            "value": values["median"],
        }
        for name, values in evaluation.get("distances", {}).items()
    ]
    task = {"type": "robotics", "name": "reaching goal images"}
    dataset = {"type": config.task, "name": config.task}
    return [{"task": task, "dataset": dataset, "metrics": metrics}] if metrics else []
