import math
import re

import pytest
from arrays import assert_close
from encoders import CONFIG, SETTINGS, encoder_of

from minigpt2.backend import to_numpy
from minigpt2.interpret import look, trace_steps

SIZES = {"D": CONFIG.D, "H": CONFIG.H, "K": CONFIG.K, "F": CONFIG.F}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_step_has_the_shape_that_it_says_and_a_name_of_the_cache(name, xp):
    encoder = encoder_of(xp, **SETTINGS[name])
    seen = look(encoder, "a cat")
    steps = trace_steps(seen)
    assert len({step.name for step in steps}) == len(steps)
    for step in steps:
        letters, sizes = re.fullmatch(r"\(([A-Z, ]+)\) = \(([\d, ]+)\)", step.shape).groups()
        sizes = tuple(map(int, sizes.split(", ")))
        assert step.array.shape == sizes
        assert sizes == tuple({**SIZES, "T": len(seen.ids)}[letter] for letter in letters.split(", "))
        assert step.explanation
        assert step.formula
        if step.name in seen.cache:
            expected = seen.cache[step.name]
            expected = expected[0] if isinstance(expected, list) else expected
            assert_close(step.array[~xp.isinf(step.array)], to_numpy(expected[~xp.isinf(expected)]), 0.0)


def test_the_steps_go_from_the_ids_through_all_blocks_to_what_encode_gives(xp):
    encoder = encoder_of(xp)
    steps = trace_steps(look(encoder, "a cat"))
    names = [step.name for step in steps]
    assert names[:4] == ["ids", "tokens", "positions", "embed"]
    assert names[-3:] == ["ln_f.out", "pooled", "vector"]
    blocks = [name.split(".")[1] for name in names[4:-3]]
    assert blocks == [str(i) for i in range(CONFIG.L) for _ in range(14)]
    assert_close(steps[1].array + steps[2].array, to_numpy(steps[3].array), 0.0)
    assert_close(steps[-1].array, encoder.encode("a cat"), 1e-12)


def test_without_normalisation_pooling_is_the_last_step(xp):
    encoder = encoder_of(xp, normalize=False, pooling="last")
    last = trace_steps(look(encoder, "a cat"))[-1]
    assert (last.name, last.formula) == ("pooled", "last(hidden)")
    assert_close(last.array, encoder.encode("a cat"), 1e-12)


def test_each_step_of_a_block_follows_from_those_before_it(xp):
    encoder = encoder_of(xp)
    weights = {name: to_numpy(view) for name, view in encoder.model.parameters.items()}
    steps = {step.name: step for step in trace_steps(look(encoder, "a cat"))}

    def value(name):
        return to_numpy(steps[name].array)

    def normed(x, name):
        x = (x - x.mean(1, keepdims=True)) / (x.var(1, keepdims=True) + 1e-5) ** 0.5
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    for i in range(CONFIG.L):
        b, w = f"blocks.{i}.", f"h.{i}."
        x = value("embed") if i == 0 else value(f"blocks.{i - 1}.resid_post")
        assert_close(value(b + "ln_1.out"), normed(x, w + "ln_1"), 1e-12)
        q, k, v = (value(b + f"attn.{part}").swapaxes(0, 1) for part in "qkv")  # each (H, T, K)
        assert_close(value(b + "attn.z").swapaxes(0, 1), value(b + "attn.pattern") @ v, 1e-12)
        scores = value(b + "attn.scores")
        seen = scores > -math.inf
        assert_close(scores[seen], (q @ k.swapaxes(1, 2) / math.sqrt(CONFIG.K))[seen], 1e-12)
        assert_close(value(b + "resid_mid"), x + value(b + "attn.out"), 1e-12)
        assert_close(value(b + "ln_2.out"), normed(value(b + "resid_mid"), w + "ln_2"), 1e-12)
        assert_close(value(b + "resid_post"), value(b + "resid_mid") + value(b + "mlp.out"), 1e-12)


@pytest.mark.parametrize(
    ("include", "formula"), [(True, "weighted_mean(hidden)"), (False, "weighted_mean(hidden[3:])")]
)
def test_the_formula_of_pooling_says_which_rows_it_takes(include, formula):
    settings = SETTINGS["prompt left out"] | {"include_prompt": include}
    (step,) = (s for s in trace_steps(look(encoder_of(**settings), "a cat")) if s.name == "pooled")
    assert step.formula == formula
