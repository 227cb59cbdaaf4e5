"""How far a person has come."""

import errno
import json
import stat

import pytest
from small_lesson import TEXT, write_lesson

from minigpt2.errors import OutputError
from minigpt2.learn.progress import forget, place_in, progress, remember


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "minigpt2" / "learn.json"


@pytest.fixture
def lesson(tmp_path):
    return write_lesson(tmp_path)


def test_nothing_yet(lesson, state):
    assert progress() == {}
    assert place_in(lesson).cell == 0
    forget(lesson)
    assert not state.exists()


def test_a_place_is_kept(lesson, state):
    remember(lesson, 4)
    assert place_in(lesson) == (4, lesson.digest, False)
    remember(lesson, 5)
    assert place_in(lesson).cell == 5
    assert stat.S_IMODE(state.stat().st_mode) == 0o600


def test_a_lesson_that_has_changed_begins_anew(lesson, tmp_path):
    remember(lesson, 4)
    changed = write_lesson(tmp_path, TEXT + "x = 1\n")
    assert place_in(changed) == (0, changed.digest, False)


def test_a_finished_lesson_begins_anew_and_stays_finished(lesson):
    remember(lesson, len(lesson.cells))
    assert place_in(lesson) == (0, lesson.digest, True)
    remember(lesson, 3)
    assert place_in(lesson) == (3, lesson.digest, True)
    forget(lesson)
    assert progress() == {}


def test_other_lessons_keep_theirs(lesson):
    other = lesson._replace(number=8)
    remember(other, 2)
    remember(lesson, 3)
    forget(lesson)
    assert {number: place.cell for number, place in progress().items()} == {8: 2}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        '{"a": {"cell": 1, "digest": "x", "finished": false}}',
        '{"1": {"cell": "1", "digest": "x", "finished": false}}',
        '{"1": {"cell": 1}}',
        '{"1": 1}',
        "[" * 100_000,
        "\xff",
    ],
)
def test_a_file_that_makes_no_sense_is_moved_aside(lesson, state, content):
    state.parent.mkdir(parents=True)
    state.write_bytes(content.encode("latin-1"))
    assert progress() == {}
    assert state.with_suffix(".unreadable").read_bytes() == content.encode("latin-1")
    remember(lesson, 1)
    assert json.loads(state.read_text())["7"]["cell"] == 1


def test_a_state_that_cannot_be_written(lesson, state):
    state.parent.parent.write_text("a file where a folder should be")
    with pytest.raises(OutputError):
        remember(lesson, 1)


def test_a_state_that_makes_no_sense_and_cannot_be_moved(lesson, state, monkeypatch):
    def refuse(*paths):
        raise PermissionError(errno.EACCES, "Permission denied")

    state.parent.mkdir(parents=True)
    state.write_text("{")
    monkeypatch.setattr("os.replace", refuse)
    assert progress() == {}
