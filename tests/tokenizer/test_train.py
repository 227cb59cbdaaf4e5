"""Training: a worked example, the definition as oracle, and the promises of the interface."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigpt2.errors import DataError, UsageError
from minigpt2.tokenizer import train_bpe
from minigpt2.tokenizer.train import count_words


def test_worked_example():
    # Words: low, ␣low, ␣lower.
    # Pairs: (l,o) 3, (o,w) 3, (␣,l) 2, (w,e) 1, (e,r) 1. Of (l,o) and (o,w) the
    # one with the smaller left id merges; then (lo,w) 3 and (␣,lo) 2; then (␣,low) 2; then nothing twice.
    tokenizer = train_bpe(["low low lower"], 1000)
    assert tokenizer.merges == [(b"l", b"o"), (b"lo", b"w"), (b" ", b"low")]
    assert tokenizer.vocab_size == 2 + 256 + 3
    assert tokenizer.special_tokens == {"<|endoftext|>": 0, "<|pad|>": 1}
    assert [tokenizer.token_bytes(i) for i in (2, 3, 258, 259, 260)] == [b"!", b'"', b"lo", b"low", b" low"]


def test_overlapping_occurrences():
    # aaaa holds (a,a) three times but merges twice: aa aa.
    tokenizer = train_bpe(["aaaa"], 1000, min_frequency=1, special_tokens=())
    assert tokenizer.merges == [(b"a", b"a"), (b"aa", b"aa")]
    tokenizer = train_bpe(["aaaaa aaa"], 1000, min_frequency=1, special_tokens=())
    assert tokenizer.merges[0] == (b"a", b"a")
    assert tokenizer.decode(tokenizer.encode("aaaaa aaa")) == "aaaaa aaa"


def test_vocab_size_is_exact_where_the_text_allows():
    text = "the quick brown fox jumps over the lazy dog " * 3
    for vocab_size in (258, 259, 270):
        assert train_bpe([text], vocab_size).vocab_size == vocab_size


def test_min_frequency():
    text = "ab ab cd"
    assert train_bpe([text], 1000, min_frequency=3).merges == []
    assert train_bpe([text], 1000, min_frequency=2).merges == [(b"a", b"b")]
    assert (b"c", b"d") in train_bpe([text], 1000, min_frequency=1).merges


def test_lowercase_counts_what_encoding_sees():
    tokenizer = train_bpe(["LOW Low low LOWER"], 300, lowercase=True)
    assert tokenizer.lowercase
    assert (b"l", b"o") in tokenizer.merges
    assert tokenizer.encode("LOW") == tokenizer.encode("low")


def test_a_special_token_is_never_a_merge():
    # Without the care for it, merges would spell "<s>" and plain text would encode to the special id.
    tokenizer = train_bpe(["<s> " * 9, "<s>"], 1000, special_tokens=["<s>"])
    assert 0 not in tokenizer.encode("<s>")
    assert tokenizer.encode("<s>", allow_special=True) == [0]
    assert tokenizer.decode(tokenizer.encode("<s> <s>")) == "<s> <s>"


def test_a_lone_surrogate_is_counted_as_the_replacement_character():
    assert count_words(["a\ud800"]) == Counter({"a": 1, "\ufffd": 1})


def test_progress_is_reported():
    reports = []
    train_bpe(["low low lower"] * 7, 261, progress=lambda *report: reports.append(report))
    assert ("counting words", 7, 7) in reports
    assert reports[-1] == ("merging", 3, 3)


def test_a_generator_is_enough():
    assert (
        train_bpe((text for text in ["low low lower"]), 261).merges
        == train_bpe(["low low lower"], 261).merges
    )


def test_bad_arguments():
    with pytest.raises(
        UsageError, match="vocab_size 257 is too small: 2 special tokens and 256 bytes make 258"
    ):
        train_bpe(["a"], 257)
    with pytest.raises(UsageError, match="min_frequency"):
        train_bpe(["a"], 300, min_frequency=0)
    with pytest.raises(UsageError, match="given twice"):
        train_bpe(["a"], 300, special_tokens=["<x>", "<x>"])
    with pytest.raises(DataError, match="training text 2 is no str but int"):
        train_bpe(["a", 5], 300)
    with pytest.raises(DataError, match="not one str"):
        train_bpe("one text", 300)


def train_by_definition(texts, vocab_size, min_frequency):
    """All pairs counted anew for every merge."""
    start = train_bpe([], 256, special_tokens=())
    bytes_of = [start.token_bytes(id) for id in range(256)]
    id_of = {token: id for id, token in enumerate(bytes_of)}
    words = [([id_of[bytes([b])] for b in w.encode()], n) for w, n in count_words(texts).items()]
    merges = []
    while len(bytes_of) < vocab_size:
        counts = Counter()
        for word, n in words:
            for pair in pairwise(word):
                counts[pair] += n
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < min_frequency:
            break
        token = bytes_of[best[0]] + bytes_of[best[1]]
        if token not in id_of:
            id_of[token] = len(bytes_of)
            bytes_of.append(token)
        if (merge := (bytes_of[best[0]], bytes_of[best[1]])) not in merges:
            merges.append(merge)
        for word, _ in words:
            at = 0
            while at < len(word) - 1:
                if (word[at], word[at + 1]) == best:
                    word[at : at + 2] = [id_of[token]]
                at += 1
    return merges


@given(
    st.lists(st.text(alphabet="aab \né", max_size=30), max_size=6), st.integers(256, 300), st.integers(1, 3)
)
def test_incremental_counts_find_the_merges_of_the_definition(texts, vocab_size, min_frequency):
    trained = train_bpe(texts, vocab_size, special_tokens=(), min_frequency=min_frequency)
    assert trained.merges == train_by_definition(texts, vocab_size, min_frequency)
