"""`python -m minigpt2` is the same program as `minigpt2`."""

from .cli import entry_point

if __name__ == "__main__":
    entry_point()
