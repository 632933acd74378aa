"""Anyone's Gymnasium environment as an image-goal vector environment."""
