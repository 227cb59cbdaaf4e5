"""`/grad A | B`: which tokens push two sentences together or apart."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...backend import asarray, to_numpy
from ...encoder import Encoder
from ...layers.normalize import normalize
from ...ragged import TokenBatch
from ..asking import pair_of
from ..line import Arguments, Option
from ..reply import Reply
from ..session import Session
from ..wording import listed, quoted, signed

if TYPE_CHECKING:
    from ...views import View

NAME = "grad"
USAGE = "/grad [--check] A | B"
SUMMARY = "which tokens push the similarity of two sentences up or down"
DETAILS = """\
The cosine of the two sentences is differentiated all the way back to the embedding row of every token, by
the hand-written backward. Gradient × input (Shrikumar et al. 2016, arXiv:1605.01713) is, to first order,
what the similarity would lose if the token's row shrank to nothing: above 0 the token pulls the sentences
together, below 0 it pushes them apart. Every block normalises the rows that it reads, so their length
matters little, and these numbers are small. The part of the cosine is what the token's last row puts into
it: the parts of each sentence add up to the cosine. With --check every token is really left out, one at a
time, which takes a forward pass for each. With one text it is compared with the current sentence."""
EXAMPLES = (
    "/grad The cat is sleeping | A feline is resting",
    "/grad --check A cheap flight to Rome | An expensive flight to Rome",
)
FORM = "texts"
OPTIONS = (Option("--check", "leave out every token in turn, and see what becomes of the similarity"),)
COMPLETES = "sentence"

WORTH_A_WORD = 3  # tokens named in each direction
WORTH = 0.2  # of the largest score: less is not named
FLAT = 1e-4  # all scores below it: no token is named
MOVES = 0.002  # of the cosine, when a token is left out: less is not told


def run(session: Session, arguments: Arguments) -> Reply:
    """Ask every token of both sentences what it does to their similarity."""
    from ...interpret import similarity_gradient

    a, b = pair_of(session, arguments.texts, "grad")
    found = similarity_gradient(session.encoder, a, b)
    scores = to_numpy(found.scores)  # (N,)
    norms = np.linalg.norm(to_numpy(found.gradient), axis=1)  # (N,)
    parts = parts_of_cosine(session.encoder, a, b)  # (N,)
    without = _without_each(session.encoder, a, b) if arguments.options["check"] else None  # (N,)
    split = len(found.look_a.ids)
    sides = []
    for look, rows in ((found.look_a, slice(0, split)), (found.look_b, slice(split, None))):
        side = {
            "text": look.text,
            "tokens": look.tokens,
            "ids": look.ids,
            "scores": scores[rows].tolist(),
            "gradient_norms": norms[rows].tolist(),
            "parts": parts[rows].tolist(),
            "sum": float(scores[rows].sum()),
        }
        if without is not None:
            side["similarity_without"] = without[rows].tolist()
        sides.append(side)
    data = {"similarity": found.similarity, "sum": float(scores.sum()), "a": sides[0], "b": sides[1]}
    return Reply(_views(data), data)


def parts_of_cosine(encoder: Encoder, a: str, b: str) -> np.ndarray:
    """What each token's last row puts into the cosine of two texts: (T_a + T_b,).

        u · v = Σ_t part_t        part_t = x_t · (∂ pooled / ∂ x_t)ᵀ v / ‖pooled‖

    for the tokens of either text by itself: every pooling gives back its vector if each row is multiplied by
    what it hears of it.
    """
    from ...interpret import pooled, pooled_backward, read

    _, batch = read(encoder, [a, b])
    hidden, _ = encoder.model.forward(batch)  # (N, D)
    vectors, ctx = pooled(encoder, hidden, batch)  # (2, D)
    unit, _ = normalize(vectors)  # (2, D)
    norms = (unit * vectors).sum(axis=1, keepdims=True)  # (2, 1)
    dvectors = unit[::-1] / (norms + (norms == 0.0))  # (2, D)  u · v = pooled · v / ‖pooled‖
    return to_numpy((pooled_backward(dvectors, ctx) * hidden).sum(axis=1))  # (N,)


def _without_each(encoder: Encoder, a: str, b: str) -> np.ndarray:
    """The cosine of the two texts with one token left out, for each token in turn: (T_a + T_b,)"""
    from ...interpret import pooled, read

    readings, whole = read(encoder, [a, b])
    ids = [reading.ids for reading in readings]
    shorter = [side[:t] + side[t + 1 :] for side in ids for t in range(len(side))]  # N lists
    hidden, _ = encoder.model.forward(whole)
    unit, _ = normalize(pooled(encoder, hidden, whole)[0])  # (2, D)
    batch = TokenBatch(shorter, encoder.backend.xp)
    hidden, _ = encoder.model.forward(batch)
    vectors, _ = pooled(encoder, hidden, batch)  # (N, D)
    skipped = 0 if encoder.settings.include_prompt else encoder.token_ids([])[1]
    if skipped:  # without one of its tokens the prompt is shorter, and one row less stays out of the pooling
        of_prompt = [t < skipped for side in ids for t in range(len(side))]  # N
        shorter_prompt, _ = pooled(encoder, hidden, batch, skipped=skipped - 1)  # (N, D)
        vectors = encoder.backend.xp.where(
            asarray(of_prompt, encoder.backend.xp)[:, None], shorter_prompt, vectors
        )
    altered, _ = normalize(vectors)  # (N, D)
    T_a = len(ids[0])
    return np.concatenate([to_numpy(altered[:T_a] @ unit[1]), to_numpy(altered[T_a:] @ unit[0])])  # (N,)


def _views(data: dict[str, Any]) -> "tuple[View, ...]":
    from ...views import Heading, Paragraph, Stack, Table, TokenChips

    views: list[View] = [
        Paragraph(
            f"Their cosine is {data['similarity']:.3f}. Below each token stands gradient × input: above 0 it"
            f" pulls the sentences together, below 0 it pushes them apart."
        )
    ]
    rows = []
    checked = "similarity_without" in data["a"]
    columns = {"scores": "grad × input", "gradient_norms": "grad length", "parts": "part of cosine"}
    if checked:
        columns["similarity_without"] = "cosine without"
    for letter in "ab":
        side = data[letter]
        views += [
            Heading(letter.upper(), f"all together {signed(side['sum'])}"),
            TokenChips(side["tokens"], weights=np.array(side["scores"])),
        ]
        for t, token in enumerate(side["tokens"]):
            rows.append((letter.upper(), quoted(token), *(round(side[name][t], 4) for name in columns)))
    views += [Paragraph(_reading(data)), Table(("in", "token", *columns.values()), rows)]
    if not checked:
        views.append(
            Paragraph(
                "For each sentence the parts add up to the cosine. A gradient speaks of small changes only:"
                " /grad --check leaves every token out, to see what really happens."
            )
        )
    return (Stack(*views),)


def _reading(data: dict[str, Any]) -> str:
    """Which tokens do most in each direction, and what the sum means."""
    scored = [
        (score, f"{quoted(token)} in {letter.upper()}")
        for letter in "ab"
        for token, score in zip(data[letter]["tokens"], data[letter]["scores"], strict=True)
    ]
    scored.sort(key=lambda pair: -abs(pair[0]))
    largest = abs(scored[0][0])
    told = ["No token stands out: all slopes are about 0."] if largest < FLAT else []
    for sign, does in ((1, "Together"), (-1, "Apart")) if not told else ():
        names = [name for score, name in scored if sign * score > WORTH * largest][:WORTH_A_WORD]
        if names:
            told.append(f"{does}: {listed(names)}.")
    told.append(
        f"All tokens add up to {signed(data['sum'])}: if every row grew by 1%, the cosine would change by"
        f" {signed(data['sum'] / 100, 5)}."
    )
    told += [_most(data, letter) for letter in "ab"]
    return " ".join(told)


def _most(data: dict[str, Any], letter: str) -> str:
    """The token of a sentence that has the largest part in the cosine, or what leaving one out does to it."""
    side, before = data[letter], data["similarity"]
    if "similarity_without" not in side:
        t = int(np.argmax(side["parts"]))
        part = side["parts"][t]
        return f"The largest part in {letter.upper()} has {quoted(side['tokens'][t])} with {part:.3f}."
    values = np.array(side["similarity_without"])  # (T,)
    told = []
    for t, does in ((int(values.argmin()), "falls"), (int(values.argmax()), "rises")):
        if (values[t] < before) == (does == "falls") and abs(values[t] - before) > MOVES:
            told.append(f"without {quoted(side['tokens'][t])} it {does} to {values[t]:.3f}")
    if not told:
        return f"In {letter.upper()} no token by itself moves the cosine."
    return f"In {letter.upper()}, {listed(told)}."
