"""`/grad A | B`: which tokens push two sentences together or apart."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...backend import to_numpy
from ..asking import pair_of
from ..line import Arguments
from ..reply import Reply
from ..session import Session
from ..wording import listed, quoted, signed

if TYPE_CHECKING:
    from ...views import View

NAME = "grad"
USAGE = "/grad A | B"
SUMMARY = "which tokens push the similarity of two sentences up or down"
DETAILS = """\
The cosine of the two sentences is differentiated all the way back to the embedding row of every token, by the
hand-written backward. A token's score is gradient × input (Shrikumar et al. 2016, arXiv:1605.01713): to first
order, what the similarity would lose if the token's row shrank to nothing. Above 0 it pulls the sentences
together, below 0 it pushes them apart. The length of the gradient says how sensitive the similarity is to the
token, in whatever direction. With one text it is compared with the current sentence."""
EXAMPLES = ("/grad The cat is sleeping | A feline is resting", "/grad A cheap flight to Rome | An expensive flight to Rome")
FORM = "texts"
OPTIONS = ()
COMPLETES = "sentence"

WORTH_A_WORD = 3  # tokens named in each direction


def run(session: Session, arguments: Arguments) -> Reply:
    """Ask every token of both sentences what it does to their similarity."""
    from ...interpret import similarity_gradient

    a, b = pair_of(session, arguments.texts, "grad")
    found = similarity_gradient(session.encoder, a, b)
    norms = np.linalg.norm(to_numpy(found.gradient), axis=1)  # (N,)
    scores = to_numpy(found.scores)  # (N,)
    split = len(found.look_a.ids)
    sides = []
    for look, rows in ((found.look_a, slice(0, split)), (found.look_b, slice(split, None))):
        sides.append(
            {
                "text": look.text,
                "tokens": look.tokens,
                "ids": look.ids,
                "scores": scores[rows].tolist(),
                "gradient_norms": norms[rows].tolist(),
                "sum": float(scores[rows].sum()),
            }
        )
    data = {"similarity": found.similarity, "sum": float(scores.sum()), "a": sides[0], "b": sides[1]}
    return Reply(_views(data), data)


def _views(data: dict[str, Any]) -> "tuple[View, ...]":
    from ...views import Heading, Paragraph, Stack, Table, TokenChips

    views: list[View] = [
        Paragraph(
            f"Their cosine is {data['similarity']:.3f}. The number below a token: above 0 (orange) it pulls the"
            f" sentences together, below 0 (blue) it pushes them apart."
        )
    ]
    both = np.array([*data["a"]["scores"], *data["b"]["scores"]])
    largest = float(np.abs(both).max(initial=0.0))
    for letter in "ab":
        side = data[letter]
        views += [
            Heading(letter.upper(), f"gradient × input, in all {signed(side['sum'])}"),
            TokenChips(side["tokens"], weights=np.array(side["scores"])),
        ]
    rows = []
    for letter in "ab":
        side = data[letter]
        for token, score, norm in zip(side["tokens"], side["scores"], side["gradient_norms"], strict=True):
            rows.append((letter.upper(), quoted(token), score, norm))
    rows.sort(key=lambda row: -abs(row[2]))
    views.append(Table(("", "token", "gradient × input", "length of the gradient"), rows[:12]))
    views.append(Paragraph(_reading(data, largest)))
    return (Stack(*views),)


def _reading(data: dict[str, Any], largest: float) -> str:
    """Which tokens do most in each direction, and what the sum means."""
    scored = [
        (score, f"{quoted(token)} in {letter.upper()}")
        for letter in "ab"
        for token, score in zip(data[letter]["tokens"], data[letter]["scores"], strict=True)
    ]
    scored.sort(key=lambda pair: -abs(pair[0]))
    told = []
    for sign, does in ((1, "Together"), (-1, "Apart")):
        names = [name for score, name in scored if sign * score > 0.2 * largest][:WORTH_A_WORD]
        if names:
            told.append(f"{does}: {listed(names)}.")
    told.append(
        f"The sum of all is {signed(data['sum'])}: to first order, if every token's row became 1 % longer, the"
        f" cosine would change by {signed(data['sum'] / 100, 5)}."
    )
    return " ".join(told)
