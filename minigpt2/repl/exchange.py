"""One line in, its reply out, with the time that it took."""

import time
from typing import NamedTuple

from . import commands
from .line import parse_arguments, parse_line
from .reply import Reply
from .session import Session


class Exchange(NamedTuple):
    """A line that was typed and what came back; `error` instead of a reply where it was refused."""

    typed: str
    command: str  # "embed" for a sentence
    reply: Reply | None
    error: str | None
    seconds: float  # from the line to the reply, without drawing


def run_line(session: Session, typed: str) -> Exchange:
    """Do what a line says. Raises MiniGPT2Error for what cannot be done; the session is as before then."""
    started = time.perf_counter()
    line = parse_line(typed)
    if line.command is None:
        command = commands.find("embed")
        arguments = parse_arguments("embed", f"-- {line.rest}", "text", ())
    else:
        command = commands.find(line.command)
        arguments = parse_arguments(line.command, line.rest, command.FORM, command.OPTIONS)
    reply = command.run(session, arguments)
    return Exchange(typed, command.NAME, reply, None, time.perf_counter() - started)
