"""How a person states a goal."""
