"""`/logits [TEXT]`: what the language-model head would say next."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...backend import to_numpy
from ..asking import count_option
from ..line import Arguments, Option
from ..reply import Reply
from ..session import Session
from ..wording import quoted

if TYPE_CHECKING:
    from ...interpret import Look
    from ...views import View

NAME = "logits"
USAGE = "/logits [--k N] [--all] [TEXT]"
SUMMARY = "what the language-model head guesses to come next"
DETAILS = """\
The head compares the last token's row with every row of the token table; a softmax turns the V scores into
probabilities. The loss is the mean surprise, -ln p, at the tokens that really came; a head that knows nothing
has ln V. With --all: after every token, what came, its probability, and its rank among the guesses. A model
that was trained to embed alone has never been asked to guess, and shows it; where attention is bidirectional
the loss says nothing, since every token has seen the one that came."""
EXAMPLES = ("/logits The cat sat on the", "/logits --all The cat sat on the mat")
FORM = "text"
OPTIONS = (
    count_option("guesses"),
    Option("--all", "after every token, the rank of the token that came"),
)
COMPLETES = "sentence"

GUESSES = 10
TRAINED, UNTRAINED = 0.75, 0.95  # of ln V: a loss below the first is a guess, above the second is none


def run(session: Session, arguments: Arguments) -> Reply:
    """Guess the next token, or look at every guess on the way."""
    from ...interpret import next_tokens, surprise, token_text

    look = session.look(session.current_or(arguments.texts))
    encoder = session.encoder
    k = min(arguments.options["k"] or GUESSES, encoder.model.config.V)
    best = next_tokens(encoder.model, look, k)
    ids, probabilities = to_numpy(best.ids).tolist(), to_numpy(best.probabilities).tolist()
    ln_v = math.log(encoder.model.config.V)
    told = surprise(look) if len(look.ids) > 1 else None
    data: dict[str, Any] = {
        "text": look.text,
        "tokens": look.tokens,
        "ids": look.ids,
        "causal": encoder.model.config.causal,
        "next": [
            {"id": id, "token": token_text(encoder.tokenizer, id), "probability": p}
            for id, p in zip(ids, probabilities, strict=True)
        ],
        "loss": told.loss if told else None,
        "ln_v": ln_v,
        "surprise": to_numpy(told.each).tolist() if told else [],
    }
    if arguments.options["all"]:
        data["came"] = _came(look, data["surprise"])
    return Reply(_views(data, encoder.model.config.V), data)


def _came(look: "Look", surprise: list[float]) -> list[dict[str, Any]]:
    """For each token but the first: what came, how probable it was, its rank from 1, and the best guess."""
    from ...interpret import token_text

    logits, _ = look.encoder.model.logits(look.hidden[:-1])  # (T−1, V)
    came = look.batch.ids[1:]  # (T−1,)
    of_came = logits[look.batch.positions[:-1], came]  # (T−1,)
    ranks = to_numpy((logits > of_came[:, None]).sum(axis=1) + 1).tolist()  # (T−1,)
    best = to_numpy(logits.argmax(axis=1)).tolist()  # (T−1,)
    return [
        {
            "after": look.tokens[t],
            "token": look.tokens[t + 1],
            "probability": math.exp(-nats),
            "rank": ranks[t],
            "best": token_text(look.encoder.tokenizer, best[t]),
        }
        for t, nats in enumerate(surprise)
    ]


def _views(data: dict[str, Any], V: int) -> "tuple[View, ...]":
    from ...views import Bars, Heading, Paragraph, Stack, Table

    views: list[View] = [Paragraph(reading(data, V))]
    if data.get("came"):
        rows = [
            (
                quoted(one["after"]),
                quoted(one["token"]),
                100 * one["probability"],
                one["rank"],
                quoted(one["best"]),
            )
            for one in data["came"]
        ]
        views += [
            Heading("After every token", f"rank 1 is the best of {V:,} guesses"),
            Table(
                ("after", "came", "probability, %", "rank", "best guess"),
                rows,
            ),
        ]
    guesses = data["next"]
    views += [
        Heading(f"What may come after {quoted(data['tokens'][-1])}", "probability, %"),
        Bars(
            [quoted(guess["token"]) for guess in guesses],
            np.array([100 * guess["probability"] for guess in guesses]),
            low=0.0,
            digits=_decimals(100 * guesses[0]["probability"]),
        ),
    ]
    return (Stack(*views),)


def _decimals(percent: float) -> int:
    """How many show three digits that count, from 1 to 6."""
    return min(6, max(1, 2 - math.floor(math.log10(percent)))) if percent > 0.0 else 1


def reading(data: dict[str, Any], V: int) -> str:
    """The loss beside ln V, and what that says of the head."""
    loss, ln_v = data["loss"], data["ln_v"]
    head = "The bars say how probable the head holds each token to come next."
    if loss is None:
        return f"{head} One token has no token before it, so there is no loss to judge them by."
    if not data["causal"]:
        return (
            f"{head} But here every token has seen the one behind it and need not guess what came: the loss,"
            f" {loss:.2f} nats a token beside ln V = {ln_v:.2f}, does not tell what the head has learned."
        )
    told = f"On this text the head loses {loss:.2f} nats a token; guessing blindly among {V:,} tokens loses"
    told += f" ln V = {ln_v:.2f}."
    if loss < TRAINED * ln_v:
        return (
            f"{head} {told} So it has learned to guess: on average as if among {math.exp(loss):,.0f} tokens."
        )
    if loss < UNTRAINED * ln_v:
        return f"{head} {told} That is little better than blind: take the guesses for what they are."
    return (
        f"{head} {told} So it knows no more than chance of what comes next, and the guesses below mean"
        f" nothing: this head has not been trained to guess, as in a model that was trained to embed alone."
    )
