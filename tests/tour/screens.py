"""Stored screens: one file an answer, its text and perhaps its colours.

The text stands as the terminal shows it. Behind a line `colours` come, for each row that has some, the runs
of cells that are not plain: `3: 0-4 #fff/#a31*, 9-12 ~` says that in row 3 cells 0 to 4 are bold white on
#a31, one hexadecimal digit a channel, and cells 9 to 12 dim.
"""

import itertools
import re
from pathlib import Path
from typing import NamedTuple

from emulator import text_of

FOLDER = Path(__file__).parent / "screens"
MARK = "colours"


class Answer(NamedTuple):
    """What a terminal shows for one step of a script."""

    text: str
    colours: list[list[str]] | None  # of each row the cells' colours; "" for a plain one


def answer_of(rows, with_colours):
    """Rows of cells as an answer."""
    text = "\n".join(text_of(row) for row in rows).rstrip("\n")
    rows = rows[: text.count("\n") + 1]
    return Answer(text, colours_of(rows) if with_colours else None)


def colours_of(rows):
    """The colours of rows of cells, those of blanks only where they can be seen."""
    return [_without_plain_end([_colour(cell) for cell in row]) for row in rows]


def _colour(cell):
    fg = _short(cell.fg) if cell.text.strip() else ""
    bg = _short(cell.bg)
    marks = "*" * (cell.bold and bool(cell.text.strip())) + "~" * (cell.dim and bool(cell.text.strip()))
    return f"{fg}/{bg}{marks}" if bg else fg + marks


def _short(colour):
    """ "ff8000" -> "#f80", "default" -> "", other names as they are."""
    if re.fullmatch("[0-9a-f]{6}", colour):
        return "#" + "".join(format(min(15, round(int(colour[i : i + 2], 16) / 17)), "x") for i in (0, 2, 4))
    return "" if colour == "default" else colour


def _without_plain_end(colours):
    while colours and not colours[-1]:
        colours.pop()
    return colours


def write_answer(path, answer):
    """Write an answer into its file."""
    lines = [answer.text]
    if answer.colours is not None:
        lines.append(MARK)
        for row, colours in enumerate(answer.colours):
            if colours:
                lines.append(f"{row}: {_runs(colours)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _runs(colours):
    runs, start = [], 0
    for colour, run in itertools.groupby(colours):
        end = start + len(list(run))
        if colour:
            runs.append(f"{start}-{end - 1} {colour}")
        start = end
    return ", ".join(runs)


def read_answer(path):
    """Read what `write_answer` wrote."""
    text, mark, colours = path.read_text(encoding="utf-8").partition(f"\n{MARK}\n")
    if not mark:
        return Answer(text.removesuffix("\n"), None)
    rows = [[] for _ in text.splitlines()]
    for line in colours.splitlines():
        row, _, runs = line.partition(": ")
        for run in runs.split(", "):
            place, _, colour = run.partition(" ")
            first, last = map(int, place.split("-"))
            cells = rows[int(row)]
            cells += [""] * (last + 1 - len(cells))
            cells[first : last + 1] = [colour] * (last + 1 - first)
    return Answer(text, rows)
