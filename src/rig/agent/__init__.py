"""Goal-conditioned TD3 on latents: networks, updates, exploration."""
