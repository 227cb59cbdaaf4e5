"""`/attn [layer] [head]`: who looks at whom."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...backend import to_numpy
from ...errors import UsageError
from ..asking import OF, head_number, layer_number, look_of, names_a_part, numbers_of
from ..line import Arguments
from ..reply import Reply
from ..session import Session
from ..wording import quoted, share, word_of

if TYPE_CHECKING:
    from ...interpret import Look
    from ...views import View

NAME = "attn"
USAGE = '/attn [LAYER] [HEAD] [--of "TEXT"]'
SUMMARY = "who looks at whom: the attention of every head"
DETAILS = """\
Row t of a picture says how token t shares its attention among the tokens it may see; each row adds up to 1.
In a causal model nobody sees what comes later, so the upper triangle stays empty. Without a number all heads
are shown small, with one number the heads of that layer, with two numbers (3 1 or 3.1) one head large. Layers
and heads are counted from 0."""
EXAMPLES = (
    "The cat is sleeping on the warm sofa.",
    "/attn",
    "/attn 3",
    "/attn 3 1",
    '/attn 0 2 --of "A dog barks"',
)
FORM = "words"
OPTIONS = (OF,)
COMPLETES = ("layer", "head")

# What a head does most, in words, and the number that goes with it.
KINDS = {
    "itself": ("most at the token itself", "itself"),
    "previous": ("most at the token before", "previous"),
    "first": ("most at the first token", "first"),
    "spread": ("at everything alike (share of the evenest there is)", "spread"),
    "mixed": ("at a few chosen tokens (how many tokens away)", "distance"),
}
MOST = 0.4  # of a head's attention in one place: what it does most
EVENLY = 0.85  # of the entropy that looking at everything alike would have
WORTH_A_WORD = 0.1  # of a token's attention in one link


def run(session: Session, arguments: Arguments) -> Reply:
    """Show the attention of all heads, of one layer's heads, or of one head."""
    from ...interpret import attention, attention_summary

    config = session.encoder.model.config
    words = arguments.words
    if len(words) > 2 or (len(words) == 2 and names_a_part(words[0])):
        raise UsageError(
            "/attn takes a layer and a head at most: a text stands behind --of, in quotation marks"
        )
    layer = head = None
    if words and names_a_part(words[0]):
        layer, head = numbers_of(words[0], config.L, config.H, "head")
    elif words:
        layer = layer_number(words[0], config.L)
        head = head_number(words[1], config.H) if len(words) == 2 else None
    look = look_of(session, arguments.options["of"])
    layers = range(config.L) if layer is None else (layer,)
    patterns = np.stack([to_numpy(attention(look, i)) for i in layers])  # (layers, H, T, T)
    summary = attention_summary(look)
    heads = []
    for place, i in enumerate(layers):
        for h in range(config.H) if head is None else (head,):
            numbers = {name: float(values[i, h]) for name, values in summary._asdict().items()}
            heads.append(
                {
                    "layer": i,
                    "head": h,
                    **numbers,
                    "kind": kind_of(numbers),
                    "pattern": patterns[place, h].tolist(),
                }
            )
    data = {
        "text": look.text,
        "tokens": look.tokens,
        "ids": look.ids,
        "causal": config.causal,
        "heads": heads,
    }
    if head is not None:
        return Reply(_large(look, patterns[0, head], heads[0], config.causal), data)
    maps = patterns.reshape(-1, *patterns.shape[2:])  # (layers · H, T, T)
    return Reply(_small(look, maps, heads, layer, config.causal), data)


def kind_of(numbers: dict[str, float]) -> str:
    """What a head does most with this text: a key of KINDS."""
    place = max(("itself", "previous", "first"), key=numbers.__getitem__)
    if numbers[place] >= MOST:
        return place
    return "spread" if numbers["spread"] >= EVENLY else "mixed"


def _hidden_empty(pattern: np.ndarray, causal: bool) -> np.ndarray:
    """(…, T, T) with NaN where the causal mask lets nobody look."""
    if not causal:
        return pattern
    T = pattern.shape[-1]
    return np.where(np.tri(T, dtype=bool), pattern, np.nan)  # (…, T, T)


def _large(look: "Look", pattern: np.ndarray, head: dict[str, Any], causal: bool) -> "tuple[View, ...]":
    """One head with the tokens on both axes."""
    from ...views import HeatMap, Paragraph, Stack

    labels = [word_of(token) for token in look.tokens]
    name = f"Layer {head['layer']}, head {head['head']}"
    return (
        Stack(
            Paragraph(
                f"{name}: each row is a token and shows what it looks at, from 0 to 1; a row adds up to 1."
                + (" The empty triangle is the future, which no token sees." if causal else "")
            ),
            HeatMap(_hidden_empty(pattern, causal), rows=labels, columns=labels, low=0.0, high=1.0),
            Paragraph(_words(look, pattern, head)),
        ),
    )


def _words(look: "Look", pattern: np.ndarray, head: dict[str, Any]) -> str:
    """What the head does with this text, in sentences whose numbers are computed."""
    if len(look.tokens) == 1:
        return "A single token can look at nothing but itself."
    numbers = f"itself {share(head['itself'])}, the token before {share(head['previous'])}"
    numbers += f", the first token {share(head['first'])}"
    does = {
        "itself": "This head looks most at the token itself",
        "previous": "This head looks most at the token before",
        "first": "This head looks most at the first token, as idle heads do",
        "spread": "This head spreads its attention over all that it may see",
        "mixed": "This head picks out a few tokens",
    }[head["kind"]]
    strongest = ""
    link = strongest_link(pattern)
    if link is not None and pattern[link] >= WORTH_A_WORD:
        looks, at = (_named(look.tokens, t) for t in link)
        strongest = f" Its strongest link between tokens that are no neighbours: {looks} looks at {at} with"
        strongest += f" {share(float(pattern[link]))}."
    distance = f" On average it looks {head['distance']:.1f} tokens away."
    return f"{does} ({numbers}; the first row is left out of these means).{strongest}{distance}"


def _named(tokens: list[str], t: int) -> str:
    """Token t in a sentence, with its place where it comes more than once."""
    again = [word_of(token) for token in tokens].count(word_of(tokens[t])) > 1
    return f"{quoted(tokens[t])} (token {t})" if again else quoted(tokens[t])


def strongest_link(pattern: np.ndarray) -> tuple[int, int] | None:
    """From token t to token u, leaving out the token itself, its neighbours and the first token."""
    T = len(pattern)
    places = np.arange(T)
    far = (np.abs(places[:, None] - places) > 1) & (places > 0)  # (T, T)
    if not (far & (pattern > 0.0)).any():
        return None
    t, u = np.unravel_index(np.where(far, pattern, -1.0).argmax(), pattern.shape)
    return int(t), int(u)


def _small(
    look: "Look", maps: np.ndarray, heads: list[dict[str, Any]], layer: int | None, causal: bool
) -> "tuple[View, ...]":
    """Many heads as small pictures, and which of them do what."""
    from ...views import HeatGrid, Paragraph, Stack

    which = "every head of the model" if layer is None else f"the heads of layer {layer}"
    one = "/attn 3 1" if layer is None else f"/attn {layer} 0"
    grid = HeatGrid(
        _hidden_empty(maps, causal),
        titles=[f"{head['layer']}.{head['head']}" for head in heads],
        group=look.encoder.model.config.H,
        low=0.0,
        high=1.0,
    )
    lines = []
    for kind, (does, measure) in KINDS.items():
        group = sorted((head for head in heads if head["kind"] == kind), key=lambda head: -head[measure])
        spell = "{:.1f}".format if measure == "distance" else share
        names = [f"{head['layer']}.{head['head']} ({spell(head[measure])})" for head in group]
        if group:
            lines.append(f"Look {does}: {', '.join(names)}.")
    return (
        Stack(
            Paragraph(
                f"Who looks at whom in {which} (layer.head): row t of a picture is where token t looks, and"
                f" column u how much of it goes to token u. {one} shows one head large."
            ),
            grid,
            Paragraph("\n".join(lines)),
        ),
    )
