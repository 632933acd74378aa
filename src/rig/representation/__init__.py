"""What images become: latents and other kinds, goal prior, reward, probe."""
