"""Byte-level BPE: splitting, merging, decoding, special tokens, malformed text."""

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigpt2.errors import DataError, ModelError
from minigpt2.tokenizer import bpe
from minigpt2.tokenizer.bpe import BPETokenizer, lowest_ranked_pair, merge_by_heap, merge_by_scan
from minigpt2.tokenizer.byte_alphabet import BYTE_OF_CHARACTER, CHARACTER_OF_BYTE, spell, unspell


def test_worked_example(tokenizer):
    # "low": l o w -> lo w -> low.   " lower": ␣ l o w e r -> ␣ lo w e r -> ␣ low e r -> ␣ low er -> ␣low er
    assert tokenizer.encode("low lower") == [257, 259, 258]
    assert tokenizer.decode([257, 259, 258]) == "low lower"
    assert [tokenizer.token_bytes(id) for id in (257, 259, 258)] == [b"low", b" low", b"er"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Hello world", ["Hello", " world"]),
        ("it's we'll I'M", ["it", "'s", " we", "'ll", " I", "'", "M"]),
        ("a  b", ["a", " ", " b"]),
        ("a   ", ["a", "   "]),
        ("a\n\n b", ["a", "\n\n", " b"]),
        ("abc123, x2!?", ["abc", "123", ",", " x", "2", "!?"]),
        ("日本語 ½٣", ["日本語", " ½٣"]),
        ("cafe\u0301", ["cafe", "\u0301"]),
    ],
)
def test_split(tokenizer, text, words):
    assert tokenizer.words(text) == words


def test_the_lowest_rank_merges_first_and_the_leftmost_of_equals(make_tokenizer):
    assert make_tokenizer([(b"b", b"c"), (b"a", b"b")]).encode("abc") == [97, 256]
    assert make_tokenizer([(b"a", b"b"), (b"b", b"c")]).encode("abc") == [256, 99]
    assert make_tokenizer([(b"a", b"a")]).encode("aaaaa") == [256, 256, 97]


def test_a_pair_listed_twice_has_its_last_rank(make_tokenizer):
    # As the tokenizers library reads it.
    assert make_tokenizer([(b"a", b"b"), (b"b", b"c"), (b"a", b"b")]).encode("abc") == [97, 257]


def test_byte_alphabet():
    assert len(set(CHARACTER_OF_BYTE)) == 256
    assert [CHARACTER_OF_BYTE[b] for b in (0, 9, 10, 32, 33, 0x7F, 0xA0, 0xAD, 0xFF)] == list("ĀĉĊĠ!ġłŃÿ")
    assert not any(c.isspace() or not c.isprintable() for c in CHARACTER_OF_BYTE)
    assert spell(" café".encode()) == "ĠcafÃ©"
    assert unspell(spell(bytes(range(256)))) == bytes(range(256))
    assert [BYTE_OF_CHARACTER[c] for c in CHARACTER_OF_BYTE] == list(range(256))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_round_trip_of_any_text(text):
    tokenizer = _with_many_merges()
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.text(alphabet="ab 'st\n", max_size=60))
def test_round_trip_of_texts_that_merge(text):
    tokenizer = _with_many_merges()
    assert tokenizer.decode(tokenizer.encode(text)) == text


def _with_many_merges() -> BPETokenizer:
    merges = [(b"a", b"b"), (b"b", b"a"), (b"ab", b"ab"), (b" ", b"ab"), (b"s", b"t"), (b"\xc3", b"\xa9")]
    vocabulary = {bytes([b]): b for b in range(256)}
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    return BPETokenizer(vocabulary, merges, {})


# Any table of merges, also such as no training makes, where a later merge opens up an earlier one.
merge_tables = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), unique=True, max_size=14).map(
    lambda pairs: {pair: (rank, rank % 8) for rank, pair in enumerate(pairs)}
)


def merge_by_definition(ids, rank_of):
    while True:
        at, rank, merged = lowest_ranked_pair(ids, rank_of)
        if rank is None:
            return ids
        ids = [*ids[:at], merged, *ids[at + 2 :]]


@given(merge_tables, st.lists(st.integers(0, 7), max_size=40))
def test_heap_scan_and_definition_agree(rank_of, ids):
    frozen = list(ids)
    expected = merge_by_definition(ids, rank_of)
    assert merge_by_scan(ids, rank_of) == expected
    assert merge_by_heap(ids, rank_of) == expected
    assert ids == frozen


@pytest.mark.parametrize("length", [bpe.LONGEST_SCANNED_WORD, bpe.LONGEST_SCANNED_WORD + 1, 500])
def test_long_words_merge_like_short_ones(tokenizer, length, monkeypatch):
    word = ("lower" * length)[:length]
    ids = tokenizer.encode(word)
    monkeypatch.setattr(bpe, "LONGEST_SCANNED_WORD", 10**9)
    assert ids == tokenizer.encode_word(word)


def test_a_word_of_100_000_characters_takes_no_quadratic_time(tokenizer):
    start = time.perf_counter()
    ids = tokenizer.encode("low" * 33_334)
    assert time.perf_counter() - start < 10  # about 0.3 s; a scan takes more than an hour
    assert ids == [257] * 33_334


def test_ids_belong_to_the_caller(tokenizer):
    tokenizer.encode("low").append(-1)
    assert tokenizer.encode("low") == [257]


def test_decoding_half_characters(tokenizer):
    first, second, third = tokenizer.encode("€")
    assert tokenizer.decode([first, second]) == "�"
    assert tokenizer.decode_bytes([second, third]) == b"\x82\xac"
    assert tokenizer.decode([first, second, third]) == "€"


def test_special_tokens_are_plain_text_unless_allowed(tokenizer):
    text = "low<|endoftext|> low"
    plain = tokenizer.encode(text)
    assert 260 not in plain
    assert tokenizer.decode(plain) == text
    assert tokenizer.encode(text, allow_special=True) == [257, 260, 259]
    assert tokenizer.decode([257, 260, 259]) == text
    assert tokenizer.decode([257, 260, 259], skip_special=True) == "low low"
    assert tokenizer.token_bytes(260) == b"<|endoftext|>"


def test_of_special_tokens_that_start_alike_the_longer_is_found(make_tokenizer):
    tokenizer = make_tokenizer(special_tokens=["<s", "<s>"])
    assert tokenizer.encode("<s><s", allow_special=True) == [261, 260]


def test_end_and_padding_tokens(make_tokenizer):
    assert (make_tokenizer().eos_id, make_tokenizer().pad_id) == (260, 260)  # GPT-2 pads with its end token
    both = make_tokenizer(special_tokens=["<|pad|>", "<|endoftext|>"])
    assert (both.eos_id, both.pad_id) == (261, 260)
    chosen = make_tokenizer(special_tokens=["<x>", "<y>"], eos_token="<y>", pad_token="<x>")
    assert (chosen.eos_id, chosen.pad_id) == (261, 260)
    assert make_tokenizer(special_tokens=[]).pad_id is None
    with pytest.raises(ModelError, match="padding token '<z>' is not a special token"):
        make_tokenizer(pad_token="<z>")


def test_add_prefix_space(make_tokenizer):
    tokenizer = make_tokenizer(add_prefix_space=True)
    assert tokenizer.encode("low") == tokenizer.encode(" low") == [259]
    assert tokenizer.encode("") == []
    assert tokenizer.encode("low<|endoftext|>low", allow_special=True) == [259, 260, 259]


def test_lowercase(make_tokenizer):
    tokenizer = make_tokenizer(lowercase=True)
    assert tokenizer.encode("LOW Low") == [257, 259]
    assert tokenizer.encode("LOW<|ENDOFTEXT|>", allow_special=True) == tokenizer.encode("low<|endoftext|>")


@pytest.mark.parametrize(
    ("malformed", "means"),
    [
        ("\ud800", "\ufffd"),
        ("a\udcffb", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("low\ud800<|endoftext|>", "low\ufffd<|endoftext|>"),
    ],
)
def test_lone_surrogates_become_the_replacement_character(tokenizer, malformed, means):
    assert tokenizer.encode(malformed) == tokenizer.encode(means)
    assert tokenizer.encode(malformed, allow_special=True) == tokenizer.encode(means, allow_special=True)
    assert tokenizer.decode(tokenizer.encode(malformed)) == means


@pytest.mark.parametrize("wrong", [None, 7, b"bytes", ["list"]])
def test_only_str_is_encoded(tokenizer, wrong):
    with pytest.raises(DataError, match="encode needs a str"):
        tokenizer.encode(wrong)


def test_batch(tokenizer):
    assert tokenizer.encode_batch(["low", "", " low"]) == [[257], [], [259]]
    for encode in (tokenizer.encode_batch, tokenizer.encode_flat):
        with pytest.raises(DataError, match="not one str"):
            encode("low")
        with pytest.raises(DataError, match="text 1 is no str but bytes"):
            encode(["low", b"low"])


def test_ids_out_of_range(tokenizer):
    for id in (-1, tokenizer.vocab_size):
        with pytest.raises(DataError, match=f"token id {id} is out of range"):
            tokenizer.token_bytes(id)


def test_a_copy_in_another_process_gives_the_same_ids(tokenizer):
    tokenizer.encode("low lower")
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy.encode("low lower newer") == tokenizer.encode("low lower newer")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.pop(b"\x07"), r"lacks 1 of the 256 bytes, first 0x07"),
        (lambda v: v.update({b"lo": 5}), r"id 5 is given to both"),
        (
            lambda v: v.update({b"lo": 300}),
            r"need the ids 0 to 259, but 256 is missing \(the highest is 300\)",
        ),
        (lambda v: v.pop(b"low"), r"merge 1 \(lo w\): its result 'low' is not in the vocabulary"),
        (lambda v: v.pop(b"lo"), r"merge 0 \(l o\): its result 'lo' is not in the vocabulary"),
    ],
)
def test_vocabularies_that_do_not_fit_their_merges(tokenizer, change, message):
    vocabulary = {tokenizer.token_bytes(id): id for id in range(260)}
    change(vocabulary)
    if "its result" in message:
        vocabulary = {token: id for id, token in enumerate(vocabulary)}
    with pytest.raises(ModelError, match=message):
        BPETokenizer(vocabulary, tokenizer.merges, {})


def test_a_special_token_with_the_id_of_another_token(tokenizer):
    vocabulary = {tokenizer.token_bytes(id): id for id in range(260)}
    with pytest.raises(ModelError, match="id 257 is given to both 'low' and 'low'"):
        BPETokenizer(vocabulary, tokenizer.merges, {"low": 257})
    with pytest.raises(ModelError, match="id 3 is given to both '<a>' and '<b>'"):
        BPETokenizer({bytes([b]): b + 4 for b in range(256)}, [], {"<a>": 3, "<b>": 3})
