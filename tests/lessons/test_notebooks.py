"""The notebook of each lesson, run by a Jupyter kernel. It needs `pip install -e '.[notebooks]'`."""

import json
import re

import pytest

from minigpt2.learn.cells import MARKDOWN
from minigpt2.learn.claims import ties_of

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")


def test_it_runs_as_a_notebook(lesson, lesson_path, notebook_run):
    assert notebook_run.code == 0, notebook_run.err[-3000:]
    # Pictures are shown as pictures, not as text.
    if any(re.search(r"\bshow\(", cell.source) for cell in lesson.cells if cell.kind == "code"):
        assert "text/html" in notebook_run.out


def test_it_computes_every_number_that_its_text_names(lesson, lesson_path, notebook_run):
    ties = [tie for cell in lesson.cells if cell.kind == MARKDOWN for tie in ties_of(cell.source)]
    printed = {line.rpartition(" = ")[0] for line in notebook_run.out.splitlines()}
    assert {tie.name for tie in ties} <= printed


def test_it_is_json_that_opens(lesson):
    from minigpt2.learn.notebooks import notebook_of

    book = json.loads(json.dumps(notebook_of(lesson)))
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"]) == len(lesson.cells)
