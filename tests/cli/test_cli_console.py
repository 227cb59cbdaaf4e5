"""The consoles that commands draw on."""

import io

import pytest

from minigpt2.cli import console


class Slow(io.StringIO):
    """A terminal that has taken half of a text when Ctrl-C comes."""

    def __init__(self):
        super().__init__()
        self.waits = True

    def isatty(self):
        return True

    def write(self, text):
        if self.waits and len(text) > 20:
            self.waits = False
            super().write(text[: len(text) // 2])
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.parametrize(("no_color", "end"), [("", "\x1b[0m\n"), ("1", "")])
def test_what_ctrl_c_cuts_off_does_not_come_with_the_next_text(monkeypatch, no_color, end):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Slow()
    monkeypatch.setattr(console.sys, "stdout", terminal)
    screen = console.terminal()
    with pytest.raises(KeyboardInterrupt):
        screen.print("a picture of a cat", "that is cut", style="bold", soft_wrap=True)
    cut_off = terminal.getvalue()
    assert cut_off.endswith(end)
    screen.print("next")
    assert terminal.getvalue() == cut_off + "next\n"
