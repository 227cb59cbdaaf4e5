"""`--all`: lessons from start to end without asking, and a table of how long each took.

Beside errors and cells that take too long, it finds what a text says and its code does not: `claims.py`.
"""

import contextlib
import io
import time
from collections.abc import Callable
from typing import NamedTuple

from ..views import Table, View
from .cells import CODE, Cell, Lesson
from .claims import problems_after, problems_of
from .running import Runner

LIMIT = 60.0  # seconds for one cell


class Whole(NamedTuple):
    """One lesson from start to end."""

    lesson: Lesson
    seconds: float
    slowest: float  # seconds of its slowest cell
    problems: tuple[str, ...]  # errors, and numbers in the text that the code does not give


def run_whole(
    lesson: Lesson, *, limit: float = LIMIT, before_cell: Callable[[Cell], None] | None = None
) -> Whole:
    """Run every cell; after the first that fails, no more. `before_cell` shows what comes.

    Raises KeyboardInterrupt for Ctrl-C.
    """
    runner = Runner(lesson)
    start, slowest = time.perf_counter(), 0.0
    problems = problems_of(lesson)
    quiet = contextlib.redirect_stdout(io.StringIO()) if before_cell is None else contextlib.nullcontext()
    with quiet:
        for place, cell in enumerate(lesson.cells):
            if before_cell:
                before_cell(cell)
            if cell.kind != CODE:
                problems += problems_after(lesson, cell)
                continue
            ran = runner.run(place, limit=limit)
            slowest = max(slowest, ran.seconds)
            if ran.interrupted:
                raise KeyboardInterrupt
            if ran.problem:
                problems.append(f"{lesson.path.name}: cell at line {cell.line}: {ran.problem}")
                break
    return Whole(lesson, time.perf_counter() - start, slowest, tuple(problems))


def table_of(wholes: list[Whole]) -> View:
    """Lesson, seconds, and how it went."""
    rows = [
        [
            whole.lesson.name,
            f"{whole.seconds:.1f}",
            f"{whole.slowest:.1f}",
            "failed" if whole.problems else "ok",
        ]
        for whole in wholes
    ]
    if len(rows) > 1:
        rows.append(["together", f"{sum(whole.seconds for whole in wholes):.1f}", "", ""])
    return Table(["lesson", "seconds", "slowest cell", ""], rows, align=["left", "right", "right", "left"])
