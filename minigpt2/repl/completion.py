"""What Tab offers: one pure function of the session and the line up to the cursor."""

from typing import NamedTuple

from . import commands
from .session import Session

MOST = 100  # completions offered at once


class Completion(NamedTuple):
    """One way to go on: the line up to `start`, then `text`."""

    text: str
    start: int
    label: str = ""  # what is said beside it, or about it

    @property
    def shown(self) -> str:
        """The completion in a list of them."""
        return f"{self.text.strip()}  {self.label}" if self.label else self.text


def complete(session: Session, text_before_cursor: str) -> list[Completion]:
    """The ways to go on, best first; at most MOST."""
    text = text_before_cursor
    if text.startswith("/") and not text.startswith("//") and not any(c.isspace() for c in text):
        names = [name for name in commands.NAMES if name.startswith(text[1:].lower())]
        return [Completion(f"/{name} ", 0) for name in names]
    return []
