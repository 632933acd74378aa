"""``rig robot check``: what has to be right before an arm practises, measured."""
