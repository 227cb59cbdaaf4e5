"""The errors that minigpt2 raises on purpose, and the exit code that the command line gives each.

Every message says what was wrong, where, and what to do next, in one line. Each class is also the
built-in error that a Python programmer would expect to catch.
"""

LONGEST = 1000  # characters of a message that `explain` repeats


class MiniGPT2Error(Exception):
    """Anything that minigpt2 refuses to do; the command line prints it and exits with `exit_code`."""

    exit_code = 1


class UsageError(MiniGPT2Error, ValueError):
    """An argument or a combination of arguments that makes no sense."""

    exit_code = 2


class DataError(MiniGPT2Error, ValueError):
    """Input text, token ids or a data file that cannot be used."""

    exit_code = 3


class ModelError(MiniGPT2Error, ValueError):
    """A model directory, checkpoint, tokenizer or configuration that cannot be used."""

    exit_code = 3


class DeviceError(MiniGPT2Error, RuntimeError):
    """The GPU was asked for and cannot be used."""

    exit_code = 4


class OutputError(MiniGPT2Error, OSError):
    """A file or folder that cannot be written: no permission, no such folder, no space."""


class DivergedError(MiniGPT2Error, ArithmeticError):
    """Training has made numbers that are not finite, and cannot go on."""


def explain(error: Exception) -> str:
    """What went wrong, in one line for people; an exception that is no MiniGPT2Error, too."""
    if isinstance(error, MiniGPT2Error):
        told = str(error)  # which may name a file whose name is as long as a line can be
        return told if len(told) <= LONGEST else f"{told[: LONGEST // 2]} … {told[-LONGEST // 2 :]}"
    if isinstance(error, MemoryError):
        return "out of memory: use a smaller --batch-size, or fewer texts at once"
    if isinstance(error, ModuleNotFoundError) and not error.name.startswith("minigpt2"):
        return f"the package {error.name} is missing: pip install {error.name.partition('.')[0]}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}; this is a bug in minigpt2, --debug shows where"
