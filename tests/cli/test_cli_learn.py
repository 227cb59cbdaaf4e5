"""`minigpt2 learn` without a terminal, and what it refuses."""

import json
from pathlib import Path

import pytest

from minigpt2.learn.exercises import list_exercises
from minigpt2.learn.library import all_lessons, find_lesson
from minigpt2.learn.progress import remember

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def one_lesson(tmp_path, monkeypatch):
    """Only the small lesson, with what is put in the place of its sum."""

    def one_lesson(before="sum(numbers)", after="sum(numbers)"):
        text = LESSON.replace(before, after)
        (tmp_path / "07_small.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr("minigpt2.learn.library._PLACES", (tmp_path,))

    return one_lesson


LESSON = """# %% [markdown]
# # 07 · Small things
#
# Beginner · 10 minutes
#
# **After this lesson you can**
#
# - add
# - print
# - divide
# %%
from minigpt2.learn import claim

numbers = [1, 2, 3]
claim("total", sum(numbers))
# %% [markdown]
# It is 6.
#
# <!-- claims: 6 = total -->
"""


def test_the_list(cli):
    code, out, err = cli("learn")
    assert (code, err) == (0, "")
    rows = {row.split()[0]: row for row in out.splitlines() if row.strip()}
    for lesson in all_lessons():
        row = rows[str(lesson.number)]
        assert lesson.title in row or (lesson.title[:35] in row and "…" in row)  # cut at 80 columns
        assert f" {lesson.level} " in row
        assert f" {lesson.minutes} " in row
    assert "minigpt2 learn 1 goes on" in out


def test_the_list_shows_progress(cli):
    lesson = find_lesson(1)
    remember(lesson, lesson.cells.index(lesson.cells[5]))
    assert " of " in cli("learn")[1]
    remember(lesson, len(lesson.cells))
    assert " done" in cli("learn")[1]


def test_the_list_without_a_state(cli, tmp_path):
    (tmp_path / "state").write_text("a file where a folder should be")
    code, out, err = cli("learn")
    assert code == 0
    assert find_lesson(1).title in out
    assert err.count("warning: cannot read") == 2  # of the lessons, of the exercises


def test_without_a_terminal(cli):
    code, out, err = cli("learn", "1")
    assert (code, out) == (2, "")
    assert "minigpt2 learn 1 --all" in err
    assert str(find_lesson(1).path) in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["99"], "there is no lesson 99"),
        (["five"], "'five' is neither"),
        (["1", "name"], "name does not go with this"),
        (["--restart"], "--restart does not go"),
        (["1", "--all", "--restart"], "--restart does not go"),
        (["--time-limit", "3"], "--time-limit does not go"),
        (["--all", "--time-limit", "0"], "--time-limit must be above 0"),
        (["--all", "--notebooks", "x"], "--all does not go"),
        (["check", "x", "--all"], "--all does not go"),
        (["check", "x", "--folder", "y"], "--folder does not go"),
        (["1", "--folder", "y"], "--folder does not go"),
        (["reset"], "reset needs the name"),
        (["exercises", "x"], "x does not go"),
        (["--notebooks", ""], "the name of the folder is empty"),
        (["start", "--folder", ""], "the name of the folder is empty"),
    ],
)
def test_wrong_usage(cli, arguments, message):
    code, out, err = cli("learn", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_all_of_one_lesson_shows_it(cli, one_lesson):
    one_lesson()
    code, out, err = cli("learn", "7", "--all")
    assert (code, err) == (0, "")
    for part in ("Small things", "numbers = [1, 2, 3]", "total = 6", "It is 6.", "seconds"):
        assert part in out
    assert "<!--" not in out


def test_all_lessons_are_only_counted(cli, one_lesson):
    one_lesson()
    code, out, err = cli("learn", "--all")
    assert (code, err) == (0, "")
    assert "total = 6" not in out
    assert out.split()[-1] == "ok"


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ("sum(numbers) / 0", "ZeroDivisionError"),
        ("sum(numbers) + 1", "the text says 6, the code total = 7"),
        ('max(numbers)); claim("another", 6', "the text says 6, the code total = 3"),
        ("[n for n in iter(int, 1)]", "stopped after 0.3 s"),
    ],
)
def test_what_fails(cli, one_lesson, after, message):
    one_lesson(after=after)
    code, out, err = cli("learn", "--all", "--time-limit", "0.3")
    assert code == 1
    assert message in err
    assert "07_small.py: cell at line" in err
    assert out.split()[-1] == "failed"


def test_a_number_that_is_not_tied_fails(cli, one_lesson):
    one_lesson("It is 6.", "It is 6, or 7.")
    code, _, err = cli("learn", "--all")
    assert code == 1
    assert "7 is tied to no claim" in err


def test_a_lesson_that_is_broken_is_named(cli, one_lesson):
    one_lesson("# %%\nfrom", "# %% x\nfrom")
    code, _, err = cli("learn")
    assert code == 3
    assert "07_small.py: line 11" in err


def test_notebooks(cli, tmp_path):
    code, out, err = cli("learn", "--notebooks", tmp_path / "books")
    assert (code, err) == (0, "")
    paths = [Path(line) for line in out.splitlines()]
    assert [path.stem for path in paths] == [lesson.path.stem for lesson in all_lessons()]
    for path in paths:
        assert json.loads(path.read_text(encoding="utf-8"))["nbformat"] == 4
    assert cli("learn", "1", "--notebooks", tmp_path / "one")[1].count("\n") == 1


def test_an_exercise_from_start_to_end(cli, tmp_path):
    exercise = list_exercises()[0]
    code, out, err = cli("learn", "start", exercise.name, "--folder", tmp_path / "mine")
    path = Path(out.strip())
    assert (code, path.parent) == (0, tmp_path / "mine")
    assert f"minigpt2 learn check {exercise.name}" in err
    assert path.read_text(encoding="utf-8") == (exercise.folder / "exercise.py").read_text(encoding="utf-8")

    code, out, _ = cli("learn", "check", exercise.name)
    assert (code, "not done yet" in out) == (1, True)
    assert "Hint 1" in cli("learn", "hint", exercise.name)[1]
    code, out, _ = cli("learn", "solution", exercise.name)
    assert (code, "once more" in out) == (1, True)
    code, solution, _ = cli("learn", "solution", exercise.name)
    assert code == 0

    path.write_text(solution, encoding="utf-8")
    code, out, err = cli("learn", "check", exercise.name)
    assert (code, err) == (0, "")
    assert exercise.learned in " ".join(out.split())
    assert f"minigpt2 learn start {list_exercises()[1].name}" in out
    assert " done" in cli("learn", "exercises")[1]

    code, out, err = cli("learn", "reset", exercise.name)
    assert (code, Path(out.strip())) == (0, path)
    assert "is kept as" in err
    assert cli("learn", "check")[0] == 1  # without a name: the one that comes next, which is this one again


def test_an_exercise_that_is_not_begun(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = list_exercises()[0].name
    code, out, err = cli("learn", "check", name)
    assert (code, out) == (2, "")
    assert f"minigpt2 learn start {name}" in err


def test_the_list_of_exercises(cli):
    code, out, err = cli("learn", "exercises")
    assert (code, err) == (0, "")
    for exercise in list_exercises():
        assert exercise.name in out


def test_an_exercise_that_there_is_not(cli):
    code, out, err = cli("learn", "check", "99_nothing")
    assert (code, out) == (2, "")
    assert "there is no exercise '99_nothing'" in err


def test_a_name_that_is_wrong_changes_no_folder(cli, tmp_path):
    assert cli("learn", "start", "99_nothing", "--folder", tmp_path / "made")[0] == 2
    assert not (tmp_path / "made").exists()


def test_every_lesson_done(cli):
    for lesson in all_lessons():
        remember(lesson, len(lesson.cells))
    assert "You have done every lesson, minigpt2 learn exercises" in " ".join(cli("learn")[1].split())


def test_the_first_that_is_not_done_comes_next(cli):
    for number in (1, 3):
        remember(find_lesson(number), len(find_lesson(number).cells))
    assert "minigpt2 learn 2 goes on from here" in cli("learn")[1]


def test_the_list_of_exercises_without_a_state(cli, tmp_path):
    (tmp_path / "state").write_text("a file where a folder should be")
    code, out, err = cli("learn", "exercises")
    assert code == 0
    assert err.count("warning: cannot read") == 1
    assert f"Next: minigpt2 learn start {list_exercises()[0].name}" in out
