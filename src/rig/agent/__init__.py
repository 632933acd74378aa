"""The agent: goal-conditioned TD3 on latents, and how it explores."""
