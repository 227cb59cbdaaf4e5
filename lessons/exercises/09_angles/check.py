"""Vectors made with known angles: v = cos(t)·u + sin(t)·w, u and w at a right angle."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    known = np.array([0.3, 1.0, np.pi / 2, 3.0, 1e-3])
    a = np.tile([1.0, 0.0, 0.0], (5, 1)) * np.array([[1.0], [2.0], [0.5], [3.0], [1.0]])
    b = np.stack([np.cos(known), np.sin(known), 0.0 * known], axis=1) * 1.7
    same_array(
        known,
        exercise.angle(a, b),
        "angle(a, b)",
        [
            (np.cos(known), "this is the cosine, not the angle"),
            (known / 2, "the factor 2 before atan2 is missing"),
            (np.pi - known, "the two lengths stand the wrong way round: atan2(‖u − v‖, ‖u + v‖)"),
            (np.degrees(known), "radians are asked for"),
            (
                lambda y: not np.allclose(y, known) and np.allclose(y[2], np.pi / 2),
                "are u and v of length 1 before they are added?",
            ),
        ],
        tolerance=1e-9,
    )
    small = np.array([1e-9, 3e-8, 1e-6])
    a = np.tile([1.0, 0.0], (3, 1))
    b = np.stack([np.ones(3), np.tan(small)], axis=1)
    yours = np.asarray(exercise.angle(a, b))
    same_array(
        np.ones(3),
        yours / small,
        "angle / the known angle, for angles of 1e-9, 3e-8 and 1e-6",
        [
            (
                lambda y: np.abs(y[0] - 1) > 0.1,
                "near 0 the cosine is 1 to all digits, and arccos of it has lost the angle: use atan2",
            )
        ],
        tolerance=1e-9,
    )
    same_array(
        1.0 - known / np.pi,
        exercise.angular(np.tile([2.0, 0.0], (5, 1)), np.stack([np.cos(known), np.sin(known)], axis=1)),
        "angular(a, b)",
        [
            (known / np.pi, "this is 1 for opposite vectors: 1 − angle / π"),
            (1.0 - known, "divide by π, the largest angle"),
            (1.0 - 2.0 * known / np.pi, "1 − 2·angle/π runs from 1 to −1; asked is 1 − angle/π"),
        ],
    )
    zero = exercise.angular(np.zeros((1, 2)), np.ones((1, 2)))
    same_array(
        np.array([0.5]),
        zero,
        "angular of a zero vector",
        [
            (lambda y: np.isnan(y).any(), "0/0: divide a zero row by 1"),
            (np.array([1.0]), "a zero vector is not the same as any other: ½"),
            (np.array([0.0]), "a zero vector is not opposite to any other: ½"),
        ],
    )
