"""The lines that were typed, in this conversation and in those before it.

They are kept in the file `history` of the user's state folder, one JSON string a line, so that a text of
several lines is one entry and no control character is in the file. Each line is appended as it is typed,
in one write: a killed conversation has lost nothing, and two at once do not disturb each other. A file that
has grown to twice what is kept is rewritten whole, under a lock that appending takes too.
"""

import contextlib
import json
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from ..errors import MiniGPT2Error, OutputError
from ..files import atomic_path
from ..state_folder import make_state_folder, open_private, state_folder

ENTRIES_KEPT = 1000
LONGEST_ENTRY = 10_000  # characters; a longer line is not worth finding again


class History:
    """What was typed, the oldest first, bounded; `path` None keeps it in memory alone."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.entries: list[str] = []

    @classmethod
    def of_the_user(cls) -> "History":
        """The history in the user's state folder, with what is there. OutputError where it cannot be kept."""
        history = cls(state_folder() / "history")
        make_state_folder()
        try:
            with _lock(history.path.parent):
                lines = history._read()
                if len(lines) > 2 * ENTRIES_KEPT:
                    history._rewrite(lines[-ENTRIES_KEPT:])
        except OutputError:
            raise
        except OSError as error:
            raise _cannot_write(history.path, error) from None
        history.entries = [entry for entry in map(_parse, lines) if entry][-ENTRIES_KEPT:]
        return history

    def add(self, typed: str) -> None:
        """Remember a line. OutputError where the file takes it no more; it is in memory then."""
        if not typed.strip() or len(typed) > LONGEST_ENTRY:
            return
        if self.entries and self.entries[-1] == typed:
            return
        self.entries.append(typed)
        if len(self.entries) > ENTRIES_KEPT:
            del self.entries[:-ENTRIES_KEPT]
        if self.path is None:
            return
        try:
            with _lock(self.path.parent):
                self._append(json.dumps(typed) + "\n")
        except OSError as error:
            path, self.path = self.path, None
            raise _cannot_write(path, error) from None

    def _read(self) -> list[str]:
        """The file's lines; it is made where there is none, which shows whether it can be."""
        descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
        with open(descriptor, encoding="utf-8", errors="replace") as stream:
            return stream.read().splitlines()

    def _append(self, line: str) -> None:
        descriptor = open_private(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            if end:
                os.lseek(descriptor, end - 1, os.SEEK_SET)
                if os.read(descriptor, 1) != b"\n":  # a writer was killed in the middle of a line
                    line = "\n" + line
            os.write(descriptor, line.encode("ascii"))
        finally:
            os.close(descriptor)

    def _rewrite(self, lines: list[str]) -> None:
        with atomic_path(self.path) as temporary:
            descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.writelines(line + "\n" for line in lines)


def open_history() -> tuple[History, str | None]:
    """The user's history; where there can be none, one in memory and what to tell."""
    try:
        return History.of_the_user(), None
    except MiniGPT2Error as error:
        return History(), f"{error}; this conversation's lines are not kept"


def editable(entries: list[str]) -> list[str]:
    """The entries that a line editor may show: none with characters that act on a terminal."""
    return [entry for entry in entries if not any(_acts(c) for c in entry)]


def _acts(character: str) -> bool:
    if character.isprintable() or character in "\n\t":
        return False
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and unicodedata.bidirectional(character) != "BN")


def _parse(line: str) -> str:
    """The entry on a line of the file; nothing for a line that is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return entry if isinstance(entry, str) and len(entry) <= LONGEST_ENTRY else ""


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Alone among the conversations of this user, where the system has such a lock."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a network file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}: {(error.strerror or 'refused').lower()}")
