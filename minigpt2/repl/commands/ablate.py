"""`/ablate [layer.head] [A | B]`: what a head contributes."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ...backend import to_numpy
from ...errors import UsageError
from ..asking import names_a_part, numbers_of
from ..line import Arguments
from ..reply import Reply
from ..session import Session
from ..wording import signed

if TYPE_CHECKING:
    from ...views import View

NAME = "ablate"
USAGE = "/ablate [LAYER.HEAD] [A | B]"
SUMMARY = "what a head contributes: the sentence's vector without it"
DETAILS = """\
The forward pass runs again with what one head adds to the residual stream left out (Michel, Levy, Neubig
2019, arXiv:1905.10650). How far the sentence's vector moves, 1 - cosine, is how much the head matters here;
with two sentences also how their similarity changes. Without LAYER.HEAD every head is left out in turn. The
model itself is never changed. A text that begins with a number such as 3.1 goes by its own number, #2."""
EXAMPLES = (
    "The cat is sleeping on the warm sofa.",
    "/ablate",
    "/ablate 3.1",
    "/ablate 3.1 The cat is sleeping | A feline is resting",
)
FORM = "texts"
OPTIONS = ()
COMPLETES = ("layer.head", "sentence")

NAMED = 3  # heads named in words


def run(session: Session, arguments: Arguments) -> Reply:
    """Leave out one head, or each in turn."""
    from ...interpret import ablate_every_head, ablate_head

    config = session.encoder.model.config
    texts = list(arguments.texts)
    part = None
    if texts:
        first, _, rest = texts[0].partition(" ")
        alone = not rest and len(texts) == 1
        if names_a_part(first) or (alone and re.fullmatch(r"[\d.]*\d[\d.]*", first)):
            part = numbers_of(first, config.L, config.H, "head")
            texts = [rest.strip(), *texts[1:]] if rest.strip() or len(texts) > 1 else []
    if len(texts) > 2:
        raise UsageError("/ablate takes one sentence or two: /ablate LAYER.HEAD A | B")
    texts = [session.text_of(text) for text in texts] or [session.current_or([])]
    whole = to_numpy(session.encoder.encode(texts, normalize_embeddings=True)).astype(np.float64)  # (B, D)
    if part is None:
        without = to_numpy(ablate_every_head(session.encoder, texts))  # (L, H, B, D)
    else:
        without = to_numpy(ablate_head(session.encoder, texts, *part))[None, None]  # (1, 1, B, D)
    without = without.astype(np.float64)
    without /= np.maximum(np.linalg.norm(without, axis=-1, keepdims=True), 1e-30)
    moved = 1.0 - (without * whole).sum(axis=-1)  # (L, H, B)
    moved[..., ~whole.any(axis=1)] = 0.0  # a zero vector has no direction that could turn
    data: dict[str, Any] = {"texts": texts}
    if part is not None:
        data |= {"layer": part[0], "head": part[1], "moved": moved[0, 0].tolist()}
    else:
        data |= {"moved": np.moveaxis(moved, 2, 0).tolist()}  # B × L × H
    if len(texts) == 2:
        before = float(whole[0] @ whole[1])
        after = (without[..., 0, :] * without[..., 1, :]).sum(axis=-1)  # (L, H)
        data |= {"similarity": before, "without": after.tolist() if part is None else float(after[0, 0])}
    return Reply(_views_of_one(data) if part is not None else _views_of_all(data), data)


def _views_of_one(data: dict[str, Any]) -> "tuple[View, ...]":
    from ...views import Paragraph, Stack, Table

    head = f"head {data['head']} of layer {data['layer']}"
    rows = [
        (text, round(moved, 4), size_of(moved))
        for text, moved in zip(data["texts"], data["moved"], strict=True)
    ]
    views: list[View] = [
        Paragraph(
            f"The vector without what {head} adds: 1 - cosine with the whole model's is 0 if the head does"
            f" nothing here and 1 if the vector turns by a right angle."
        ),
        Table(("sentence", "1 - cosine", "so the vector"), rows),
    ]
    if "similarity" in data:
        before, after = data["similarity"], data["without"]
        does = "makes the two more alike" if after < before else "tells the two apart"
        if abs(after - before) < 0.0005:
            does = "does nothing for their similarity"
        views.append(
            Paragraph(
                f"Their similarity is {before:.3f} with it and {after:.3f} without it"
                f" ({signed(after - before)}): the head {does}."
            )
        )
    return (Stack(*views),)


def size_of(moved: float) -> str:
    if moved < 0.001:
        return "does not notice"
    if moved < 0.01:
        return "hardly moves"
    return "moves a little" if moved < 0.05 else "moves much"


def _views_of_all(data: dict[str, Any]) -> "tuple[View, ...]":
    from ...views import Heading, HeatMap, Paragraph, Stack

    moved = np.array(data["moved"])  # (B, L, H)
    B, L, H = moved.shape
    rows, columns = [f"layer {i}" for i in range(L)], [f"head {h}" for h in range(H)]
    mean = moved.mean(axis=0)  # (L, H)
    whose = "the sentence's vector moves" if B == 1 else "the two vectors move on average"
    views: list[View] = [
        Paragraph(
            f"How far {whose} (1 - cosine) if one head is left out: the higher the number, the more the head"
            f" matters here; those near 0 could be spared."
        ),
        HeatMap(mean, rows=rows, columns=columns, low=0.0, digits=4),
        Paragraph(_ranking(mean)),
    ]
    if "similarity" in data:
        change = np.array(data["without"]) - data["similarity"]  # (L, H)
        views += [
            Heading(
                "Change of their similarity without the head", f"with all heads {data['similarity']:.3f}"
            ),
            HeatMap(change, rows=rows, columns=columns, diverging=True, digits=3),
            Paragraph("Below 0 the head made the two more alike, above 0 it told them apart."),
        ]
    return (Stack(*views),)


def _ranking(mean: np.ndarray) -> str:
    """(L, H): which heads matter most, and how many hardly matter at all."""
    order = np.argsort(-mean, axis=None, kind="stable")[:NAMED]
    H = mean.shape[1]
    most = ", ".join(f"{at // H}.{at % H} ({mean.flat[at]:.4f})" for at in order.tolist())
    spared = int((mean < 0.01).sum())
    told = f"Most by {most}."
    if spared:
        told += f" {spared} of {mean.size} heads move it by less than 0.01."
    return f"{told} /ablate {order[0] // H}.{order[0] % H} shows one."
