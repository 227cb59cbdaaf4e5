"""Lessons and exercises: run step by step, checked, remembered."""
