"""Imagined goals: drawn from the prior, and decoded so that a person can see them."""

import numpy as np
from PIL import Image

from rig.agent.agent import Agent
from rig.inference.open_run import latent_space
from rig.report.image_grid import draw_image_grid


COLUMNS = 8


def imagined_grid(policy: Agent, num_goals: int, *, rng: np.random.Generator) -> Image.Image:
    """A sheet of imagined goals, decoded."""
    space = latent_space(policy)
    images = space.decode(space.imagine(num_goals, rng=rng))
    rows = [("", images[start : start + COLUMNS]) for start in range(0, num_goals, COLUMNS)]
    return draw_image_grid(rows, "Imagined goals")
