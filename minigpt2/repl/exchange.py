"""One line in, its reply out, with the time that it took."""

import os
import time
import warnings
from types import ModuleType
from typing import NamedTuple

from ..encoder import TruncationWarning
from . import commands
from .line import Arguments, parse_arguments, parse_line
from .reply import Reply
from .session import Session


class Exchange(NamedTuple):
    """A line that was typed and what came back; `error` instead of a reply where it was refused."""

    typed: str
    command: str  # "embed" for a sentence
    reply: Reply | None
    error: str | None
    seconds: float  # from the line to the reply, without drawing
    warnings: tuple[str, ...] = ()  # one line each
    drawing: float = 0.0  # seconds from the reply to the finished picture; 0 where nothing was drawn


def run_line(session: Session, typed: str) -> Exchange:
    """Do what a line says. Raises MiniGPT2Error for what cannot be done.

    Whatever is raised, KeyboardInterrupt too, the session is as before then.
    """
    started = time.perf_counter()
    line = parse_line(typed)
    if line.command is None:
        command = commands.find("embed")
        arguments = parse_arguments("embed", f"-- {line.rest}", "text", ())
    else:
        command = commands.find(line.command)
        arguments = parse_arguments(command.NAME, line.rest, command.FORM, command.OPTIONS, command.USAGE)
        arguments = _with_home(command, arguments)
    before = session.state()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", TruncationWarning)
            reply = command.run(session, arguments)
    except BaseException:
        session.restore(before)
        raise
    notes = tuple(" ".join(str(warning.message).split()) for warning in caught)
    return Exchange(typed, command.NAME, reply, None, time.perf_counter() - started, notes)


def _with_home(command: ModuleType, arguments: Arguments) -> Arguments:
    """`~` at the start of a file's name is the user's home, for words as in a shell."""
    if command.COMPLETES not in ("file", "folder", "model"):
        return arguments
    return arguments._replace(words=[os.path.expanduser(word) for word in arguments.words])


def name_of_command(typed: str) -> str:
    """The command that a line asks for, whether there is such a one or not."""
    name = parse_line(typed).command
    return "embed" if name is None else commands.ALIASES.get(name, name)
