"""`/time`: where the milliseconds go."""

import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..line import Arguments, parse_line
from ..reply import Reply
from ..session import Session

if TYPE_CHECKING:
    from ...views import View
    from ..exchange import Exchange

NAME = "time"
USAGE = "/time"
SUMMARY = "where the milliseconds go"
DETAILS = """\
First the last line: from Enter to its answer, and the drawing of it (0 where nothing is drawn, as with
--json); below it the median and the slowest of all lines so far. Then the current sentence once more:
reading the line, cutting it into tokens, and one pass through the model by kind of layer, each the median of
several runs. `other` is what the pass takes between its layers."""
EXAMPLES = ("The cat is sleeping on the warm windowsill", "/time")
FORM = "none"
OPTIONS = ()
COMPLETES = None

REPEATS = 9


def run(session: Session, arguments: Arguments) -> Reply:
    """Say how long the lines took, and time the current sentence."""
    from ...views import Stack

    answered = [exchange for exchange in session.exchanges if exchange.reply is not None]
    data: dict[str, Any] = {
        "lines": len(answered),
        "last": _last(answered[-1]) if answered else None,
        "median": _over(answered, statistics.median) if answered else None,
        "slowest": _over(answered, max) if answered else None,
        "sentence": None if session.current is None else _sentence(session, session.current),
    }
    return Reply((Stack(*_views(data)),), data)


def _last(exchange: "Exchange") -> dict[str, Any]:
    return {"input": exchange.typed, "command": exchange.command} | _over([exchange], max)


def _over(exchanges: "list[Exchange]", choose: Callable[[list[float]], float]) -> dict[str, float]:
    """Milliseconds to the answer, of drawing, and of both, each chosen from all of its kind"""
    return {
        "answer_milliseconds": 1e3 * choose([e.seconds for e in exchanges]),
        "drawing_milliseconds": 1e3 * choose([e.drawing for e in exchanges]),
        "milliseconds": 1e3 * choose([e.seconds + e.drawing for e in exchanges]),
    }


def _sentence(session: Session, text: str) -> dict[str, Any] | None:
    """One sentence from the line to its vector; None for one without tokens"""
    from ...interpret import forward_times, read

    if not text:
        return None
    encoder = session.encoder
    _, batch = read(encoder, [text])
    parts = forward_times(encoder, batch, REPEATS)
    forward = sum(parts.values())
    return {
        "text": text,
        "tokens": batch.N,
        "parse_milliseconds": 1e3 * _median_of(lambda: parse_line(text)),
        "tokenize_milliseconds": 1e3 * _median_of(lambda: encoder.token_ids([text])),
        "forward_milliseconds": 1e3 * forward,
        "layers_milliseconds": {kind: 1e3 * seconds for kind, seconds in parts.items()},
        "tokens_per_second": batch.N / forward,
    }


def _median_of(call: Callable[[], Any]) -> float:
    """Seconds of one call, the median of several after one to warm up."""
    times = []
    for _ in range(1 + REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def _views(data: dict[str, Any]) -> "list[View]":
    from ...views import Bars, Heading, Paragraph, Table

    views: list[View] = []
    if data["last"]:
        columns = ("answer", "drawing", "together")
        rows = [
            (what, *(f"{some[f'{name}_milliseconds'.removeprefix('together_')]:,.2f}" for name in columns))
            for what, some in (
                (f"the last: {data['last']['input']}", data["last"]),
                (f"median of {data['lines']:,}", data["median"]),
                ("slowest", data["slowest"]),
            )
        ]
        align = ("left", "right", "right", "right")
        views.append(Table(("line", *columns), rows, align=align, caption="milliseconds"))
    sentence = data["sentence"]
    if sentence is None:
        return [*views, Paragraph("Type a sentence to see where the time of one goes.", "dim")]
    parts = {"read the line": sentence["parse_milliseconds"], "tokenize": sentence["tokenize_milliseconds"]}
    parts |= sentence["layers_milliseconds"]
    total = sum(parts.values())
    views += [
        Heading("one sentence, once more", sentence["text"]),
        Bars(
            list(parts),
            list(parts.values()),
            digits=3,
            notes=[f"{100 * part / total:.0f} %" for part in parts.values()],
            caption=f"milliseconds, {total:.2f} in all; the model alone takes "
            f"{sentence['forward_milliseconds']:.2f} for {sentence['tokens']:,} tokens: "
            f"{sentence['tokens_per_second']:,.0f} tokens a second",
        ),
    ]
    return views
