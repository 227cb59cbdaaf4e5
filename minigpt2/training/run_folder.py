"""What the output folder of a run looks like, and who may write in it.

    OUTPUT/settings.json      the settings of the run, the shape of its model, fingerprints of its data
    OUTPUT/log.jsonl          every event, one a line
    OUTPUT/checkpoints/       see `checkpoints.py`
    OUTPUT/best/              the model directory that validated best: `minigpt2.load(OUTPUT / "best")`
    OUTPUT/last/              the model directory of the last step
    OUTPUT/.lock              held by the process that trains

A folder that holds a run is used again only to resume it under the same settings on the same data, or to
overwrite it; overwriting removes what a run has written and no other file. But best/ and last/ are replaced
whole, with all that is in them, by each better model.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ModelError, OutputError, UsageError
from ..files import atomic_path, read_json, write_json
from .checkpoints import checkpoints_in, remove_folder, remove_leftovers
from .events import Event, record
from .settings import FREE_ON_EXTEND, FREE_ON_RESUME

try:
    import fcntl
except ImportError:  # a system without such locks: nothing keeps two runs apart there
    fcntl = None

FORMAT = "minigpt2 training run 1"


class RunFolder:
    """The paths of a run, its lock and its log."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.settings = self.path / "settings.json"
        self.log = self.path / "log.jsonl"
        self.checkpoints = self.path / "checkpoints"
        self.best = self.path / "best"
        self.last = self.path / "last"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and keep other runs out. UsageError if one is in it, OutputError as in `files`."""
        with _naming(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if fcntl is not None:
                self._lock(lock)
            yield
        finally:
            os.close(lock)  # which unlocks

    def _lock(self, lock: int) -> None:
        """Lock an open file and write our process number into it; UsageError if another run holds it."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
            raise UsageError(
                f"another run (process {holder}) is training in {self.path}: wait for it or choose another "
                f"output directory"
            ) from None
        with contextlib.suppress(OSError):  # the number is for people: a full disk shows soon enough
            os.ftruncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())

    def holds_a_run(self) -> bool:
        """True if a run has begun here. Raises UsageError if files of other origin have the names of ours."""
        if self.settings.exists():
            with contextlib.suppress(ModelError):
                if read_json(self.settings).get("format") == FORMAT:
                    return True
        for path in (self.settings, self.log, self.checkpoints, self.best, self.last):
            if path.exists():
                raise UsageError(
                    f"{path} was not made by a training run, and a run would replace it: choose another "
                    f"output directory"
                )
        return False

    def require_free(self, *, resume: bool, overwrite: bool) -> bool:
        """True if there is a run; UsageError if neither `resume` nor `overwrite` says what to do with it."""
        there = self.holds_a_run()
        if there and not resume and not overwrite:
            raise UsageError(
                f"{self.path} holds a run already: resume it (--resume), overwrite it (--overwrite), or "
                f"choose another output directory"
            )
        return there

    def begin(self, fields: dict[str, Any], *, resume: bool, overwrite: bool, extend: bool) -> bool:
        """Prepare the locked folder for a run described by `fields`; True if there is one to resume.

        Raises UsageError if there is a run and neither `resume` nor `overwrite` is set, or if it was another
        run than the one to resume, naming the first difference.
        """
        there = self.require_free(resume=resume, overwrite=overwrite)
        remove_leftovers(self.path, self.checkpoints)
        if there and overwrite:
            self._remove_run()
            there = False
        if there:
            _require_same(read_json(self.settings), fields, extend, self.path)
        with _naming(self.settings), atomic_path(self.settings) as temporary:
            write_json(temporary, {"format": FORMAT} | fields)
        with _naming(self.checkpoints):
            self.checkpoints.mkdir(exist_ok=True)
        return there

    def _remove_run(self) -> None:
        """Models, checkpoints and log. settings.json stays: it says that what is left is ours."""
        for path in (self.best, self.last, *checkpoints_in(self.checkpoints)):
            if path.exists():
                remove_folder(path)
        self.log.unlink(missing_ok=True)

    def cut_log(self, step: int) -> None:
        """Remove from the log what happened after `step`, and a last line that was cut off."""
        if not self.log.exists():
            return
        with atomic_path(self.log) as temporary, open(temporary, "wb") as kept:
            for line in self.log.read_bytes().splitlines(keepends=True):
                with contextlib.suppress(ValueError, AttributeError, TypeError):
                    if line.endswith(b"\n") and json.loads(line).get("step") <= step:
                        kept.write(line)


class Log:
    """The reporter that writes log.jsonl: each line is there as soon as its event is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _naming(path):
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115  closed by close

    def report(self, event: Event) -> None:
        """Append one line. Raises OutputError if it cannot be written."""
        line = json.dumps(record(event), ensure_ascii=False, allow_nan=False) + "\n"
        with _naming(self.path):
            self._file.write(line.encode("utf-8"))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {(error.strerror or 'refused').lower()}") from error


def _require_same(before: dict[str, Any], now: dict[str, Any], extend: bool, path: Path) -> None:
    """Raise UsageError naming the first setting, size or checksum that differs and may not."""
    free = FREE_ON_RESUME + (FREE_ON_EXTEND if extend else ())
    for part, of_now in now.items():
        of_before = before.get(part) or {}
        for name, value in (of_now or {}).items():
            old = of_before.get(name)
            if old == value or (part == "settings" and name in free):
                continue
            hint = "give what it was, or choose another output directory"
            if part == "settings" and name in FREE_ON_EXTEND:
                hint = "to make the run longer, say so (--extend)"
            what = name if part == "settings" else f"{name} of the {part}"
            raise UsageError(
                f"cannot resume {path}: {what} was {_short(old)} and is {_short(value)} now: {hint}"
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 24 else text[:20] + '…"'
