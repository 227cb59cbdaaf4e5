"""A person at a terminal."""

from ..errors import MiniGPT2Error
from .exchange import run_line
from .session import Session


def run_loop(session: Session) -> int:
    """Read lines until `/quit` or the end of input; the exit code."""
    while True:
        try:
            typed = input("› ")
        except EOFError:
            return 0
        if not typed.strip():
            continue
        try:
            exchange = run_line(session, typed)
        except MiniGPT2Error as error:
            session.console.print(f"error: {error}")
            continue
        session.exchanges.append(exchange)
        for view in exchange.reply.views:
            session.console.print(view)
        if exchange.reply.quits:
            return 0
