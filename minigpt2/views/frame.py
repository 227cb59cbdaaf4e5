"""Putting rows of text together: side by side, one below the other, in a panel, wrapped between words.

A block is a list of rows, a row a list of `Segment`s; every row of a finished block has the same width in
cells. Nothing is cut inside a word: where room may be short, the caller gives several wordings and `fitting`
takes the longest that fits, or the text is wrapped.
"""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

Row = list[Segment]
Block = list[Row]

BORDER = Style(dim=True)
GAP = 2  # cells between two panels
PLAIN = Style()

# What ASCII has to offer for each character that panels use; braille never comes here.
ASCII = str.maketrans(
    {
        **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
        **dict.fromkeys("─━╌", "-"),
        **dict.fromkeys("│┃", "|"),
        **dict.fromkeys("·•", "."),
        "●": "o",
        "★": "*",
        "▲": "^",
        "▼": "v",
        "✓": "+",
        "✗": "x",
        "→": ">",
        "×": "x",
        "−": "-",
        "–": "-",
        "…": "~",
        "∞": "inf",
        "²": "2",
        **dict.fromkeys("‘’", "'"),
        **dict.fromkeys("“”", '"'),
        "‖": "|",
        "π": "p",
        "‹": "<",
        "›": ">",
        "█": "#",
        "␣": "_",
        "Σ": "S",
        "ᵀ": "T",
    }
)


class Frame:
    """A block as Rich draws it: exactly these rows, nothing wrapped or added."""

    def __init__(self, rows: Block) -> None:
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        last = len(self.rows) - 1
        for number, row in enumerate(self.rows):
            yield from row
            if number < last:
                yield Segment.line()


def row_of(*parts: str | tuple[str, Style]) -> Row:
    """Plain texts and (text, style) pairs as one row."""
    return [Segment(part) if isinstance(part, str) else Segment(*part) for part in parts if part]


def width_of(row: Row) -> int:
    """Cells."""
    return sum(segment.cell_length for segment in row)


def fit(row: Row, width: int) -> Row:
    """The row filled with blanks to `width` cells, or cut there."""
    return Segment.adjust_line_length(row, width)


def ends(left: Row, right: Row, width: int) -> Row:
    """One row: `left` at its left end, `right` at its right end where both fit, `left` alone where not."""
    room = width - width_of(left) - width_of(right)
    return fit([*left, Segment(" " * room), *right] if room >= 1 or not right else left, width)


def fitting(wordings: Sequence[str], width: int) -> str:
    """The first wording that is at most `width` cells wide; nothing if even the last is too wide."""
    return next((text for text in wordings if cell_len(text) <= width), "")


def beside(left: Block, right: Block) -> Block:
    """Two blocks of equal height with GAP cells between them."""
    gap = Segment(" " * GAP)
    return [[*a, gap, *b] for a, b in zip(left, right, strict=True)]


def filled(block: Block, width: int, height: int) -> Block:
    """The block with every row `width` wide, cut or filled with empty rows to `height`."""
    rows = [fit(row, width) for row in block[:height]]
    return rows + [[Segment(" " * width)]] * (height - len(rows))


def panel(title: Row, content: Block, width: int, height: int, right: Row | None = None) -> Block:
    """`content` under a line with a title and, where there is room, something at its right end."""
    head = [Segment("── ", BORDER), *title, Segment(" ", BORDER)]
    tail = [Segment(" ", BORDER), *right, Segment(" ──", BORDER)] if right else []
    room = width - width_of(head) - width_of(tail)
    if room < 1 and right:
        tail, room = [], width - width_of(head)
    top = fit([*head, Segment("─" * room, BORDER), *tail], width)
    return [top, *filled(content, width, height - 1)]


def wrapped(text: str, width: int, style: Style = PLAIN, *, indent: int = 0) -> Block:
    """The text in rows of at most `width` cells, broken between words; a longer word at the edge."""
    rows: list[str] = []
    line = ""
    window = 4 * width + 16
    for word in text.split():
        # Longer than a whole row, as a path may be; the window bounds what is counted again and again.
        while word and (len(word) > window or cell_len(word) > width - indent):
            room = width - (indent if rows or line else 0) - (cell_len(line) + 1 if line else 0)
            if line and room < 8:
                rows.append(line)
                line = ""
                continue
            head = set_cell_size(word[:window], max(1, room)).rstrip() or word[0]  # not even one is so narrow
            rows.append(f"{line} {head}" if line else head)
            word, line = word[len(head) :], ""
        room = width - (indent if rows else 0)
        if line and cell_len(line) + 1 + cell_len(word) > room:
            rows.append(line)
            line = word
        elif word:
            line = f"{line} {word}" if line else word
    if line:
        rows.append(line)
    return [[Segment((" " * indent if number else "") + row, style)] for number, row in enumerate(rows)]


def shorten_path(path: str, width: int) -> str:
    """The path, or as many of its last parts as fit behind `…/`; nothing where not even the last one does."""
    parts = path.split("/")
    tails = ["…/" + "/".join(parts[start:]) for start in range(1, len(parts))]
    return fitting([path, *tails, parts[-1]], width)


def in_ascii(block: Block) -> Block:
    """The block in ASCII alone, every row as wide as before; what has no likeness becomes `?`."""
    return [[_segment_in_ascii(segment) for segment in row] for row in block]


def _segment_in_ascii(segment: Segment) -> Segment:
    if segment.text.isascii():
        return segment
    translated = "".join(
        c if c.isascii() else _as_wide_as(c.translate(ASCII), cell_len(c)) for c in segment.text
    )
    return Segment(translated, segment.style)


def _as_wide_as(text: str, width: int) -> str:
    return (
        text if text.isascii() and len(text) == width else (text[:width] if text.isascii() else "?" * width)
    )
