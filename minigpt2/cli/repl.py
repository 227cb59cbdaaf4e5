"""`minigpt2 repl`: type a sentence, see what the model sees."""

import argparse
import sys

from . import console
from .options import add_backend_options, add_model_option, open_encoder

HELP = "look inside the model while it works"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = (
        "Type a sentence and see what the model sees; commands begin with a slash, /help lists them. In a "
        "pipe or with --command it is a script: no banner, no colours, errors with line numbers, and exit "
        "code 1 at the first one."
    )
    parser.add_argument(
        "-c",
        "--command",
        action="append",
        metavar="LINE",
        help="do what this line says instead of reading lines; may be given several times",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for each command")
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="in a script: go on after an error, and exit with 1 at the end",
    )
    parser.add_argument(
        "--no-history", action="store_true", help="neither read nor write the history of typed lines"
    )
    add_model_option(parser)
    add_backend_options(parser)
    parser.add_argument(
        "--prompt-name", metavar="NAME", help="put this prompt of the model before every text, e.g. query"
    )


def run(args: argparse.Namespace) -> int:
    """Talk with a person, or run a script."""
    from ..repl.session import Session

    person = args.command is None and not args.json and _is_terminal(sys.stdin) and _is_terminal(sys.stdout)
    screen = console.terminal() if person else console.plain_stdout()
    session = Session(open_encoder(args), screen, interactive=person)
    if args.prompt_name is not None:
        session.put_before(args.prompt_name)
    if person:
        from ..repl.loop import run_loop

        return run_loop(session, keep_history=not args.no_history, debug=args.debug)
    from ..repl.script import lines_of_commands, lines_of_stream, run_script

    if args.command is not None:
        lines = lines_of_commands(args.command)
    else:
        lines = lines_of_stream(getattr(sys.stdin, "buffer", None))
    return run_script(session, lines, as_json=args.json, keep_going=args.keep_going, debug=args.debug)


def _is_terminal(stream) -> bool:
    return stream is not None and stream.isatty()
