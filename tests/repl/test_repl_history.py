"""The lines typed before: kept in a file that only its owner reads."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from minigpt2.errors import OutputError
from minigpt2.repl.history import ENTRIES_KEPT, LONGEST_ENTRY, History, editable, open_history
from minigpt2.repl.session import Session
from minigpt2.state_folder import state_folder

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_lines_come_back_in_the_next_conversation():
    first = History.of_the_user()
    for line in ("a", "/sim a | b", "two\nlines", "naïve 🙂", "bell \x07 and escape \x1b[2J", "a"):
        first.add(line)
    assert History.of_the_user().entries == first.entries
    assert first.entries == ["a", "/sim a | b", "two\nlines", "naïve 🙂", "bell \x07 and escape \x1b[2J", "a"]
    assert first.path.read_bytes().isascii()
    assert b"\x1b" not in first.path.read_bytes()


def test_blank_repeated_and_very_long_lines_are_not_kept():
    history = History()
    for line in ("a", "a", "  ", "b" * (LONGEST_ENTRY + 1), "c" * LONGEST_ENTRY):
        history.add(line)
    assert history.entries == ["a", "c" * LONGEST_ENTRY]


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_only_the_owner_may_read_it(umask, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "not" / "there"))
    before = os.umask(umask & 0o077)
    try:
        History.of_the_user().add("secret")
    finally:
        os.umask(before)
    assert mode(state_folder() / "history") == 0o600
    assert mode(state_folder()) == mode(tmp_path / "not") == 0o700


@posix
def test_wider_rights_are_taken_away():
    history = History.of_the_user()
    history.path.chmod(0o644)
    history.path.parent.chmod(0o755)
    History.of_the_user()
    assert (mode(history.path), mode(history.path.parent)) == (0o600, 0o700)


def test_a_long_history_is_cut_to_its_newest_lines():
    history = History.of_the_user()
    for number in range(2 * ENTRIES_KEPT + 5):
        history.add(f"line {number}")
    assert len(history.entries) == ENTRIES_KEPT
    again = History.of_the_user()
    assert again.entries == history.entries
    assert again.entries[-1] == f"line {2 * ENTRIES_KEPT + 4}"
    assert len(history.path.read_text().splitlines()) == ENTRIES_KEPT
    if os.name == "posix":
        assert mode(history.path) == 0o600
    assert [path.name for path in history.path.parent.iterdir()] == ["history"]


def test_a_damaged_file_loses_only_what_is_damaged():
    history = History.of_the_user()
    history.add("a")
    with open(history.path, "ab") as stream:
        stream.write(b'\xff\xfe\n{"b": 1}\n12\n"unfinished')
    again = History.of_the_user()
    assert again.entries == ["a"]
    again.add("b")
    assert History.of_the_user().entries == ["a", "b"]


def test_two_conversations_at_once_lose_nothing():
    program = (
        "import sys; from minigpt2.repl.history import History; history = History.of_the_user()\n"
        "for i in range(100): history.add(f'{sys.argv[1]} {i}')"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    writers = [
        subprocess.Popen([sys.executable, "-c", program, name], env=environment) for name in ("a", "b", "c")
    ]
    for writer in writers:
        assert writer.wait(timeout=60) == 0
    entries = History.of_the_user().entries
    assert len(entries) == 300
    for name in ("a", "b", "c"):
        assert [entry for entry in entries if entry[0] == name] == [f"{name} {i}" for i in range(100)]


def test_a_folder_that_cannot_be_written_is_one_warning(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    history, problem = open_history()
    assert history.path is None
    assert problem.startswith("cannot write ")
    history.add("a")
    assert history.entries == ["a"]


def test_what_is_no_regular_file_is_refused():
    folder = state_folder()
    (folder / "history").mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot write"):
        History.of_the_user()
    (folder / "history").rmdir()
    os.mkfifo(folder / "history")
    with pytest.raises(OutputError, match="cannot write"):
        History.of_the_user()


def test_a_file_that_vanishes_is_made_again_and_one_that_fails_is_told_once():
    history = History.of_the_user()
    history.path.unlink()
    history.add("a")
    assert History.of_the_user().entries == ["a"]
    history.path.unlink()
    history.path.mkdir()
    with pytest.raises(OutputError, match="cannot write"):
        history.add("b")
    history.add("c")
    assert history.entries == ["a", "b", "c"]


def test_a_line_editor_gets_nothing_that_acts_on_the_terminal():
    harmless = ["a\nb", "tab\there", "naïve", "family 👨\u200d👩", "no\u00a0break"]
    acting = ["\x1b[2J", "bell\x07", "c1 \x9b2J", "right to left \u202e", "line \u2028", "\udc80", "\x7f"]
    assert editable([*harmless, *acting]) == harmless


def test_a_session_without_a_file_keeps_lines_in_memory(nano):
    session = Session(nano, None)
    session.history.add("a")
    assert session.history.entries == ["a"]
    assert not (state_folder() / "history").exists()
