"""Plays a script to `minigpt2 repl` on a pseudo-terminal and takes down every answer.

A script is a file of lines as a person types them; blank lines and lines that begin with `# ` are left out,
as in a pipe. Two comments mean something here:

    # keys: Enter b q         keys for the command above, which waits for single keys
    # typed: half a li ^C     what is typed and then dropped

Nothing waits for a time: the next line is typed when the prompt stands below the last answer.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import NamedTuple

import pyte
from emulator import Screen

from minigpt2.repl.commands.trace import KEYS
from minigpt2.repl.multiline import Multiline

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).parent / "files"  # what the script reads; copied beside what it writes
PROMPT, GOES_ON = "› ", "… "
SECONDS = 60.0  # that an answer may take before the test fails
SENT = {"Enter": "\r", "^C": "\x03", "Space": " "}


class Step(NamedTuple):
    """One line of a script, or several that are one text, and the keys that follow it."""

    number: int  # of its first line in the file
    lines: tuple[str, ...]
    keys: tuple[str, ...] = ()

    @property
    def name(self):
        """For a file: "/attn 3 1" -> "attn-3-1"."""
        words = re.findall(r"[a-z0-9]+", " ".join(self.lines).lower())
        return "-".join(words)[:32].strip("-") or "line"


def read_script(path):
    """The steps of a script file."""
    steps, multiline, lines, first = [], Multiline(), [], 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        directive = re.match(r"# (keys|typed): (.*)", line)
        if multiline.waits or not (line.startswith("# ") or not line.strip()):
            first = first if multiline.waits else number
            lines.append(line)
            if multiline.feed(line) is not None:
                steps.append(Step(first, tuple(lines)))
                lines = []
        elif directive and directive[1] == "keys":
            steps[-1] = steps[-1]._replace(keys=tuple(directive[2].split()))
        elif directive:
            *words, key = directive[2].split()
            steps.append(Step(number, (" ".join(words),), (key,)))
    assert not lines, f"{path}: the text in line {first} never ends"
    return steps


def environment(folder, **changes):
    """The variables of a real run: this package, a home of its own, and nothing of the user's."""
    dropped = ("LC_", "LANG", "PYTHON", "MINIGPT2_", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_")
    values = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    own = {
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "INPUTRC": os.devnull,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "1"),
        "CUDA_VISIBLE_DEVICES": "",
        "MINIGPT2_REPL_INPUT": "readline",
    }
    return {name: value for name, value in (values | own | changes).items() if value is not None}


class Player:
    """`minigpt2 repl` on a pseudo-terminal of a given size, in a folder of its own."""

    def __init__(self, folder, width, height, *options, **changes):
        self.ours, theirs = pty.openpty()
        self.theirs = os.dup(theirs)  # kept open, to ask for the settings at the end
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.settings = termios.tcgetattr(self.theirs)
        self.screen = Screen(width, height, self._send)
        self._stream = pyte.ByteStream(self.screen)
        self.prompt_row = 0
        self.child = subprocess.Popen(
            [sys.executable, "-m", "minigpt2", "repl", "--no-history", *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment(folder, **changes),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *of_error):
        with contextlib.suppress(ProcessLookupError):
            self.child.kill()
        self.child.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def _send(self, text):
        os.write(self.ours, text.encode("utf-8"))

    def _read(self, seconds):
        """Follow what the program writes; False if there was nothing."""
        if not select.select([self.ours], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.follow(data)
        return True

    def follow(self, data):
        """Show what the program has written."""
        self._stream.feed(data)

    def wait_for(self, condition, what):
        """Follow the program until the condition holds."""
        end = time.monotonic() + SECONDS
        while not condition():
            shown = "\n".join(self.screen.display)
            assert time.monotonic() < end, f"{what}: not seen in {SECONDS:g} s\n{shown}"
            assert self._read(0.05) or self.child.poll() is None, f"{what}: the program has ended\n{shown}"

    def _waits_with(self, text, below):
        """True where the cursor stands behind this text in a row below that one."""
        screen = self.screen
        if screen.alternate or screen.row <= below or screen.cursor.x != len(text):
            return False
        return screen.text(screen.row) == text.rstrip()

    def wait_for_prompt(self, below=-1):
        """Follow the program until it waits for a line; the rows of cells since the prompt before."""
        self.wait_for(lambda: self._waits_with(PROMPT, below), "the prompt")
        first, self.prompt_row = self.prompt_row, self.screen.row
        return [self.screen.cells(row) for row in range(first, self.prompt_row)]

    def play(self, step):
        """Type the lines and keys of a step; its answer as rows of cells, or None where the program ended."""
        if step.keys == ("^C",):
            return self._type_and_drop(step)
        for place, line in enumerate(step.lines):
            row = self.screen.row
            if place:
                self.wait_for(lambda row=row: self._waits_with(GOES_ON, row - 1), "the second prompt")
            row = self.screen.row
            self._send(line + "\r")
            if place + 1 < len(step.lines):
                self.wait_for(lambda row=row: self.screen.row > row, "the end of the line")
        for key in step.keys:
            self.wait_for(lambda row=row: self._waits_with(KEYS, row), "the keys")
            row = self.screen.row
            self._send(SENT.get(key, key))
        if step.lines == ("/quit",):
            return None
        return self.wait_for_prompt(below=row - 1 if step.keys else row)

    def _type_and_drop(self, step):
        typed = PROMPT + step.lines[0]
        self._send(step.lines[0])
        self.wait_for(lambda: self.screen.text(self.screen.row) == typed, "what was typed")
        self.wait_for(self._sleeps, "waiting for a key")
        row = self.screen.row
        self._send("\x03")
        return self.wait_for_prompt(below=row)

    def _sleeps(self):
        """True where it waits for a key: between two keys readline would sit on a Ctrl-C until the next."""
        try:
            status = Path(f"/proc/{self.child.pid}/stat").read_text()
        except FileNotFoundError:  # a system without /proc
            return True
        return status.rpartition(")")[2].split()[0] == "S"

    def end(self):
        """Follow the program to its end; its exit code."""
        end = time.monotonic() + SECONDS
        while self.child.poll() is None:
            assert time.monotonic() < end, "still running: " + "\n".join(self.screen.display)
            self._read(0.05)
        while self._read(0.05):
            pass
        return self.child.returncode

    def is_as_before(self):
        """True if the program has left the terminal as it found it."""
        settings = termios.tcgetattr(self.theirs)
        return settings == self.settings and not self.screen.cursor.hidden and not self.screen.alternate
