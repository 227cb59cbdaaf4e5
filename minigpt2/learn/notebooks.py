"""Lessons as notebooks: nbformat 4.5, which is JSON, so that it takes no library to write one."""

import json
from pathlib import Path
from typing import Any

from ..errors import OutputError, UsageError
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

    Nothing is overwritten: UsageError, before anything is written, where a notebook is there that is not the
    one to be written, since somebody has worked with it. OutputError where the folder cannot be written.
    """
    folder = Path(folder)
    texts = {folder / f"{lesson.path.stem}.ipynb": _text_of(lesson) for lesson in lessons}
    changed = [path for path, text in texts.items() if _is_another(path, text)]
    if changed:
        others = f" and {len(changed) - 1} more are" if len(changed) > 1 else " is"
        raise UsageError(f"{changed[0]}{others} not as written: choose another folder, or delete them first")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {(error.strerror or 'refused').lower()}"
        ) from None
    for path, text in texts.items():
        with atomic_path(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    return list(texts)


def _text_of(lesson: Lesson) -> str:
    return json.dumps(notebook_of(lesson), indent=1, ensure_ascii=False) + "\n"


def _is_another(path: Path, text: str) -> bool:
    """True where something is there that is not this text."""
    try:
        return path.read_bytes() != text.encode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
