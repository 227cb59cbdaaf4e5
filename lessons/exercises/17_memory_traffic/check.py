"""Bytes and launches on the stand-in for a GPU."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import WrongAnswer, same_array
from minigpt2.learn.stub_device import stub_device


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(51)
    N, D = 64, 16
    x = rng.standard_normal((N, D))
    mean, std, gain, bias = (
        rng.standard_normal(D),
        0.5 + rng.random(D),
        rng.standard_normal(D),
        rng.standard_normal(D),
    )
    right = (x - mean) / std * gain + bias
    same_array(
        right,
        exercise.standardise(x, mean, std, gain, bias),
        "standardise(x, mean, std, gain, bias)",
        [
            (x * (gain / std) + bias - mean, "mean is shifted before the scale: b = bias − mean · a"),
            (x * (gain / std) + bias + mean * gain / std, "the sign of the mean: b = bias − mean · a"),
            (x * (gain / std) + bias, "the mean is lost"),
            (x * (gain * std) + bias - mean * gain * std, "a = gain / std"),
        ],
    )
    with stub_device() as device:
        on_device = [device.asarray(v) for v in (x, mean, std, gain, bias)]
        exercise.standardise(*on_device)
    passes = device.bytes / (2 * x.nbytes)
    if passes > 2.5:
        raise WrongAnswer(
            f"{passes:.1f} times the large array is read and written, in {device.launches} launches; "
            f"asked are 2",
            reason="(x − mean) / std · gain + bias is x · a + b: compute a and b from the small arrays first",
        )
    for launches, moved, time in ((5, 1000, 4e-5), (2, 3 * 10**9, 1e-3), (1000, 3 * 10**9, 8e-3)):
        same_array(
            np.array(time),
            exercise.seconds(launches, moved),
            f"seconds({launches}, {moved:,})",
            [
                (
                    np.array(launches * 8e-6 + moved / 3e12),
                    "launches and memory overlap: the larger of the two, not the sum",
                ),
                (np.array(launches * 8e-6), "the bytes are missing: large work is bound by memory"),
                (np.array(moved / 3e12), "the launches are missing: small work is bound by them"),
                (
                    np.array(min(launches * 8e-6, moved / 3e12)),
                    "the larger of the two bounds it, not the smaller",
                ),
            ],
        )
