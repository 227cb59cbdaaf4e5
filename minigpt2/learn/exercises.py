"""The exercises: their order, the learner's own copies, what is done, hints and solutions.

`lessons/exercises/order.toml` lists them in order; each has a folder with `exercise.py` (the task),
`check.py`, `hints.md`, `solution.py` and `wrong/`. A learner works on copies in a folder of their own, by
default `minigpt2-exercises` where they began, which is remembered. Nothing here overwrites what a learner has
written: `start` hands out a copy only where there is none, `reset` keeps the old one beside it.

`exercises.json` in the state folder holds that folder, what is done, and how often hints and the solution
were asked for. A file that cannot be read is moved aside and counts as empty.
"""

import contextlib
import json
import os
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DataError, OutputError, UsageError
from ..files import atomic_path
from ..state_folder import make_state_folder, state_folder
from ..views import Paragraph, Stack, View
from .judging import LIMIT, check_apart
from .library import lessons_folder
from .verdict import Verdict

LEVELS = ("beginner", "intermediate", "advanced")
FOLDER = "minigpt2-exercises"
STATE = "exercises.json"
ASKED_ENOUGH = 2  # times to ask for a solution before it is shown without success

_PACKAGE = Path(__file__).parents[1]


class Exercise(NamedTuple):
    """One entry of order.toml."""

    name: str  # its folder, "05_split_heads"
    lesson: int
    level: str  # one of LEVELS
    title: str
    learned: str  # what one knows who has done it
    needs: tuple[str, ...]  # exercises to do before
    folder: Path


class Outcome(NamedTuple):
    """What `check` found."""

    passed: bool
    message: View
    learned: str  # empty unless passed
    next: str | None  # the exercise to do next; this one unless passed; None if all are done
    verdict: Verdict
    unsaved: str = ""  # why the success could not be remembered


class Solution(NamedTuple):
    """The code, or None with a note that says how to get it."""

    code: str | None
    note: str


def exercises_folder() -> Path:
    """Where the exercises lie. DataError where there are none."""
    return lessons_folder() / "exercises"


def list_exercises() -> list[Exercise]:
    """All of them in order. DataError where order.toml cannot be read."""
    folder = exercises_folder()
    try:
        tables = tomllib.loads((folder / "order.toml").read_text(encoding="utf-8"))["exercise"]
        return [_read(table, folder) for table in tables]
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise DataError(f"{folder / 'order.toml'}: {type(error).__name__}: {error}") from None


def _read(table: dict[str, Any], folder: Path) -> Exercise:
    fields = {**table, "needs": tuple(table["needs"]), "folder": folder / table["name"]}
    return Exercise(**fields)


def find_exercise(name: str) -> Exercise:
    """The one with this name, or the only one whose name holds it. UsageError unless there is one."""
    known = list_exercises()
    exact = [exercise for exercise in known if exercise.name == name]
    found = exact or [exercise for exercise in known if name and name in exercise.name]
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(exercise.name for exercise in found)
        raise UsageError(f"{name!r} may be {some}: give the whole name")
    raise UsageError(f"there is no exercise {name!r}: minigpt2 learn exercises lists them")


def of_lesson(lesson: int) -> list[Exercise]:
    """The exercises of one lesson, in order."""
    return [exercise for exercise in list_exercises() if exercise.lesson == lesson]


def done() -> set[str]:
    """The names of the exercises whose check has passed."""
    return set(_state()["done"])


def next_exercise() -> Exercise | None:
    """The first that is not done and whose `needs` are; None if all are done."""
    return next_after(done())


def next_after(finished: set[str]) -> Exercise | None:
    """`next_exercise` for somebody who has done these."""
    left = [exercise for exercise in list_exercises() if exercise.name not in finished]
    ready = [exercise for exercise in left if finished.issuperset(exercise.needs)]
    return next(iter(ready or left), None)


def working_folder() -> Path:
    """The learner's folder: the one remembered, else `minigpt2-exercises` here, which need not be there."""
    remembered = _state()["folder"]
    if remembered:
        return Path(remembered)
    try:
        return Path.cwd() / FOLDER
    except OSError:
        raise OutputError("the folder that you are in is gone: go to another one") from None


def choose_folder(folder: str | Path) -> Path:
    """Make a folder and remember it as the learner's. UsageError for one inside the installed package."""
    folder = Path(folder).expanduser().resolve()
    inside = [_PACKAGE.resolve(), lessons_folder().resolve()]
    if any(folder == place or place in folder.parents for place in inside):
        raise UsageError(f"{folder} belongs to minigpt2 itself: choose a folder of your own")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {folder}: {(error.strerror or 'refused').lower()}") from None
    state = _state()
    state["folder"] = str(folder)
    _remember(state)
    return folder


def copy_of(name: str) -> Path:
    """Where the learner's copy of an exercise is, or would be."""
    return working_folder() / f"{find_exercise(name).name}.py"


def start(name: str) -> Path:
    """The learner's copy of an exercise, made if there is none; one that is there stays as it is."""
    exercise = find_exercise(name)
    folder = choose_folder(working_folder())
    path = folder / f"{exercise.name}.py"
    if not path.exists():
        with atomic_path(path) as unfinished:
            unfinished.write_bytes((exercise.folder / "exercise.py").read_bytes())
    return path


def check(name: str, limit: float = LIMIT) -> Outcome:
    """Check the learner's copy, in a process of its own; success is remembered, if that can be."""
    exercise = find_exercise(name)
    verdict = check_apart(copy_of(exercise.name), exercise.folder / "check.py", limit=limit)
    if not verdict.passed:
        return Outcome(False, verdict.view(), "", exercise.name, verdict)
    unsaved = ""
    state = _state()
    if exercise.name not in state["done"]:
        state["done"].append(exercise.name)
        try:
            _remember(state)
        except OutputError as error:
            unsaved = str(error)
    following = next_after(set(state["done"]))
    message = Stack(Paragraph(f"{exercise.name}: right.", "bold green"), Paragraph(exercise.learned))
    if verdict.printed or verdict.warned:
        message = Stack(message, verdict.view())
    return Outcome(True, message, exercise.learned, following.name if following else None, verdict, unsaved)


def hint(name: str) -> str:
    """One hint more than the last time; after the last one it begins again."""
    exercise = find_exercise(name)
    hints = hints_of(exercise)
    state = _state()
    shown = state["hints"].get(exercise.name, 0)
    state["hints"][exercise.name] = shown + 1
    _remember(state)
    place = shown % len(hints)
    return f"Hint {place + 1} of {len(hints)}: {hints[place]}"


def hints_of(exercise: Exercise) -> list[str]:
    """Its hints, from gentle to plain."""
    text = (exercise.folder / "hints.md").read_text(encoding="utf-8")
    return [part.strip() for part in text.split("\n---\n")]


def solution(name: str) -> Solution:
    """The solution where the check has passed, or where it is asked for the second time."""
    exercise = find_exercise(name)
    state = _state()
    asked = state["asked"].get(exercise.name, 0) + 1
    state["asked"][exercise.name] = asked
    _remember(state)
    if exercise.name not in state["done"] and asked < ASKED_ENOUGH:
        left = len(hints_of(exercise)) - state["hints"].get(exercise.name, 0)
        first = f"there are {left} more hints" if left > 1 else "there is one more hint" if left == 1 else ""
        note = f"{first + '; a' if first else 'A'}sk once more and the solution is shown"
        return Solution(None, note[0].upper() + note[1:])
    code = (exercise.folder / "solution.py").read_text(encoding="utf-8")
    return Solution(code, f"One way to do {exercise.name}; the package's own is named in the task")


def reset(name: str) -> Path | None:
    """Hand out a fresh copy and keep the learner's beside it; where it is kept, None if there was none."""
    exercise = find_exercise(name)
    path = copy_of(exercise.name)
    kept = None
    if path.exists():
        number = 1
        while (kept := path.with_name(f"{path.stem}.kept-{number}.py")).exists():
            number += 1
        try:
            os.rename(path, kept)
        except OSError as error:
            raise OutputError(f"cannot keep {path}: {(error.strerror or 'refused').lower()}") from None
    start(exercise.name)
    state = _state()
    for memory in ("hints", "asked"):
        state[memory].pop(exercise.name, None)
    if exercise.name in state["done"]:
        state["done"].remove(exercise.name)
    _remember(state)
    return kept


def _state() -> dict[str, Any]:
    """What is remembered, with nothing missing."""
    empty: dict[str, Any] = {"folder": "", "done": [], "hints": {}, "asked": {}}
    path = state_folder() / STATE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return empty
    except OSError as error:
        raise OutputError(f"cannot read {path}: {(error.strerror or 'refused').lower()}") from None
    except (ValueError, RecursionError):
        found = None
    if not _is_usable(found, empty):
        with contextlib.suppress(OSError):
            os.replace(path, path.with_suffix(".unreadable"))
        return empty
    return {key: found.get(key, value) for key, value in empty.items()}


def _is_usable(found: Any, empty: dict[str, Any]) -> bool:
    """Is it what `_remember` writes, also inside?"""
    if not isinstance(found, dict) or any(type(found.get(key, v)) is not type(v) for key, v in empty.items()):
        return False
    counts = [*found.get("hints", {}).values(), *found.get("asked", {}).values()]
    return all(type(n) is int for n in counts) and all(type(name) is str for name in found.get("done", []))


def _remember(state: dict[str, Any]) -> None:
    with atomic_path(make_state_folder() / STATE) as unfinished:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            json.dump(state, stream, indent=1)
