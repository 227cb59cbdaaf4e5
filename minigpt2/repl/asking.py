"""What several commands ask about: one sentence or two, layers and heads by their numbers, how many.

Layers and heads are counted from 0, as in the names of the parameters (`h.3.attn…` is layer 3). `3.1` is head
1 of layer 3, or neuron 1 of layer 3.
"""

import re
from typing import TYPE_CHECKING

from ..errors import UsageError
from .line import Option

if TYPE_CHECKING:
    from ..interpret import Look
    from .session import Session

_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_PAIR = re.compile(r"(\d{1,9})\.(\d{1,9})", re.ASCII)


def at_least_one(text: str) -> int:
    """A whole number of at least 1. Raises ValueError for anything else."""
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII) or int(text) < 1:
        raise ValueError(text)
    return int(text)


OF = Option(
    "--of", "the text to look at, in quotation marks; without it the current one", "TEXT", str, "sentence"
)


def count_option(what: str) -> Option:
    """`--k N`: how many of something are shown."""
    return Option("--k", f"how many {what}: a whole number of at least 1", "N", at_least_one)


def look_of(session: "Session", text: str | None = None) -> "Look":
    """Every intermediate of the text or, where none is given, of the current one."""
    return session.look(session.current_or([] if text is None else [text], 'name one with --of "TEXT"'))


def pair_of(session: "Session", texts: "list[str] | tuple[str, ...]", command: str) -> tuple[str, str]:
    """Two texts; one alone stands behind the current one. Raises UsageError for any other number of them."""
    found = [session.text_of(text) for text in texts]
    if len(found) == 1 and session.current is not None:
        found.insert(0, session.current)
    if len(found) != 2:
        raise UsageError(f"/{command} compares two sentences: /{command} A | B")
    return found[0], found[1]


def layer_number(word: str, layers: int) -> int:
    """A layer by its number. Raises UsageError, which says the range."""
    return _number(word, layers, "layer", "the model")


def head_number(word: str, heads: int) -> int:
    """A head by its number within its layer. Raises UsageError, which says the range."""
    return _number(word, heads, "head", "each layer")


def numbers_of(word: str, layers: int, count: int, kind: str) -> tuple[int, int]:
    """`3.1` -> layer 3, and number 1 of `count` things called `kind`. Raises UsageError with the range."""
    match = _PAIR.fullmatch(word)
    if not match:
        raise UsageError(f"a {kind} is written LAYER.{kind.upper()}, such as 0.{count - 1}, not {word!r}")
    return layer_number(match[1], layers), _number(match[2], count, kind, "each layer")


def names_a_part(word: str) -> bool:
    """True for `3.1`."""
    return _PAIR.fullmatch(word) is not None


def _number(word: str, count: int, kind: str, whole: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise UsageError(
            f"a {kind} is a number from 0 to {count - 1}, not {word!r}: a text stands behind --of, in "
            f"quotation marks"
        )
    if int(word) >= count:
        plural = f"{kind}s, counted from 0 to {count - 1}" if count > 1 else f"{kind}, number 0"
        raise UsageError(f"there is no {kind} {int(word)}: {whole} has {count} {plural}")
    return int(word)
