"""Imagined goals: drawn from the prior, and decoded so that a person can see them."""

import numpy as np
from PIL import Image

from rig.agent.agent import Agent
from rig.inference.open_run import image_representation
from rig.report.image_grid import draw_image_grid


COLUMNS = 8


def imagined_grid(agent: Agent, num_goals: int, *, rng: np.random.Generator) -> Image.Image:
    """Return an image grid of imagined goals, decoded."""
    representation = image_representation(agent)
    images = representation.decode(representation.imagine(num_goals, rng=rng))
    rows = [("", images[start : start + COLUMNS]) for start in range(0, num_goals, COLUMNS)]
    return draw_image_grid(rows, "Imagined goals")
