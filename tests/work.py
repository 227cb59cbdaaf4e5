"""How much work a call does, counted and not timed."""

from minigpt2.learn.counting import lines_run

__all__ = ["lines_run"]
