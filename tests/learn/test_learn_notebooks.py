"""Notebooks as JSON."""

import json

import pytest
from small_lesson import write_lesson

from minigpt2.errors import OutputError, UsageError
from minigpt2.learn.notebooks import notebook_of, write_notebooks


def test_every_cell_is_there(tmp_path):
    lesson = write_lesson(tmp_path)
    book = notebook_of(lesson)
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert ["".join(cell["source"]) for cell in book["cells"]] == [cell.source for cell in lesson.cells]
    assert [cell["cell_type"] for cell in book["cells"]] == [cell.kind for cell in lesson.cells]
    assert len({cell["id"] for cell in book["cells"]}) == len(lesson.cells)
    for cell in book["cells"]:
        assert ("outputs" in cell) == ("execution_count" in cell) == (cell["cell_type"] == "code")


def test_files_are_written_and_written_again(tmp_path):
    lesson = write_lesson(tmp_path)
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        assert write_notebooks([lesson], folder) == [folder / "07_small.ipynb"]
    assert json.loads((folder / "07_small.ipynb").read_text(encoding="utf-8")) == notebook_of(lesson)
    assert [path.name for path in folder.iterdir()] == ["07_small.ipynb"]


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_notebooks([write_lesson(tmp_path)], tmp_path / "file")


def test_a_notebook_that_somebody_has_worked_with_stays(tmp_path):
    lesson = write_lesson(tmp_path)
    other = lesson._replace(path=tmp_path / "06_other.py")
    worked = tmp_path / "07_small.ipynb"
    worked.write_text("my work")
    with pytest.raises(UsageError, match=r"07_small\.ipynb is not as written: choose another folder"):
        write_notebooks([other, lesson], tmp_path)
    assert worked.read_text() == "my work"
    assert not (tmp_path / "06_other.ipynb").exists()
    (tmp_path / "06_other.ipynb").mkdir()
    with pytest.raises(UsageError, match="and 1 more are not as written"):
        write_notebooks([other, lesson], tmp_path)
