"""Anyone's Gymnasium environment, seen and driven as the tasks of rig are."""
