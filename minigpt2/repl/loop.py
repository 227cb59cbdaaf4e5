"""A person at a terminal: a banner, then lines and their answers until Ctrl-D.

Ctrl-C drops the line that is being typed, or stops what is being computed; it never ends the conversation.
"""

import contextlib
import errno
import sys
import time
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import MiniGPT2Error, explain
from ..visible import visible
from .exchange import Exchange, name_of_command, run_line
from .history import History, open_history
from .input import LineEditor, Prompts, open_editor
from .interrupts import ignored
from .session import Session

if TYPE_CHECKING:
    from rich.text import Text


def run_loop(session: Session, *, keep_history: bool = True, debug: bool = False) -> int:
    """Talk with a person until `/quit` or Ctrl-D; the exit code.

    `debug` shows where an error comes from. Raises BrokenPipeError where the terminal is gone.
    """
    session.history, problem = open_history() if keep_history else (History(), None)
    try:
        editor = open_editor(session, _prompts(session))
        session.console.print(_banner(session))
        if problem:
            _tell(session, "warning", problem)
        goes_on = True
        while goes_on:
            try:
                goes_on = _turn(session, editor, debug)
            except KeyboardInterrupt:
                continue
        return 0
    except OSError as error:
        if error.errno == errno.EIO:  # the terminal has been closed
            raise BrokenPipeError(error.errno, "the terminal is closed") from None
        raise


def _turn(session: Session, editor: LineEditor, debug: bool) -> bool:
    """One line and its answer; False where the conversation ends."""
    try:
        typed = editor.read()
    except EOFError:
        return False
    except MiniGPT2Error as error:
        _tell(session, "error", str(error))
        return True
    if not typed.strip():
        return True
    editor.remember(typed)
    try:
        session.history.add(typed)
    except MiniGPT2Error as error:
        _tell(session, "warning", f"{error}; lines are not kept from here on")
    try:
        return _answer(session, typed)
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, OSError) and error.errno in (errno.EIO, errno.EPIPE):
            raise
        told = False
        while not told:
            with contextlib.suppress(KeyboardInterrupt), ignored():  # the next press of an impatient person
                _refuse(session, typed, error, debug)
                told = True
        return True


def _refuse(session: Session, typed: str, error: BaseException, debug: bool) -> None:
    """Say why a line has no answer."""
    interrupted = isinstance(error, KeyboardInterrupt)
    message = "interrupted" if interrupted else explain(error)
    session.record(Exchange(typed, name_of_command(typed), None, message, 0.0))
    if debug and not interrupted:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    _tell(session, "" if interrupted else "error", message)


def _answer(session: Session, typed: str) -> bool:
    """Run a line and draw what it gives; False where it ends the conversation."""
    exchange = run_line(session, typed)
    drawn_from = time.perf_counter()
    for warning in exchange.warnings:
        _tell(session, "warning", warning)
    for view in exchange.reply.views:
        session.console.print(view)
    if exchange.reply.views:
        session.console.print()
    session.record(exchange._replace(drawing=time.perf_counter() - drawn_from))
    return not exchange.reply.quits


def _prompts(session: Session) -> Prompts:
    return Prompts("› ", "… ") if _has_unicode(session) else Prompts("> ", ". ")


def _has_unicode(session: Session) -> bool:
    return session.console.encoding.startswith("utf")


def _banner(session: Session) -> "Text":
    """Which model computes where, and how to go on."""
    from rich.text import Text

    encoder = session.encoder
    config, backend = encoder.config, encoder.backend
    name = visible(encoder.path.name) if encoder.path else "a model in memory"
    dot = "·" if _has_unicode(session) else "-"
    sizes = f"{config.L} layers, {config.H} heads, {config.D} dimensions"
    where = f"{backend.xp.__name__} on {backend.device}, {backend.dtype}"
    return Text.assemble(
        (f"minigpt2 {__version__}", "bold"),
        f" {dot} {name}: {sizes} {dot} {where}\n",
        ("Type a sentence. /help lists the commands, Tab completes, Ctrl-D leaves.", "dim"),
    )


def _tell(session: Session, kind: str, message: str) -> None:
    """One line on stderr, in colour where stdout has colours."""
    from rich.console import Console
    from rich.text import Text

    if sys.stderr is None:
        return
    styles = {"error": "bold red", "warning": "yellow"}
    line = Text.assemble(*([(f"{kind}: ", styles[kind])] if kind else []), visible(" ".join(message.split())))
    colours = {} if session.console.color_system else {"color_system": None}
    Console(file=sys.stderr, markup=False, emoji=False, highlight=False, **colours).print(line)
