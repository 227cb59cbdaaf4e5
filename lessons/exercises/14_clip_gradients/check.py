"""The formula over the flat gradient."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import array, require, same_array, same_value, several


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(41)
    gradients = {
        "w": 3.0 * rng.standard_normal((3, 4)),
        "b": rng.standard_normal(4),
        "gain": rng.standard_normal(2),
    }
    flat = np.concatenate([g.ravel() for g in gradients.values()])
    norm = float(np.sqrt(flat @ flat))
    for largest in (1.0, 0.5 * norm, 2.0 * norm):
        clipped, yours = several(exercise.clip(dict(gradients), largest), "clipped, norm", "clip")
        kind = type(clipped).__name__
        require(isinstance(clipped, dict), f"clip gives a {kind} first, expected is a dictionary of arrays")
        same_value(list(gradients), list(clipped), "the names that come back")
        own = [float(np.linalg.norm(g)) for g in gradients.values()]
        same_array(
            np.array(norm),
            yours,
            "the norm",
            [
                (np.array(norm**2), "the root is missing"),
                (
                    np.array(sum(own)),
                    "lengths do not add up, their squares do: sum all squares, then one root",
                ),
                (np.array(max(own)), "this is the longest of the arrays: all belong together"),
                (np.array(np.abs(flat).max()), "this is the largest entry"),
                (np.array(min(norm, largest)), "the norm from BEFORE clipping is asked for"),
            ],
        )
        mine = np.concatenate(
            [array(clipped[name], f"clipped[{name!r}]", g.shape).ravel() for name, g in gradients.items()]
        )
        each = np.concatenate([g.ravel() * min(1.0, largest / np.linalg.norm(g)) for g in gradients.values()])
        same_array(
            flat * min(1.0, largest / norm),
            mine,
            f"the gradients clipped to {largest:.3g}",
            [
                (each, "each array is clipped by its own length: one factor for all keeps the direction"),
                (
                    np.clip(flat, -largest, largest),
                    "entries are clipped one by one, which turns the direction",
                ),
                (flat * largest / norm, "short gradients are made LONGER: the factor is at most 1"),
                (flat / norm, "scaled to length 1, not to `largest`"),
                (flat, "nothing is scaled"),
            ],
        )
    same, _ = several(exercise.clip(dict(gradients), 2.0 * norm), "clipped, norm", "clip")
    require(
        all(np.array_equal(same[name], g) for name, g in gradients.items()),
        "gradients that are short enough have changed in their last digits",
        "they stay bit for bit: the factor is exactly 1 there",
    )
    zeros, _ = exercise.clip({"w": np.zeros(3)}, 1.0)
    same_array(
        np.zeros(3),
        zeros["w"],
        "clipped zeros",
        [(lambda y: np.isnan(y).any(), "0/0: a norm of 0 needs no scaling")],
    )
