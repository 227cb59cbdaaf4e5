"""Where a user's state lies."""

import sys
from pathlib import Path

import pytest

from minigpt2.errors import OutputError
from minigpt2.state_folder import make_state_folder, state_folder


@pytest.mark.parametrize(
    ("platform", "stated", "local", "expected"),
    [
        ("linux", None, None, "{home}/.local/state/minigpt2"),
        ("linux", "{home}/elsewhere", None, "{home}/elsewhere/minigpt2"),
        ("linux", "relative/path", None, "{home}/.local/state/minigpt2"),
        ("linux", "", None, "{home}/.local/state/minigpt2"),
        ("darwin", None, None, "{home}/Library/Application Support/minigpt2"),
        ("darwin", "{home}/elsewhere", None, "{home}/elsewhere/minigpt2"),
        ("win32", None, "{home}/AppData/Local", "{home}/AppData/Local/minigpt2"),
    ],
)
def test_the_folder_of_each_system(platform, stated, local, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name, value in (("XDG_STATE_HOME", stated), ("LOCALAPPDATA", local)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value.format(home=tmp_path))
    assert str(state_folder()) == expected.format(home=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert make_state_folder().is_dir()


def test_a_user_without_a_home(monkeypatch):
    def no_home():
        raise RuntimeError

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    with pytest.raises(OutputError, match="set XDG_STATE_HOME"):
        state_folder()
