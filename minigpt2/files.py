"""Files at the border of the package: what is read is checked, what is written is whole or not there.

Writing goes to a hidden sibling of the target, `.NAME.RANDOM.tmp`, is flushed to the disk and then renamed,
so the target is at every moment absent, the old version or the new one. Any exception, KeyboardInterrupt too,
removes the sibling; only a killed process or a power cut can leave one, and nothing ever reads it.

A missing folder, missing permission or full disk is an OutputError (exit code 1); a target that exists and
may not be replaced, or that is not the kind of thing to be written, is a UsageError (exit code 2).
"""

import contextlib
import ctypes
import errno
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .errors import DataError, ModelError, OutputError, UsageError


@contextlib.contextmanager
def atomic_path(target: str | Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Write a file whole: `with atomic_path("x.npy") as path: np.save(path, x)`.

    The yielded path has the target's suffix and does not exist yet. An existing target is replaced and its
    permissions are kept; a link is followed. Raises OutputError or UsageError as the module says.
    """
    place = _place_of(target)
    mode = None
    if place.exists():
        mode = place.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UsageError(f"{target} is a folder or a device, not a file: choose another output name")
        if not overwrite:
            raise UsageError(f"{target} exists: choose another name or allow it to be overwritten")
    temporary = _temporary_sibling(place)
    with _writing(target, place, temporary):
        yield temporary
        if not temporary.is_file():
            raise RuntimeError(f"nothing was written to {temporary}")
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        _flush_to_disk(temporary)
        os.replace(temporary, place)
    _flush_to_disk(place.parent)


@contextlib.contextmanager
def atomic_directory(target: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Write a folder whole: `with atomic_directory("model") as folder: (folder / "a").write_text(…)`.

    The yielded folder exists and is empty. With `overwrite` an existing target is exchanged for the new
    folder in one step (Linux renameat2) and then deleted with everything in it; where the system has no such
    step, the old folder is moved aside first and moved back if the second move fails.
    Raises OutputError or UsageError as the module says.
    """
    place = _place_of(target)
    if place.exists():
        if not place.is_dir():
            raise UsageError(f"{target} is a file, not a folder: choose another output name")
        if not overwrite:
            raise UsageError(f"{target} exists: choose another name or allow it to be overwritten")
    temporary = _temporary_sibling(place)
    with _writing(target, place, temporary):
        temporary.mkdir()
        yield temporary
        for folder, _, names in os.walk(temporary):
            for name in names:
                _flush_to_disk(Path(folder, name))
            _flush_to_disk(Path(folder))
        if place.exists():
            if not overwrite:
                raise UsageError(f"{target} was made by someone else meanwhile: choose another name")
            os.chmod(temporary, stat.S_IMODE(place.stat().st_mode))
            if _exchange(temporary, place):
                _flush_to_disk(place.parent)
            else:
                _move_aside(temporary, place)
            _remove_folder(temporary)  # it holds the old version now
        else:
            os.rename(temporary, place)
    _flush_to_disk(place.parent)


def _place_of(target: str | Path) -> Path:
    """The real path behind `target`, whose folder must be there and writable."""
    place = Path(os.path.realpath(target))
    try:
        is_folder = place.parent.is_dir()
        place.exists()
    except PermissionError:
        raise OutputError(f"cannot write {target}: no permission to look into {place.parent}") from None
    except OSError as error:  # a name longer than any
        reason = (error.strerror or "refused").lower()
        raise OutputError(f"cannot write {shorten(str(target))}: {reason}") from None
    if not is_folder:
        raise OutputError(f"cannot write {target}: the folder {place.parent} does not exist, create it first")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {target}: no permission to write in {place.parent}")
    return place


def _temporary_sibling(place: Path) -> Path:
    return place.with_name(f".{place.stem[:50]}.{os.urandom(6).hex()}.tmp{place.suffix[:50]}")


@contextlib.contextmanager
def _writing(target: str | Path, place: Path, temporary: Path) -> Iterator[None]:
    """Remove `temporary` if the body fails, and give the system's refusals to write a clear message."""
    try:
        yield
    except BaseException as error:
        if temporary.is_dir():
            _remove_folder(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)
        if (
            isinstance(error, OSError)
            and not isinstance(error, OutputError)
            and _is_about(error, place, temporary)
        ):
            reason = error.strerror or type(error).__name__
            raise OutputError(f"cannot write {target}: {reason.lower()}") from error
        if isinstance(error, OutputError) and str(temporary) in str(error):
            raise OutputError(str(error).replace(str(temporary), str(target))) from error
        raise


def _remove_folder(folder: Path, *, ignore_errors: bool = False) -> None:
    import shutil  # which loads every kind of compression, and reading a model needs none of it

    shutil.rmtree(folder, ignore_errors=ignore_errors)


def _is_about(error: OSError, place: Path, temporary: Path) -> bool:
    """True for a failure to write or rename; False for one to read whatever the body reads meanwhile."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
        return True
    names = [
        Path(os.fsdecode(n)) for n in (error.filename, error.filename2) if isinstance(n, (str, bytes, Path))
    ]
    return any(name in (temporary, place) or temporary in name.parents for name in names)


def _flush_to_disk(path: Path) -> None:
    """fsync a file or, where the system can, a folder."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two paths in one step; False where the system or the file system cannot."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of linux/fs.h
    return renameat2(here, os.fsencode(a), here, os.fsencode(b), exchange) == 0


def _move_aside(temporary: Path, place: Path) -> None:
    """The exchange in three renames. A kill between them leaves the old version whole under a hidden name."""
    aside = _temporary_sibling(place)
    try:
        os.rename(place, aside)
        os.rename(temporary, place)
        os.rename(aside, temporary)
    except BaseException:
        if aside.exists():
            if place.exists():
                _remove_folder(aside, ignore_errors=True)
            else:
                os.rename(aside, place)
        raise


def is_folder(path: Path) -> bool:
    """True for a folder that can be looked into. ModelError where that is not permitted or no name."""
    try:
        found = path.is_dir()
        permitted = not found or os.access(path, os.X_OK)
    except PermissionError:
        found, permitted = False, False
    except OSError as error:  # a name longer than any
        reason = (error.strerror or "unreadable").lower()
        raise ModelError(f"cannot read {shorten(str(path))}: {reason}") from None
    if not permitted:
        raise ModelError(f"cannot read {path}: no permission to look into it")
    return found


def read_json(path: str | Path, kind: type = dict) -> Any:
    """The value in a JSON file of a model directory, which must be of type `kind` (dict or list).

    Raises ModelError naming the file, with line and column where there is one: no such file, not UTF-8, not
    JSON, a key twice in one object, NaN or Infinity, another type at the top.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: a model directory needs it") from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {(error.strerror or 'unreadable').lower()}") from error
    try:
        content = content.removeprefix(b"\xef\xbb\xbf")  # a BOM
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ModelError(
            f"{path}: line {line} is not UTF-8, so this is not the JSON file it should be"
        ) from None
    value = parse_json(text, str(path))
    if not isinstance(value, kind):
        wanted = "an object {…}" if kind is dict else "a list […]"
        raise ModelError(f"{path} must hold {wanted}, not {type(value).__name__}")
    return value


def parse_json(text: str, where: str) -> Any:
    """JSON text -> value, as strict as `read_json`; `where` names the text in the ModelError."""

    def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))
            raise ModelError(f"{where}: the key {shorten(twice)} stands twice in one object")
        return fields

    def no_constant(name: str) -> Any:
        raise ModelError(f"{where}: {name} is not a JSON number")

    try:
        return json.loads(text, object_pairs_hook=no_key_twice, parse_constant=no_constant)
    except ModelError:
        raise
    except json.JSONDecodeError as error:
        raise ModelError(
            f"{where}: line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})"
        ) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets in brackets
        raise ModelError(f"{where}: not usable JSON ({type(error).__name__})") from None


def write_json(path: str | Path, value: Any) -> None:
    """Readable UTF-8 JSON. Not atomic: meant for a folder from `atomic_directory`."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def shorten(name: object, limit: int = 80) -> str:
    """A name from a file as it may stand in a message: quoted, escaped, on one line, not too long."""
    text = repr(name)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def read_lines(source: str | Path | BinaryIO, name: str | None = None) -> Iterator[str]:
    """The lines of a UTF-8 text file or binary stream, without their ends (LF or CRLF) and without a BOM.

    `name` stands for the source in messages. Raises DataError for a file that cannot be read, and for the
    first byte that is not UTF-8, naming line and column (in bytes, from 1).
    """
    if isinstance(source, (str, Path)):
        name = name or str(source)
        try:
            with open(source, "rb") as stream:
                yield from _decode_lines(stream, name)
        except OSError as error:
            raise DataError(f"cannot read {name}: {(error.strerror or 'unreadable').lower()}") from error
    else:
        yield from _decode_lines(source, name or getattr(source, "name", "input"))


def _decode_lines(lines: Iterable[bytes], name: object) -> Iterator[str]:
    for number, raw in enumerate(lines, start=1):
        if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(f"{name}: line 1 begins with a UTF-16 mark: save the file as UTF-8")
        line = raw.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}: line {number}, byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8: "
                f"save the file as UTF-8"
            ) from None
