"""Notebooks as JSON."""

import json

import pytest
from small_lesson import write_lesson

from minigpt2.errors import OutputError
from minigpt2.learn.notebooks import notebook_of, write_notebooks


def test_every_cell_is_there(tmp_path):
    lesson = write_lesson(tmp_path)
    book = notebook_of(lesson)
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert ["".join(cell["source"]) for cell in book["cells"]] == [cell.source for cell in lesson.cells]
    assert [cell["cell_type"] for cell in book["cells"]] == [cell.kind for cell in lesson.cells]
    for cell in book["cells"]:
        assert ("outputs" in cell) == ("execution_count" in cell) == (cell["cell_type"] == "code")


def test_files_are_written_and_replaced(tmp_path):
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
