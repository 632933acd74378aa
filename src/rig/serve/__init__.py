"""The live page: watch a robot learn, show it a goal image, let it reach."""
