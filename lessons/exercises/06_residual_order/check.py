"""The formula, with random layers that count their calls."""

from types import ModuleType

import numpy as np

from minigpt2.layers import gelu, layernorm
from minigpt2.learn.checking import require, same_array


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(11)
    N, D = 3, 6
    x = rng.standard_normal((N, D))
    calls: dict[str, int] = {}

    def counted(name, f):
        def layer(rows):
            calls[name] = calls.get(name, 0) + 1
            return f(rows)

        return layer

    gains = 1.0 + rng.random((2, D))
    mix, weight = rng.standard_normal((N, N)), rng.standard_normal((D, D))
    a, b = (lambda v, g=g: layernorm(v, g, np.zeros(D))[0] for g in gains)
    f, g = (lambda v: mix @ v), (lambda v: gelu(v @ weight)[0])
    layers = [counted(*pair) for pair in (("ln_1", a), ("attention", f), ("ln_2", b), ("mlp", g))]
    yours = exercise.block(x, *layers)

    h = x + f(a(x))
    same_array(
        h + g(b(h)),
        yours,
        "block(x, …)",
        [
            (
                b(a(x + f(x)) + g(a(x + f(x)))),
                "the stream itself is normalised: x does not come through to y but for what is added to it",
            ),
            (
                b(h + g(h)),
                "the first half is right; in the second the mlp reads ln_2(h), and the sum stays as it is",
            ),
            (x + g(b(h)), "the second sum starts from x: what attention has added is lost"),
            (
                h + g(b(x)),
                "both sublayers read x, side by side: the mlp reads h, with what attention has added",
            ),
            (f(a(x)) + g(b(f(a(x)))), "the residual sums are missing: x + …, h + …"),
            (g(b(h)), "the second residual is missing: h + …"),
            (h + g(a(h)), "ln_1 is used twice: the second sublayer has its own, ln_2"),
            (
                x + a(f(x)) + b(g(x + a(f(x)))),
                "layernorm stands behind the sublayers: it belongs before, on what they read",
            ),
            (
                b(a(x) + f(a(x))) + g(b(a(x) + f(a(x)))),
                "the sums start from the normalised rows: only what a sublayer reads is normalised",
            ),
        ],
    )
    require(all(n == 1 for n in calls.values()), f"calls: {calls}", "each layer is needed once: keep h")
