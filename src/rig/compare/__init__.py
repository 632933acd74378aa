"""Comparison of methods: statistics over seeds, tables, curves, committed results."""
