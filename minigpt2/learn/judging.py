"""Running a learner's file against its check, so that whatever it does becomes one clear message.

    check_apart     in a process of its own, with a time limit: for files that people are writing
    check_here      in this process, for files that are known to end

A check is a file with `check(exercise)`, where `exercise` is the learner's module, watched (`watching.py`).
Beside it lies the exercise as it was handed out; functions that it has must be there still, and take as many
arguments.
"""

import ast
import contextlib
import difflib
import errno
import inspect
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from .checking import WrongAnswer
from .verdict import BROKEN, NOT_DONE, PASSED, STOPPED, Verdict, wrong
from .watching import Watched, refuse_borrowed

LIMIT = 10.0  # seconds for one check
START_UP = 20.0  # seconds for Python and NumPy to start, on a busy machine
MOST_MEMORY = 2 << 30  # bytes
MOST_OUTPUT = 1 << 24  # bytes of any file, what is printed among them
MOST_KEPT = 1 << 16  # bytes of it that the verdict holds
MODULE = "exercise"


class LearnerModule(ModuleType):
    """What the learner's file defines. Asking for what it does not define is a MissingNameError."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise MissingNameError(name, [given for given in vars(self) if not given.startswith("__")])


class MissingNameError(Exception):
    """A name that the check needs and the file does not have."""

    def __init__(self, name: str, given: list[str]) -> None:
        near = difflib.get_close_matches(name, given, n=1)
        hint = f"you have {near[0]}: rename it" if near else "was it renamed or deleted? reset brings it back"
        super().__init__(f"your file does not define {name}")
        self.hint = hint


def check_apart(exercise: Path, check: Path, *, limit: float = LIMIT) -> Verdict:
    """Check a file in a process of its own, which is ended after `limit` seconds."""
    with tempfile.TemporaryDirectory(prefix="minigpt2-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        work = folder / "work"  # apart from what is needed afterwards: the code may empty it
        work.mkdir()
        result, stuck, printed = (folder / name for name in ("result.json", "stuck.txt", "printed.txt"))
        command = [sys.executable, "-P", "-m", f"{__package__}.one_check"]
        command += [str(exercise.resolve()), str(check.resolve()), str(result), str(stuck), str(limit)]
        with open(printed, "w+b") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=work,
                env=_environment(),
                start_new_session=True,
            )
            try:
                child.wait(timeout=START_UP + limit)
            except subprocess.TimeoutExpired:
                pass
            finally:
                _end(child)
            output.seek(0)
            said = output.read(MOST_KEPT).decode("utf-8", "replace").replace("\r\n", "\n")
        if result.exists():
            return Verdict.from_json(json.loads(result.read_text(encoding="utf-8")))._replace(printed=said)
        trace = stuck.read_text(encoding="utf-8", errors="replace") if stuck.exists() else ""
        return _died(child.returncode, trace, exercise, said, limit)


def check_here(exercise: Path, check: Path) -> Verdict:
    """Check a file in this process; what it prints is kept in the verdict."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        verdict = judge(exercise, check)
    return verdict._replace(printed=output.getvalue())


def judge(exercise: Path, check: Path) -> Verdict:
    """Load both files and run the check; every way to fail has its verdict. Prints go where they go."""
    try:
        source = exercise.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Verdict(
            BROKEN, f"{exercise.name} is not there", "start the exercise again to get a fresh copy"
        )
    except OSError as error:
        return Verdict(BROKEN, f"{exercise.name} cannot be read: {(error.strerror or 'refused').lower()}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return Verdict(
            BROKEN, f"{exercise.name} cannot be read: line {line} is not UTF-8", "save it as UTF-8 text"
        )
    try:
        code = compile(source, str(exercise), "exec")
    except SyntaxError as error:
        return _not_python(error, source)
    except ValueError as error:  # a NUL in the text
        return Verdict(BROKEN, f"{exercise.name} is no Python file: {error}")

    with warnings.catch_warnings(record=True) as caught, _known_as(LearnerModule(MODULE)) as module:
        warnings.simplefilter("always")
        module.__file__ = str(exercise)
        verdict = _outcome(code, module, exercise, source, check)
    noted = [w for w in caught if issubclass(w.category, RuntimeWarning) and w.filename == str(exercise)]
    return verdict._replace(warned=tuple(dict.fromkeys(f"line {w.lineno}: {w.message}" for w in noted)))


def _outcome(code, module: LearnerModule, exercise: Path, source: str, check: Path) -> Verdict:
    try:
        exec(code, vars(module))
        handed_out = (check.parent / "exercise.py").read_text(encoding="utf-8")
        _require_functions(module, handed_out)
        refuse_borrowed(source, handed_out)
        loaded = _load_check(check)
        loaded.check(Watched(module, getattr(loaded, "IN_PLACE", ())))
    except WrongAnswer as error:
        return wrong(error)._replace(code=_rows(_frames(error, exercise), source))
    except MissingNameError as error:
        return Verdict(BROKEN, str(error), error.hint)
    except NotImplementedError as error:
        return _not_done(error, exercise, source)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _failed(error, exercise, source)
    return Verdict(PASSED)


@contextlib.contextmanager
def _known_as(module: ModuleType) -> Iterator[LearnerModule]:
    """While it runs, the module can be found by its name, as dataclasses need it."""
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        yield module
    finally:
        del sys.modules[module.__name__]
        if before is not None:
            sys.modules[module.__name__] = before


def _load_check(path: Path) -> ModuleType:
    """A check file as a module."""
    module = ModuleType("check")
    module.__file__ = str(path)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
    return module


def _require_functions(module: LearnerModule, handed_out: str) -> None:
    """Raise unless the functions of the exercise as handed out are there and take as many arguments."""
    for node in ast.parse(handed_out).body:
        if isinstance(node, ast.ClassDef):
            getattr(module, node.name)
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        function = getattr(module, node.name)
        names = [argument.arg for argument in node.args.args]
        wanted = f"{node.name}({', '.join(names)})"
        if not callable(function):
            raise WrongAnswer(f"{node.name} is a {type(function).__name__}, expected is a function {wanted}")
        try:
            inspect.signature(function).bind(*names[: len(names) - len(node.args.defaults)])
            inspect.signature(function).bind(*names)
        except ValueError:  # a function written in C that does not say what it takes
            continue
        except TypeError:
            raise WrongAnswer(
                f"{node.name} should take {', '.join(names) or 'nothing'}; "
                f"yours is {node.name}{inspect.signature(function)}",
                reason="the check calls it with the arguments that it was handed out with: keep them",
            ) from None


def _not_python(error: SyntaxError, source: str) -> Verdict:
    line = error.lineno or 1
    text = error.text if error.text is not None else _line(source, line)
    shown = text.rstrip("\n").expandtabs(4)
    pointer = " " * max(0, (error.offset or 1) - 1) + "^"
    number = f"{line:>4}  "
    return Verdict(
        BROKEN,
        f"line {line} is not Python: {error.msg}",
        code=f"{number}{shown}\n{' ' * len(number)}{pointer}",
    )


def _not_done(error: NotImplementedError, exercise: Path, source: str) -> Verdict:
    frames = _frames(error, exercise)
    if not frames:
        return _failed(error, exercise, source)
    last = frames[-1]
    return Verdict(
        NOT_DONE, f"not done yet: {last.name} still raises NotImplementedError in line {last.lineno}"
    )


def _failed(error: BaseException, exercise: Path, source: str) -> Verdict:
    """An exception, shown with the learner's own lines."""
    said = type(error).__name__
    with contextlib.suppress(Exception):  # the class may be the learner's own, and its __str__ fail
        said += f": {error}" if str(error) else ""
    frames = _frames(error, exercise)
    if not frames:
        return Verdict(
            BROKEN,
            f"the check cannot use what your code gives: {said}",
            "is it of the type that the task asks for?",
        )
    if isinstance(error, SystemExit):
        said = "it ends the program: take exit() out"
    return Verdict(
        BROKEN,
        f"line {frames[-1].lineno} fails: {said}",
        _advice(error, said),
        code=_rows(frames, source),
    )


def _rows(frames: list[traceback.FrameSummary], source: str) -> str:
    """The learner's lines that were under way, the innermost last."""
    rows = []
    for frame in frames:
        code = _line(source, frame.lineno).partition("  #")[0].strip()  # without a comment behind it
        rows.append(
            f"{frame.lineno:>4}  {code}" + (f"    in {frame.name}" if frame.name != "<module>" else "")
        )
    return "\n".join(rows[-6:])


def _advice(error: BaseException, text: str) -> str:
    """What some exceptions mean here."""
    if isinstance(error, RecursionError):
        return "a function calls itself without end"
    if isinstance(error, MemoryError):
        return "it asks for more memory than an exercise needs: look for a list or array that grows"
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return "it prints or writes without end: look for a loop around print"
    if isinstance(error, EOFError):
        return "input() has nobody to ask here: take it out"
    if isinstance(error, NameError):
        return "is the name misspelled, or its import missing?"
    if isinstance(error, IndexError) and "must be of integer" in text:
        return "an index is a whole number: is an array of floats used as one? .astype(int)"
    if "could not be broadcast" in text or "mismatch in its core dimension" in text or "not aligned" in text:
        return "print the .shape of both sides; is a transpose or keepdims=True missing?"
    if "'NoneType'" in text:
        return "something that should be a value is None: a function without `return`?"
    if isinstance(error, IndexError) and "out of bounds" in text:
        return "places count from 0: of n entries the last has the number n − 1"
    return ""


def _frames(error: BaseException, exercise: Path) -> list[traceback.FrameSummary]:
    """The learner's own frames, outermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f for f in frames if f.filename == str(exercise) and f.lineno]  # None between two lines


def _line(source: str, number: int | None) -> str:
    lines = source.splitlines()
    return lines[number - 1] if number and number <= len(lines) else ""


def _died(code: int | None, trace: str, exercise: Path, printed: str, limit: float) -> Verdict:
    """The child left no result: too slow, killed, or ended by itself."""
    if trace or code is None:
        number = _stuck_at(trace, exercise)
        message, source = f"stopped after {limit:g} seconds, the time limit of a check", ""
        if not number:
            return Verdict(STOPPED, message, "is there a loop that never ends?", printed=printed)
        with contextlib.suppress(OSError):  # the code may have deleted its own file
            source = exercise.read_text(encoding="utf-8", errors="replace")
        text = _line(source, number).strip()
        return Verdict(
            STOPPED,
            f"{message}; it was in line {number}",
            "is there a loop that never ends, or one over far too many steps?",
            code=f"{number:>4}  {text}" if text else "",
            printed=printed,
        )
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return Verdict(STOPPED, f"Python was killed by {name} while your code ran", printed=printed)
    return Verdict(
        STOPPED, f"your code ended Python with exit code {code}", "take os._exit() out", printed=printed
    )


def _stuck_at(trace: str, exercise: Path) -> int | None:
    """The learner's innermost line in what faulthandler wrote, which has the innermost frame first."""
    name = str(exercise.resolve()).encode("ascii", "backslashreplace").decode()  # as faulthandler spells it
    for line in trace.splitlines():
        head, _, tail = line.strip().rpartition(", line ")
        if head == f'File "{name}"':
            return int(tail.split(" ")[0])
    return None


def _environment() -> dict[str, str]:
    """This process's, with the package where it is and few threads."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH", "")) if part)
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "2")
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "OPENBLAS_NUM_THREADS": threads}


def _end(child: subprocess.Popen) -> None:
    """End the child and whatever it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=5)
