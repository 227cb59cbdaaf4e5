"""The `minigpt2` command.

One module a command, imported when it is asked for: `HELP` is its line in the list of commands,
`add_arguments(parser)` declares what it takes, `run(args)` does it and returns the exit code.

Data goes to stdout; progress, warnings and errors go to stderr. Exit codes: 0 done, 1 failure, 2 wrong usage,
3 bad data or model, 4 GPU asked for but unusable, 130 interrupted. A reader that closes the pipe early
(`| head -1`) has what it wanted: the command stops silently with 0. All output is UTF-8, whatever the locale.
"""

import argparse
import contextlib
import importlib
import itertools
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import NoReturn

from .. import __version__
from ..errors import DataError, MiniGPT2Error, OutputError, UsageError, explain
from . import console

COMMANDS = ("repl", "learn", "embed", "similarity", "train", "evaluate", "tokens", "info", "bench", "doctor")

EXAMPLES = """\
examples:
  minigpt2 similarity "The cat is sleeping" "A feline is resting"
  minigpt2 embed "The cat is sleeping"
  minigpt2 embed --input sentences.txt --output vectors.npy
  minigpt2 train --train-data pairs.tsv --output-dir out
  minigpt2 doctor
"""


# What a signal that ends the program does once one of them has come. A terminal that is closed may send
# SIGHUP twice, which must not cut the ending short; a second SIGTERM does.
AFTER_THE_FIRST = {signal.SIGTERM: signal.SIG_DFL}
if hasattr(signal, "SIGHUP"):  # not on Windows
    AFTER_THE_FIRST[signal.SIGHUP] = signal.SIG_IGN


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line like every other error here."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message.strip()} (see {self.prog} --help)")


def entry_point() -> NoReturn:
    """What the `minigpt2` script runs: `main`, then the exit."""
    for number in AFTER_THE_FIRST:
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, _stop)
    try:
        code = main()
    except SystemExit:
        # The signal may have come while `main` was ending, before it had emptied the streams: a terminal that
        # is closed makes reads fail first and sends SIGHUP next.
        _discard_stdout()
        raise
    sys.exit(code)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """End by an exception, which removes files half written; the exit code is the shell's for a signal."""
    for other, action in AFTER_THE_FIRST.items():
        if signal.getsignal(other) is _stop:
            signal.signal(other, action)
    raise SystemExit(128 + number)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (None: the program's own) and return the exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    console.use_utf8()
    with _settings_of_a_run("--no-color" in _own_options(argv)):
        try:
            if sys.stdout is None:
                raise OutputError("stdout is closed: redirect it to a file or to /dev/null")
            code = _run(argv)
            sys.stdout.flush()
            return code
        except BrokenPipeError:
            _discard_stdout()
            return 0
        except KeyboardInterrupt:
            console.say("interrupted")
            return 130
        except Exception as error:
            _discard_unwritable_stdout()
            if "--debug" in _own_options(argv):
                raise_to_stderr(error)
            console.say(f"error: {explain(error)}")
            return error.exit_code if isinstance(error, MiniGPT2Error) else 1
        except SystemExit:  # told to end from outside: to empty stdout might take as long as its reader likes
            _discard_stdout()
            raise
        finally:
            _discard_unwritable_stderr()


def _run(argv: list[str]) -> int:
    parser = _Parser(
        prog="minigpt2",
        description="GPT-2 sentence embeddings from scratch in NumPy.",
        epilog=f"commands:\n{_list_of_commands(argv)}\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"minigpt2 {__version__}")
    _add_common_options(parser)
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="one of the commands below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="…", help="see minigpt2 COMMAND --help")
    try:
        chosen = parser.parse_args(argv)
    except SystemExit:  # --help and --version, which have printed what was asked for
        return 0
    if chosen.command is None:
        raise UsageError(f"which command? One of {', '.join(COMMANDS)} (see minigpt2 --help)")
    if chosen.command not in COMMANDS:
        import difflib

        similar = difflib.get_close_matches(chosen.command, COMMANDS, n=1)
        hint = f"did you mean {similar[0]}?" if similar else f"use one of {', '.join(COMMANDS)}"
        raise UsageError(f"unknown command {chosen.command!r}: {hint}")

    module = importlib.import_module(f".{chosen.command}", __name__)
    command = _Parser(prog=f"minigpt2 {chosen.command}", description=module.HELP, allow_abbrev=False)
    module.add_arguments(command)
    _add_common_options(command)
    rest = [_as_utf8(argument) for argument in chosen.rest]
    # Intermixed: options may stand between texts. argparse can do that neither after `--` nor where a command
    # has commands of its own. Without options it would only take longer.
    plain = "--" in rest or any(action.nargs == argparse.PARSER for action in command._actions)
    plain = plain or not any(argument.startswith("-") for argument in rest)
    try:
        args = command.parse_args(rest) if plain else command.parse_intermixed_args(rest)
    except SystemExit:
        return 0
    args.arguments = rest  # as typed, for a command that tells how to call it again
    return module.run(args)


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-color", action="store_true", help="no colours (NO_COLOR=1 does the same)")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _own_options(argv: list[str]) -> list[str]:
    """The arguments that can be options: what follows `--` is text."""
    return argv[: argv.index("--")] if "--" in argv else argv


def _list_of_commands(argv: list[str]) -> str:
    """The commands with one line each; empty where no help is asked for, since it imports them all."""
    before_command = itertools.takewhile(lambda argument: argument.startswith("-"), argv)
    if not {"-h", "--help"} & set(before_command):
        return ""
    lines = (f"  {name:<12}{importlib.import_module(f'.{name}', __name__).HELP}\n" for name in COMMANDS)
    return "".join(lines)


def _as_utf8(argument: str) -> str:
    """An argument as it was typed: in a locale that is not UTF-8, Python holds its bytes as surrogates."""
    try:
        argument.encode("utf-8")
    except UnicodeEncodeError:
        try:
            return os.fsencode(argument).decode("utf-8")
        except UnicodeError:
            raise DataError(
                f"the argument {argument!a} is not UTF-8: check the terminal's encoding"
            ) from None
    return argument


@contextlib.contextmanager
def _settings_of_a_run(no_color: bool) -> Iterator[None]:
    """Warnings as single lines on stderr, NO_COLOR for every library, and both as before afterwards."""
    before = os.environ.get("NO_COLOR")
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: console.say(f"warning: {message}")
        if no_color:
            os.environ["NO_COLOR"] = "1"
        try:
            yield
        finally:
            if no_color and before is None:
                del os.environ["NO_COLOR"]
            elif no_color:
                os.environ["NO_COLOR"] = before


def raise_to_stderr(error: Exception) -> None:
    """The traceback of `error`, on stderr."""
    import traceback

    traceback.print_exception(error, file=sys.stderr)


def _discard_unwritable_stdout() -> None:
    """What a full disk refused stays buffered, and the interpreter would complain of it at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _discard_stdout()


def _discard_unwritable_stderr() -> None:
    """The same for stderr, whose reader may have left: it has no say in the exit code."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        _discard("stderr")


def _discard_stdout() -> None:
    """Send what is still buffered to nowhere, so that the interpreter does not complain at its end."""
    _discard("stdout")


def _discard(name: str) -> None:
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, getattr(sys, name).fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        setattr(sys, name, None)
