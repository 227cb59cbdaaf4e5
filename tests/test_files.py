"""Files: written whole or not at all, read with errors that name the place."""

# ruff: noqa: PT011, PT012, SIM117  the failing statement is meant to stand inside the writing it interrupts

import errno
import io
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from minigpt2 import files
from minigpt2.errors import DataError, ModelError, OutputError, UsageError
from minigpt2.files import (
    atomic_directory,
    atomic_path,
    is_folder,
    parse_json,
    read_json,
    read_lines,
    write_json,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def open_parents_of(path):
    """Let every user look into the temporary folders above `path`."""
    for folder in path.parents:
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(0o755)


class TestAtomicPath:
    def test_writes_the_file_and_leaves_nothing_else(self, tmp_path):
        with atomic_path(tmp_path / "x.txt") as path:
            path.write_text("one")
            assert path.parent == tmp_path
            assert not (tmp_path / "x.txt").exists()
        assert (tmp_path / "x.txt").read_text() == "one"
        assert names(tmp_path) == ["x.txt"]

    def test_temporary_keeps_the_suffix_that_numpy_looks_at(self, tmp_path):
        with atomic_path(tmp_path / "x.npy") as path:
            np.save(path, np.arange(3))
        assert np.load(tmp_path / "x.npy").tolist() == [0, 1, 2]

    def test_replaces_and_keeps_permissions(self, tmp_path):
        target = tmp_path / "x"
        target.write_text("old")
        target.chmod(0o640)
        with atomic_path(target) as path:
            path.write_text("new")
            assert target.read_text() == "old"
        assert target.read_text() == "new"
        assert stat.S_IMODE(target.stat().st_mode) == 0o640

    def test_new_file_has_the_umask_permissions(self, tmp_path):
        before = os.umask(0o027)
        try:
            with atomic_path(tmp_path / "x") as path:
                path.write_text("x")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640

    def test_follows_a_link(self, tmp_path):
        (tmp_path / "there").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "there" / "x")
        with atomic_path(tmp_path / "link") as path:
            path.write_text("x")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "there" / "x").read_text() == "x"

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError("x"), GeneratorExit])
    def test_failure_leaves_the_old_file_and_no_temporary(self, tmp_path, error):
        (tmp_path / "x").write_text("old")
        with pytest.raises(BaseException) as caught, atomic_path(tmp_path / "x") as path:
            path.write_text("half")
            raise error
        assert caught.type is (error if isinstance(error, type) else type(error))
        assert names(tmp_path) == ["x"]
        assert (tmp_path / "x").read_text() == "old"

    def test_failure_of_the_last_step_leaves_the_old_file(self, tmp_path, monkeypatch):
        (tmp_path / "x").write_text("old")
        monkeypatch.setattr(files.os, "replace", _fails_with(OSError(errno.EIO, "Input/output error")))
        with pytest.raises(OSError, match="Input/output"), atomic_path(tmp_path / "x") as path:
            path.write_text("new")
        assert names(tmp_path) == ["x"]
        assert (tmp_path / "x").read_text() == "old"

    def test_full_disk(self, tmp_path):
        with (
            pytest.raises(OutputError, match=r"cannot write .*x: no space left"),
            atomic_path(tmp_path / "x"),
        ):
            raise OSError(errno.ENOSPC, "No space left on device")
        assert names(tmp_path) == []

    def test_really_full_disk(self, tmp_path):
        with open("/dev/full", "wb") as full, pytest.raises(OutputError, match="no space left"):
            with atomic_path(tmp_path / "x") as path:
                path.write_bytes(b"half")
                os.write(full.fileno(), b"x")
        assert names(tmp_path) == []

    def test_a_failure_to_read_something_else_is_not_called_a_failure_to_write(self, tmp_path):
        with pytest.raises(FileNotFoundError) as caught, atomic_path(tmp_path / "x") as path:
            path.write_text("half")
            (tmp_path / "input").read_text()
        assert caught.type is FileNotFoundError
        assert names(tmp_path) == []

    def test_no_such_folder(self, tmp_path):
        with pytest.raises(OutputError, match=r"cannot write .*the folder .*absent does not exist"):
            with atomic_path(tmp_path / "absent" / "x"):
                pytest.fail("entered")
        assert OutputError.exit_code == 1
        assert issubclass(OutputError, OSError)

    def test_target_is_no_regular_file(self, tmp_path):
        (tmp_path / "folder").mkdir()
        os.mkfifo(tmp_path / "fifo")
        for target in (tmp_path / "folder", tmp_path / "fifo", "/dev/null"):
            with pytest.raises(UsageError, match="not a file"), atomic_path(target):
                pytest.fail("entered")

    def test_refuses_to_overwrite_when_told(self, tmp_path):
        (tmp_path / "x").write_text("old")
        with pytest.raises(UsageError, match="exists"), atomic_path(tmp_path / "x", overwrite=False):
            pytest.fail("entered")

    def test_body_that_writes_nothing_is_a_mistake(self, tmp_path):
        with pytest.raises(RuntimeError, match="nothing was written"), atomic_path(tmp_path / "x"):
            pass

    @pytest.mark.parametrize("closed", ["folder", "its parent"])
    def test_not_writable(self, tmp_path, closed):
        """In a child that gives up root, whom no permission stops."""
        code = (
            "import os, sys\nfrom minigpt2 import files, errors\n"
            "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
            "for write in (files.atomic_path, files.atomic_directory):\n"
            "    try:\n"
            "        with write(sys.argv[1]): print('entered')\n"
            "    except errors.OutputError as error: print('refused:', error)\n"
        )
        open_parents_of(tmp_path)
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder").chmod(0o555 if closed == "folder" else 0o755)
        tmp_path.chmod(0o700 if closed == "its parent" else 0o755)
        target = tmp_path / "folder" / "x"
        said = subprocess.run(
            [sys.executable, "-c", code, target],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
        ).stdout.splitlines()
        (tmp_path / "folder").chmod(0o755)
        assert len(said) == 2
        for line in said:
            assert line.startswith(f"refused: cannot write {target}: no permission")
        assert names(tmp_path / "folder") == []


class TestAtomicDirectory:
    def test_writes_the_folder_and_leaves_nothing_else(self, tmp_path):
        with atomic_directory(tmp_path / "m") as folder:
            (folder / "a").write_text("a")
            (folder / "sub").mkdir()
            (folder / "sub" / "b").write_text("b")
            assert not (tmp_path / "m").exists()
        assert names(tmp_path) == ["m"]
        assert names(tmp_path / "m") == ["a", "sub"]

    def test_existing_needs_overwrite(self, tmp_path):
        (tmp_path / "m").mkdir()
        with pytest.raises(UsageError, match="exists"), atomic_directory(tmp_path / "m"):
            pytest.fail("entered")
        (tmp_path / "f").write_text("")
        with pytest.raises(UsageError, match="is a file"), atomic_directory(tmp_path / "f", overwrite=True):
            pytest.fail("entered")

    @pytest.mark.parametrize("can_exchange", [True, False])
    def test_overwrite(self, tmp_path, monkeypatch, can_exchange):
        if not can_exchange:
            monkeypatch.setattr(files, "_exchange", lambda a, b: False)
        (tmp_path / "m").mkdir(mode=0o750)
        (tmp_path / "m" / "old").write_text("old")
        with atomic_directory(tmp_path / "m", overwrite=True) as folder:
            (folder / "new").write_text("new")
            assert names(tmp_path / "m") == ["old"]
        assert names(tmp_path) == ["m"]
        assert names(tmp_path / "m") == ["new"]
        assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o750

    @pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
    def test_exchange_is_one_step_here(self, tmp_path):
        for name in "ab":
            (tmp_path / name).mkdir()
            (tmp_path / name / name).write_text("")
        assert files._exchange(tmp_path / "a", tmp_path / "b")
        assert (names(tmp_path / "a"), names(tmp_path / "b")) == (["b"], ["a"])
        assert not files._exchange(tmp_path / "a", tmp_path / "absent")

    @pytest.mark.parametrize("step", [1, 2, 3])
    def test_failure_while_moving_aside_leaves_the_old_folder(self, tmp_path, monkeypatch, step):
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "old").write_text("old")
        monkeypatch.setattr(files, "_exchange", lambda a, b: False)
        monkeypatch.setattr(files.os, "rename", _fails_at_call(step, os.rename))
        with (
            pytest.raises(OSError, match="broken"),
            atomic_directory(tmp_path / "m", overwrite=True) as folder,
        ):
            (folder / "new").write_text("new")
        assert names(tmp_path) == ["m"]
        assert names(tmp_path / "m") == (["new"] if step == 3 else ["old"])

    def test_target_that_cannot_be_renamed(self, tmp_path, monkeypatch):
        """Such as a mount point."""

        def busy(source, target):
            raise OSError(errno.EBUSY, "Device or resource busy", str(source), None, str(target))

        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "old").write_text("old")
        monkeypatch.setattr(files, "_exchange", lambda a, b: False)
        monkeypatch.setattr(files.os, "rename", busy)
        with pytest.raises(OutputError, match=r"cannot write .*m: device or resource busy"):
            with atomic_directory(tmp_path / "m", overwrite=True) as folder:
                (folder / "new").write_text("new")
        assert names(tmp_path) == ["m"]
        assert names(tmp_path / "m") == ["old"]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError("x")])
    @pytest.mark.parametrize("existed", [True, False])
    def test_failure_leaves_what_was_there(self, tmp_path, error, existed):
        if existed:
            (tmp_path / "m").mkdir()
            (tmp_path / "m" / "old").write_text("old")
        with pytest.raises((KeyboardInterrupt, ValueError)):
            with atomic_directory(tmp_path / "m", overwrite=True) as folder:
                (folder / "sub").mkdir()
                (folder / "sub" / "half").write_text("half")
                raise error
        assert names(tmp_path) == (["m"] if existed else [])
        assert not existed or names(tmp_path / "m") == ["old"]

    def test_someone_else_was_faster(self, tmp_path):
        with pytest.raises(UsageError, match="meanwhile"), atomic_directory(tmp_path / "m") as folder:
            (folder / "new").write_text("new")
            (tmp_path / "m").mkdir()
            (tmp_path / "m" / "theirs").write_text("")
        assert names(tmp_path) == ["m"]
        assert names(tmp_path / "m") == ["theirs"]

    def test_link_to_a_folder_is_followed(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        with atomic_directory(tmp_path / "link", overwrite=True) as folder:
            (folder / "new").write_text("new")
        assert (tmp_path / "link").is_symlink()
        assert names(tmp_path / "real") == ["new"]

    def test_failed_write_inside_names_the_target(self, tmp_path):
        with pytest.raises(OutputError, match=r"cannot write .*/m: no such file"):
            with atomic_directory(tmp_path / "m") as folder:
                (folder / "absent" / "x").write_text("x")
        assert names(tmp_path) == []

    def test_a_message_about_the_temporary_names_the_target(self, tmp_path):
        """A library's error, already made an OutputError, may hold the path that it was given."""
        with pytest.raises(OutputError) as caught:
            with atomic_directory(tmp_path / "m") as folder:
                raise OutputError(f"cannot write {folder / 'weights'}: no space left")
        assert str(caught.value) == f"cannot write {tmp_path / 'm' / 'weights'}: no space left"

    def test_interrupt_signal_cleans_up(self, tmp_path):
        code = (
            "import sys, time\nfrom minigpt2.files import atomic_directory\n"
            f"with atomic_directory({str(tmp_path / 'm')!r}) as folder:\n"
            "    (folder / 'half').write_text('half'); print('ready', flush=True); time.sleep(60)\n"
        )
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        assert child.stdout.readline() == b"ready\n"
        assert len(names(tmp_path)) == 1
        child.send_signal(signal.SIGINT)
        assert child.wait(20) != 0
        child.stdout.close()
        assert names(tmp_path) == []


class TestReadJson:
    def test_reads_and_writes(self, tmp_path):
        value = {"a": [1, 2.5, None, True], "é": "\u2028 𝄞"}
        write_json(tmp_path / "x.json", value)
        assert read_json(tmp_path / "x.json") == value

    def test_byte_order_mark(self, tmp_path):
        (tmp_path / "x").write_bytes(b"\xef\xbb\xbf{}")
        assert read_json(tmp_path / "x") == {}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", r"line 1, column 1: not valid JSON"),
            (b'{\n "a": 1,\n}', r"line [23], column \d+: not valid JSON"),
            (b'{"a": 1} x', r"line 1, column 10"),
            (b'{"a": 1,\n"a": 2}', r"the key 'a' stands twice"),
            (b'{"a": {"b": 1, "b": 1}}', r"the key 'b' stands twice"),
            (b'{"a": NaN}', r"NaN is not a JSON number"),
            (b'{"a": -Infinity}', r"-Infinity is not a JSON number"),
            (b'{\n"a": "\xff"}', r"line 2 is not UTF-8"),
            (b"[1]", r"must hold an object .*not list"),
            (b"[" * 100_000, r"not usable JSON \(RecursionError\)"),
            (b'{"a": ' + b"1" * 5000 + b"}", r"not usable JSON \(ValueError\)"),
        ],
    )
    def test_refuses(self, tmp_path, content, message):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(ModelError, match=message) as caught:
            read_json(tmp_path / "x.json")
        assert "x.json" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_refuses_missing_folder_and_other_kind(self, tmp_path):
        with pytest.raises(ModelError, match=r"x\.json is missing"):
            read_json(tmp_path / "x.json")
        with pytest.raises(ModelError, match=r"cannot read .*is a directory"):
            read_json(tmp_path)
        write_json(tmp_path / "y.json", {})
        with pytest.raises(ModelError, match=r"must hold a list \[…\], not dict"):
            read_json(tmp_path / "y.json", list)

    def test_long_and_strange_keys_stay_on_one_short_line(self):
        with pytest.raises(ModelError) as caught:
            parse_json('{"\\nKEY": 1, "\\nKEY": 1}'.replace("KEY", "k" * 999), "here")
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 150


@pytest.mark.parametrize("write", [atomic_path, atomic_directory])
def test_a_target_with_a_name_longer_than_any(tmp_path, write):
    with (
        pytest.raises(OutputError, match=r"cannot write '.*…: file name too long"),
        write(tmp_path / ("a" * 300)),
    ):
        pass
    assert names(tmp_path) == []


class TestIsFolder:
    def test_there_or_not(self, tmp_path):
        (tmp_path / "file").write_text("")
        assert is_folder(tmp_path)
        assert not is_folder(tmp_path / "file")
        assert not is_folder(tmp_path / "absent")

    @pytest.mark.parametrize("closed", ["folder", "folder above"])
    def test_no_permission(self, tmp_path, monkeypatch, closed):
        """Root may look everywhere, so the system's answer is played."""
        if closed == "folder":
            monkeypatch.setattr(os, "access", lambda path, mode: False)
        else:
            monkeypatch.setattr(
                Path, "is_dir", _fails_with(PermissionError(errno.EACCES, "Permission denied"))
            )
        with pytest.raises(ModelError, match="no permission to look into it"):
            is_folder(tmp_path)

    def test_a_name_longer_than_any(self, tmp_path):
        with pytest.raises(ModelError, match=r"cannot read '.*…: file name too long") as caught:
            is_folder(tmp_path / ("a" * 5000))
        assert len(str(caught.value)) < 150


class TestReadLines:
    def read(self, content: bytes):
        return list(read_lines(io.BytesIO(content), "texts.txt"))

    def test_line_ends_and_mark(self):
        assert self.read(b"\xef\xbb\xbfone\r\ntwo\n\nfour \xc3\xa9") == ["one", "two", "", "four é"]
        assert self.read(b"") == []
        assert self.read(b"\n") == [""]
        assert self.read(b"a\x0bb\x85".replace(b"\x85", "\u2028\x85".encode())) == ["a\x0bb\u2028\x85"]

    def test_from_a_path(self, tmp_path):
        (tmp_path / "x").write_bytes(b"a\nb")
        assert list(read_lines(tmp_path / "x")) == ["a", "b"]
        assert list(read_lines(str(tmp_path / "x"))) == ["a", "b"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"ok\nstill ok\ncaf\xe9\nno\xff", r"texts\.txt: line 3, byte 4 \(0xe9\) is not UTF-8"),
            (b"\xef\xbb\xbfab\xff", r"line 1, byte 3 \(0xff\)"),
            ("surrogate \ud800".encode("utf-8", "surrogatepass"), r"line 1, byte 11 \(0xed\)"),
            ("text".encode("utf-16"), "UTF-16"),
            (b"cut \xe2\x82", r"line 1, byte 5"),
        ],
    )
    def test_names_the_first_byte_that_is_not_utf8(self, content, message):
        with pytest.raises(DataError, match=message):
            self.read(content)

    def test_lines_before_the_bad_one_are_given(self):
        lines = read_lines(io.BytesIO(b"one\n\xff\n"))
        assert next(lines) == "one"
        with pytest.raises(DataError, match="line 2"):
            next(lines)

    def test_unreadable(self, tmp_path):
        with pytest.raises(DataError, match=r"cannot read .*x: no such file"):
            list(read_lines(tmp_path / "x"))
        with pytest.raises(DataError, match=r"cannot read .*is a directory"):
            list(read_lines(tmp_path))


def _fails_with(error):
    def fail(*arguments):
        raise error

    return fail


def _fails_at_call(n, function):
    calls = []

    def wrapped(*arguments):
        calls.append(arguments)
        if len(calls) == n:
            raise OSError(errno.EIO, "broken")
        return function(*arguments)

    return wrapped
