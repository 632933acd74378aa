"""A trained policy at work: acting, reaching, exporting, the Hub."""
