"""Plots, image grids and the page that explains a run."""
