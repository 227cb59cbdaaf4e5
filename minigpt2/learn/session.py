"""`minigpt2 learn 5`: a lesson cell by cell, with a person at a terminal.

A lesson is walked through in steps: a text and the code below it, or one of them alone. The code is shown
before it runs, so that a learner can predict what comes; Enter runs it, and Enter goes on. The keys are
always on the screen. Leaving keeps the place: the next session runs the cells before it again, quietly, and
goes on.
"""

import contextlib
import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

from rich.console import Console, RenderableType
from rich.text import Text

from ..errors import MiniGPT2Error
from ..repl.keys import can_read_keys, single_keys
from ..visible import visible
from . import editing, exercises, progress
from .cells import CODE, MARKDOWN, Cell, Lesson
from .page import Page, code_page, height_of, indented, rule, text_page
from .running import Ran, Runner

SLOW = 1.0  # seconds from which the time of a cell is told

NEXT, BACK, EDIT, SHELL, QUIT, AGAIN = "next", "back", "edit", "shell", "quit", "again"
_ACTIONS = {
    **dict.fromkeys(("enter", "right", "down", "n"), NEXT),
    **dict.fromkeys(("b", "left", "up", "backspace"), BACK),
    **dict.fromkeys(("q", "end", "escape"), QUIT),
    "e": EDIT,
    "s": SHELL,
    "r": AGAIN,
}


class Step(NamedTuple):
    """What is shown together: a text, a code cell, or a text with the code below it."""

    text: Cell | None
    code: Cell | None
    place: int  # of the first of them among the cells
    end: int  # behind the last of them

    @property
    def code_place(self) -> int:
        return self.end - 1


def steps_of(lesson: Lesson) -> list[Step]:
    """The cells of a lesson, each text together with the code that follows it at once."""
    steps = []
    cells = lesson.cells
    place = 0
    while place < len(cells):
        text = cells[place] if cells[place].kind == MARKDOWN else None
        at = place + (text is not None)
        code = cells[at] if at < len(cells) and cells[at].kind == CODE else None
        end = at + (code is not None)
        steps.append(Step(text, code, place, end))
        place = end
    return steps


@contextlib.contextmanager
def keys_of_terminal() -> Iterator[Callable[[], str]]:
    """A function that waits for a key: without Enter, or where that cannot be, the first letter of a line."""
    if can_read_keys():
        with single_keys() as next_key:
            yield next_key
    else:
        yield first_letter


def first_letter() -> str:
    """Of the next line that is typed; `enter` for an empty one."""
    try:
        return input().strip().lower()[:1] or "enter"
    except EOFError:
        return "end"


Keys = Callable[[], AbstractContextManager[Callable[[], str]]]


class Session:
    """One person, one lesson. `keys` opens what waits for a key, by its name in `repl/keys.py`."""

    def __init__(self, lesson: Lesson, console: Console, keys: Keys = keys_of_terminal) -> None:
        self.lesson, self.console, self.keys = lesson, console, keys
        self.runner = Runner(lesson)
        self.steps = steps_of(lesson)
        self.edited: dict[int, str] = {}  # place -> what the person has made of the cell
        self._can_save = True

    def run(self, *, from_start: bool = False) -> int:
        """Walk through the lesson until its end or until the person leaves; the exit code.

        Raises BrokenPipeError where the terminal is gone.
        """
        try:
            self._walk_through(from_start)
        except Exception as error:  # OSError, or termios.error, which is none
            if error.args[:1] == (errno.EIO,):  # the terminal has been closed
                raise BrokenPipeError(errno.EIO, "the terminal is closed") from None
            raise
        return 0

    def _walk_through(self, from_start: bool) -> None:
        begin = 0 if from_start else self._saved_place()
        number = next((n for n, step in enumerate(self.steps) if step.end > begin), 0)
        if number:
            self._catch_up(number)
        while number < len(self.steps):
            action = self._walk(number)
            if action == QUIT:
                self._leave(number)
                return
            number = max(0, number - 1) if action == BACK else number + 1
            self._save(self.steps[number].place if number < len(self.steps) else len(self.lesson.cells))
        self._finish()

    def _saved_place(self) -> int:
        try:
            return progress.place_in(self.lesson).cell
        except MiniGPT2Error as error:
            self._give_up_saving(error)
            return 0

    def _catch_up(self, number: int) -> None:
        places = self.runner.code_before(self.steps[number].place)
        self._say(f"You were here before: going on at step {number + 1} of {len(self.steps)}.")
        if not places:
            self.console.print()
            return
        self._say(f"Running the {_cells(len(places))} before it again …")
        ran = self.runner.run_quietly(places)
        if ran.problem:
            self._tell_problem(ran)
            self._say(
                f"So some variables are missing. minigpt2 learn {self.lesson.number} --restart begins anew."
            )
        elif ran.seconds >= SLOW:
            self._say(f"done in {ran.seconds:.1f} s")
        self.console.print()

    def _walk(self, number: int) -> str:
        """Show one step, run it when the person says so; NEXT, BACK or QUIT."""
        step = self.steps[number]
        width, ascii_only = self.console.width, self.console.options.ascii_only
        self.console.print(rule(self._name(), f"{number + 1} of {len(self.steps)}", width, ascii_only))
        self.console.print()
        pages: list[Page] = []
        if step.text:
            pages.append(text_page(step.text.source))
            self._show(pages[0])
        if step.code is None:
            return self._ask_until_moved()
        page = code_page(self._source(step))
        if pages and height_of([*pages, page], self.console) + 5 > self.console.height:
            action = self._ask(["Enter shows the code", *_MOVES])
            if action in (BACK, QUIT):
                return action
        elif pages:
            self.console.print()
        self._show(page)
        return self._run_and_ask(step)

    def _run_and_ask(self, step: Step) -> str:
        """Before the code runs, and after it."""
        ran: Ran | None = None
        while True:
            if ran:
                said = "failed" if ran.problem else "done" if ran.seconds < SLOW else f"{ran.seconds:.1f} s"
                keys = [said, "Enter goes on", "e edit", "r run again", "s shell", *_MOVES]
            else:
                keys = ["Enter runs it", "e edit", "s shell", *_MOVES]
            action = self._ask(keys)
            if action in (BACK, QUIT) or (action == NEXT and ran):
                return action
            if action == SHELL:
                self._shell()
            elif action != EDIT or self._edit(step):
                ran = self.runner.run(step.code_place, self._source(step))
                self._tell_problem(ran)

    def _ask_until_moved(self) -> str:
        """For a text alone: there is nothing to run."""
        while True:
            action = self._ask(["Enter goes on", "s shell", *_MOVES])
            if action != SHELL:
                return action
            self._shell()

    def _ask(self, keys: list[str]) -> str:
        """Show the keys in the last row, wait for one, and wipe the row; the action that it stands for."""
        offered = {NEXT, BACK, QUIT} | {_ACTIONS[key[0]] for key in keys if key[:2] in ("e ", "r ", "s ")}
        dot = " . " if self.console.options.ascii_only else " · "
        offers = [key for key in keys if " " in key]
        wordings = [dot.join(keys), dot.join(map(_short, offers)), " ".join(map(_shortest, offers))]
        line = next((line for line in wordings if len(line) < self.console.width), wordings[-1])
        line = line[: self.console.width - 1]
        try:
            with self.keys() as next_key:  # before they are shown, so that none comes too early
                self.console.print()
                self.console.print(Text(line, style="dim"), end="", soft_wrap=True)
                while (action := _ACTIONS.get(next_key().lower())) not in offered:
                    pass
        except KeyboardInterrupt:
            action = QUIT
        self.console.file.write("\r" + " " * len(line) + "\r")  # Rich would leave the returns out
        self.console.file.flush()
        return action

    def _edit(self, step: Step) -> bool:
        """Let the person change the cell; True if it is to be run."""
        before = self._source(step)
        try:
            source = editing.edit(before)
        except MiniGPT2Error as error:
            self._say(f"error: {error}", "bold red")
            return False
        if source == before:
            self._say("The cell is as it was.")
            return False
        self.edited[step.code_place] = source
        self._show(code_page(source))
        return True

    def _shell(self) -> None:
        editing.shell(self.runner.variables)

    def _source(self, step: Step) -> str:
        return self.edited.get(step.code_place, step.code.source)

    def _tell_problem(self, ran: Ran) -> None:
        sys.stdout.flush()
        style = "yellow" if ran.interrupted else "red"
        for number, line in enumerate(ran.problem.splitlines()):
            self._say(visible(line), f"bold {style}" if number == 0 else "")

    def _leave(self, number: int) -> None:
        self._save(self.steps[number].place)
        if self._can_save:
            self._say(f"Your place is kept: minigpt2 learn {self.lesson.number} goes on here.")

    def _finish(self) -> None:
        self._say(f"You have finished lesson {self._name()}.", "bold green")
        following = _exercise_of(self.lesson)
        if following:
            self._say(f"Now try what you know: minigpt2 learn start {following}")
        self._say("minigpt2 learn lists the lessons, minigpt2 learn exercises the exercises.")

    def _save(self, place: int) -> None:
        if not self._can_save:
            return
        try:
            progress.remember(self.lesson, place)
        except MiniGPT2Error as error:
            self._give_up_saving(error)

    def _give_up_saving(self, error: MiniGPT2Error) -> None:
        self._can_save = False
        self._say(f"warning: {error}; your place is not kept", "yellow")

    def _name(self) -> str:
        return self.lesson.name.replace("·", "-") if self.console.options.ascii_only else self.lesson.name

    def _show(self, page: RenderableType) -> None:
        self.console.print(page, end="")

    def _say(self, text: str, style: str = "dim") -> None:
        self.console.print(Page(indented(text, style)), end="")


_MOVES = ("b back", "q quit")


def _short(key: str) -> str:
    """`Enter runs it` -> `Enter`, `r run again` -> `r run`, `b back` -> `b`"""
    return " ".join(key.split()[: 1 if key.startswith("Enter") or key in _MOVES else 2])


def _shortest(key: str) -> str:
    """`Enter runs it` -> `Enter`, `e edit` -> `e`"""
    return key.split()[0]


def _exercise_of(lesson: Lesson) -> str | None:
    """The first exercise of a lesson that is not done; None where there is none or nobody can tell."""
    try:
        done = exercises.done()
        return next((e.name for e in exercises.of_lesson(lesson.number) if e.name not in done), None)
    except MiniGPT2Error:
        return None


def _cells(count: int) -> str:
    return "cell" if count == 1 else f"{count} cells"
