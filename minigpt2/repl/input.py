"""Reading what a person types: which line editor, and those that the standard library gives.

| editor           | when                                                                                   |
|------------------|----------------------------------------------------------------------------------------|
| `prompt_toolkit` | it is there and loads (extra `repl`), both ends are terminals, and TERM is not dumb    |
| `readline`       | else, where Python has it: GNU readline or libedit                                     |
| `plain`          | else: what the terminal itself can do                                                  |

The environment variable MINIGPT2_REPL_INPUT names another one. All of them read texts of several lines as
`multiline.py` says.
"""

import importlib.util
import locale
import os
import sys
from abc import ABC, abstractmethod
from typing import NamedTuple

from ..errors import DataError, UsageError
from ..visible import visible
from .completion import complete
from .history import editable
from .multiline import Multiline
from .session import Session

VARIABLE = "MINIGPT2_REPL_INPUT"
MOST_EXPLAINED = 12  # completions that are listed with what is said about them


class Prompts(NamedTuple):
    """What stands before the first line of a text, and before those with which it goes on."""

    first: str
    next: str


class LineEditor(ABC):
    """One way to read a line from a person."""

    ends_lines = False  # whether the cursor is in a new line after Ctrl-C and Ctrl-D

    def __init__(self, session: Session, prompts: Prompts) -> None:
        self.session = session
        self.prompts = prompts

    @abstractmethod
    def read_line(self, prompt: str) -> str:
        """A line without its end; several where several were pasted at once."""

    def remember(self, text: str) -> None:  # noqa: B027  where a terminal has no history there is nothing to do
        """Let the person find a text again with the arrow keys."""

    def read(self) -> str:
        """The next text, of several lines perhaps.

        Raises EOFError for Ctrl-D on an empty line, KeyboardInterrupt for Ctrl-C, DataError for what is not
        UTF-8. Ctrl-D where a text goes on drops that text.
        """
        multiline = Multiline()
        while True:
            try:
                line = self.read_line(self.prompts.next if multiline.waits else self.prompts.first)
            except (EOFError, KeyboardInterrupt) as error:
                if not self.ends_lines:
                    print()
                if isinstance(error, KeyboardInterrupt) or not multiline.waits:
                    raise
                multiline = Multiline()
                continue
            except UnicodeDecodeError:
                raise DataError("the line is not UTF-8: check the terminal's encoding") from None
            text = multiline.feed(_as_utf8(line))
            if text is not None:
                return text


class PlainEditor(LineEditor):
    """The terminal's own editing: backspace, and that is all."""

    def read_line(self, prompt: str) -> str:
        return input(prompt)


class ReadlineEditor(LineEditor):
    """The standard library's readline: arrow keys, history, Tab."""

    def __init__(self, session: Session, prompts: Prompts) -> None:
        super().__init__(session, prompts)
        import readline

        self._readline = readline
        self._matches: list[str] = []
        self._shown: dict[str, str] = {}  # match -> how it stands in a list of them
        backend = getattr(readline, "backend", None)  # from Python 3.13
        libedit = "libedit" in (backend or readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
        readline.set_completer_delims("")  # the whole line is completed, so that blanks need no care
        readline.set_completer(self._complete)
        readline.set_completion_display_matches_hook(self._show_matches)
        readline.set_auto_history(False)
        readline.clear_history()
        for entry in session.history.entries:
            self.remember(entry)

    def read_line(self, prompt: str) -> str:
        return input(prompt)

    def remember(self, text: str) -> None:
        for entry in editable([text]):
            self._readline.add_history(_for_the_locale(entry))

    def _complete(self, text: str, state: int) -> str | None:
        """readline asks for match 0, 1, 2, … of a line until there is none; an error here would be silent."""
        if state == 0:
            try:
                before = _as_utf8(self._readline.get_line_buffer()[: self._readline.get_endidx()])
            except DataError:
                before = "//"  # of which nothing is known
            completions = complete(self.session, before)
            whole = (before[: completion.start] + completion.text for completion in completions)
            self._matches = [_for_the_locale(text) for text in whole]
            explained = len(completions) <= MOST_EXPLAINED
            shown = (c.shown if explained else c.text.strip() for c in completions)
            self._shown = dict(zip(self._matches, shown, strict=True))
        return self._matches[state] if state < len(self._matches) else None

    def _show_matches(self, substitution: str, matches: list[str], longest: int) -> None:
        labels = [visible(self._shown.get(match, match)) for match in matches]
        line = self._readline.get_line_buffer()
        print("\n" + "\n".join(in_columns(labels, self.session.console.width)))
        print(self.prompts.first + line, end="", flush=True)


def open_editor(session: Session, prompts: Prompts) -> LineEditor:
    """The line editor for this terminal. Raises UsageError where the one that is asked for is missing."""
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        chosen = _best()
        if chosen == "prompt_toolkit":
            try:
                from .toolkit import ToolkitEditor
            except ImportError:  # an old version, or one without what it needs itself
                chosen = _of_the_standard_library()
            else:
                return ToolkitEditor(session, prompts)
    if chosen == "plain":
        return PlainEditor(session, prompts)
    if chosen == "readline":
        if importlib.util.find_spec("readline") is None:
            raise UsageError(f"{VARIABLE} is readline, which this Python has not: unset it")
        return ReadlineEditor(session, prompts)
    if chosen == "prompt_toolkit":
        if importlib.util.find_spec("prompt_toolkit") is None:
            raise UsageError(
                f"{VARIABLE} is prompt_toolkit, which is not installed: pip install 'minigpt2[repl]'"
            )
        from .toolkit import ToolkitEditor

        return ToolkitEditor(session, prompts)
    raise UsageError(f"{VARIABLE} is {chosen!r}: use prompt_toolkit, readline or plain, or unset it")


def _best() -> str:
    terminals = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    if terminals and importlib.util.find_spec("prompt_toolkit") is not None:
        return "prompt_toolkit"
    return _of_the_standard_library()


def _of_the_standard_library() -> str:
    return "plain" if importlib.util.find_spec("readline") is None else "readline"


def in_columns(labels: list[str], width: int) -> list[str]:
    """The labels in as many columns as fit, ordered down the columns; one that is too long is cut."""
    from rich.cells import cell_len, set_cell_size

    widest = min(max(map(cell_len, labels)) + 2, width)
    columns = max(1, width // widest)
    rows = -(-len(labels) // columns)
    lines = []
    for row in range(rows):
        cells = [set_cell_size(label, min(widest, width - 1)) for label in labels[row::rows]]
        lines.append("".join(cells).rstrip())
    return lines


def _for_the_locale(text: str) -> str:
    """The text as `_as_utf8` takes it: with its bytes as surrogates where the locale cannot say it."""
    try:
        text.encode(locale.getencoding())
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("ascii", "surrogateescape")
    return text


def _as_utf8(line: str) -> str:
    """The line as it was typed: in a locale that is not UTF-8, Python holds its bytes as surrogates."""
    try:
        return line.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        raise DataError("the line is not UTF-8: check the terminal's encoding") from None
