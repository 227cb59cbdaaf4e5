"""The byte tokenizer: an id is a byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigpt2.errors import DataError, UsageError
from minigpt2.tokenizer import ByteTokenizer, load_tokenizer


def test_ids_are_the_bytes_of_utf8():
    assert ByteTokenizer().encode("hé") == [0x68, 0xC3, 0xA9]
    assert ByteTokenizer().encode("") == []


def test_special_tokens_follow_the_bytes():
    tokenizer = ByteTokenizer()
    assert tokenizer.special_tokens == {"<|endoftext|>": 256, "<|pad|>": 257}
    assert (tokenizer.vocab_size, tokenizer.eos_id, tokenizer.pad_id) == (258, 256, 257)
    assert tokenizer.encode("a<|pad|>", allow_special=True) == [97, 257]
    assert tokenizer.decode([97, 257]) == "a<|pad|>"
    assert tokenizer.decode([97, 257], skip_special=True) == "a"


def test_without_special_tokens():
    tokenizer = ByteTokenizer(())
    assert (tokenizer.vocab_size, tokenizer.eos_id, tokenizer.pad_id) == (256, None, None)
    assert tokenizer.encode("a|b", allow_special=True) == [97, 124, 98]


@given(st.binary())
def test_any_bytes_are_the_tokens_of_themselves(data):
    assert ByteTokenizer().decode_bytes(data) == data


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_round_trip_of_any_text(text):
    tokenizer = ByteTokenizer()
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_half_a_character_is_replaced_when_decoding():
    assert ByteTokenizer().decode([0x61, 0xE2, 0x82]) == "a�"
    assert ByteTokenizer().decode_bytes([0xE2, 0x82]) == b"\xe2\x82"


@pytest.mark.parametrize("names", [["<|a|>", "<|a|>"], [""], ["x"], [7]])
def test_bad_special_tokens(names):
    with pytest.raises(UsageError, match="special token"):
        ByteTokenizer(names)


@pytest.mark.parametrize("id", [-1, 258])
def test_id_out_of_range(id):
    with pytest.raises(DataError, match=rf"token id {id} is out of range: .* 0 to 257"):
        ByteTokenizer().decode([65, id])


def test_saved_and_loaded(tmp_path):
    tokenizer = ByteTokenizer(["<|x|>", "<|endoftext|>", "<|é|>"], pad_token="<|x|>")
    loaded = load_tokenizer(tokenizer.save(tmp_path / "bytes"))
    assert isinstance(loaded, ByteTokenizer)
    assert loaded.special_tokens == {"<|x|>": 256, "<|endoftext|>": 257, "<|é|>": 258}
    assert (loaded.pad_id, loaded.eos_id) == (256, 257)
    assert loaded.encode("hé<|é|>", allow_special=True) == [0x68, 0xC3, 0xA9, 258]
