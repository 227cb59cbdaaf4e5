"""The package's gradient checker on each layer, then all three in a training model."""

import functools
from types import ModuleType

import numpy as np

from minigpt2.gradcheck import GradientError, check_gradient
from minigpt2.learn.checking import WrongAnswer, array, several
from minigpt2.learn.installing import install, same_losses, train_tiny


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(26)
    x, weight, bias = rng.standard_normal((3, 4)), rng.standard_normal((4, 5)), rng.standard_normal(5)
    ids, positions = np.array([2, 0, 2, 1]), np.array([0, 1, 0, 1])
    wte, wpe = rng.standard_normal((4, 3)), rng.standard_normal((2, 3))
    look_up = functools.partial(exercise.embedding, ids, positions)
    cases = (
        (
            "linear",
            exercise.linear,
            exercise.linear_backward,
            {"x": x, "weight": weight, "bias": bias},
            (3, 5),
        ),
        ("gelu", exercise.gelu, exercise.gelu_backward, {"x": x}, (3, 4)),
        ("embedding", look_up, exercise.embedding_backward, {"wte": wte, "wpe": wpe}, (4, 3)),
    )
    wrong = []
    for layer, forward, backward, inputs, shape in cases:

        def there(*, layer=layer, forward=forward, shape=shape, **arrays):
            y, ctx = several(forward(**arrays), "y, ctx", layer)
            return array(y, f"y of {layer}", shape), ctx

        def back(dy, ctx, layer=layer, backward=backward, inputs=inputs):
            gradients = backward(dy, ctx)
            if len(inputs) > 1:
                several(gradients, ", ".join(f"d{name}" for name in inputs), f"{layer}_backward")
            both = zip(inputs.items(), gradients if len(inputs) > 1 else [gradients], strict=True)
            return tuple(array(g, f"d{name} of {layer}_backward", x.shape) for (name, x), g in both)

        try:
            check_gradient(layer, there, back, inputs)
        except GradientError as error:
            wrong.append((layer, str(error)))
    if wrong:
        names = ", ".join(layer for layer, _ in wrong)
        raise WrongAnswer(f"{len(wrong)} wrong: {names}. {wrong[0][1]}", reason=REASONS[wrong[0][0]])
    right = train_tiny()
    with (
        install("linear", exercise.linear, exercise.linear_backward),
        install("gelu", exercise.gelu, exercise.gelu_backward),
        install("embedding", exercise.embedding, exercise.embedding_backward),
    ):
        yours = train_tiny()
    same_losses(right, yours, "three layers")


REASONS = {
    "linear": "one bias is added to every row; think how the rows' wishes come together in linear_backward",
    "gelu": "write down the derivative of tanh before you look at gelu_backward again",
    "embedding": "look at a token that stands twice: how many of its rows of dy arrive?",
}
