"""Tokens as chips: each on its own ground, so that the eye sees where one ends, with its number below."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from ..visible import visible
from . import markup, palette
from .numbers import aligned, number, shares, span
from .view import DIM, Block, Canvas, Row, View, caption_rows, cut, note, padded

BLANK = re.compile("‹[0-9a-f ]*›| ")
MOST_LINES = 10  # of chips on a terminal
MOST_IN_HTML = 2000
GAP = 1
FRAME = 2  # cells around a text


class TokenChips(View):
    """`tokens` as texts, a blank shown as ␣; below each its id, and its weight (T,) if there are weights.

    Weights colour the chips, around 0 from blue to orange; without them neighbours differ in hue.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        *,
        ids: Sequence[int] | None = None,
        weights: np.ndarray | None = None,
        caption: str = "",
    ) -> None:
        self.tokens, self.caption = list(tokens), caption
        self.ids = None if ids is None else list(ids)
        self.weights = None if weights is None else np.asarray(weights, dtype=np.float64)

    def _below(self, most: int) -> list[list[str]]:
        """The rows of numbers below the chips."""
        rows = []
        if self.ids is not None:
            rows.append([str(id) for id in self.ids[:most]])
        if self.weights is not None:
            rows.append(aligned(self.weights[:most], 3))
        return rows

    def _levels(self) -> np.ndarray:
        """(T,) levels of the diverging scale"""
        return palette.levels(shares(self.weights, *self._span()))

    def _span(self) -> tuple[float, float]:
        return span(self.weights, None, None, diverging=True)

    def draw(self, canvas: Canvas) -> Block:
        if not self.tokens:
            return note("no tokens", canvas.width) + caption_rows(self.caption, canvas.width)
        most = MOST_LINES * canvas.width  # no more fit
        texts = [cut(token_text(token), max(1, canvas.width - FRAME)) for token in self.tokens[:most]]
        below = self._below(most)
        widths = [
            min(canvas.width, max(cell_len(text) + FRAME, *(len(row[at]) for row in below), 0))
            for at, text in enumerate(texts)
        ]
        styles = self._styles(len(texts), canvas)
        rows: Block = []
        at = 0
        for some in _lines(widths, canvas.width):
            rows += [[]] if rows and below else []
            chips: Row = []
            for i in some:
                text = f" {texts[i]} " if canvas.depth else f"[{texts[i]}]"
                chips += [Segment(" " * GAP)] if chips else []
                chips.append(Segment(padded(text, widths[i], "center"), styles[i]))
            rows.append(chips)
            for numbers in below:
                line = (" " * GAP).join(padded(numbers[i], widths[i], "center") for i in some)
                rows.append([Segment(line.rstrip(), DIM)])
            at = some.stop
        if at < len(self.tokens):
            rows += note(f"… {len(self.tokens) - at:,} more", canvas.width)
        return rows + caption_rows(self.caption, canvas.width)

    def _styles(self, n: int, canvas: Canvas) -> list[Style]:
        if self.weights is None:
            return [palette.chip(i, canvas.depth) for i in range(n)]
        return [palette.cell(True, level, canvas.depth) for level in self._levels()[:n].tolist()]

    def html(self) -> str:
        below = self._below(MOST_IN_HTML)
        levels = None if self.weights is None else self._levels()
        chips = ""
        for at, token in enumerate(self.tokens[:MOST_IN_HTML]):
            if levels is None:
                style = markup.shade_style(palette.chip_shades()[at % len(palette.CHIP_HUES)])
            elif levels[at] == palette.EMPTY:
                style = "border:1px solid currentColor"
            else:
                style = markup.shade_style(palette.scale(True)[levels[at]])
            style += ";display:inline-block;padding:1px 6px;border-radius:5px;white-space:pre"
            chip = markup.tag("span", markup.text(token_text(token)), style)
            chip += "".join("<br>" + markup.tag("small", row[at], markup.QUIET) for row in below)
            style = "display:inline-block;text-align:center;margin:2px 3px 6px 0;vertical-align:top"
            chips += markup.tag("span", chip, style, role="listitem")
        content = markup.tag("div", chips, role="list") if chips else markup.quiet("no tokens")
        content += markup.more(len(self.tokens) - MOST_IN_HTML)
        if self.weights is not None:
            content += markup.ramp(True, *(number(end, 3) for end in self._span()))
        return markup.figure(content, self.caption)


def _lines(widths: list[int], width: int) -> Iterator[range]:
    """Which chips stand in one line, for MOST_LINES of them."""
    start = 0
    for _ in range(MOST_LINES):
        used, stop = -GAP, start
        while stop < len(widths) and (stop == start or used + GAP + widths[stop] <= width):
            used += GAP + widths[stop]
            stop += 1
        if stop > start:
            yield range(start, stop)
        start = stop


def token_text(token: str) -> str:
    """A token with its blanks seen: they belong to it. Those inside ‹hex bytes› do not."""
    return BLANK.sub(lambda found: "␣" if found[0] == " " else found[0], visible(token)) or "‹›"
