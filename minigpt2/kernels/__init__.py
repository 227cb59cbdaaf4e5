"""Faster ways to say what layers/ says."""
