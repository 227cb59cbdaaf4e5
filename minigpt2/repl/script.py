"""Commands from a pipe, a file or `--command`: no banner, no prompt, no colour, no history.

Blank lines and those that begin with `# ` are left out; texts of several lines are written as `multiline.py`
says. An error is one line on stderr with the number of its line, and the script ends there with exit code 1;
with `keep_going` it ends at its end, with 1 all the same.

As JSON there is one object for each command, flushed at once, so that another program can talk line by line:

    {"line": 1, "input": "/sim a | b", "command": "sim", …what the command gives…, "milliseconds": 3.1}
    {"line": 2, "input": "/smi a | b", "command": "smi", "error": "unknown command /smi: did you mean /sim?"}
"""

import json
import math
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from ..errors import DataError, MiniGPT2Error, UsageError, explain
from ..visible import visible
from .exchange import Exchange, name_of_command, run_line
from .multiline import Multiline
from .session import Session


class ScriptLine(NamedTuple):
    """A text of a script with the number of its first line, or what is wrong with it."""

    number: int
    text: str
    error: MiniGPT2Error | None = None


def run_script(
    session: Session,
    lines: Iterable[ScriptLine],
    *,
    as_json: bool = False,
    keep_going: bool = False,
    debug: bool = False,
) -> int:
    """Do what the lines say until `/quit`, the end, or the first error; the exit code."""
    code = 0
    for line in lines:
        session.history.add(line.text)
        try:
            if line.error:
                raise line.error
            exchange = run_line(session, line.text)
        except Exception as error:
            code = 1
            exchange = Exchange(line.text, name_of_command(line.text), None, explain(error), 0.0)
            _show_error(line, exchange, error if debug else None)
        session.record(exchange)
        if as_json:
            _write(as_object(line, exchange))
        else:
            _show(session, line, exchange)
        if exchange.error is not None and not keep_going:
            return code
        if exchange.reply is not None and exchange.reply.quits:
            return code
    return code


def lines_of_stream(stream: BinaryIO | None) -> Iterator[ScriptLine]:
    """The texts on a binary stream, as they arrive."""
    if stream is None:
        raise UsageError("stdin is closed: give commands with --command")
    return _texts(_decoded(stream))


def lines_of_commands(commands: Iterable[str]) -> Iterator[ScriptLine]:
    """The texts of `--command`, each of several lines perhaps; the first --command is line 1, and so on."""
    for number, command in enumerate(commands, start=1):
        for line in _texts((1, part, None) for part in command.split("\n")):
            yield line._replace(number=number)


def _decoded(stream: BinaryIO) -> Iterator[tuple[int, str, MiniGPT2Error | None]]:
    """Number and text of each line, or what is wrong with it."""
    number = 0
    while (
        raw := stream.readline()
    ):  # not `for`, which would read ahead of a program that waits for its answer
        number += 1
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        raw = raw.removesuffix(b"\n").removesuffix(b"\r")
        try:
            yield number, raw.decode("utf-8"), None
        except UnicodeDecodeError as error:
            place = f"byte {error.start + 1} (0x{raw[error.start]:02x})"
            problem = DataError(f"{place} is not UTF-8: save the script as UTF-8")
            yield number, raw.decode("utf-8", "replace"), problem


def _texts(lines: Iterable[tuple[int, str, MiniGPT2Error | None]]) -> Iterator[ScriptLine]:
    """Lines put together to texts, without comments and blank ones."""
    multiline = Multiline()
    first, problem = 0, None
    for number, line, error in lines:
        if not multiline.waits:
            first, problem = number, None
            if error is None and (not line.strip() or line.strip() == "#" or line.startswith("# ")):
                continue
        problem = problem or error
        text = multiline.feed(line)
        if text is not None and (text.strip() or problem):
            yield ScriptLine(first, text, problem)
    if multiline.waits:
        problem = problem or DataError('the text that begins here never ends: a """ or a line is missing')
        yield ScriptLine(first, multiline.rest(), problem)


def _show(session: Session, line: ScriptLine, exchange: Exchange) -> None:
    for warning in exchange.warnings:
        _say(f"line {line.number}: warning: {warning}")
    if exchange.reply is not None and exchange.reply.views:
        for view in exchange.reply.views:
            session.console.print(view)
        session.console.print()
    session.console.file.flush()


def _show_error(line: ScriptLine, exchange: Exchange, error: Exception | None) -> None:
    if error is not None:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    _say(f"line {line.number}: error: {exchange.error}")


def _say(message: str) -> None:
    if sys.stderr is not None:
        try:
            print(visible(" ".join(message.split())), file=sys.stderr, flush=True)
        except OSError:
            sys.stderr = None  # nobody reads it; the interpreter would try again at its end


def as_object(line: ScriptLine, exchange: Exchange) -> dict[str, Any]:
    """What `--json` prints of an exchange."""
    head = {"line": line.number, "input": exchange.typed, "command": exchange.command}
    if exchange.reply is None:
        return {**head, "error": exchange.error}
    notes = {"warnings": list(exchange.warnings)} if exchange.warnings else {}
    milliseconds = round(1000 * exchange.seconds, 3)
    return {**head, **exchange.reply.data, **notes, "milliseconds": milliseconds}


def as_json_line(value: Any) -> str:
    """One line of JSON in which every character prints: others, and NaN, would harm who reads it."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=_plain)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1].replace("\x7f", "\\u007f") for c in text)


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's."""
    return _finite(value.tolist())


def _finite(value: Any) -> Any:
    """The value with null for NaN and infinities, which JSON has not."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _write(value: Any) -> None:
    sys.stdout.write(as_json_line(value) + "\n")
    sys.stdout.flush()
