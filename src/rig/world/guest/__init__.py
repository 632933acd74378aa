"""Guests: anyone's Gymnasium environments, seen and driven as the tasks here are."""
