"""Names of files as they are typed."""

import contextlib
import os
from collections.abc import Iterator, Sequence

from ..errors import UsageError
from ..files import shorten

LONGEST = 4096  # bytes of a path, as Linux takes them


def typed_path(command: str, word: str) -> str:
    """`~/models` -> the path. Raises UsageError for what no system takes as a name, as the empty one."""
    try:
        possible = 0 < len(os.fsencode(word)) <= LONGEST and "\0" not in word
    except UnicodeError:  # half a pair of surrogates
        possible = False
    if not possible:
        raise UsageError(f"/{command}: {shorten(word)} is no name that a file can have")
    return os.path.expanduser(word)


def only_word(command: str, words: Sequence[str], what: str) -> str:
    """The one path among the words behind a command. Raises UsageError for none or several."""
    if len(words) != 1:
        hint = ": put a name with blanks into quotation marks" if words else ""
        raise UsageError(f"/{command} takes one {what}, not {len(words) or 'none'}{hint}")
    return typed_path(command, words[0])


@contextlib.contextmanager
def naming_overwrite() -> Iterator[None]:
    """Where something exists already, tell of the option that allows to replace it."""
    try:
        yield
    except UsageError as error:
        raise UsageError(str(error).replace("allow it to be overwritten", "add --overwrite")) from error
