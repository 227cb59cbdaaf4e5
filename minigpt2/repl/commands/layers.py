"""`/layers [A | B]`: how a sentence's vector comes about, layer by layer."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...backend import to_numpy
from ...errors import UsageError
from ..line import Arguments
from ..reply import Reply
from ..session import Session

if TYPE_CHECKING:
    from ...views import View

NAME = "layers"
USAGE = "/layers [A | B]"
SUMMARY = "how a sentence's vector moves from layer to layer"
DETAILS = """\
After every layer the token rows are pooled as if the model ended there. For one sentence: how far each layer
turns that vector (its cosine with the one before), and how near it is to the last one. For two sentences:
how alike they are at every layer. The line `unrelated` is the mean cosine of six unrelated sentences: where
it is high all vectors crowd into a narrow cone (anisotropy, Ethayarajh 2019, arXiv:1909.00512), and a high
cosine there says little."""
EXAMPLES = (
    "The cat is sleeping on the warm sofa.",
    "/layers",
    "/layers The cat is sleeping | A feline is resting",
)
FORM = "texts"
OPTIONS = ()
COMPLETES = "sentence"

# About nothing that they share; what they have in common at a layer, any two sentences have.
UNRELATED = (
    "The cat is sleeping on the sofa.",
    "The central bank raised interest rates again.",
    "How do I install a new kitchen sink?",
    "Volcanoes formed these islands long ago.",
    "She won the chess tournament in Vienna.",
    "Please send the invoice before Friday.",
)
NARROW = 0.3  # of the mean cosine of unrelated sentences: a cone worth a word


def run(session: Session, arguments: Arguments) -> Reply:
    """Follow one sentence, or two, through the layers."""
    from ...interpret import layer_vectors, read

    if len(arguments.texts) > 2:
        raise UsageError("/layers takes one sentence or two: /layers A | B")
    if len(arguments.texts) == 2:
        texts = [session.text_of(text) for text in arguments.texts]
    else:
        texts = [session.current_or(arguments.texts)]
    encoder = session.encoder
    _, batch = read(encoder, [*texts, *UNRELATED])
    vectors = to_numpy(layer_vectors(encoder, batch, normalized=False)).astype(np.float64)  # (L+1, B, D)
    norms = np.linalg.norm(vectors, axis=2)  # (L+1, B)
    units = vectors / np.where(norms > 0.0, norms, 1.0)[..., None]  # (L+1, B, D)
    first, last = len(texts), units[-1]
    names = ["embeddings", *(f"layer {i}" for i in range(encoder.model.config.L))]
    names[-1] += " + ln_f"
    data: dict[str, Any] = {
        "texts": texts,
        "layers": names,
        "norms": norms[:, :first].T.tolist(),
        "cosine_before": [[None, *_cosines(units[1:, b], units[:-1, b])] for b in range(first)],
        "cosine_last": [_cosines(units[:, b], last[b]) for b in range(first)],
        "unrelated": [_mean_cosine(of_layer[first:]) for of_layer in units],
    }
    if len(texts) == 2:
        data["similarity"] = _cosines(units[:, 0], units[:, 1])
        return Reply(_views_of_two(data), data)
    return Reply(_views_of_one(data), data)


def _cosines(a: np.ndarray, b: np.ndarray) -> list[float]:
    """Rows of length 1: (n, D), (n, D) or (D,) -> n numbers"""
    return (a * b).sum(axis=1).tolist()


def _mean_cosine(units: np.ndarray) -> float:
    """The mean over all pairs of different rows: (n, D) -> a number"""
    n = len(units)
    return float(((units @ units.T).sum() - (units * units).sum()) / (n * (n - 1)))


def _short(names: list[str]) -> list[str]:
    """Names for the axis of a chart: emb, 0, 1, …"""
    return ["emb", *(str(i) for i in range(len(names) - 1))]


def _views_of_one(data: dict[str, Any]) -> "tuple[View, ...]":
    from ...views import Lines, Paragraph, Stack, Table

    before, last = data["cosine_before"][0], data["cosine_last"][0]
    turns = [1.0 - cosine for cosine in before[1:]]
    largest = int(np.argmax(turns)) + 1
    rows = list(zip(data["layers"], before, last, data["norms"][0], data["unrelated"], strict=True))
    return (
        Stack(
            Paragraph(
                "Each row pools the sentence as if the model ended there. A cosine of 1 with the row before "
                "means that the layer did not turn the vector; the last row is what the encoder gives; "
                "`unrelated` is the cosine that unrelated sentences have at that place."
            ),
            Table(("after", "with the row before", "with the last", "length", "unrelated"), rows),
            Lines(
                {"with the row before": np.array([np.nan, *before[1:]]), "with the last": np.array(last)},
                x=_short(data["layers"]),
                y_label="cosine",
                high=1.0,
            ),
            Paragraph(
                f"The vector turns most at {_place(data['layers'][largest])} (cosine {before[largest]:.2f})."
                f" {_anisotropy(data)}"
            ),
        ),
    )


def _views_of_two(data: dict[str, Any]) -> "tuple[View, ...]":
    from ...views import Lines, Paragraph, Stack, Table

    similarity, unrelated = data["similarity"], data["unrelated"]
    margins = [a - b for a, b in zip(similarity, unrelated, strict=True)]
    rows = list(
        zip(
            data["layers"],
            similarity,
            unrelated,
            margins,
            [None, *np.diff(similarity).tolist()],
            strict=True,
        )
    )
    return (
        Stack(
            Paragraph(
                "How alike the two are after each layer. Only what lies above the line of unrelated sentences"
                " says that they have something to do with each other."
            ),
            Lines(
                {"A and B": np.array(similarity), "unrelated sentences": np.array(unrelated)},
                x=_short(data["layers"]),
                y_label="cosine",
            ),
            Table(("after", "A and B", "unrelated", "difference", "change"), rows),
            Paragraph(f"They end at {similarity[-1]:.3f}, {_compared(margins[-1])}. {_anisotropy(data)}"),
        ),
    )


def _compared(margin: float) -> str:
    if abs(margin) < 0.05:
        return "as any two unrelated sentences do"
    return f"{abs(margin):.2f} {'above' if margin > 0 else 'below'} unrelated sentences"


def _place(layer: str) -> str:
    """A layer inside a sentence."""
    return "the embeddings" if layer == "embeddings" else layer


def _anisotropy(data: dict[str, Any]) -> str:
    """Where all vectors point into one narrow cone, said plainly."""
    unrelated = data["unrelated"]
    worst = int(np.argmax(unrelated))
    if unrelated[worst] < NARROW:
        return "At no layer do unrelated sentences look alike: there is no narrow cone."
    where, cosine = _place(data["layers"][worst]), unrelated[worst]
    told = (
        f"At {where} even unrelated sentences have a cosine of {cosine:.2f}: all vectors lie in a narrow cone"
    )
    told += " (anisotropy), and a high cosine there says little."
    if unrelated[-1] < NARROW:
        return f"{told} At the end the cone is open: {unrelated[-1]:.2f}."
    return f"{told} At the end it is still {unrelated[-1]:.2f}: compare cosines with each other, not with 1."
