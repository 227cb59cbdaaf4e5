"""Rows of a terminal's cells as an SVG picture that needs no font for its blocks, and no network at all.

Text is set in whatever monospaced font the reader has, each run stretched to the width of its cells.
Blocks, braille and lines of boxes are drawn as shapes, since few fonts have them without gaps. The picture
carries its text as a description, for those who cannot see it and for the test that it is current.
"""

import itertools
import re
from html import escape

from emulator import text_of

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.4, 17.0, 14.0
MARGIN, BAR = 14.0, 30.0  # around the cells, and the height of the window's bar
INK, GROUND, EDGE, DIM = "#d8dee9", "#14171f", "#3b4252", 0.62
NAMES = {
    "black": "#3b4252",
    "red": "#ef6b73",
    "green": "#8fce7f",
    "brown": "#e6c15c",
    "blue": "#6f9ff0",
    "magenta": "#c792ea",
    "cyan": "#6fd0d8",
    "white": "#d8dee9",
    "brightblack": "#6b7689",
    "brightred": "#ff8f96",
    "brightgreen": "#b5e8a4",
    "brightbrown": "#ffe08a",
    "brightblue": "#9abfff",
    "brightmagenta": "#e0b3ff",
    "brightcyan": "#9feef5",
    "brightwhite": "#ffffff",
    "default": INK,
    "ground": GROUND,
    "ink": INK,
}
# Parts of a cell as (left, top, width, height), each 0 … 1.
BLOCKS = {"█": (0, 0, 1, 1), "▀": (0, 0, 1, 0.5), "▐": (0.5, 0, 0.5, 1)}
BLOCKS |= {block: (0, 0, 1 - i / 8, 1) for i, block in enumerate("▉▊▋▌▍▎▏", start=1)}
BLOCKS |= {block: (0, 1 - i / 8, 1, i / 8) for i, block in enumerate("▁▂▃▄▅▆▇", start=1)}
SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
# Lines from the middle of a cell: to the left, right, top, bottom.
LINES = {"─": "lr", "│": "tb", "┌": "rb", "┐": "lb", "└": "rt", "┘": "lt"}
LINES |= {"├": "rtb", "┤": "ltb", "┬": "lrb", "┴": "lrt", "┼": "lrtb"}
LINES |= {"╭": "rb", "╮": "lb", "╰": "rt", "╯": "lt"}
ENDS = {"l": (0, 0.5), "r": (1, 0.5), "t": (0.5, 0), "b": (0.5, 1)}
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))  # column and row of each bit


def picture(rows, title):
    """Rows of cells as one SVG document."""
    columns = max(len(text_of(row)) for row in rows) + _wide(rows)
    columns = max(columns, max(_last_ground(row) for row in rows), 40)
    width = columns * CELL_WIDTH + 2 * MARGIN
    height = len(rows) * CELL_HEIGHT + 2 * MARGIN + BAR
    text = "\n".join(text_of(row) for row in rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-labelledby="t">',
        f'<title id="t">{escape(title)}</title>',
        f"<desc>{escape(text)}</desc>",
        f"<style>text{{font:{FONT_SIZE:g}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',"
        f"'Liberation Mono',monospace;white-space:pre;fill:{INK}}}.b{{font-weight:700}}.d{{opacity:{DIM}}}"
        ".g{shape-rendering:crispEdges}</style>",
        f'<rect x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="8" fill="{GROUND}" '
        f'stroke="{EDGE}"/>',
        *(
            f'<circle cx="{20 + 18 * i}" cy="18" r="5.5" fill="{colour}"/>'
            for i, colour in enumerate(("#ef6b73", "#e6c15c", "#8fce7f"))
        ),
        f'<text x="{width / 2:g}" y="22" text-anchor="middle" class="d">{escape(title)}</text>',
        f'<g transform="translate({MARGIN:g} {MARGIN + BAR - 6:g})">',
    ]
    for y, row in enumerate(rows):
        parts += _grounds(row[:columns], y)
        parts += _shapes(row[:columns], y)
        parts += _texts(row[:columns], y)
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def text_in(svg):
    """The text that a picture shows."""
    import html

    return html.unescape(re.search("<desc>(.*?)</desc>", svg, re.DOTALL)[1])


def _wide(rows):
    """Cells without text stand behind wide characters."""
    return max(sum(not cell.text for cell in row) for row in rows)


def _last_ground(row):
    return max((column + 1 for column, cell in enumerate(row) if cell.bg != "default"), default=0)


def _colour(name):
    return NAMES.get(name) or f"#{name}"


def _rect(x, y, width, height, colour, more=""):
    return (
        f'<rect class="g" x="{x * CELL_WIDTH:.4g}" y="{y * CELL_HEIGHT:.5g}" '
        f'width="{width * CELL_WIDTH:.4g}" height="{height * CELL_HEIGHT:.4g}" fill="{colour}"{more}/>'
    )


def _runs(row, key):
    """(column, cells) for each run of neighbouring cells that are alike."""
    column = 0
    for value, run in itertools.groupby(row, key):
        run = list(run)
        yield column, value, run
        column += len(run)


def _grounds(row, y):
    return [
        _rect(x, y, len(run), 1, _colour(bg)) for x, bg, run in _runs(row, lambda c: c.bg) if bg != "default"
    ]


def _shapes(row, y):
    """Blocks and lines, neighbours of one kind together."""
    parts = []
    for x, (text, fg, dim), run in _runs(row, lambda c: (c.text, c.fg, c.dim)):
        colour, n = _colour(fg), len(run)
        faint = ' opacity=".62"' if dim else ""
        if text in BLOCKS:
            left, top, width, height = BLOCKS[text]
            if left == 0 and width == 1:
                parts.append(_rect(x, y + top, n, height, colour, faint))
            else:
                parts += [_rect(x + i + left, y + top, width, height, colour, faint) for i in range(n)]
        elif text in SHADES:
            parts.append(_rect(x, y, n, 1, colour, f' opacity="{SHADES[text]}"'))
        elif text == "─":
            parts.append(_line(x, y + 0.5, x + n, y + 0.5, colour, faint))
        elif text in LINES:
            for i, end in itertools.product(range(n), LINES[text]):
                dx, dy = ENDS[end]
                parts.append(_line(x + i + 0.5, y + 0.5, x + i + dx, y + dy, colour, faint))
        elif text and 0x2800 <= ord(text[0]) < 0x2900:
            parts += [_dots(x + i, y, ord(text[0]) - 0x2800, colour) for i in range(n)]
    return parts


def _line(x1, y1, x2, y2, colour, more):
    ends = (x1 * CELL_WIDTH, y1 * CELL_HEIGHT, x2 * CELL_WIDTH, y2 * CELL_HEIGHT)
    return '<path d="M{:.5g} {:.5g}L{:.5g} {:.5g}" stroke="{}"{}/>'.format(*ends, colour, more)


def _dots(x, y, bits, colour):
    path = "".join(
        f"M{(x + 0.25 + 0.5 * dx) * CELL_WIDTH:.5g} {(y + 0.125 + 0.25 * dy) * CELL_HEIGHT:.5g}h0"
        for bit, (dx, dy) in enumerate(DOTS)
        if bits >> bit & 1
    )
    return f'<path d="{path}" stroke="{colour}" stroke-width="3" stroke-linecap="round"/>'


def _is_shape(text):
    return text in BLOCKS or text in SHADES or text in LINES or 0x2800 <= ord(text or " ") < 0x2900


def _texts(row, y):
    parts = []
    cells = [cell._replace(text=" ") if _is_shape(cell.text[:1]) else cell for cell in row]
    for x, (fg, bold, dim), run in _runs(cells, lambda c: (c.fg, c.bold, c.dim)):
        text = "".join(cell.text for cell in run)
        columns = [x + i for i, cell in enumerate(run) for _ in cell.text]  # of each character
        # Words that are far apart are set one by one, so that no font can push one out of its column.
        for word in re.finditer(r"\S+(?: \S+)*", text):
            parts.append(_text(columns[word.start()], y, word[0], _colour(fg), bold, dim))
    return parts


def _text(x, y, text, colour, bold, dim):
    kind = " ".join(["b"] * bold + ["d"] * dim)
    fill = f' fill="{colour}"' if colour != INK else ""
    style = f' style="fill:{colour}"' if fill else ""
    length = f' textLength="{len(text) * CELL_WIDTH:.5g}"' if len(text) > 1 and text.isascii() else ""
    kind = f' class="{kind}"' if kind else ""
    return (
        f'<text x="{x * CELL_WIDTH:.5g}" y="{y * CELL_HEIGHT + 0.76 * CELL_HEIGHT:.5g}"{length}{kind}{style}>'
        f"{escape(text)}</text>"
    )
