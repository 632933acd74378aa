"""Tasks as Gymnasium environments: scenes, arm, camera, batched tabletop. NumPy and MuJoCo only."""
