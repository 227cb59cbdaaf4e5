"""Lessons as notebooks: nbformat 4.5, which is JSON, so that it takes no library to write one."""

import json
from pathlib import Path
from typing import Any

from ..errors import OutputError
from ..files import atomic_path
from .cells import CODE, Lesson

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook_of(lesson: Lesson) -> dict[str, Any]:
    """The JSON of a notebook with the cells of the lesson, none of them run."""
    cells = []
    for place, cell in enumerate(lesson.cells):
        entry: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": f"{lesson.number:02d}-{place:03d}",
            "metadata": {},
            "source": cell.source.splitlines(keepends=True),
        }
        if cell.kind == CODE:
            entry |= {"execution_count": None, "outputs": []}
        cells.append(entry)
    return {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}


def write_notebooks(lessons: list[Lesson], folder: str | Path) -> list[Path]:
    """`05_name.ipynb` for each lesson in `folder`, which is made where it is missing. The paths.

    A notebook that is there already is replaced. OutputError where the folder cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {(error.strerror or 'refused').lower()}"
        ) from None
    paths = []
    for lesson in lessons:
        text = json.dumps(notebook_of(lesson), indent=1, ensure_ascii=False) + "\n"
        with atomic_path(folder / f"{lesson.path.stem}.ipynb") as path:
            path.write_text(text, encoding="utf-8")
        paths.append(folder / f"{lesson.path.stem}.ipynb")
    return paths
