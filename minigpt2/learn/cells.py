"""The file format of a lesson: jupytext's percent format, without its options.

    # %% [markdown]
    # # 05 · Attention by hand
    #
    # Beginner · 25 minutes
    #
    # **After this lesson you can**
    #
    # - …
    # %%
    import numpy as np

A line `# %%` begins a cell of Python, `# %% [markdown]` a cell of text, each line of which begins with `#`.
The first cell is the header: number and title, level and minutes, and three things that a learner can do
afterwards. Python runs the file as it is, jupytext and the editors that know cells read it, and `read_lesson`
is strict, so that all of them see the same cells.
"""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from ..errors import DataError
from ..files import read_lines

MARKDOWN, CODE = "markdown", "code"
LEVELS = ("beginner", "intermediate", "advanced")
GOALS = 3
_MARKS = {"# %%": CODE, "# %% [markdown]": MARKDOWN}
_TITLE = re.compile(r"# (\d\d) · (\S.*)")
_LEVEL = re.compile(rf"({'|'.join(LEVELS)}) · (\d+) minutes", re.IGNORECASE)
_GOAL = re.compile(r"^- (\S.*(?:\n  \S.*)*)", re.MULTILINE)


class Cell(NamedTuple):
    """One cell: markdown without the leading `# `, or Python."""

    kind: str  # MARKDOWN or CODE
    source: str
    line: int  # of the file, from 1, on which the source begins


class Lesson(NamedTuple):
    """A lesson as it lies in its file."""

    path: Path
    number: int
    title: str
    level: str  # one of LEVELS
    minutes: int
    goals: tuple[str, ...]
    cells: tuple[Cell, ...]  # the header is the first
    digest: str  # changes when the file does

    @property
    def name(self) -> str:
        """`05 · Attention by hand`"""
        return f"{self.number:02d} · {self.title}"


def read_lesson(path: str | Path) -> Lesson:
    """The lesson in a file. DataError, with the line, where it is not in the format above."""
    path = Path(path)
    lines = list(read_lines(path))
    cells = split_cells(lines, path.name)
    if cells[0].kind != MARKDOWN:
        raise DataError(f"{path.name}: line 1: the first cell must be the header, in markdown")
    number, title, level, minutes, goals = _read_header(cells[0], path.name)
    digest = hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()[:16]
    return Lesson(path, number, title, level, minutes, goals, tuple(cells), digest)


def split_cells(lines: list[str], name: str) -> list[Cell]:
    """The cells of a file in percent format. DataError, with the line, for anything else."""
    if not lines or lines[0] not in _MARKS:
        raise DataError(f"{name}: line 1: a lesson begins with '# %% [markdown]'")
    starts = [at for at, line in enumerate(lines) if line.startswith("# %%")]
    cells = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        if lines[start] not in _MARKS:
            raise DataError(
                f"{name}: line {start + 1}: a cell begins with '# %%' or '# %% [markdown]', nothing else"
            )
        cells.append(_cell(_MARKS[lines[start]], lines[start + 1 : end], start + 2, name))
    return cells


def _cell(kind: str, lines: list[str], line: int, name: str) -> Cell:
    while lines and lines[-1].strip() == "":
        lines = lines[:-1]
    while lines and lines[0].strip() == "":
        lines, line = lines[1:], line + 1
    if kind == MARKDOWN:
        for at, text in enumerate(lines):
            if text != "#" and not text.startswith("# "):
                raise DataError(
                    f"{name}: line {line + at}: every line of a markdown cell begins with '# ' (an empty "
                    f"line is '#')"
                )
        lines = [text[2:] for text in lines]
    source = "\n".join(lines)
    if not source.strip():
        raise DataError(f"{name}: line {line}: the cell is empty")
    if kind == CODE:
        try:
            compile(source, name, "exec")
        except SyntaxError as error:
            at = line + (error.lineno or 1) - 1
            raise DataError(f"{name}: line {at}: this is not Python: {error.msg}") from None
    return Cell(kind, source, line)


def _read_header(cell: Cell, name: str) -> tuple[int, str, str, int, tuple[str, ...]]:
    title = _TITLE.match(cell.source)
    level = _LEVEL.search(cell.source)
    _, promise, below = cell.source.partition("**After this lesson you can**")
    goals = _GOAL.findall(below.strip().partition("\n\n")[0])  # the first list, not a later one
    if not title or not level or not promise or len(goals) != GOALS:
        raise DataError(
            f"{name}: line {cell.line}: the header needs '# 05 · Title', 'Beginner · 25 minutes' (or "
            f"Intermediate, Advanced), and '**After this lesson you can**' with {GOALS} items below it"
        )
    if not name.startswith(f"{title[1]}_"):
        raise DataError(f"{name}: the name must begin with the number in its title, {title[1]}_")
    goals = tuple(" ".join(goal.split()) for goal in goals)
    return int(title[1]), title[2], level[1].lower(), int(level[2]), goals
