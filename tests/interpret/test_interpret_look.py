import re

import numpy as np
import pytest
from arrays import assert_close
from encoders import CONFIG, SETTINGS, encoder_of, ids_of

from minigpt2.backend import to_numpy
from minigpt2.encoder import TruncationWarning
from minigpt2.errors import DataError, UsageError
from minigpt2.interpret import attention, look, neuron_tokens, read, token_text
from minigpt2.tokenizer import train_bpe

every_setting = pytest.mark.parametrize("name", SETTINGS)


@every_setting
def test_a_look_reads_a_text_as_encode_does(name, xp):
    encoder = encoder_of(xp, **SETTINGS[name])
    seen = look(encoder, "a cat")
    assert seen.text == "a cat"
    assert seen.ids == ids_of(encoder, "a cat")
    assert seen.tokens == [chr(id) for id in seen.ids]
    assert seen.batch.lengths.tolist() == [len(seen.ids)]
    assert seen.encoder is encoder
    hidden = encoder.model.forward(seen.batch)[0]
    assert_close(seen.hidden, to_numpy(hidden), 0.0)
    assert_close(seen.cache["ln_f.out"], to_numpy(hidden), 0.0)


def test_a_text_longer_than_the_window_is_cut_with_a_warning(xp):
    encoder = encoder_of(xp, max_seq_length=5)
    with pytest.warns(TruncationWarning, match="cut at 5 tokens"):
        seen = look(encoder, "a cat sleeps")
    assert seen.tokens == list("a cat")
    assert encoder.truncated == 1


@pytest.mark.parametrize("texts", [[""], ["a", ""]])
def test_a_text_without_tokens_is_refused(texts):
    with pytest.raises(DataError, match="an empty text has no tokens to look at"):
        read(encoder_of(), texts)


def test_what_is_no_text_is_refused():
    with pytest.raises(UsageError, match="a text is a string, not a int"):
        look(encoder_of(), 3)


def test_several_texts_are_one_batch_in_their_order():
    encoder = encoder_of()
    readings, batch = read(encoder, ["abc", "x", "de"])
    assert [reading.text for reading in readings] == ["abc", "x", "de"]
    assert [reading.ids for reading in readings] == [[97, 98, 99], [120], [100, 101]]
    assert batch.ids.tolist() == [97, 98, 99, 120, 100, 101]
    assert batch.lengths.tolist() == [3, 1, 2]


def test_no_texts_are_an_empty_batch():
    readings, batch = read(encoder_of(), [])
    assert readings == []
    assert (batch.B, batch.N) == (0, 0)


def test_a_token_shows_its_text_or_its_bytes():
    tokenizer = train_bpe(["the cat the cat the cat naïve"] * 3, 270)
    tokens = [token_text(tokenizer, id) for id in tokenizer.encode("the cat")]
    assert "".join(tokens) == "the cat"
    assert any(token.startswith(" ") for token in tokens)
    by_bytes = encoder_of().tokenizer
    assert [token_text(by_bytes, id) for id in "€é".encode()] == ["‹e2›", "‹82›", "‹ac›", "‹c3›", "‹a9›"]
    assert token_text(by_bytes, 10) == "\n"
    with pytest.raises(DataError, match="token id 258 is out of range"):
        token_text(by_bytes, 258)


@pytest.mark.parametrize("number", [-1, CONFIG.L, 1.0, True, "0", None])
def test_a_layer_that_is_not_there_is_refused_with_what_there_is(number):
    seen = look(encoder_of(), "ab")
    message = f"there is no layer {number!r}: this model has layers 0 to 3"
    with pytest.raises(UsageError, match=re.escape(message)):
        attention(seen, number)
    with pytest.raises(UsageError, match=re.escape(message)):
        neuron_tokens(seen, number, 0)


def test_a_head_or_neuron_that_is_not_there_is_refused():
    seen = look(encoder_of(), "ab")
    with pytest.raises(UsageError, match="no head 3: each layer has heads 0 to 2"):
        attention(seen, 0, 3)
    with pytest.raises(UsageError, match="no neuron 20: each layer has neurons 0 to 19"):
        neuron_tokens(seen, 0, 20)
    assert attention(seen, np.int64(1), np.int64(2)).shape == (2, 2)
