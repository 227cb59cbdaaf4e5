"""Tokens as chips: each on its own ground, so that the eye sees where one ends, with its number below."""

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment

from . import markup, palette
from .numbers import aligned, number, shares, span
from .view import DIM, Block, Canvas, View, caption_rows, cut, note, padded, shown

MOST_LINES = 10  # of chips on a terminal
MOST_IN_HTML = 2000
GAP = 1


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
        return palette.levels(shares(self.weights, *span(self.weights, None, None, diverging=True)))

    def draw(self, canvas: Canvas) -> Block:
        if not self.tokens:
            return note("no tokens", canvas.width) + caption_rows(self.caption, canvas.width)
        most = MOST_LINES * canvas.width  # no more fit
        texts = [token_text(token) for token in self.tokens[:most]]
        below = self._below(most)
        frame = 2
        levels = None if self.weights is None else self._levels()
        rows: Block = []
        at = lines = 0
        while at < len(texts) and lines < MOST_LINES:
            chips, numbers, used = [], [[] for _ in below], 0
            start = at
            while at < len(texts):
                text = cut(texts[at], canvas.width - frame)
                width = max([cell_len(text) + frame, *(len(row[at]) for row in below)])
                width = min(width, canvas.width)
                if at > start and used + GAP + width > canvas.width:
                    break
                gap = Segment(" " * GAP) if at > start else Segment("")
                if canvas.depth:
                    style = (
                        palette.chip(at, canvas.depth)
                        if levels is None
                        else palette.cell(True, int(levels[at]), canvas.depth)
                    )
                    chips += [gap, Segment(padded(" " + text + " ", width, "center"), style)]
                else:
                    chips += [gap, Segment(padded("[" + text + "]", width, "center"))]
                for row, content in zip(below, numbers, strict=True):
                    content.append(gap.text + padded(row[at], width, "center"))
                used += width + (GAP if at > start else 0)
                at += 1
            rows += [[]] if rows and below else []
            rows.append(chips)
            rows += [[Segment("".join(content).rstrip(), DIM)] for content in numbers]
            lines += 1
        if at < len(self.tokens):
            rows += note(f"… {len(self.tokens) - at:,} more", canvas.width)
        return rows + caption_rows(self.caption, canvas.width)

    def html(self) -> str:
        below = self._below(MOST_IN_HTML)
        levels = None if self.weights is None else self._levels()
        chips = []
        for at, token in enumerate(self.tokens[:MOST_IN_HTML]):
            if levels is None:
                shade = palette.Shade(palette.inks()[at % len(palette.INK_HUES)], (255, 255, 255))
                style = markup.shade_style(shade)
            elif levels[at] == palette.EMPTY:
                style = "border:1px solid currentColor"
            else:
                style = markup.shade_style(palette.scale(True)[levels[at]])
            numbers = "".join(f'<br><small style="{markup.QUIET}">{row[at]}</small>' for row in below)
            chips.append(
                '<span role="listitem" style="display:inline-block;text-align:center;margin:2px 3px 6px 0;vertical-align:top">'
                f'<span style="display:inline-block;padding:1px 6px;border-radius:5px;white-space:pre;{style}">'
                f"{markup.text(token_text(token))}</span>{numbers}</span>"
            )
        left = len(self.tokens) - MOST_IN_HTML
        more = f'<span style="{markup.QUIET}">… {left:,} more</span>' if left > 0 else ""
        empty = "" if self.tokens else f'<span style="{markup.QUIET}">no tokens</span>'
        scale = ""
        if self.weights is not None:
            low, high = span(self.weights, None, None, diverging=True)
            scale = markup.ramp(True, number(low, 3), number(high, 3))
        return markup.figure(f'<div role="list">{"".join(chips)}{more}{empty}</div>{scale}', self.caption)


def token_text(token: str) -> str:
    """A token with its blanks seen: they belong to it."""
    return shown(token).replace(" ", "␣") if token else "‹›"
