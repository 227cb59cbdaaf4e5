"""What `/export` writes: the conversation for people, the vectors for programs.

Texts may hold anything. In HTML they are escaped by the views. In Markdown pictures stand in a fenced block
whose fence is longer than any run of backticks in it, and texts outside of blocks have every character that
Markdown or HTML could act on behind a backslash; control and direction characters are written as ‹hex›
everywhere, so that the file does nothing to a terminal either.
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import __version__
from ..errors import OutputError, UsageError
from ..visible import visible
from .wording import counted

if TYPE_CHECKING:
    from ..views import Table, View
    from .exchange import Exchange
    from .session import Session

WIDTH = 100  # cells of a picture in Markdown
LONGEST_LINE = 2000  # characters of what was typed that are written

# What Markdown, GitHub's too, or HTML may act on: marks anywhere, what begins a list, a rule or a heading at
# the start of a line, and what makes a link of an address.
MARKS = r"[\\`*_{}\[\]<>~|&!$@#]"
AT_START = r"^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]|(?<=^\d\d\d)[.)]"
IN_ADDRESSES = r":(?=//)|(?<=mailto):|(?<=xmpp):|(?<=www)\."
IN_A_CELL = re.compile(f"({MARKS}|{IN_ADDRESSES})", re.IGNORECASE)
IN_A_LINE = re.compile(f"({MARKS}|{AT_START}|{IN_ADDRESSES})", re.IGNORECASE)


# The conversation


def write_html(session: "Session", path: Path) -> str:
    """One page that needs no network; what it holds, in words."""
    from ..views import page

    views = [view for exchange in _said(session) for view in _views_of(exchange)]
    path.write_text(page(_title(), views, subtitle=_about(session)), encoding="utf-8")
    return f"{counted(len(session.exchanges), 'line')} of the conversation{_dropped(session)}"


def write_markdown(session: "Session", path: Path) -> str:
    """Headings, tables, and pictures as blocks of characters; what it holds, in words."""
    from ..views import Heading, Paragraph, Table

    blocks = [f"# {_escaped(_title())}", _escaped(_about(session))]
    for exchange in _said(session):
        for number, view in enumerate(_views_of(exchange)):
            if isinstance(view, Heading):
                detail = f" ({_escaped(view.detail)})" if view.detail else ""
                blocks.append(f"{'##' if number == 0 else '###'} {_escaped(view.text)}{detail}")
            elif isinstance(view, Paragraph):
                blocks.append("  \n".join(map(_escaped, view.text.splitlines())))
            elif isinstance(view, Table) and view.columns:
                blocks.append(_table(view))
            else:
                blocks.append(_fenced(_drawn(view)))
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8", newline="\n")
    return f"{counted(len(session.exchanges), 'line')} of the conversation{_dropped(session)}"


def _said(session: "Session") -> "Iterator[Exchange]":
    if not session.exchanges:
        raise UsageError("nothing has been said yet: type a sentence or a command first")
    yield from session.exchanges


def _views_of(exchange: "Exchange") -> "Iterator[View]":
    """What was typed, what came back, and what was warned of"""
    from ..views import Heading, Paragraph

    typed = exchange.typed.strip()
    more = len(typed) - LONGEST_LINE
    yield Heading(f"› {typed[:LONGEST_LINE]}{f'… {more:,} more characters' if more > 0 else ''}")
    for warning in exchange.warnings:
        yield Paragraph(f"warning: {warning}")
    if exchange.reply is None:
        yield Paragraph(f"error: {exchange.error}", "bold")
        return
    yield from _unstacked(exchange.reply.views)


def _unstacked(views: "tuple[View, ...]") -> "Iterator[View]":
    """The views of stacks one by one"""
    from ..views import Stack

    for view in views:
        if isinstance(view, Stack):
            yield from _unstacked(view.views)
        else:
            yield view


def _title() -> str:
    return "A conversation with minigpt2"


def _about(session: "Session") -> str:
    encoder = session.encoder
    config = encoder.config
    name = encoder.path.name if encoder.path else "a model in memory"
    return (
        f"minigpt2 {__version__}, {name}: {config.L} layers, {config.H} heads, {config.D} dimensions; "
        f"{counted(len(session.sentences), 'sentence')} kept{_dropped(session)}"
    )


def _dropped(session: "Session") -> str:
    """How many lines are missing at the start of a long conversation"""
    gone = session.exchanges_dropped
    return f"; the first {counted(gone, 'line')} {'is' if gone == 1 else 'are'} left out" if gone else ""


def _escaped(text: str, active: re.Pattern[str] = IN_A_LINE) -> str:
    """A text in one line that stands for itself in Markdown."""
    return active.sub(r"\\\1", visible(" ".join(text.split())))


def _table(table: "Table") -> str:
    """A table of GitHub's Markdown with its caption"""
    cells, numeric = table.cells()
    lines = [
        _row(_escaped(name, IN_A_CELL) for name in table.columns),
        _row("---:" if is_numeric else "---" for is_numeric in numeric),
        *(_row(_escaped(text, IN_A_CELL) for text in row) for row in zip(*cells, strict=True)),
    ]
    caption = f"\n\n{_escaped(table.caption)}" if table.caption else ""
    return "\n".join(lines) + caption


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _drawn(view: "View") -> str:
    """The picture as characters, without colours"""
    from rich.console import Console

    paper = io.StringIO()
    console = Console(
        file=paper,
        width=WIDTH,
        color_system=None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.print(view)
    return "\n".join(line.rstrip() for line in paper.getvalue().rstrip("\n").split("\n"))


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


# The vectors


def write_npy(session: "Session", path: Path) -> str:
    """(M, D) float32; what it holds, in words."""
    vectors = _vectors(session)
    with open(path, "wb") as stream:  # np.save would add a suffix to NAME.NPY
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(vectors))
        stream.write(vectors)  # write_array hides why the system refused
    return _shape(vectors)


def write_safetensors(session: "Session", path: Path) -> str:
    """`vectors` (M, D) float32 and `numbers` (M,) int64, with the texts beside; what it holds, in words."""
    from safetensors import SafetensorError
    from safetensors.numpy import save

    vectors = _vectors(session)
    encoder = session.encoder
    numbers = np.array([sentence.number for sentence in session.sentences], dtype=np.int64)  # (M,)
    metadata = {
        "texts": json.dumps([sentence.text for sentence in session.sentences], ensure_ascii=True),
        "sources": json.dumps([sentence.source for sentence in session.sentences], ensure_ascii=True),
        "model": encoder.path.name if encoder.path else "in memory",
        "pooling": encoder.settings.pooling,
        "normalize": str(encoder.settings.normalize).lower(),
    }
    try:
        content = save({"vectors": vectors, "numbers": numbers}, metadata=metadata)
    except SafetensorError as error:
        raise OutputError(f"cannot write {path}: {error}") from error
    path.write_bytes(content)
    return f"{_shape(vectors)} with their texts"


def _vectors(session: "Session") -> np.ndarray:
    """(M, D)"""
    if not session.sentences:
        raise UsageError("no sentence is kept, so there is no vector to export: type one or /load a file")
    return np.ascontiguousarray(session.vectors)


def _shape(vectors: np.ndarray) -> str:
    return f"{counted(len(vectors), 'vector')} of {vectors.shape[1]} numbers"


WRITERS: dict[str, Callable[["Session", Path], str]] = {
    ".html": write_html,
    ".md": write_markdown,
    ".npy": write_npy,
    ".safetensors": write_safetensors,
}
