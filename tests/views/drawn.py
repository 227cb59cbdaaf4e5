"""What a view draws, as text and as coloured cells, for tests."""

import io
import re
from html.parser import HTMLParser

import numpy as np
from rich.cells import cell_len
from rich.console import Console

from minigpt2.tokenizer.trace import MergeStep
from minigpt2.views import (
    Bars,
    Definitions,
    Heading,
    HeatGrid,
    HeatMap,
    Lines,
    MergeSteps,
    Paragraph,
    Scatter,
    Stack,
    Table,
    TokenChips,
    VectorStrip,
)

SGR = re.compile(r"\x1b\[([0-9;]*)m")
WIDTHS = (20, 40, 80, 200)
COLOURS = ("truecolor", "256", "standard", None)

NASTY = "\x1b[2J\x1b]0;title\x07\u202eevil\r\n\tend\u200b<script>alert('&\"')</script>"
TOKENS = ["The", " cat", " 東京", "😀", "‹e2 82›", NASTY, "مرحبا", " sat", " on", " the", " mat", "."]


def drawn(view, width=80, colours="truecolor", unicode=True):
    """Everything that reaches the terminal."""
    data = io.BytesIO()
    file = io.TextIOWrapper(data, encoding="utf-8" if unicode else "ascii", newline="")
    console = Console(
        file=file,
        width=width,
        height=24,
        color_system=colours,
        force_terminal=colours is not None,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    console.print(view)
    file.flush()
    return data.getvalue().decode("utf-8")


def lines(view, width=80, colours=None, unicode=True):
    """The rows as plain text."""
    return SGR.sub("", drawn(view, width, colours, unicode)).split("\n")[:-1]


def cells(view, width=80):
    """The rows as lists of (character, colour, ground); colours are (r, g, b) or None."""
    rows = []
    for line in drawn(view, width).split("\n")[:-1]:
        row, fore, back, at = [], None, None, 0
        for match in [*SGR.finditer(line), None]:
            text = line[at : match.start() if match else len(line)]
            row += [(c, fore, back) for c in text]
            if match:
                at = match.end()
                codes = [int(code or 0) for code in match[1].split(";")]
                while codes:
                    code = codes.pop(0)
                    if code == 0:
                        fore = back = None
                    elif code in (38, 48):
                        assert codes[0] == 2, "not 24 bits of colour"
                        colour, codes = tuple(codes[1:4]), codes[4:]
                        fore, back = (colour, back) if code == 38 else (fore, colour)
        rows.append(row)
    return rows


def check_terminal(view, width, colours, unicode):
    """No row too wide, nothing that acts but colours, nothing outside ASCII where there is no more."""
    text = drawn(view, width, colours, unicode)
    plain = SGR.sub("", text)
    assert text.isascii() or unicode
    assert colours is not None or text == plain
    for line in plain.split("\n"):
        assert cell_len(line) <= width, line
        assert line.isprintable(), ascii(line)
    return plain


class _Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.tags = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "input", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(html):
    """The text and the tags (name, attributes) of a piece of HTML in which every element is closed."""
    page = _Page()
    page.feed(html)
    page.close()
    assert not page.open
    return "".join(page.text), page.tags


def steps_of_lower():
    """The merges of `lower` with the ranks lo, low, er."""
    return [
        MergeStep(0, b"l", b"o", 0, 258, (b"lo", b"w", b"e", b"r"), (258, 119, 101, 114)),
        MergeStep(0, b"lo", b"w", 1, 259, (b"low", b"e", b"r"), (259, 101, 114)),
        MergeStep(1, b"e", b"r", 7, 265, (b"low", b"er"), (259, 265)),
    ]


def every_view(rng):
    """Name -> view: ordinary ones, and those with nothing, with one, with a lot, with what is not finite."""
    T = len(TOKENS)
    attention = np.tril(rng.random((T, T)))
    attention[np.triu_indices(T, 1)] = np.nan
    vector = rng.standard_normal(384)
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, 1e308, -1e308, 1e-300, 3.0])
    names = [f"{c}{i}" for i, c in enumerate("abcdefgh")]
    many = 10_000
    points = rng.standard_normal((T, 2))
    points[3] = np.nan
    return {
        "paragraph": Paragraph(f"words and more words {NASTY} " * 5, "dim"),
        "no words": Paragraph(""),
        "heading": Heading("Attention of a head " * 5, NASTY),
        "stack": Stack(Heading("a"), Paragraph("b"), Stack(), TokenChips(["c"])),
        "table": Table(["text", "value", "n"], [[t, i / 7, i] for i, t in enumerate(TOKENS)], caption=NASTY),
        "wide table": Table([f"column {i}" for i in range(12)], [[i * 1.5 for i in range(12)]] * 3),
        "odd table": Table(["x", "y"], [[v, None] for v in odd]),
        "no rows": Table(["a", "b"], []),
        "no columns": Table([], []),
        "long table": Table(["i", "text"], [[i, "word " * 20] for i in range(many)]),
        "definitions": Definitions([(token, f"what {token} means " * 9) for token in TOKENS]),
        "no definitions": Definitions([]),
        "chips": TokenChips(TOKENS, ids=range(T), caption="tokens"),
        "weights": TokenChips(TOKENS, ids=range(T), weights=rng.standard_normal(T)),
        "odd weights": TokenChips(names, weights=odd),
        "no chips": TokenChips([], ids=[], weights=np.zeros(0)),
        "many chips": TokenChips([" token"] * many, ids=range(many)),
        "long chip": TokenChips(["x" * 1000, "東" * 500], ids=[1, 2]),
        "strip": VectorStrip(vector, caption=NASTY),
        "strip in a row": VectorStrip(vector, rows=1),
        "strip of one": VectorStrip([0.5]),
        "strip of none": VectorStrip([]),
        "strip of zeros": VectorStrip(np.zeros(7), low=0.0, high=1.0),
        "odd strip": VectorStrip(odd),
        "long strip": VectorStrip(rng.standard_normal(12_288)),
        "heat map": HeatMap(attention, rows=TOKENS, columns=TOKENS, caption="rows look at columns"),
        "diverging": HeatMap(rng.standard_normal((3, 5)), rows="abc", columns="defgh", diverging=True),
        "no numbers": HeatMap(rng.random((3, 4)), rows="abc", columns="defg", numbers=False),
        "odd map": HeatMap(odd.reshape(2, 4), rows="ab", columns="cdef"),
        "map of one": HeatMap([[1.0]], rows=["a"], columns=["b"], low=0.0),
        "map of none": HeatMap(np.zeros((0, 3)), rows=[], columns="abc"),
        "long map": HeatMap(rng.random((many, 3)), rows=map_names(many), columns="abc"),
        "wide map": HeatMap(rng.random((3, 1000)), rows="abc", columns=map_names(1000)),
        "grid": HeatGrid(rng.random((5, T, T)), titles=[f"head {i}" for i in range(5)], labels=TOKENS),
        "grid of one": HeatGrid([[[np.nan]]], titles=["a very long title of a very small map"]),
        "grid of none": HeatGrid(np.zeros((0, 4, 4)), titles=[]),
        "large grid": HeatGrid(rng.random((144, 24, 24)), titles=[f"{i}.0" for i in range(144)]),
        "wide grid": HeatGrid(rng.random((2, 3, 500)), titles=["a", "b"]),
        "bars": Bars(TOKENS, np.linspace(-1, 2, T), notes=TOKENS, caption="signed"),
        "positive bars": Bars(names, np.arange(8.0), digits=0),
        "negative bars": Bars(names, -np.arange(8.0)),
        "odd bars": Bars(names, odd),
        "no bars": Bars([], []),
        "many bars": Bars(map_names(many), rng.random(many)),
        "lines": Lines({"A and B": odd, NASTY: np.arange(8.0)}, x=names, y_label="cosine"),
        "line of one": Lines({"a": [0.5]}, x=["x"]),
        "no lines": Lines({}, x=[]),
        "many lines": Lines({f"s{i}": rng.random(100) for i in range(9)}, x=map_names(100), low=0, high=1),
        "scatter": Scatter(points, labels=TOKENS, groups=[t[:1] for t in TOKENS], marked=[2]),
        "names": Scatter(points, labels=TOKENS, names=TOKENS),
        "one point": Scatter([[1.0, 2.0]], labels=["a"]),
        "no points": Scatter(np.zeros((0, 2)), labels=[]),
        "many points": Scatter(rng.standard_normal((many, 2)), labels=map_names(many)),
        "merges": MergeSteps("lower", steps_of_lower()),
        "no merges": MergeSteps(" 東\x1b", []),
    }


def map_names(n):
    return [f"row {i}" for i in range(n)]
