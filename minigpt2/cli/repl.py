"""`minigpt2 repl`: type a sentence, see what the model sees."""

import argparse

from . import console
from .options import add_encoder_options, open_encoder

HELP = "look inside the model while it works"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    add_encoder_options(parser)


def run(args: argparse.Namespace) -> int:
    """Talk until the end of input."""
    from ..repl.loop import run_loop
    from ..repl.session import Session

    return run_loop(Session(open_encoder(args), console.stdout(), interactive=True))
