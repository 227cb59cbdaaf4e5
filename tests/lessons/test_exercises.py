"""Exercises both ways: as handed out each fails, each solution passes, each wrong answer gets its message."""

import ast
import re
from pathlib import Path

import pytest

from minigpt2.learn.exercises import LEVELS, exercises_folder, hints_of, list_exercises
from minigpt2.learn.judging import check_here
from minigpt2.learn.verdict import NOT_DONE, WRONG

EXERCISES = list_exercises()
WRONG_ANSWERS = [path for exercise in EXERCISES for path in sorted(exercise.folder.glob("wrong/*.py"))]
RIGHT_ANSWERS = sorted((Path(__file__).parent / "right_answers").glob("*.py"))
LESSONS = range(1, 21)


def ids(values):
    return [getattr(value, "name", value) for value in values]


@pytest.mark.parametrize("exercise", EXERCISES, ids=ids(EXERCISES))
def test_as_handed_out_it_is_not_right(exercise):
    verdict = check_here(exercise.folder / "exercise.py", exercise.folder / "check.py")
    if verdict.kind == NOT_DONE:
        return
    assert verdict.kind == WRONG, f"{verdict.text()}\n{verdict.code}"
    assert verdict.reason, "a bug that is to be found needs a reason that says what it does"


@pytest.mark.parametrize("exercise", EXERCISES, ids=ids(EXERCISES))
def test_the_solution_passes(exercise):
    verdict = check_here(exercise.folder / "solution.py", exercise.folder / "check.py")
    assert verdict.passed, f"{verdict.text()}\n{verdict.code}"
    assert not verdict.warned


@pytest.mark.parametrize("path", WRONG_ANSWERS, ids=[f"{p.parts[-3]}-{p.stem}" for p in WRONG_ANSWERS])
def test_a_wrong_answer_gets_its_message(path):
    first, _, _ = path.read_text(encoding="utf-8").partition("\n")
    expected = first.removeprefix("# expect: ")
    assert expected != first, "the first line says what message is expected"
    assert len(expected) >= 12
    verdict = check_here(path, path.parents[1] / "check.py")
    assert not verdict.passed
    assert expected in verdict.text()


@pytest.mark.parametrize("path", RIGHT_ANSWERS, ids=[path.stem for path in RIGHT_ANSWERS])
def test_another_right_way_passes(path):
    verdict = check_here(path, exercises_folder() / path.stem.partition("-")[0] / "check.py")
    assert verdict.passed, f"{verdict.text()}\n{verdict.code}"


NONSENSE = [
    "None",
    "0.0",
    "float('nan')",
    "np.zeros((2, 3))",
    "args",
    "'text'",
    "[[1.0, 2.0]]",
    "{'a': None}",
    "(None, None, None)",
    "np.array(['a', 'b'])",
    "np.array(None)",
    "iter([])",
    "1 / 0",
]


def functions_of(exercise):
    """The functions of an exercise that return something which its check looks at."""
    solution = (exercise.folder / "solution.py").read_text(encoding="utf-8")
    defined = [node.name for node in ast.parse(solution).body if isinstance(node, ast.FunctionDef)]
    return solution, [name for name in defined if not name.startswith("_")]


@pytest.mark.parametrize("value", NONSENSE)
@pytest.mark.parametrize("exercise", EXERCISES, ids=ids(EXERCISES))
def test_nonsense_is_never_right_and_always_explained(exercise, value, tmp_path):
    solution, names = functions_of(exercise)
    for name in names:
        path = tmp_path / "mine.py"
        text = f"{solution}\nimport numpy as np\n\n\ndef {name}(*args, **options):\n    return {value}\n"
        path.write_text(text, encoding="utf-8")
        verdict = check_here(path, exercise.folder / "check.py")
        assert not verdict.passed
        assert "the check cannot use" not in verdict.text(), verdict.text()


SPOILED = """
import numpy as np
_right = {name}


def {name}(*args, **options):
    return _spoil(_right(*args, **options))


def _spoil(value):
    if isinstance(value, (tuple, list)):
        return type(value)(_spoil(part) for part in value)
    if isinstance(value, dict):
        return {{key: _spoil(part) for key, part in value.items()}}
    if isinstance(value, np.ndarray):
        return {array}
    return {number} if isinstance(value, (int, float, np.number)) else value
"""
SPOILS = {  # what becomes of an array and of a number
    "a little too much": ("value + 1e-3 * (1.0 + np.abs(value))", "value + 1e-3 * (1 + abs(value))"),
    "the last entry": ("np.append(value.ravel()[:-1], 7.77).reshape(value.shape)", "-value - 0.1"),
    "texts": ("value.astype(str)", "str(value)"),
    "objects": ("value.astype(object)", "None"),
    "one axis more": ("value[..., None]", "np.array([value])"),
    "not a number": ("value * np.nan", "value * np.nan"),
}
WITHOUT_NUMBERS = {"frozen_names", "step", "gelu_", "words"}  # they give names, or work in place


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("exercise", EXERCISES, ids=ids(EXERCISES))
def test_a_right_answer_that_is_spoiled_is_not_right(exercise, spoil, tmp_path):
    solution, names = functions_of(exercise)
    array, number = SPOILS[spoil]
    for name in set(names) - WITHOUT_NUMBERS:
        path = tmp_path / "mine.py"
        spoiled = SPOILED.format(name=name, array=array, number=number)
        path.write_text(solution + spoiled, encoding="utf-8")
        verdict = check_here(path, exercise.folder / "check.py")
        assert not verdict.passed
        assert "the check cannot use" not in verdict.text(), verdict.text()


@pytest.mark.parametrize("exercise", EXERCISES, ids=ids(EXERCISES))
def test_the_first_message_leaves_the_code_to_the_hints(exercise):
    verdict = check_here(exercise.folder / "exercise.py", exercise.folder / "check.py")
    task = (exercise.folder / "exercise.py").read_text(encoding="utf-8")
    code = {span for hint in hints_of(exercise) for span in re.findall(r"`([^`]{8,})`", hint)}
    assert not [span for span in code if span in verdict.text() and span not in task]


@pytest.mark.parametrize("exercise", EXERCISES, ids=ids(EXERCISES))
def test_the_folder_is_complete(exercise):
    files = {path.name for path in exercise.folder.iterdir()} - {"__pycache__"}
    assert files == {"exercise.py", "solution.py", "check.py", "hints.md", "wrong"}
    assert 2 <= len(hints_of(exercise)) <= 3
    assert all(hints_of(exercise))
    task = ast.get_docstring(ast.parse((exercise.folder / "exercise.py").read_text(encoding="utf-8")))
    assert len(task) > 200
    assert len(task.splitlines()[0]) <= 110


def test_two_wrong_answers_an_exercise_and_each_its_own_message():
    assert len(WRONG_ANSWERS) >= 2 * len(EXERCISES)
    for exercise in EXERCISES:
        answers = list(exercise.folder.glob("wrong/*.py"))
        messages = {path.read_text(encoding="utf-8").partition("\n")[0] for path in answers}
        assert len(answers) >= 2, exercise.name
        assert len(messages) == len(answers), exercise.name


def test_order_names_every_folder_and_no_other():
    folders = {
        path.name for path in exercises_folder().iterdir() if path.is_dir() and path.name[0] not in "._"
    }
    names = [exercise.name for exercise in EXERCISES]
    assert len(names) == len(set(names))
    assert set(names) == folders


def test_prerequisites_come_before():
    seen = set()
    for exercise in EXERCISES:
        assert exercise.level in LEVELS
        assert exercise.name.startswith(f"{exercise.lesson:02}_")
        assert set(exercise.needs) <= seen, f"{exercise.name} needs what comes after it"
        seen.add(exercise.name)
        assert 0 < len(exercise.title) < 30, "the list has 80 columns"
        assert exercise.learned.endswith(".")


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_lesson_has_two(lesson):
    assert sum(exercise.lesson == lesson for exercise in EXERCISES) >= 2


def test_there_are_forty_of_all_levels():
    assert len(EXERCISES) >= 40
    assert {exercise.level for exercise in EXERCISES} == set(LEVELS)


def normalised(path: Path) -> tuple[str, str]:
    """The code without its docstrings, and the first docstring, both without what is only form."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    task = " ".join((ast.get_docstring(tree) or "").lower().split())
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return ast.dump(tree), task


def without_names(path: Path) -> str:
    """The code of a solution in which every name is replaced by a number, in order of appearance."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    numbers: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            node.body = node.body[1:]
        for field in ("id", "name", "arg"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                setattr(node, field, numbers.setdefault(name, str(len(numbers))))
    return ast.dump(tree)


def test_no_two_solutions_differ_in_names_alone():
    codes: dict[str, str] = {}
    for exercise in EXERCISES:
        other = codes.setdefault(without_names(exercise.folder / "solution.py"), exercise.name)
        assert other == exercise.name, f"{exercise.name} and {other}"


def test_no_two_are_the_same():
    for name in ("exercise.py", "solution.py"):
        codes, tasks = zip(*(normalised(exercise.folder / name) for exercise in EXERCISES), strict=True)
        assert len(set(codes)) == len(codes)
        assert len(set(tasks)) == len(tasks)
