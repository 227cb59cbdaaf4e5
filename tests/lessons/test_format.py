"""The form that all lessons share, as far as a program can tell."""

import ast
import io
import re

import pytest
from lesson_files import ROOT
from rich.console import Console

from minigpt2.learn.cells import CODE, LEVELS, MARKDOWN
from minigpt2.learn.exercises import list_exercises
from minigpt2.learn.page import code_page, text_page

# Lines of code; those that are empty, a comment or only close a bracket do not count.
LONGEST_CELL = 15
WIDEST_CODE = 78  # columns: behind a bar, in a terminal of 80


def section(lesson, heading):
    """The items of a list under a heading in the last text of the lesson."""
    assert lesson.cells[-1].kind == MARKDOWN
    _, found, below = lesson.cells[-1].source.partition(f"## {heading}\n")
    assert found, f"the last cell has no '## {heading}'"
    below = re.split(r"^## |^Links: ", below, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^- (.*(?:\n  .*)*)", below, re.MULTILINE)


def test_the_numbers_are_those_of_the_files(lesson, lesson_path):
    assert lesson_path.name.startswith(f"{lesson.number:02d}_")
    assert lesson.level in LEVELS
    assert 10 <= lesson.minutes <= 90


def test_cells_are_short(lesson):
    for cell in lesson.cells:
        if cell.kind == CODE:
            lines = [line.strip() for line in cell.source.splitlines()]
            code = [line for line in lines if not re.fullmatch(r"#.*|[\[\](){},]*", line)]
            assert len(code) <= LONGEST_CELL, f"line {cell.line}: {len(code)} lines of code"


def test_code_fits_into_a_terminal(lesson):
    for cell in lesson.cells:
        if cell.kind == CODE:
            for number, line in enumerate(cell.source.splitlines(), cell.line):
                assert len(line) <= WIDEST_CODE, f"line {number} of the file"


@pytest.mark.parametrize("width", [36, 80])
def test_every_cell_can_be_shown(lesson, width):
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    for cell in lesson.cells:
        page = code_page(cell.source) if cell.kind == CODE else text_page(cell.source)
        rows = console.render_lines(page, pad=False)
        assert any(segment.text.strip() for row in rows for segment in row)
        assert all(sum(segment.cell_length for segment in row) <= width for row in rows), f"line {cell.line}"


def test_no_cell_ends_with_a_value_that_only_a_notebook_would_show(lesson):
    for cell in lesson.cells:
        if cell.kind == CODE:
            last = ast.parse(cell.source).body[-1]
            is_shown = not isinstance(last, ast.Expr) or isinstance(last.value, ast.Call)
            assert is_shown, f"line {cell.line}: print or show it"


def test_the_learner_predicts(lesson):
    predictions = sum("**Predict:**" in cell.source for cell in lesson.cells)
    assert predictions >= 3


def test_a_prediction_stands_above_code(lesson):
    for place, cell in enumerate(lesson.cells):
        if "**Predict:**" in cell.source:
            assert lesson.cells[place + 1].kind == CODE, f"line {cell.line}"


def test_three_things_to_remember(lesson):
    assert len(section(lesson, "Three things to remember")) == 3


def test_exercises_are_named_with_their_level(lesson):
    items = section(lesson, "Exercises")
    assert len(items) >= 2
    there = {exercise.name: exercise for exercise in list_exercises()}
    for item in items:
        named = re.match(rf"`({lesson.number:02d}_\w+)` \(({'|'.join(LEVELS)})\): \S", item)
        assert named, item
        assert (there[named[1]].lesson, there[named[1]].level) == (lesson.number, named[2]), item


def test_links_lead_to_files(lesson):
    _, found, links = lesson.cells[-1].source.rpartition("\nLinks: ")
    assert found, "the last lines of a lesson begin with 'Links: '"
    files = re.findall(r"`(minigpt2/[\w/]+\.py)`", links)
    assert files
    texts = [cell.source for cell in lesson.cells if cell.kind == MARKDOWN]
    for file in re.findall(r"`(minigpt2/[\w/]+(?:\.py|/))`", "\n".join(texts)):
        assert (ROOT / file).exists(), file
