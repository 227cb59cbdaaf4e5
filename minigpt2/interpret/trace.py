"""The forward pass of one text, step by step: what happens, by which formula, and what came out.

The steps are in the order in which they run, and cover all that changes the numbers between the ids and the
sentence's vector. Letters as everywhere: T tokens, D width, H heads, K width of a head, F MLP width.
"""

from typing import NamedTuple

from ..backend import Array
from ..layers.normalize import normalize
from .look import Look
from .pooled import pooled

# Name within a block, what it is, its formula, its shape.
BLOCK_STEPS = (
    (
        "ln_1.out",
        "every row brought to mean 0 and variance 1, then scaled and shifted",
        "a = layernorm(x)",
        "T D",
    ),
    ("attn.q", "what each token asks, head by head", "q = a · W_q + b_q", "T H K"),
    ("attn.k", "what each token can be found by", "k = a · W_k + b_k", "T H K"),
    ("attn.v", "what each token hands over when it is looked at", "v = a · W_v + b_v", "T H K"),
    ("attn.scores", "how well row t's question meets column u's key", "scores = q · kᵀ / sqrt(K)", "H T T"),
    ("attn.pattern", "the scores of a row as shares that sum to 1", "pattern = softmax(scores)", "H T T"),
    ("attn.z", "each head's mean of the values, weighted by its pattern", "z = pattern · v", "T H K"),
    ("attn.out", "the heads side by side, mixed into one row", "b = z · W_out + b_out", "T D"),
    ("resid_mid", "added to the residual stream: tokens have exchanged information", "h = x + b", "T D"),
    ("ln_2.out", "normalised again", "c = layernorm(h)", "T D"),
    ("mlp.pre", "each token by itself, widened", "wide = c · W_fc + b_fc", "T F"),
    ("mlp.post", "small and negative values are stopped: the neurons", "bent = gelu(wide)", "T F"),
    ("mlp.out", "narrowed again", "d = bent · W_proj + b_proj", "T D"),
    ("resid_post", "added to the residual stream, which goes to the next block", "y = h + d", "T D"),
)


class Step(NamedTuple):
    """One step of the forward pass."""

    name: str  # that of `cache.py` where it has one
    explanation: str
    formula: str
    shape: str  # in letters and numbers: "(T, D) = (12, 256)"
    array: Array  # what came out


def trace_steps(look: Look) -> list[Step]:
    """Every step from the text to its vector, in order: 14 for each block, and those before and after."""
    model, cache, batch = look.encoder.model, look.cache, look.batch
    wte, wpe = model.parameters["wte.weight"], model.parameters["wpe.weight"]
    x = cache["embed"]  # (T, D)
    steps = [
        _step("ids", "each token's place in the vocabulary", "ids = encode(text)", "T", batch.ids),
        _step("tokens", "a row for what each token is", "wte[ids]", "T D", wte[batch.ids]),
        _step("positions", "a row for where it stands", "wpe[positions]", "T D", wpe[batch.positions]),
        _step("embed", "their sum: the residual stream begins", "x = wte[ids] + wpe[positions]", "T D", x),
    ]
    for i in range(model.config.L):
        for name, explanation, formula, letters in BLOCK_STEPS:
            array = cache[f"blocks.{i}.{name}"]
            if isinstance(array, list):
                (array,) = array  # (H, T, T) of the one sentence
            steps.append(_step(f"blocks.{i}.{name}", explanation, formula, letters, array))
    vector, _ = pooled(look.encoder, look.hidden, batch)  # (1, D)
    settings = look.encoder.settings
    skipped = 0 if settings.include_prompt else look.encoder.token_ids([])[1]
    rows = f"hidden[{skipped}:]" if skipped else "hidden"  # without those of the prompt
    steps.append(_step("ln_f.out", "normalised once more", "hidden = layernorm(x)", "T D", cache["ln_f.out"]))
    steps.append(_step("pooled", "one row for the sentence", f"{settings.pooling}({rows})", "D", vector[0]))
    if settings.normalize:
        unit, _ = normalize(vector)  # (1, D)
        steps.append(_step("vector", "brought to length 1", "v / ‖v‖", "D", unit[0]))
    return steps


def _step(name: str, explanation: str, formula: str, letters: str, array: Array) -> Step:
    sizes = ", ".join(map(str, array.shape))
    return Step(name, explanation, formula, f"({', '.join(letters.split())}) = ({sizes})", array)
