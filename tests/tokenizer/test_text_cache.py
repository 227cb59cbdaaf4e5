"""Texts by their parts between blanks: the same ids as word by word, from a memory that has a bound."""

import csv
import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from minigpt2.model_directory import find_model
from minigpt2.tokenizer import ByteTokenizer, load_tokenizer, text_cache, train_bpe
from minigpt2.tokenizer.base import replace_lone_surrogates
from minigpt2.tokenizer.text_cache import LONGEST_REMEMBERED, TEXTS_AT_A_TIME

TEXTS = ["The low, lower and lowest. LOW!", "it's  in\nÉtés\t'til ½ ΟΔΟΣ", "low <|endoftext|> low"]


def word_by_word(tokenizer, text):
    """The slow way: split by the pattern, merge every word anew."""
    return [
        id for word in tokenizer.words(replace_lone_surrogates(text)) for id in tokenizer.encode_word(word)
    ]


def word_by_word_with_special(tokenizer, text):
    pieces = text.split("<|endoftext|>")
    ids = word_by_word(tokenizer, pieces[0])
    for piece in pieces[1:]:
        ids += [tokenizer.eos_id, *word_by_word(tokenizer, piece)]
    return ids


def assert_same(tokenizer, texts):
    expected = [word_by_word(tokenizer, text) for text in texts]
    assert [tokenizer.encode(text) for text in texts] == expected
    assert tokenizer.encode_batch(texts) == expected
    flat = tokenizer.encode_flat(texts)
    assert [ids.tolist() for ids in flat] == expected
    assert (flat.lengths.shape, flat.ids.dtype) == ((len(texts),), np.int32)


# Runs of white space that merge, so that ids show where a run was cut.
RUNS = [f"a{''.join(run)}b" for run in itertools.product(" \n\t\x85", repeat=3)] * 2

TOKENIZERS = []
for lowercase in (False, True):
    for add_prefix_space in (False, True):
        trained = train_bpe([*TEXTS, *RUNS] * 3, 330, lowercase=lowercase)
        trained.add_prefix_space = add_prefix_space
        TOKENIZERS.append(trained)

PIECES = ["low", "Low", "er", "'s", "it", "É", "Σ", "½", "1", ".", "\ud800", "\ude00", "<|endoftext|>", "\0"]
BLANKS = [" ", " ", " ", "  ", "\n", "\t", "\x1c", "\x85", "\xa0", "\u3000"]
texts_of_pieces = st.lists(st.sampled_from([*PIECES, *BLANKS]), max_size=12).map("".join)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(st.lists(st.one_of(texts_of_pieces, st.text(max_size=20)), max_size=6))
@example(
    ["", " ", "  ", "\n", " \n", "\n ", "a ", " a", "a  b", "a   b", "a\n b", "a \nb", "a\n \nb", "\0", " \0"]
)
@example(["\ud83d\ude00", "low \ud83d", "\ude00 low", "\0\0 low", "low", ""])
def test_the_same_as_word_by_word(tokenizer, texts):
    assert_same(tokenizer, texts)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(st.lists(texts_of_pieces, max_size=6))
def test_special_tokens_that_are_allowed(tokenizer, texts):
    expected = [word_by_word_with_special(tokenizer, text) for text in texts]
    assert [tokenizer.encode(text, allow_special=True) for text in texts] == expected
    assert tokenizer.encode_batch(texts, allow_special=True) == expected
    flat = tokenizer.encode_flat(texts, allow_special=True)
    assert [ids.tolist() for ids in flat] == expected


def test_real_sentences():
    tokenizer = load_tokenizer(find_model())
    path = Path(__file__).parents[2] / "data_sets" / "test.tsv"
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    sentences = [row[name] for row in rows for name in ("sentence1", "sentence2")]
    assert len(sentences) == 2800
    assert_same(tokenizer, sentences)
    assert_same(tokenizer, Path(__file__).read_text(encoding="utf-8").splitlines(keepends=True))


def test_white_space_of_the_pattern_is_white_space_of_python():
    """A part that begins with white space must be seen by `str.isspace`."""
    blanks = regex.findall(r"\s", "".join(map(chr, range(0x110000))))
    assert len(blanks) >= 25
    assert all(map(str.isspace, blanks))


def test_more_texts_than_are_joined_at_a_time():
    tokenizer = TOKENIZERS[0]
    texts = list(
        itertools.islice(
            itertools.cycle([*TEXTS, "", " low", "low ", "\0", "\ud800"]), 2 * TEXTS_AT_A_TIME + 3
        )
    )
    assert_same(tokenizer, texts)


def test_the_memory_is_bounded_and_keeps_nothing_long(tokenizer, monkeypatch):
    monkeypatch.setattr(text_cache, "REMEMBERED", 3)
    cache = tokenizer._cache
    words = ["one", "two", "three", "four", "low", "low", "x" * (LONGEST_REMEMBERED + 1)]
    for text in (*words, " ".join(words), "  ".join(words)):
        assert tokenizer.encode(text) == word_by_word(tokenizer, text)
        for memory in (cache.parts, cache.words):
            assert len(memory) <= 3
            assert all(len(piece) <= LONGEST_REMEMBERED for piece in memory)
    assert tokenizer.encode_batch([" ".join(words)] * 3) == [word_by_word(tokenizer, " ".join(words))] * 3


def test_what_is_remembered_is_not_computed_again(tokenizer, monkeypatch):
    texts = ["low lower", " low", "lower\n\nlow  low"]
    expected = tokenizer.encode_batch(texts)
    monkeypatch.setattr(type(tokenizer), "encode_word", None)  # not callable any more
    assert tokenizer.encode_batch(texts) == expected
    assert [tokenizer.encode(text) for text in texts] == expected


def test_a_copy_starts_with_an_empty_memory(tokenizer):
    tokenizer.encode("low lower")
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert len(tokenizer._cache.parts) == 2
    assert len(copy._cache.parts) == 0
    assert copy.encode("low lower") == tokenizer.encode("low lower")
    assert copy._cache.encoder is copy


def test_eight_threads_with_a_memory_that_is_emptied_all_the_time(tokenizer, monkeypatch):
    texts = [f"low {number} lower {'er' * (number % 7)}  {number}" for number in range(200)]
    expected = [word_by_word(tokenizer, text) for text in texts]
    monkeypatch.setattr(text_cache, "REMEMBERED", 5)
    with ThreadPoolExecutor(8) as pool:
        for ids in pool.map(tokenizer.encode_batch, [texts] * 16):
            assert ids == expected


def test_no_texts(tokenizer):
    for empty in (tokenizer.encode_flat([]), ByteTokenizer().encode_flat(iter([]))):
        assert (len(empty), empty.ids.shape) == (0, (0,))


def test_bytes_as_one_run():
    flat = ByteTokenizer().encode_flat(["hé", "", "<|pad|>"], allow_special=True)
    assert [ids.tolist() for ids in flat] == [[0x68, 0xC3, 0xA9], [], [257]]
