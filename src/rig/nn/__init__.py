"""Network blocks that the representation and the agent share."""
