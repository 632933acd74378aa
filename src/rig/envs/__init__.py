"""Tasks as Gymnasium environments, with their scenes, arm and camera. NumPy and MuJoCo only."""
