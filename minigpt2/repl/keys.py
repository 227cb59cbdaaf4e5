"""Single keys from a terminal, without Enter, whichever way lines are edited otherwise.

The terminal is set for the time of a `with` and set back whatever happens inside. Only what keys do changes:
Ctrl-C is still the signal that it always is, and what is drawn is drawn as before.
"""

import contextlib
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator

# What a terminal sends for a key beside characters, which stand for themselves.
NAMES = {
    "\r": "enter",
    "\n": "enter",
    " ": "enter",
    "\x1b[C": "right",
    "\x1bOC": "right",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "\x1b[D": "left",
    "\x1bOD": "left",
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1b": "escape",
    "\x04": "end",  # Ctrl-D
}
_KEY = re.compile(r"\x1b\[[0-9;?]*[A-Za-z~]|\x1bO[A-Za-z]|.", re.DOTALL)


def can_read_keys() -> bool:
    """True if stdin is a terminal whose keys can be read one by one."""
    try:
        import termios
    except ImportError:  # not on this system
        return False
    try:
        termios.tcgetattr(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError, termios.error):
        return False
    return True


@contextlib.contextmanager
def single_keys() -> Iterator[Callable[[], str]]:
    """A function that waits for the next key of stdin: a name out of NAMES, a character, or `end`."""
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    waiting: deque[str] = deque()  # keys that came faster than they were asked for

    def next_key() -> str:
        while not waiting:
            typed = os.read(terminal, 1024)
            if not typed:
                return "end"
            waiting.extend(_KEY.findall(typed.decode("utf-8", "ignore")))
        key = waiting.popleft()
        return NAMES.get(key, key)

    try:
        tty.setcbreak(terminal, termios.TCSADRAIN)  # what was typed ahead is kept
        yield next_key
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
