"""The notebook of each lesson, run by a Jupyter kernel. It needs `pip install -e '.[notebooks]'`."""

import json
import re

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")


def test_it_runs_as_a_notebook(lesson, lesson_path, notebook_run):
    assert notebook_run.code == 0, notebook_run.err[-3000:]
    # Pictures are shown as pictures, not as text.
    if any(re.search(r"\bshow\(", cell.source) for cell in lesson.cells if cell.kind == "code"):
        assert "text/html" in notebook_run.out


def test_it_says_the_same_as_the_script(lesson_path, notebook_run, script_run):
    def claimed(out):
        return re.findall(r"^[\w ,().'/-]+ = -?[\d.e+-]+$", out, re.MULTILINE)

    assert claimed(notebook_run.out)
    names = [[line.partition(" = ")[0] for line in claimed(run.out)] for run in (notebook_run, script_run)]
    assert names[0] == names[1]


def test_it_is_json_that_opens(lesson):
    from minigpt2.learn.notebooks import notebook_of

    book = json.loads(json.dumps(notebook_of(lesson)))
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"]) == len(lesson.cells)
