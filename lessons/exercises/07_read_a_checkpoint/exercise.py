"""What kind of GPT-2 is this checkpoint?

A checkpoint is a mapping from names to arrays. Here are only the shapes:

    wte.weight (V, D)    wpe.weight (P, D)    ln_f.weight (D,)    …
    h.0.attn.c_attn.weight (D, 3·D)           h.0.mlp.c_fc.weight (D, F)       h.11.ln_1.weight (D,)  …

Published files differ a little. Names may begin with `transformer.`, with or without a `lm_head.weight`
that repeats wte; and old ones hold `h.0.attn.bias` of shape (1, 1, P, P), which is no parameter but the
causal mask.

    sizes(shapes)       -> {"V": …, "P": …, "D": …, "F": …, "L": …}
    parameters(shapes)  -> how many numbers are learned, the mask and the repeated head not counted

The package: `minigpt2/checkpoint.py`.
"""

Shapes = dict[str, tuple[int, ...]]


def sizes(shapes: Shapes) -> dict[str, int]:
    """V, P, D, F and L of the model."""
    raise NotImplementedError("your turn")


def parameters(shapes: Shapes) -> int:
    """How many numbers are learned."""
    raise NotImplementedError("your turn")
