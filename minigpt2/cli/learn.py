"""`minigpt2 learn`: lessons and exercises, in the terminal or as notebooks."""

import argparse
import sys
from typing import TYPE_CHECKING

from ..errors import MiniGPT2Error, UsageError
from . import console

if TYPE_CHECKING:
    from rich.console import Console

    from ..learn.cells import Cell, Lesson
    from ..learn.progress import Place
    from ..learn.whole import Whole

HELP = "twenty lessons, step by step, and exercises"

ACTIONS = ("exercises", "start", "check", "hint", "solution", "reset")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = (
        "Without anything: the lessons and how far you are. With a number: that lesson, cell by cell. "
        "Exercises: `exercises` lists them, `start NAME` hands one out as a file to complete; `check`, "
        "`hint`, `solution` and `reset` take its name; without one they mean the exercise that comes next."
    )
    parser.add_argument(
        "what", nargs="?", metavar="WHAT", help=f"the number of a lesson, or {', '.join(ACTIONS)}"
    )
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="an exercise, or as much of its name as tells it"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="run all lessons, or the one given, without asking; exit code 1 if one fails",
    )
    parser.add_argument("--restart", action="store_true", help="begin the lesson anew")
    parser.add_argument(
        "--notebooks",
        metavar="DIR",
        type=_folder,
        help="write the lessons, or the one given, as notebooks into DIR, never over one that has changed",
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="SECONDS",
        help="with --all: stop a cell that takes longer (default: 60)",
    )
    parser.add_argument(
        "--folder", metavar="DIR", type=_folder, help="with start: where your exercises lie from now on"
    )


def _folder(name: str) -> str:
    """A name that a shell variable without a value has not left empty: that would be the folder one is in."""
    if not name:
        raise argparse.ArgumentTypeError("the name of the folder is empty")
    return name


def run(args: argparse.Namespace) -> int:
    """Do one of these things; the exit code."""
    if args.what in ACTIONS:
        _refuse(
            args, "all", "restart", "notebooks", "time_limit", *(() if args.what == "start" else ("folder",))
        )
        return _exercise(args)
    _refuse(args, "name", "folder")
    if args.notebooks is not None:
        _refuse(args, "all", "restart", "time_limit")
        return _write_notebooks(args)
    if args.all:
        _refuse(args, "restart")
        return _run_all(args)
    _refuse(args, "time_limit")
    if args.what is None:
        _refuse(args, "restart")
        return _list()
    return _learn(args)


def _refuse(args: argparse.Namespace, *names: str) -> None:
    """UsageError for an option that means nothing here."""
    for name in names:
        if getattr(args, name) not in (None, False):
            given = getattr(args, name) if name == "name" else f"--{name.replace('_', '-')}"
            raise UsageError(f"{given!s} does not go with this (see minigpt2 learn --help)")


def _chosen(args: argparse.Namespace) -> "list[Lesson]":
    from ..learn.library import all_lessons, find_lesson

    if args.what is None:
        return all_lessons()
    if not args.what.isdecimal():
        raise UsageError(f"{args.what!r} is neither the number of a lesson nor one of {', '.join(ACTIONS)}")
    return [find_lesson(args.what)]


def _learn(args: argparse.Namespace) -> int:
    """One lesson with a person."""
    (lesson,) = _chosen(args)
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        raise UsageError(
            f"a lesson asks at a terminal, and this is none: use minigpt2 learn {lesson.number} --all, or "
            f"python {lesson.path}"
        )
    from ..learn.session import Session

    return Session(lesson, console.terminal()).run(from_start=args.restart)


def _list() -> int:
    """The lessons with level, minutes and progress."""
    from rich.text import Text

    from ..learn.library import all_lessons
    from ..learn.progress import progress
    from ..views import Table

    screen = console.terminal() if console.stdout_is_terminal() else console.stdout()
    try:
        places = progress()
    except MiniGPT2Error as error:
        console.say(f"warning: {error}")
        places = {}
    lessons = all_lessons()
    done = _exercises_done()
    rows = [_row(lesson, places.get(lesson.number), done.get(lesson.number, "")) for lesson in lessons]
    columns = ["", "lesson", "level", "min", "you", "exercises"]
    screen.print(Table(columns, rows, align=["right", "left", "left", "right", "left", "right"]))
    left = [lesson for lesson in lessons if lesson.number not in places or not places[lesson.number].finished]
    going_on = f"minigpt2 learn {left[0].number} goes on from here" if left else "You have done every lesson"
    screen.print()
    screen.print(
        Text(f"{going_on}, minigpt2 learn exercises lists the exercises, --help the rest.", style="dim")
    )
    return 0


def _exercises_done() -> dict[int, str]:
    """Lesson -> how many of its exercises are done: "2/5"."""
    from ..learn import exercises

    finished = _finished()
    found: dict[int, list[bool]] = {}
    for exercise in exercises.list_exercises():
        found.setdefault(exercise.lesson, []).append(exercise.name in finished)
    return {lesson: f"{sum(which)}/{len(which)}" for lesson, which in found.items()}


def _finished() -> set[str]:
    """The exercises that are done; none, with a warning, where nobody can tell."""
    from ..learn import exercises

    try:
        return exercises.done()
    except MiniGPT2Error as error:
        console.say(f"warning: {error}")
        return set()


def _row(lesson: "Lesson", place: "Place | None", exercises: str) -> list[object]:
    from ..learn.progress import place_in
    from ..learn.session import steps_of

    if place is None:
        state = ""
    else:
        steps = steps_of(lesson)
        cell = place_in(lesson).cell
        done = sum(step.end <= cell for step in steps)
        state = f"{done} of {len(steps)}" if done else "begun"
        state = "done" if place.finished and not done else state
    return [lesson.number, lesson.title, lesson.level, lesson.minutes, state, exercises]


def _run_all(args: argparse.Namespace) -> int:
    """Lessons from start to end; shown where it is only one."""
    from ..learn.whole import LIMIT, run_whole, table_of

    limit = LIMIT if args.time_limit is None else args.time_limit
    if not limit > 0:
        raise UsageError(f"--time-limit must be above 0, not {limit:g}")
    lessons = _chosen(args)
    screen = console.stdout()
    wholes = []
    for lesson in lessons:
        shown = _shower(screen) if args.what else None
        wholes.append(run_whole(lesson, limit=limit, before_cell=shown))
        _tell_progress(wholes[-1], len(wholes), len(lessons))
    screen.print()
    screen.print(table_of(wholes))
    return 1 if any(whole.problems for whole in wholes) else 0


def _tell_progress(whole: "Whole", number: int, count: int) -> None:
    for problem in whole.problems:
        for line in problem.splitlines():
            console.say(line)
    if count > 1:
        console.say(f"{number} of {count}: lesson {whole.lesson.name}, {whole.seconds:.1f} s")


def _shower(screen: "Console"):
    """What shows a cell before it runs."""
    from ..learn.cells import CODE
    from ..learn.page import code_page, text_page

    def show(cell: "Cell") -> None:
        screen.print()
        screen.print(code_page(cell.source) if cell.kind == CODE else text_page(cell.source), end="")

    return show


def _write_notebooks(args: argparse.Namespace) -> int:
    from ..learn.notebooks import write_notebooks

    for path in write_notebooks(_chosen(args), args.notebooks):
        print(path)
    return 0


def _exercise(args: argparse.Namespace) -> int:
    """What is done with exercises."""
    if args.what == "exercises":
        _refuse(args, "name")
        return _list_exercises()
    if args.name is None and args.what == "reset":
        raise UsageError("reset needs the name of an exercise: minigpt2 learn reset NAME")
    from ..learn import exercises

    if args.name is None:
        following = exercises.next_exercise()
        if following is None:
            raise UsageError("you have done every exercise: give the name of one")
        args.name = following.name
    name = exercises.find_exercise(args.name).name
    if args.folder is not None:
        exercises.choose_folder(args.folder)
    return _DO[args.what](name)


def _list_exercises() -> int:
    from ..learn import exercises
    from ..views import Table

    finished = _finished()
    rows = [
        [exercise.name, exercise.title, exercise.level, "done" if exercise.name in finished else ""]
        for exercise in exercises.list_exercises()
    ]
    screen = console.terminal() if console.stdout_is_terminal() else console.stdout()
    screen.print(Table(["exercise", "what", "level", "you"], rows))
    following = exercises.next_after(finished)
    if following is not None:
        print(f"\nNext: minigpt2 learn start {following.name}")
    return 0


def _start(name: str) -> int:
    from ..learn import exercises

    path = exercises.start(name)
    print(f"{path}")
    console.say(f"complete it, then: minigpt2 learn check {path.stem}")
    return 0


def _check(name: str) -> int:
    from ..learn import exercises

    if not exercises.copy_of(name).exists():
        raise UsageError(f"you have not begun {name}: minigpt2 learn start {name}")
    outcome = exercises.check(name)
    screen = console.terminal() if console.stdout_is_terminal() else console.stdout()
    screen.print(outcome.message)
    if outcome.unsaved:
        console.say(f"warning: {outcome.unsaved}; that you have done it is not kept")
    if outcome.passed:
        print(f"\nNext: minigpt2 learn start {outcome.next}" if outcome.next else "\nThat was the last one.")
    return 0 if outcome.passed else 1


def _hint(name: str) -> int:
    from ..learn import exercises
    from ..learn.page import text_page

    screen = console.terminal() if console.stdout_is_terminal() else console.stdout()
    screen.print(text_page(exercises.hint(name)), end="")
    return 0


def _solution(name: str) -> int:
    from ..learn import exercises
    from ..learn.page import code_page

    solution = exercises.solution(name)
    if solution.code is None:
        print(solution.note)
        return 1
    if console.stdout_is_terminal():
        console.terminal().print(code_page(solution.code), end="")
    else:
        print(solution.code)
    console.say(solution.note)
    return 0


def _reset(name: str) -> int:
    from ..learn import exercises

    kept = exercises.reset(name)
    if kept is not None:
        console.say(f"what you had is kept as {kept}")
    return _start(name)


_DO = {"start": _start, "check": _check, "hint": _hint, "solution": _solution, "reset": _reset}
