"""A terminal for tests: a pseudo-terminal with a program on it, and a screen that follows what it draws."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

TOKEN = re.compile(r"\x1b\[(?P<parameters>[?0-9;]*)(?P<command>[A-Za-z])|(?P<text>[^\x1b])|(?P<other>\x1b.?)")
UNFINISHED = re.compile(r"(\x1b(\[[?0-9;]*)?)?$")


class Screen:
    """The cells of a terminal, for the few sequences that Rich sends."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.alternate = False
        self.cursor_shown = True
        self.unknown = []
        self._clear()

    def _clear(self):
        self.cells = [[" "] * self.width for _ in range(self.height)]
        self.row = self.column = 0

    def resize(self, width, height):
        """Another size with nothing on it: what is there afterwards has been drawn afterwards."""
        self.width, self.height = width, height
        self._clear()

    def feed(self, text):
        for match in TOKEN.finditer(text):
            if match["text"]:
                self._put(match["text"])
            elif match["command"]:
                self._control(match["parameters"], match["command"])
            else:
                self.unknown.append(match[0])

    def _put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            if self.row == self.height:
                self.cells = [*self.cells[1:], [" "] * self.width]
                self.row -= 1
        else:
            if self.column == self.width:
                self.column = 0
                self._put("\n")
            self.cells[self.row][self.column] = character
            self.column += 1

    def _control(self, parameters, command):
        if command == "H" and parameters in ("", "1;1"):
            self.row = self.column = 0
        elif (parameters, command) in (("?1049", "h"), ("?1049", "l")):
            self.alternate = command == "h"
            self.unknown = []  # of the other screen
            self._clear()
        elif (parameters, command) in (("?25", "h"), ("?25", "l")):
            self.cursor_shown = command == "h"
        elif command != "m":
            self.unknown.append(parameters + command)

    @property
    def rows(self):
        return ["".join(row).rstrip() for row in self.cells]

    @property
    def text(self):
        return "\n".join(self.rows)


def _as_a_person_starts_it():
    """In the new process: Ctrl-C is a signal, and none is ignored, as in what runs in the background."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """`minigpt2 ARGUMENTS` on a pseudo-terminal of a given size; `stdout` may be a file."""

    def __init__(self, arguments, environment, width, height, stdout=None):
        self.ours, theirs = pty.openpty()
        self.theirs = os.dup(theirs)  # kept open, to ask for the settings at the end
        self.screen = Screen(width, height)
        self.all = ""
        self._undecoded = b""  # and
        self._unfinished = ""  # what one read has of a character or sequence that the next one ends
        self._set_size(width, height)
        self.settings = termios.tcgetattr(self.theirs)
        command = [sys.executable, "-m", "minigpt2", *map(str, arguments)]
        self.child = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=stdout or theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
            preexec_fn=_as_a_person_starts_it,
        )
        os.close(theirs)

    def _set_size(self, width, height):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def resize(self, width, height):
        self._read(0.0)
        self._set_size(width, height)
        self.screen.resize(width, height)
        self.child.send_signal(signal.SIGWINCH)

    def _read(self, seconds):
        """Take what the program has written; True if there was something."""
        if not select.select([self.ours], [], [], seconds)[0]:
            return False
        try:
            data = self._undecoded + os.read(self.ours, 65536)
        except OSError:  # the other end is closed
            return False
        text = data.decode("utf-8", "ignore")
        self._undecoded = data[len(text.encode("utf-8")) :]
        self.all += text
        text = self._unfinished + text
        self._unfinished = UNFINISHED.search(text)[0]
        self.screen.feed(text.removesuffix(self._unfinished))
        return True

    def wait_for(self, condition, seconds=30.0):
        """Follow the program until `condition(screen)` holds."""
        end = time.monotonic() + seconds
        while not condition(self.screen):
            assert time.monotonic() < end, f"not seen in {seconds} s:\n{self.screen.text}"
            assert self._read(0.1) or self.child.poll() is None, f"ended too early:\n{self.all[-2000:]}"

    def wait(self, seconds=30.0):
        """Follow the program to its end; its exit code."""
        end = time.monotonic() + seconds
        while self.child.poll() is None:
            assert time.monotonic() < end, f"still running after {seconds} s:\n{self.screen.text}"
            self._read(0.1)
        while self._read(0.2):
            pass
        return self.child.returncode

    def is_as_before(self):
        """True if the program has left the terminal as it found it."""
        settings = termios.tcgetattr(self.theirs)
        return settings == self.settings and self.screen.cursor_shown and not self.screen.alternate

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.child.kill()
        self.child.wait()
        os.close(self.ours)
        os.close(self.theirs)
