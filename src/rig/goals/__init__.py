"""How a person says a goal: an image file."""
