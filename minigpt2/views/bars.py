"""Horizontal bars, one a label, with its value; signed ones start at a line that stands for 0."""

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment

from . import markup, palette
from .numbers import fixed
from .view import DIM, Block, Canvas, Row, View, caption_rows, label, note, padded, shown

MOST_ROWS = 200
MOST_ROWS_IN_HTML = 1000
LEAST_BAR = 6  # cells; with less room there are numbers alone
LEAST_LABEL = 0.25  # of the width, that notes leave to the labels
LEFT_EIGHTHS = " ▏▎▍▌▋▊▉█"


class Bars(View):
    """`values` (n,) with their `labels`; `notes` are words behind each value where there is room.

    The bars run from 0 within `low` … `high`, by default as far as the values reach. Labels take at most
    `label_share` of the width, and less where the notes need it.
    """

    def __init__(
        self,
        labels: Sequence[str],
        values: np.ndarray,
        *,
        low: float | None = None,
        high: float | None = None,
        digits: int = 3,
        notes: Sequence[str] | None = None,
        label_share: float = 0.4,
        caption: str = "",
    ) -> None:
        self.labels, self.values = list(labels), np.asarray(values, dtype=np.float64).reshape(-1)
        self.digits, self.notes, self.caption = digits, notes, caption
        self.label_share = label_share
        finite = self.values[np.isfinite(self.values)]
        self.low = min(0.0, float(finite.min(initial=0.0))) if low is None else float(low)
        self.high = max(0.0, float(finite.max(initial=0.0))) if high is None else float(high)

    def draw(self, canvas: Canvas) -> Block:
        if not self.labels:
            return note("nothing to compare", canvas.width) + caption_rows(self.caption, canvas.width)
        labels = [label(text) for text in self.labels[:MOST_ROWS]]
        texts = [fixed(value, self.digits) for value in self.values[:MOST_ROWS]]
        notes = [shown(text) for text in self.notes[:MOST_ROWS]] if self.notes else [""] * len(labels)
        number_width = max(map(len, texts))
        label_width = min(max(map(cell_len, labels)), max(4, int(canvas.width * self.label_share)))
        note_width = max(map(cell_len, notes)) + 2
        bar = max(LEAST_BAR, canvas.width // 5)
        beside_notes = canvas.width - number_width - 2 - note_width - bar  # what labels may take with them
        if note_width > 2 and beside_notes >= min(label_width, int(canvas.width * LEAST_LABEL)):
            label_width = min(label_width, beside_notes)
        else:
            note_width = 0
        room = canvas.width - label_width - number_width - 2 - note_width
        rows: Block = []
        for place, (name, text) in enumerate(zip(labels, texts, strict=True)):
            row = [Segment(padded(name, label_width) + " ")]
            if room >= LEAST_BAR:
                row += self._bar(float(self.values[place]), room, canvas)
            row.append(Segment(f" {text:>{number_width}}"))
            if note_width and notes[place]:
                row.append(Segment("  " + notes[place], DIM))
            rows.append(row)
        if len(self.labels) > MOST_ROWS:
            rows += note(f"… {len(self.labels) - MOST_ROWS:,} more", canvas.width)
        return rows + caption_rows(self.caption, canvas.width)

    def _share(self, value: float) -> float:
        """Where a value lies from the low end 0 to the high one 1."""
        half = 0.5 * self.high - 0.5 * self.low  # the whole could be more than a float holds
        return (0.5 * value - 0.5 * self.low) / half if half > 0.0 else 0.0

    def _bar(self, value: float, room: int, canvas: Canvas) -> Row:
        """`room` cells: the bar in eighths of a cell, and the line at 0 if the scale has both signs."""
        signed = self.low < 0
        line = 1 if signed else 0
        left = round((room - line) * self._share(0.0)) if signed else 0
        right = room - line - left
        value = 0.0 if np.isnan(value) else min(max(value, self.low), self.high)
        eighths_left = round(-value / -self.low * left * 8) if value < 0 and self.low < 0 else 0
        eighths_right = round(value / self.high * right * 8) if value > 0 and self.high > 0 else 0
        row: Row = []
        if left:
            row += _leftwards(eighths_left, left, canvas)
        if line:
            row.append(Segment("│", DIM))
        full, rest = divmod(eighths_right, 8)
        if canvas.unicode:
            bar = "█" * full + (LEFT_EIGHTHS[rest] if rest else "")
        else:
            bar = "#" * (full + (rest >= 4))
        row += [Segment(bar, palette.ink(0, canvas.depth)), Segment(" " * (right - len(bar)))]
        return row

    def html(self) -> str:
        rows = ""
        for place, name in enumerate(self.labels[:MOST_ROWS_IN_HTML]):
            value = float(self.values[place])
            inside = 0.0 if np.isnan(value) else min(max(value, self.low), self.high)
            start, stop, zero = (
                100.0 * self._share(end) for end in (min(inside, 0.0), max(inside, 0.0), 0.0)
            )
            colour = palette.css(palette.inks()[0 if inside >= 0 else 1])
            spot = "position:absolute;height:100%"
            bar = markup.tag(
                "div", "", f"{spot};left:{start:.2f}%;width:{stop - start:.2f}%;background:{colour}"
            )
            bar += markup.tag("div", "", f"{spot};left:{zero:.2f}%;width:1px;background:currentColor")
            track = "position:relative;height:1em;background:rgba(128,128,128,.13)"
            head = "text-align:left;font-weight:normal;padding:1px 10px 1px 0"
            row = markup.tag("th", markup.text(label(name)), head, scope="row")
            row += markup.tag("td", markup.tag("div", bar, track, aria_hidden="true"), "width:320px")
            row += markup.tag("td", fixed(value, self.digits), "text-align:right;padding:1px 10px")
            row += markup.tag("td", markup.text(self.notes[place]), markup.QUIET) if self.notes else ""
            rows += f"<tr>{row}</tr>"
        table = markup.tag("table", rows, "border-collapse:collapse")
        return markup.figure(table + markup.more(len(self.labels) - MOST_ROWS_IN_HTML), self.caption)


def _leftwards(eighths: int, room: int, canvas: Canvas) -> Row:
    """A bar that ends at the right edge of `room` cells."""
    full, rest = divmod(eighths, 8)
    style = palette.ink(1, canvas.depth)
    if not canvas.unicode:
        bar = "#" * (full + (rest >= 4))
        return [Segment(" " * (room - len(bar))), Segment(bar, style)]
    bar = ("", "▕", "▐", "█")[(rest + 1) // 3] + "█" * full  # there are no eighths from the right
    return [Segment(" " * (room - len(bar))), Segment(bar, style)]
