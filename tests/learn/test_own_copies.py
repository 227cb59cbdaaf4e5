"""The learner's copies and what is remembered, through the functions that the commands call."""

import errno
import io
import json
import os
import stat
import sys

import pytest
from rich.console import Console

from minigpt2.errors import OutputError, UsageError
from minigpt2.learn import exercises
from minigpt2.learn.verdict import NOT_DONE

FIRST = "01_bytes_of_a_text"


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    """A state folder and a working folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def solve(name):
    exercise = exercises.find_exercise(name)
    exercises.start(name).write_text(
        (exercise.folder / "solution.py").read_text(encoding="utf-8"), encoding="utf-8"
    )


def test_start_hands_out_a_copy_and_never_overwrites(own_place):
    path = exercises.start(FIRST)
    assert path == own_place / "minigpt2-exercises" / f"{FIRST}.py"
    assert path.read_bytes() == (exercises.find_exercise(FIRST).folder / "exercise.py").read_bytes()
    path.write_text("my work")
    assert exercises.start(FIRST) == path
    assert path.read_text() == "my work"


def test_the_folder_is_remembered(own_place, tmp_path, monkeypatch):
    chosen = exercises.choose_folder(tmp_path / "elsewhere" / "mine")
    monkeypatch.chdir(tmp_path)
    assert exercises.start(FIRST).parent == chosen


@pytest.mark.parametrize("inside", [".", "01_bytes_of_a_text", "..", "../own"])
def test_no_folder_inside_the_package(inside):
    with pytest.raises(UsageError, match="choose a folder of your own"):
        exercises.choose_folder(exercises.exercises_folder() / inside)


def test_check_before_and_after(own_place):
    exercises.start(FIRST)
    outcome = exercises.check(FIRST)
    assert not outcome.passed
    assert outcome.verdict.kind == NOT_DONE
    assert (outcome.learned, outcome.next) == ("", FIRST)
    assert exercises.done() == set()

    solve(FIRST)
    outcome = exercises.check(FIRST)
    assert outcome.passed
    assert outcome.learned == exercises.find_exercise(FIRST).learned
    assert outcome.next == "01_count_pairs"
    assert exercises.done() == {FIRST}


def test_an_exercise_that_was_not_started():
    assert "start the exercise" in exercises.check(FIRST).verdict.text()


def test_next_respects_what_is_needed():
    assert exercises.next_exercise().name == exercises.list_exercises()[0].name
    later = next(exercise for exercise in exercises.list_exercises() if exercise.needs)
    assert exercises.next_exercise() != later


def test_hints_go_on_and_begin_again():
    hints = exercises.hints_of(exercises.find_exercise(FIRST))
    said = [exercises.hint(FIRST) for _ in range(len(hints) + 1)]
    assert [text.partition(": ")[2] for text in said] == [*hints, hints[0]]
    assert said[0].startswith(f"Hint 1 of {len(hints)}: ")


def test_the_solution_at_the_second_time_or_after_success():
    first = exercises.solution(FIRST)
    assert first.code is None
    assert "3 more hints" in first.note
    assert "def to_bytes" in exercises.solution(FIRST).code
    solve("02_positions")
    exercises.check("02_positions")
    assert exercises.solution("02_positions").code is not None


def test_the_note_counts_the_hints_that_are_left():
    def note(shown):
        exercises.reset(FIRST)
        for _ in range(shown):
            exercises.hint(FIRST)
        return exercises.solution(FIRST).note

    notes = [note(shown) for shown in range(4)]
    assert [text.partition(";")[0] for text in notes[:3]] == [
        "There are 3 more hints",
        "There are 2 more hints",
        "There is one more hint",
    ]
    assert notes[3] == "Ask once more and the solution is shown"


def test_what_a_right_answer_prints_is_told():
    solve(FIRST)
    with open(exercises.copy_of(FIRST), "a", encoding="utf-8") as file:
        file.write("\nprint('look here')\n")
    screen = Console(file=io.StringIO(), width=80)
    screen.print(exercises.check(FIRST).message)
    assert "right." in screen.file.getvalue()
    assert "look here" in screen.file.getvalue()


def test_a_folder_below_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert exercises.choose_folder("~/mine") == tmp_path / "mine"


def test_reset_keeps_the_old_one():
    path = exercises.start(FIRST)
    path.write_text("first")
    kept = exercises.reset(FIRST)
    assert kept.read_text() == "first"
    assert "NotImplementedError" in path.read_text(encoding="utf-8")
    path.write_text("second")
    again = exercises.reset(FIRST)
    assert again != kept
    assert (kept.read_text(), again.read_text()) == ("first", "second")


def test_reset_forgets_success_and_hints():
    solve(FIRST)
    exercises.check(FIRST)
    exercises.hint(FIRST)
    exercises.solution(FIRST)
    exercises.reset(FIRST)
    assert FIRST not in exercises.done()
    assert exercises.solution(FIRST).code is None
    assert exercises.hint(FIRST).startswith("Hint 1 ")


def test_reset_of_what_was_never_started():
    assert exercises.reset(FIRST) is None
    assert exercises.copy_of(FIRST).exists()


def test_names():
    assert exercises.find_exercise("bytes_of").name == FIRST
    with pytest.raises(UsageError, match="may be 01_bytes_of_a_text, 01_count_pairs"):
        exercises.find_exercise("01_")
    for name in ("nothing", "", "../etc/passwd"):
        with pytest.raises(UsageError, match="there is no exercise"):
            exercises.find_exercise(name)
    assert {exercise.lesson for exercise in exercises.of_lesson(7)} == {7}


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_the_state_is_the_users_alone(tmp_path):
    exercises.start(FIRST)
    path = tmp_path / "state" / "minigpt2" / "exercises.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    exercises.hint(FIRST)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"done": 3}',
        '{"done": [["x"]]}',
        '{"hints": {"x": "1"}}',
        '{"asked": {"x": null}}',
        "[" * 100_000,
        "\xff",
    ],
)
def test_a_broken_state_is_moved_aside(tmp_path, content):
    exercises.start(FIRST)
    path = tmp_path / "state" / "minigpt2" / "exercises.json"
    path.write_bytes(content.encode("latin-1"))
    assert exercises.done() == set()
    assert path.with_suffix(".unreadable").read_bytes() == content.encode("latin-1")
    exercises.hint(FIRST)
    assert json.loads(path.read_text())["hints"] == {FIRST: 1}


def test_what_another_version_has_added_does_not_hurt(tmp_path):
    solve(FIRST)
    exercises.check(FIRST)
    path = tmp_path / "state" / "minigpt2" / "exercises.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"points": 3}))
    assert exercises.done() == {FIRST}
    assert not path.with_suffix(".unreadable").exists()


def test_a_broken_state_that_cannot_be_moved(tmp_path, monkeypatch):
    exercises.start(FIRST)
    (tmp_path / "state" / "minigpt2" / "exercises.json").write_text("{")
    monkeypatch.setattr("os.replace", refuse)
    assert exercises.done() == set()


def refuse(*paths):
    raise PermissionError(errno.EACCES, "Permission denied", str(paths[-1]))


def test_a_right_answer_is_told_where_it_cannot_be_remembered(monkeypatch):
    solve(FIRST)
    monkeypatch.setattr("minigpt2.files.os.replace", refuse)
    outcome = exercises.check(FIRST)
    assert outcome.passed
    assert "cannot write" in outcome.unsaved
    assert outcome.next == "01_count_pairs"
    monkeypatch.undo()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a folder that somebody is in")
def test_where_the_folder_one_is_in_is_gone(own_place):
    own_place.rmdir()
    with pytest.raises(OutputError, match="the folder that you are in is gone"):
        exercises.start(FIRST)
