"""Network blocks that representation and agent share."""
