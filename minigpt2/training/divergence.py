"""Where the numbers stopped being numbers: the first tensor, in the order of the computation, that is bad."""

from collections.abc import Sequence

from ..backend import Array, array_module
from ..model import GPT2
from ..parameters import Parameters
from ..ragged import TokenBatch

# Texts that are run again at a time; an activation cache holds everything.
CHUNK = 64


def first_bad_tensor(
    model: GPT2, sentences: Sequence[Sequence[int]] = (), gradients: Parameters | None = None
) -> str | None:
    """Name the first of the parameters, then activations, then gradients that holds NaN or infinity.

    sentences   token ids of the texts that were run; they run again here, without dropout. Activations are
                named as in `GPT2.run_with_cache`. None means that all is finite.
    """
    for name, view in model.parameters.items():
        if not is_finite(view):
            return f"parameter {name}"
    xp = array_module(model.parameters.flat)
    for start in range(0, len(sentences), CHUNK):
        _, cache = model.run_with_cache(TokenBatch(sentences[start : start + CHUNK], xp))
        for name in cache:
            if name.endswith("attn.scores"):  # −inf hides the tokens to come
                continue
            value = cache[name]
            if not all(is_finite(part) for part in (value if isinstance(value, list) else [value])):
                return f"activation {name}"
    for name, view in ({} if gradients is None else gradients).items():
        if not is_finite(view):
            return f"gradient {name}"
    return None


def is_finite(x: Array) -> bool:
    """True if no number of `x` is NaN or infinite."""
    return bool(array_module(x).isfinite(x).all())
