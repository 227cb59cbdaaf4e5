"""What every picture is: something that Rich prints, and a fragment of HTML.

    console.print(view)      on a terminal, as wide as it allows
    view                     the last line of a notebook's cell
    view.html()              for a page or an e-mail

A picture draws rows of text for a `Canvas`, which says how wide it may be, how many colours there are and
whether the terminal has more than ASCII. Text from outside goes through `shown`, so that nothing in it acts
on the terminal; whatever is drawn, no row leaves the canvas.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from ..visible import visible
from .frame import Block, Row, in_ascii, wrapped

DEPTHS = {"truecolor": 1 << 24, "256": 256, "standard": 16, "windows": 16}

BOLD = Style(bold=True)
DIM = Style(dim=True)


class Canvas(NamedTuple):
    """What a picture may use."""

    width: int  # cells
    height: int = 24  # rows of the screen; a picture may be higher, charts take less
    unicode: bool = True
    depth: int = 1 << 24  # colours; 0 without

    @classmethod
    def of(cls, console: Console, options: ConsoleOptions) -> "Canvas":
        depth = 0 if console.no_color else DEPTHS.get(console.color_system or "", 0)
        return cls(max(1, options.max_width), max(4, console.height), not options.ascii_only, depth)


class View(ABC):
    """A picture. `draw` makes its rows, `html` its fragment."""

    @abstractmethod
    def draw(self, canvas: Canvas) -> Block:
        """The rows for a terminal, none wider than `canvas.width`."""

    @abstractmethod
    def html(self) -> str:
        """A fragment of HTML that stands alone: styles inline, every text escaped, nothing loaded."""

    def _repr_html_(self) -> str:
        return self.html()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        canvas = Canvas.of(console, options)
        block = self.draw(canvas)
        if not canvas.unicode:
            block = in_ascii(block)
        for row in block:
            yield from inside(trimmed(row), canvas.width)
            yield Segment.line()


def trimmed(row: Row) -> Row:
    """The row without blanks at its end, unless they have a colour."""
    end = len(row)
    while end and row[end - 1].text.isspace() and not (row[end - 1].style and row[end - 1].style.bgcolor):
        end -= 1
    if end and row[end - 1].text.endswith(" ") and not (row[end - 1].style and row[end - 1].style.bgcolor):
        return [*row[: end - 1], Segment(row[end - 1].text.rstrip(" "), row[end - 1].style)]
    return row[:end]


def inside(row: Row, width: int) -> Row:
    """The row, cut where it would be wider than `width` cells."""
    if sum(segment.cell_length for segment in row) <= width:
        return row
    return Segment.adjust_line_length(row, width, pad=False)


def shown(text: object) -> str:
    """A text from outside in one line, without anything that acts on a terminal."""
    text = str(text)
    return text if text.isprintable() else visible(" ".join(text.splitlines()).replace("\t", " "))


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells, the last one `…` where it is cut."""
    if (len(text) <= width and text.isascii()) or cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 1 else "…"[:width]


def padded(text: str, width: int, align: str = "left") -> str:
    """The text cut or filled to exactly `width` cells; `align` is left, right or center."""
    text = cut(text, width)
    room = width - cell_len(text)
    before = {"left": 0, "right": room, "center": room // 2}[align]
    return " " * before + text + " " * (room - before)


def label(text: object) -> str:
    """The name of a row, column or bar; the blank that begins many tokens is seen."""
    text = visible(str(text))
    return "␣" + text[1:] if text.startswith(" ") else text


def listed(items: Iterable[str], width: int) -> Block:
    """Items one behind the other with two blanks between them, none broken at the end of a row."""
    rows: list[str] = []
    used = width + 1
    for item in items:
        item = cut(item, width)
        cells = cell_len(item)
        if used + 2 + cells > width:
            rows.append(item)
            used = cells
        else:
            rows[-1] += "  " + item
            used += 2 + cells
    return [[Segment(row, DIM)] for row in rows]


def caption_rows(caption: str, width: int) -> Block:
    """What stands below a picture."""
    return wrapped(shown(caption), width, DIM) if caption else []


def note(text: str, width: int) -> Block:
    """What a picture leaves out."""
    return wrapped(text, width, DIM)
