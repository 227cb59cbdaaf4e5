"""`/neurons [layer[.neuron]]`: which neurons of the MLPs a sentence excites."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...backend import to_numpy
from ...encoder import BATCH_TOKENS, batches_by_length
from ...errors import UsageError
from ...ragged import TokenBatch
from ..asking import OF, count_option, layer_number, look_of, names_a_part, numbers_of
from ..line import Arguments, Option
from ..reply import Reply
from ..session import Session
from ..wording import counted, quoted

if TYPE_CHECKING:
    from ...interpret import Look
    from ...views import View

NAME = "neurons"
USAGE = '/neurons [LAYER[.NEURON]] [--k N] [--kept] [--of "TEXT"]'
SUMMARY = "the MLP neurons that a sentence excites, and by which tokens"
DETAILS = """\
A block's MLP reads each token with F neurons; each has one number a token, after GELU: about 0 is silent, and
the more, the louder it adds its own direction to the token's row. Shown are those with the highest value,
each with the token that set it off. `/neurons 2.77` shows what neuron 77 of layer 2 says at every token, and
with --kept also which tokens of all kept sentences set it off most: after a /load that says much about it."""
EXAMPLES = ("The cat is sleeping on the warm sofa.", "/neurons", "/neurons 3 --k 5", "/neurons 3.430 --kept")
FORM = "words"
OPTIONS = (
    count_option("neurons, or with --kept tokens"),
    Option("--kept", "for one neuron: the tokens of the kept sentences that set it off most"),
    OF,
)
COMPLETES = ("layer",)

STRONGEST = 10
LOUD = 0.5  # of a neuron's highest value: other tokens that set it off too


def run(session: Session, arguments: Arguments) -> Reply:
    """Show the strongest neurons, or one neuron over the tokens."""
    config = session.encoder.model.config
    k, kept = arguments.options["k"], arguments.options["kept"]
    if len(arguments.words) > 1:
        raise UsageError(
            "/neurons takes a layer or LAYER.NEURON: a text stands behind --of, in quotation marks"
        )
    word = arguments.words[0] if arguments.words else None
    if word is not None and names_a_part(word):
        if k is not None and not kept:
            raise UsageError(f"/neurons: --k says how many neurons, but {word} is one: leave one of them out")
        place = numbers_of(word, config.L, config.F, "neuron")
        look = look_of(session, arguments.options["of"])
        return _one(look, *place, over_kept(session, *place, k or STRONGEST) if kept else None)
    if kept:
        raise UsageError("/neurons: --kept asks about one neuron: /neurons LAYER.NEURON --kept")
    layer = None if word is None else layer_number(word, config.L)
    return _strongest(look_of(session, arguments.options["of"]), layer, k or STRONGEST)


def over_kept(session: Session, layer: int, neuron: int, k: int) -> list[dict[str, Any]]:
    """Of every kept sentence the token that sets a neuron off most, the k highest."""
    from ...interpret import read

    encoder, sentences = session.encoder, session.sentences
    readings, _ = read(encoder, [sentence.text for sentence in sentences])
    found = []
    budget = BATCH_TOKENS[encoder.backend.device]
    for rows in batches_by_length([len(reading.ids) for reading in readings], len(readings), budget):
        batch = TokenBatch([readings[row].ids for row in rows], encoder.backend.xp)
        _, cache = encoder.model.run_with_cache(batch)
        values = to_numpy(cache[f"blocks.{layer}.mlp.post"][:, neuron])  # (N,)
        for place, row in enumerate(rows):
            of_sentence = values[batch.offsets[place] : batch.offsets[place + 1]]  # (T,)
            t = int(of_sentence.argmax())
            sentence, token = sentences[row], readings[row].tokens[t]
            found.append(
                {
                    "number": sentence.number,
                    "text": sentence.text,
                    "position": t,
                    "token": token,
                    "value": float(of_sentence[t]),
                }
            )
    return sorted(found, key=lambda one: (-one["value"], one["number"]))[:k]


def _one(look: "Look", layer: int, neuron: int, kept: list[dict[str, Any]] | None) -> Reply:
    from ...interpret import neuron_tokens
    from ...views import Heading, Paragraph, Stack, Table, TokenChips

    values = to_numpy(neuron_tokens(look, layer, neuron))  # (T,)
    data = {
        "text": look.text,
        "tokens": look.tokens,
        "ids": look.ids,
        "layer": layer,
        "neuron": neuron,
        "values": values.tolist(),
    }
    best = int(values.argmax())
    if values[best] > 0.0:
        said = f"Loudest at {quoted(look.tokens[best])}, token {best}: {values[best]:.2f}."
    else:
        said = "No token of this sentence sets it off."
    views: list[View] = [
        Paragraph(
            f"Neuron {neuron} of layer {layer}: below each token what it says there, after GELU. About 0 is"
            f" silent, and none falls below -0.17."
        ),
        TokenChips(look.tokens, weights=values),
        Paragraph(said),
    ]
    if kept is not None:
        data["kept"] = kept
        rows = [(one["value"], quoted(one["token"]), f"#{one['number']} {one['text']}") for one in kept]
        views.append(Heading("Loudest in the kept sentences", "at one token of each"))
        views.append(Table(("after GELU", "token", "sentence"), rows) if rows else Paragraph("None is kept."))
    return Reply((Stack(*views),), data)


def _strongest(look: "Look", layer: int | None, k: int) -> Reply:
    from ...interpret import neuron_tokens, neurons

    found: list[dict[str, Any]] = []
    for one in neurons(look, layer, k):
        values = to_numpy(neuron_tokens(look, one.layer, one.neuron))  # (T,)
        found.append(
            {
                "layer": one.layer,
                "neuron": one.neuron,
                "position": one.row,
                "token": one.token,
                "value": one.value,
                "values": values.tolist(),
            }
        )
    data = {"text": look.text, "tokens": look.tokens, "ids": look.ids, "layer": layer, "neurons": found}
    return Reply(_views(look, layer, found), data)


def _views(look: "Look", layer: int | None, found: list[dict[str, Any]]) -> "tuple[View, ...]":
    from ...views import Paragraph, Stack, Table

    F = look.encoder.model.config.F
    where = (
        f"of all {counted(look.encoder.model.config.L, 'layer')}" if layer is None else f"of layer {layer}"
    )
    rows = []
    for one in found:
        values = np.array(one["values"])
        others = [
            quoted(look.tokens[t])
            for t in np.argsort(-values, kind="stable").tolist()
            if t != one["position"] and values[t] > LOUD * one["value"] > 0.0
        ]
        rows.append(
            (
                f"{one['layer']}.{one['neuron']}",
                one["value"],
                f"{quoted(one['token'])} at {one['position']}",
                ", ".join(others),
            )
        )
    best = found[0]
    return (
        Stack(
            Paragraph(
                f"The {len(found)} loudest neurons {where}, {F} in each: the number is what the neuron says"
                f" at the token that sets it off most."
            ),
            Table(("layer.neuron", "after GELU", "loudest at", "at least half as loud at"), rows),
            Paragraph(f"/neurons {best['layer']}.{best['neuron']} shows the first of them at every token."),
        ),
    )
