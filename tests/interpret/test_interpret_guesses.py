import math

import naive
import numpy as np
import pytest
from arrays import assert_close
from encoders import CONFIG, encoder_of

from minigpt2.backend import to_numpy
from minigpt2.errors import DataError, UsageError
from minigpt2.interpret import look, next_tokens, surprise

V = CONFIG.V


def probabilities_by_loop(seen, row):
    hidden = to_numpy(seen.hidden)[row]
    wte = to_numpy(seen.encoder.model.parameters["wte.weight"])
    return naive.softmax([float(hidden @ wte[v]) for v in range(V)])


@pytest.mark.parametrize("row", [0, 3, -1, -5])
@pytest.mark.parametrize("k", [1, 6, 1000])
def test_guesses_are_the_best_of_the_loop(row, k, xp):
    encoder = encoder_of(xp)
    seen = look(encoder, "a cat")
    expected = probabilities_by_loop(seen, row)
    best = sorted(range(V), key=lambda v: -expected[v])[:k]
    guesses = next_tokens(encoder.model, seen, k, row)
    assert to_numpy(guesses.ids).tolist() == best
    assert_close(guesses.probabilities, np.array(expected)[best], 1e-13)


@pytest.mark.parametrize("row", [5, -6, 1.0])
def test_a_token_that_is_not_there_is_refused(row):
    encoder = encoder_of()
    with pytest.raises(UsageError, match=r"the text has tokens 0 to 4"):
        next_tokens(encoder.model, look(encoder, "a cat"), 3, row)


def test_surprise_is_the_loss_of_the_model_and_of_the_loop(xp):
    encoder = encoder_of(xp)
    seen = look(encoder, "a cat sat")
    result = surprise(seen)
    expected = [-math.log(probabilities_by_loop(seen, t)[seen.ids[t + 1]]) for t in range(8)]
    assert_close(result.each, expected, 1e-12)
    assert result.loss == pytest.approx(np.mean(expected), rel=1e-12)
    assert result.loss == pytest.approx(float(encoder.model.loss(seen.batch)[0]), rel=1e-12)
    assert result.ln_v == math.log(V)


def test_a_head_that_knows_nothing_has_the_loss_ln_v(xp):
    encoder = encoder_of(xp)
    encoder.model.parameters["wte.weight"][...] = 0.0
    result = surprise(look(encoder, "a cat"))
    assert result.loss == pytest.approx(result.ln_v, rel=1e-12)
    ids, probabilities = next_tokens(encoder.model, look(encoder, "a cat"), 3)
    assert to_numpy(ids).tolist() == [0, 1, 2]
    assert_close(probabilities, np.full(3, 1 / V), 1e-14)


def test_huge_logits_in_float32_neither_overflow_nor_become_nan(xp):
    encoder = encoder_of(xp, "float32")
    encoder.model.parameters["wte.weight"][...] *= 1e4
    seen = look(encoder, "a cat")
    result = surprise(seen)
    assert math.isfinite(result.loss)
    assert result.loss > 100
    guesses = next_tokens(encoder.model, seen, V)
    assert np.isfinite(to_numpy(guesses.probabilities)).all()
    assert float(guesses.probabilities.sum()) == pytest.approx(1.0, abs=1e-5)


def test_one_token_has_guesses_but_no_surprise(xp):
    encoder = encoder_of(xp)
    seen = look(encoder, "x")
    assert len(next_tokens(encoder.model, seen, 4).ids) == 4
    with pytest.raises(DataError, match="one token has no next one"):
        surprise(seen)
