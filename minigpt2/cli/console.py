"""Where the command line reads and writes: stdin and stdout for data, stderr for people.

Rich draws tables and trees in colour on a terminal and leaves colours away for a pipe, for NO_COLOR and for
`--no-color`. It is imported when something is drawn, never for JSON.
"""

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..visible import terminal_has_unicode, visible

if TYPE_CHECKING:
    from rich.console import Console


def use_utf8() -> None:
    """UTF-8 on both streams in any locale; file names that are not UTF-8 pass through as their bytes."""
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors=errors)


def say(message: str) -> None:
    """One line on stderr, after the program's name. Nothing where stderr is closed or full."""
    if sys.stderr is not None:
        try:
            print("minigpt2:", visible(" ".join(message.splitlines())), file=sys.stderr, flush=True)
        except OSError:
            sys.stderr = None  # or the interpreter would try again at its end, and change the exit code


def stdin_lines() -> Iterator[str]:
    """The lines of stdin, which must be open and UTF-8."""
    from ..files import read_lines

    if sys.stdin is None:
        raise UsageError("- reads stdin, which is closed: give a file")
    return read_lines(sys.stdin.buffer, "stdin")


def stdout_is_terminal() -> bool:
    """True if a person reads stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def stdout() -> "Console":
    """For tables and trees. Text is printed as it is: no markup, no emoji codes, no guessed highlights."""
    return _console(sys.stdout)


def stderr() -> "Console":
    """For progress bars."""
    return _console(sys.stderr)


def terminal() -> "Console":
    """For a conversation on stdout; `encoding` is the terminal's own, so that pictures know what it shows."""
    return _console(sys.stdout, encoding="utf-8" if terminal_has_unicode() else "ascii")


def plain_stdout() -> "Console":
    """For the answers of a script: without colours even on a terminal, unless FORCE_COLOR asks for them."""
    return _console(sys.stdout) if os.environ.get("FORCE_COLOR") else _console(sys.stdout, color_system=None)


def _console(stream, encoding: str = "utf-8", **options: Any) -> "Console":
    from rich.console import Console

    class ConsoleOfACommand(Console):
        @property
        def encoding(self) -> str:
            return encoding

        def on_broken_pipe(self) -> None:
            """Leave a closed pipe to `main`; Rich itself would exit with 1."""
            raise

        def print(self, *objects: Any, **options: Any) -> None:
            """Print as Rich does, but once only: what Ctrl-C has cut off does not come with the next text."""
            try:
                super().print(*objects, **options)
            except KeyboardInterrupt:
                self.begin_capture()
                self.end_capture()  # drops what is left
                if self.color_system:
                    self.file.write("\x1b[0m\n")  # the cut may be in a colour, or in the sequence for one
                    self.file.flush()
                raise

    if os.environ.get("NO_COLOR"):
        options["color_system"] = None
    return ConsoleOfACommand(file=stream, markup=False, emoji=False, highlight=False, **options)
