"""The latent: the VAE, its fit, its prior, and the distance that is the reward."""
