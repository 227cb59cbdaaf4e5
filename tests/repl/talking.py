"""A person for tests: `minigpt2 repl` on a pseudo-terminal, keys that are typed, the screen that is seen."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

TAB, ENTER, CTRL_C, CTRL_D, CTRL_R, ALT_ENTER = "\t", "\r", "\x03", "\x04", "\x12", "\x1b\r"


class Talk:
    """A conversation of its own process; `home` is where its history lies."""

    def __init__(self, *arguments, home, width=80, height=24, **changes):
        self.ours, theirs = pty.openpty()
        self.theirs = os.dup(theirs)  # kept open, to ask for the settings at the end
        import pyte  # here, so that these tests are collected where it is missing

        self.screen = pyte.Screen(width, height)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._set_size(width, height)
        self.settings = termios.tcgetattr(self.theirs)
        names = ("LC_", "LANG", "PYTHON", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "MINIGPT2", "XDG")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(names)}
        environment |= {
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "OPENBLAS_NUM_THREADS": "1",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "XDG_STATE_HOME": str(home),
            "PROMPT_TOOLKIT_NO_CPR": "1",  # this terminal does not tell where its cursor is
        }
        self.child = subprocess.Popen(
            [sys.executable, "-m", "minigpt2", "repl", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment | changes,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )
        os.close(theirs)

    def _set_size(self, width, height):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def resize(self, width, height):
        self._set_size(width, height)
        self.screen.resize(height, width)
        self.child.send_signal(signal.SIGWINCH)

    def type(self, keys):
        os.write(self.ours, keys.encode("utf-8"))

    def _read(self, seconds):
        if not select.select([self.ours], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += data
        self.stream.feed(data)
        return True

    @property
    def rows(self):
        return [row.rstrip() for row in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.rows).rstrip()

    def wait_for(self, text, seconds=30.0):
        """Follow the conversation until the screen shows the text."""
        self.wait_until(lambda: text in self.text, seconds, text)

    def wait_until(self, condition, seconds=30.0, what="it"):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what} not seen in {seconds} s:\n{self.text}"
            assert self._read(0.05) or self.child.poll() is None, f"ended too early:\n{self.text}"

    def wait_for_prompt(self, line=""):
        """Until the last row that shows something is the prompt and this line."""
        prompt = f"› {line}".rstrip()
        self.wait_until(lambda: self.text.split("\n")[-1] == prompt, what=f"the prompt {line!r}")

    @property
    def line(self):
        """The row that the cursor is in; something may stand below it."""
        return self.rows[self.screen.cursor.y]

    def wait_for_empty_line(self):
        self.wait_until(lambda: self.line == "›", what="an empty line")

    def drop_line(self):
        """Ctrl-C until the line is empty: readline misses one that comes just before it begins to wait."""
        end = time.monotonic() + 30.0
        while self.line != "›":
            assert time.monotonic() < end, f"the line is not dropped:\n{self.text}"
            self.type(CTRL_C)
            with contextlib.suppress(AssertionError):
                self.wait_until(lambda: self.line == "›", 2.0)

    def leave(self):
        """Ctrl-D until the program ends, as an editor misses one before it begins to wait; the exit code."""
        end = time.monotonic() + 30.0
        while self.child.poll() is None and time.monotonic() < end:
            self.type(CTRL_D)
            with contextlib.suppress(AssertionError):
                return self.wait(2.0)
        return self.wait(1.0)

    def wait(self, seconds=30.0):
        """Follow the conversation to its end; the exit code."""
        end = time.monotonic() + seconds
        while self.child.poll() is None:
            assert time.monotonic() < end, f"still running after {seconds} s:\n{self.text}"
            self._read(0.05)
        while self._read(0.1):
            pass
        return self.child.returncode

    def is_as_before(self):
        """True if the terminal is as it was: its settings, the cursor, one screen, no paste brackets."""
        modes = {"1049", "2004", "1000", "1006", "25"}
        on = set()
        for sequence in self.raw.split(b"\x1b[?")[1:]:
            digits = sequence[: next((i for i, c in enumerate(sequence) if not 48 <= c <= 57), None)].decode()
            if digits in modes:
                letter = sequence[len(digits) : len(digits) + 1]
                (on.add if letter == b"h" else on.discard)(digits)
                if digits == "25" and letter == b"l":
                    on.add("hidden")
                elif digits == "25":
                    on.discard("hidden")
        return termios.tcgetattr(self.theirs) == self.settings and not on - {"25"}

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.child.kill()
        self.child.wait()
        os.close(self.ours)
        os.close(self.theirs)
