"""A terminal that remembers: pyte's screen, with the rows that have scrolled off its top."""

from typing import NamedTuple

import pyte

ALTERNATE_SCREEN = 1049 << 5  # as pyte counts private modes


class Cell(NamedTuple):
    """One place of a screen. A wide character is followed by a cell without text."""

    text: str
    fg: str  # "default", a name, or six hexadecimal digits
    bg: str
    bold: bool
    dim: bool


class Screen(pyte.Screen):
    """Rows are counted from the first one ever written, so that scrolling does not change a row's number."""

    def __init__(self, width, height, answer=lambda data: None):
        self.scrolled = []
        self.alternate = False
        self._under = None  # what the alternate screen hides
        self._answer = answer
        super().__init__(width, height)

    @property
    def row(self):
        """The number of the row with the cursor."""
        return len(self.scrolled) + self.cursor.y

    def cells(self, row):
        """The cells of the row of that number."""
        behind = row - len(self.scrolled)
        line = self.scrolled[row] if behind < 0 else self.buffer[behind]
        return [_cell(line[column]) for column in range(self.columns)]

    def text(self, row):
        """What stands in the row of that number."""
        return text_of(self.cells(row))

    def index(self):
        if self.cursor.y == self.lines - 1 and not self.margins and not self.alternate:
            self.scrolled.append(self.buffer[0])
        super().index()

    def set_mode(self, *modes, **kwargs):
        super().set_mode(*modes, **kwargs)
        if ALTERNATE_SCREEN in self.mode and not self.alternate:
            self.alternate = True
            self._under = (dict(self.buffer), self.cursor.x, self.cursor.y)
            self.buffer.clear()
            self.cursor_position()

    def reset_mode(self, *modes, **kwargs):
        super().reset_mode(*modes, **kwargs)
        if ALTERNATE_SCREEN not in self.mode and self.alternate:
            self.alternate = False
            rows, self.cursor.x, self.cursor.y = self._under
            self.buffer.clear()
            self.buffer.update(rows)

    def select_graphic_rendition(self, *attributes, **kwargs):
        """pyte has no dim text; what blinks here is dim."""
        dims = {2: 5, 22: (22, 25)}
        known, colour = [], 0  # how many of the next numbers belong to a colour
        for place, number in enumerate(attributes):
            if colour:
                colour -= 1
                known.append(number)
                continue
            if number in (38, 48):
                colour = {5: 2, 2: 4}.get(attributes[place + 1] if place + 1 < len(attributes) else 0, 0)
            to = dims.get(number, number)
            known += to if isinstance(to, tuple) else [to]
        super().select_graphic_rendition(*known)

    def write_process_input(self, data):
        """Where the cursor is, for a program that asks."""
        self._answer(data)


def _cell(char):
    fg, bg = (char.bg, char.fg) if char.reverse else (char.fg, char.bg)
    if char.reverse:  # the defaults of the one are not those of the other
        fg, bg = ("ground" if fg == "default" else fg), ("ink" if bg == "default" else bg)
    return Cell(char.data, fg, bg, char.bold, char.blink)


def text_of(cells):
    """The text of a row of cells, without the blanks at its end."""
    return "".join(cell.text for cell in cells).rstrip()
