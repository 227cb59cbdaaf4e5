"""How far a person has come in each lesson: `learn.json` in the state folder.

    {"5": {"cell": 7, "digest": "3f…", "finished": false}}

A file that cannot be read is moved aside and counts as empty: progress is a comfort, not a condition.
"""

import contextlib
import json
import os
from typing import NamedTuple

from ..errors import OutputError
from ..files import atomic_path
from ..state_folder import make_state_folder, state_folder
from .cells import Lesson

STATE = "learn.json"


class Place(NamedTuple):
    """Where somebody left a lesson."""

    cell: int  # the first that is still to come
    digest: str  # of the lesson at that time
    finished: bool = False  # once, at least


def progress() -> dict[int, Place]:
    """The place in each lesson that was ever begun. OutputError where the state folder cannot be read."""
    path = state_folder() / STATE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {int(number): Place(**fields) for number, fields in found.items() if _is_place(fields)}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OutputError(f"cannot read {path}: {(error.strerror or 'refused').lower()}") from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        with contextlib.suppress(OSError):
            os.replace(path, path.with_suffix(".unreadable"))
        return {}


def _is_place(fields: dict) -> bool:
    kinds = {name: type(value) for name, value in fields.items()}
    if kinds != {"cell": int, "digest": str, "finished": bool}:
        raise ValueError(fields)
    return True


def place_in(lesson: Lesson) -> Place:
    """Where to begin: a lesson that has changed since, or is finished, begins anew."""
    place = progress().get(lesson.number, Place(0, lesson.digest))
    if place.digest != lesson.digest or place.cell >= len(lesson.cells):
        return Place(0, lesson.digest, place.finished)
    return place


def remember(lesson: Lesson, cell: int) -> None:
    """Note the cell that comes next; past the last one, the lesson is finished. OutputError if that fails."""
    places = progress()
    before = places.get(lesson.number)
    finished = cell >= len(lesson.cells) or (before is not None and before.finished)
    places[lesson.number] = Place(cell, lesson.digest, finished)
    _write(places)


def forget(lesson: Lesson) -> None:
    """As if the lesson had never been begun. OutputError if that cannot be written."""
    places = progress()
    if places.pop(lesson.number, None) is not None:
        _write(places)


def _write(places: dict[int, Place]) -> None:
    text = json.dumps({str(number): place._asdict() for number, place in sorted(places.items())}, indent=1)
    with atomic_path(make_state_folder() / STATE) as unfinished:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
