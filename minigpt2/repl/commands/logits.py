"""`/logits [TEXT]`: what the language-model head would say next."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...backend import to_numpy
from ..asking import count_option
from ..line import Arguments, Option
from ..reply import Reply
from ..session import Session
from ..wording import quoted

if TYPE_CHECKING:
    from ...views import View

NAME = "logits"
USAGE = "/logits [--k N] [--all] [TEXT]"
SUMMARY = "what the language-model head guesses to come next"
DETAILS = """\
The head compares the last token's row with every row of the token table; a softmax turns the V scores into
probabilities. The loss is the mean surprise, -ln p, at the tokens that really came; a head that knows nothing
has ln V. With --all: after every token, what came, its probability, and how many tokens the head held for more
probable. A model that was trained to embed alone has never been asked to guess, and shows it."""
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
    ln_v = float(np.log(encoder.model.config.V))
    told = surprise(look) if len(look.ids) > 1 else None
    data: dict[str, Any] = {
        "text": look.text,
        "tokens": look.tokens,
        "ids": look.ids,
        "next": [
            {"id": id, "token": token_text(encoder.tokenizer, id), "probability": p}
            for id, p in zip(ids, probabilities, strict=True)
        ],
        "loss": told.loss if told else None,
        "ln_v": ln_v,
        "surprise": to_numpy(told.each).tolist() if told else [],
    }
    if arguments.options["all"]:
        data["came"] = _came(session, look, data["surprise"])
    return Reply(_views(data, encoder.model.config.V), data)


def _came(session: Session, look: Any, surprise: list[float]) -> list[dict[str, Any]]:
    """For each token but the first: what came, how probable it was, and its rank from 1."""
    from ...interpret import next_tokens, token_text

    model = session.encoder.model
    logits = to_numpy(model.logits(look.hidden[:-1])[0])  # (T−1, V)
    came = np.array(look.ids[1:])  # (T−1,)
    of_came = logits[np.arange(len(came)), came]  # (T−1,)
    ranks = (logits > of_came[:, None]).sum(axis=1) + 1  # (T−1,)
    found = []
    for t, nats in enumerate(surprise):
        guess = int(to_numpy(next_tokens(model, look, 1, row=t).ids)[0])
        found.append(
            {
                "after": look.tokens[t],
                "token": look.tokens[t + 1],
                "probability": float(np.exp(-nats)),
                "rank": int(ranks[t]),
                "best": token_text(session.encoder.tokenizer, guess),
            }
        )
    return found


def _views(data: dict[str, Any], V: int) -> "tuple[View, ...]":
    from ...views import Bars, Heading, Paragraph, Stack, Table

    views: list[View] = [Paragraph(_reading(data, V))]
    if data.get("came"):
        rows = [
            (one["after"], one["token"], one["probability"], one["rank"], one["best"]) for one in data["came"]
        ]
        views += [
            Heading("After every token", f"rank 1 is the best of {V:,} guesses"),
            Table(("after", "came", "probability", "rank", "best guess"), [(quoted(a), quoted(b), *c, quoted(d)) for a, b, *c, d in rows]),
        ]
    last = quoted(data["tokens"][-1])
    views += [
        Heading(f"What may come after {last}", "probability of each token"),
        Bars([quoted(one["token"]) for one in data["next"]], np.array([one["probability"] for one in data["next"]]), low=0.0, digits=4),
    ]
    return (Stack(*views),)


def _reading(data: dict[str, Any], V: int) -> str:
    """The loss beside ln V, and what that says of the head."""
    loss, ln_v = data["loss"], data["ln_v"]
    head = "The bars are probabilities of the next token, the best guesses first."
    if loss is None:
        return f"{head} One token has no token before it, so there is no loss to judge them by."
    told = f"On this text the head loses {loss:.2f} nats a token; guessing blindly among {V:,} tokens loses"
    told += f" ln V = {ln_v:.2f}."
    if loss < TRAINED * ln_v:
        return f"{head} {told} So it has learned to guess: on average as if among {np.exp(loss):,.0f} tokens."
    if loss < UNTRAINED * ln_v:
        return f"{head} {told} That is little better than blind: take the guesses for what they are."
    return (
        f"{head} {told} So it knows no more than chance of what comes next, and the guesses below mean"
        f" nothing: this head has not been trained to guess, as in a model that was trained to embed alone."
    )
