"""The lab: runs the loop, measures it and shows it."""
