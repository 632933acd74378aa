"""Robots that teach themselves, from camera images alone, to reach any picture."""
