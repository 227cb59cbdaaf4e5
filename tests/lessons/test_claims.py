"""Every number in the text of a lesson is tied to a claim; `test_learn_all.py` compares the two."""

import ast

from minigpt2.learn.cells import CODE, MARKDOWN
from minigpt2.learn.claims import problems_of, ties_of

LEAST = 3  # ties in a lesson: one that claims nothing has measured nothing


def test_every_number_is_tied(lesson):
    assert problems_of(lesson) == []


def test_it_claims_something(lesson):
    ties = [tie for cell in lesson.cells if cell.kind == MARKDOWN for tie in ties_of(cell.source)]
    assert len(ties) >= LEAST


def test_no_claim_is_a_number_written_down(lesson):
    """`claim("speed", 3.2)` would agree with any text."""
    for cell in lesson.cells:
        if cell.kind == CODE:
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim":
                    assert not isinstance(node.args[1], ast.Constant), ast.unparse(node)
