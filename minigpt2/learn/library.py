"""Where the lessons lie: in the folder `lessons` of a clone, or inside an installed package."""

import re
from pathlib import Path

from ..errors import DataError, UsageError
from .cells import Lesson, read_lesson

_PACKAGE = Path(__file__).parents[1]
_PLACES = (_PACKAGE / "lessons", _PACKAGE.parent / "lessons")  # of a wheel; of a clone
_NAME = re.compile(r"\d\d_\w+\.py")


def lessons_folder() -> Path:
    """The folder with the lessons and exercises. DataError where there is none."""
    for folder in _PLACES:
        if any(folder.glob("[0-9][0-9]_*.py")):
            return folder
    raise DataError(f"no lessons in {' or '.join(map(str, _PLACES))}: install minigpt2 again")


def lesson_paths() -> list[Path]:
    """The files of the lessons in their order."""
    return sorted(path for path in lessons_folder().iterdir() if _NAME.fullmatch(path.name))


def all_lessons() -> list[Lesson]:
    """Every lesson in order. DataError for one that cannot be read."""
    return [read_lesson(path) for path in lesson_paths()]


def find_lesson(number: str | int) -> Lesson:
    """The lesson with this number, `5` or `05`. UsageError where there is none, with those that there are."""
    paths = {int(path.name[:2]): path for path in lesson_paths()}
    found = paths.get(int(number)) if str(number).isdecimal() else None
    if found is None:
        there = ", ".join(map(str, paths))
        raise UsageError(f"there is no lesson {number}; there are {there} (see minigpt2 learn)")
    return read_lesson(found)


def data_file(name: str) -> Path:
    """A file of `data_sets/`, such as "train.tsv": sentences for lessons. UsageError where there is none."""
    folder = "data_sets"
    places = [_PACKAGE / folder, _PACKAGE.parent / folder]  # of a wheel; of a clone
    found = next((place / name for place in places if (place / name).is_file()), None)
    if found is None:
        raise UsageError(f"there is no {folder}/{name}: use train.tsv, dev.tsv, test.tsv or kinds.tsv")
    return found
