"""On the host and on the stand-in for a GPU, against a loop over the sentences."""

import math
from types import ModuleType

import numpy as np

from minigpt2.layers import softmax
from minigpt2.learn.checking import require, same_array
from minigpt2.learn.stub_device import DeviceArray, stub_device


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(50)
    x, query, lengths = rng.standard_normal((3, 5, 4)), rng.standard_normal(4), np.array([5, 2, 3])
    large = x + query * (2000.0 / 300.0 / (query @ query))  # scores about 1000, where exp overflows
    for rows, q in ((x, query), (large, 300.0 * query)):
        right = np.stack([softmax(rows[b, :T] @ q / 2.0)[0] @ rows[b, :T] for b, T in enumerate(lengths)])
        unmasked = (softmax(rows @ q / math.sqrt(4))[0][:, None] @ rows)[:, 0]
        NAN = "exp overflows: take each row's maximum away, on the device, without asking for it"
        reasons = [
            (unmasked, "padded tokens take part: hide them with -inf"),
            (lambda y: not np.isfinite(y).all(), NAN),
        ]
        same_array(right, exercise.attention_pool(rows, q, lengths), "attention_pool on the host", reasons)
        with stub_device() as device:
            yours = exercise.attention_pool(device.asarray(rows), device.asarray(q), lengths)
        require(
            isinstance(yours, DeviceArray),
            f"on the GPU the result is a {type(yours).__name__} of the host",
            "`.get()` brings all to the host, where the rest is computed slowly: stay on the device",
        )
        same_array(right, yours.get(), "attention_pool on the GPU", reasons)
