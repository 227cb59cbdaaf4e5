"""`/pool [mean|weighted_mean|last|max]`: from token rows to one vector, four ways."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...backend import Array, to_numpy
from ...encoder import Encoder
from ...errors import UsageError
from ...layers.normalize import normalize
from ...layers.pooling import POOLINGS
from ...ragged import TokenBatch
from ..line import Arguments
from ..reply import Reply
from ..session import Sentence, Session
from ..wording import word_of

if TYPE_CHECKING:
    from ...interpret.pooled import PooledContext
    from ...views import View

NAME = "pool"
USAGE = "/pool [mean|weighted_mean|last|max]"
SUMMARY = "compare the four poolings, or go on with another one"
DETAILS = """\
Pooling makes one vector out of the rows of all tokens: their mean, a mean in which late tokens count for more
(weighted_mean: a causal model's late tokens have seen more), the last row, or in every dimension the largest
value (max). Without a name the four are compared for the current sentence. With a name the conversation goes
on with that pooling, and the sentences kept are embedded anew; /undo goes back. A model is trained with one
of them: the others are there to compare."""
EXAMPLES = ("The cat is sleeping on the warm sofa.", "/pool", "/pool mean")
FORM = "words"
OPTIONS = ()
COMPLETES = ("pooling",)

SHORT = {"weighted": "weighted_mean"}  # what may be typed for it
COMPARED = 64  # of the sentences kept: the last ones


def run(session: Session, arguments: Arguments) -> Reply:
    """Compare the poolings, or switch to one."""
    if len(arguments.words) > 1:
        raise UsageError(f"/pool takes one name at most: {', '.join(POOLINGS)}")
    if not arguments.words:
        return _compare(session)
    typed = arguments.words[0]
    name = SHORT.get(typed.lower(), typed.lower())
    if name not in POOLINGS:
        raise UsageError(f"unknown pooling {typed!r}: use one of {', '.join(POOLINGS)}")
    return _switch(session, name)


def _switch(session: Session, name: str) -> Reply:
    from ...views import Paragraph
    from ..moves import data_of, moves_between, table_of

    before = session.encoder.settings.pooling
    data: dict[str, Any] = {"pooling": name, "was": before, "changed": name != before}
    if name == before:
        return Reply((Paragraph(f"The pooling is {name} already."),), data)
    # The stored ranges of int8 vectors belong to the pooling that they were measured with.
    settings = dataclasses.replace(session.encoder.settings, pooling=name, calibration=None)
    old, vectors = session.encoder, session.vectors  # (M, D)
    encoder = Encoder(old.model, old.tokenizer, settings, old.backend, old.path)
    session.use(encoder, undo=f"/pool {name}")
    kept = len(session.sentences)
    again = f", and the {kept} sentences kept are embedded anew" if kept > 1 else ""
    views: list[View] = [Paragraph(f"The pooling is {name} now, not {before}{again}. /undo goes back.")]
    if kept > 1:
        moves = moves_between(session.sentences, vectors, session.vectors)
        data |= data_of(moves)
        views.append(table_of(moves))
    return Reply(tuple(views), data)


def _compare(session: Session) -> Reply:
    from ...interpret import read

    text = session.current_or([], otherwise="")
    encoder = session.encoder
    seen = session.look(text)
    vectors, weights = {}, {}
    for kind in POOLINGS:
        rows, ctx = pooled_by(encoder, seen.hidden, seen.batch, kind)  # (1, D)
        vectors[kind], weights[kind] = rows[0], _weights(ctx, encoder.dimension)  # (D,), (T,)
    others = [sentence for sentence in session.sentences if sentence.text != text][-COMPARED:]
    nearest: dict[str, dict[str, Any]] = {}
    if others:
        _, batch = read(encoder, [sentence.text for sentence in others])
        hidden, _ = encoder.model.forward(batch)  # (N, D)
        for kind in POOLINGS:
            rows, _ = pooled_by(encoder, hidden, batch, kind)  # (B, D)
            nearest[kind] = _nearest(vectors[kind], rows, others)
    stacked = np.stack(list(vectors.values()))  # (4, D)
    data = {
        "text": text,
        "tokens": seen.tokens,
        "pooling": encoder.settings.pooling,
        "poolings": list(POOLINGS),
        "cosines": (stacked @ stacked.T).tolist(),
        "weights": {kind: of_tokens.tolist() for kind, of_tokens in weights.items()},
        "nearest": nearest,
        "compared_with": len(others),
        "vectors": {kind: vector.tolist() for kind, vector in vectors.items()},
    }
    return Reply(_views(data), data)


def pooled_by(
    encoder: Encoder, hidden: Array, batch: TokenBatch, kind: str
) -> tuple[np.ndarray, "PooledContext"]:
    """(N, D) -> (B, D) of length 1 on the host, and which rows went into it"""
    from ...interpret import pooled

    rows, ctx = pooled(encoder, hidden, batch, kind)  # (B, D)
    return to_numpy(normalize(rows)[0]), ctx


def _weights(ctx: "PooledContext", dimensions: int) -> np.ndarray:
    """How much each token of the one sentence counts, (N,): for max, the share of dimensions that it wins."""
    weights = np.zeros(ctx.N)  # (N,)
    rows = np.arange(ctx.N)[ctx.rows if isinstance(ctx.rows, slice) else to_numpy(ctx.rows)]  # (N',)
    if ctx.pooling.winners is None:
        weights[rows] = to_numpy(ctx.pooling.weights)[:, 0]
    elif len(rows):  # a prompt that is left out may have taken the whole text along
        won = np.bincount(to_numpy(ctx.pooling.winners)[0], minlength=len(rows))  # (N',)
        weights[rows] = won / dimensions
    return weights


def _nearest(vector: np.ndarray, rows: np.ndarray, others: Sequence[Sentence]) -> dict[str, Any]:
    """(D,), (B, D): which of B sentences is nearest."""
    cosines = rows @ vector  # (B,)
    best = int(cosines.argmax())
    return {"number": others[best].number, "text": others[best].text, "cosine": float(cosines[best])}


def _views(data: dict[str, Any]) -> "tuple[View, ...]":
    from ...views import Heading, HeatMap, Paragraph, Stack, Table

    names = data["poolings"]
    marked = [f"{name} (in use)" if name == data["pooling"] else name for name in names]
    views: list[View] = [
        Paragraph(
            "The same token rows made into one vector in four ways. First how much each token counts: for max"
            " that is in what share of the dimensions its value is the largest."
        ),
        HeatMap(
            np.array(list(data["weights"].values())).T,
            rows=[word_of(token) for token in data["tokens"]],
            columns=names,
            low=0.0,
            digits=3,
        ),
        Heading("The cosine between the four vectors"),
        HeatMap(np.array(data["cosines"]), rows=marked, columns=names, high=1.0),
    ]
    if data["nearest"]:
        rows = [
            (name, f"#{found['number']} {found['text']}", found["cosine"])
            for name, found in zip(marked, data["nearest"].values(), strict=True)
        ]
        views += [Heading("The nearest sentence"), Table(("by", "sentence", "cosine"), rows)]
        if data["compared_with"] == COMPARED:
            views.append(Paragraph(f"Compared with the last {COMPARED} sentences kept."))
    else:
        views.append(
            Paragraph("Type more sentences to see which of them each pooling holds for the nearest.")
        )
    return (Stack(*views),)
