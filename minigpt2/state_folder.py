"""What minigpt2 remembers from one run to the next: one folder of the user, which nobody else can read.

| system  | folder                                                                     |
|---------|----------------------------------------------------------------------------|
| Linux   | `$XDG_STATE_HOME/minigpt2`, by default `~/.local/state/minigpt2`           |
| macOS   | `~/Library/Application Support/minigpt2`                                   |
| Windows | `%LOCALAPPDATA%\\minigpt2`                                                  |

`XDG_STATE_HOME` is honoured on every system; by the XDG base directory specification it must be an absolute
path, and is ignored if it is not. Folders are made with mode 0700 and files with 0600 in the very call that
makes them, so there is no moment in which somebody else could open one.
"""

import os
import stat
import sys
from pathlib import Path

from .errors import OutputError


def state_folder() -> Path:
    """Where the folder is, or would be. OutputError where the user has no home."""
    stated = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(stated):
        return Path(stated) / "minigpt2"
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"]) / "minigpt2"
    try:
        home = Path.home()
    except RuntimeError:
        raise OutputError("the user has no home folder: set XDG_STATE_HOME to one for minigpt2") from None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "minigpt2"
    return home / ".local" / "state" / "minigpt2"


def make_state_folder() -> Path:
    """The folder, made where it is missing, for its owner alone. OutputError where that cannot be."""
    folder = state_folder()
    missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
    try:
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
        if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {(error.strerror or 'refused').lower()}") from None
    return folder


def open_private(path: Path, flags: int) -> int:
    """`os.open` for a file that only its owner may read; the descriptor. Raises OSError as `os.open` does.

    Nothing but a regular file is opened, and one that others could read is closed to them.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o600)  # a pipe would wait for a reader
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(0, "not a regular file", str(path))
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
