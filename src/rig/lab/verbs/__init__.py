"""What the command line can do: options, and an errand for each verb."""
