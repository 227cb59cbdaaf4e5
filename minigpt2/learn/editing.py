"""Changing a cell, and trying things in a Python shell with the lesson's variables.

A cell is edited in the program that VISUAL or EDITOR names; without one in place, by prompt_toolkit where
it is installed (extra `repl`), and else by typing it anew, line by line.
"""

import code
import contextlib
import importlib.util
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .running import ENDED_BY_SIGNAL, reopen_stdin

END = "."  # alone on a line, ends a cell that is typed anew


def edit(source: str) -> str:
    """The cell as the person leaves it. UsageError where the editor cannot be run or fails."""
    program = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if program:
        return _edit_by(program, source)
    if importlib.util.find_spec("prompt_toolkit") is not None and os.environ.get("TERM", "dumb") != "dumb":
        return _edit_in_place(source)
    return _type_anew(source)


def _edit_by(program: str, source: str) -> str:
    with tempfile.TemporaryDirectory(prefix="minigpt2-") as folder:
        path = Path(folder, "cell.py")
        path.write_text(source + "\n", encoding="utf-8")
        try:
            with _ctrl_c_for_the_editor():
                ended = subprocess.run([*shlex.split(program), str(path)])
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"cannot run the editor {program!r}: {reason.lower()}; set EDITOR") from None
        if ended.returncode:
            by_signal = -ended.returncode in set(signal.Signals)
            how = signal.Signals(-ended.returncode).name if by_signal else ended.returncode
            raise UsageError(f"the editor {program!r} ended with {how}: the cell is as it was")
        try:
            return path.read_text(encoding="utf-8-sig").rstrip("\n")
        except UnicodeDecodeError:
            raise UsageError("the edited cell is not UTF-8: the cell is as it was") from None
        except OSError:
            raise UsageError(f"the editor {program!r} has left no file: the cell is as it was") from None


@contextlib.contextmanager
def _ctrl_c_for_the_editor() -> Iterator[None]:
    """While it lasts, Ctrl-C does nothing in this process."""
    # A handler that does nothing: an editor would inherit SIG_IGN, but no handler.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _edit_in_place(source: str) -> str:
    from prompt_toolkit import prompt

    print("Alt-Enter (or Escape, Enter) runs the cell, Ctrl-C leaves it as it was.")
    try:
        return prompt(default=source, multiline=True)
    except (KeyboardInterrupt, EOFError):
        return source


def _type_anew(source: str) -> str:
    print(f"Type the cell anew, and {END} alone on a line to end; nothing but that leaves it as it was.")
    print("(Set EDITOR to your editor to change the cell there.)")
    lines = []
    try:
        while (line := input("> ")) != END:
            lines.append(line)
    except (KeyboardInterrupt, EOFError):
        print()
        return source
    return "\n".join(lines) if lines else source


def shell(variables: dict[str, Any]) -> None:
    """A Python shell in these variables, until Ctrl-D or exit(). SystemExit only for a signal."""
    with contextlib.suppress(ImportError):
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(variables).complete)
        readline.parse_and_bind("tab: complete")
    try:
        code.interact(
            banner="Python with the lesson's variables. Ctrl-D or exit() goes back to the lesson.",
            local=variables,
            exitmsg="",
        )
    except SystemExit as error:
        if error.code in ENDED_BY_SIGNAL:
            raise
    finally:
        reopen_stdin()
