"""The world: scenes, arm, camera, tasks and the batched tabletop. NumPy and MuJoCo only."""
