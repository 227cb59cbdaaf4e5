"""A vocabulary small enough to follow by hand."""

import pytest

from minigpt2.tokenizer import BPETokenizer

MERGES = [(b"l", b"o"), (b"lo", b"w"), (b"e", b"r"), (b" ", b"low")]


@pytest.fixture
def make_tokenizer():
    """256 bytes as ids 0 to 255, the four merges as 256 to 259, `<|endoftext|>` as 260."""

    def make(merges=MERGES, special_tokens=("<|endoftext|>",), **options):
        vocabulary = {bytes([b]): b for b in range(256)}
        for left, right in merges:
            vocabulary.setdefault(left + right, len(vocabulary))
        special = {name: len(vocabulary) + i for i, name in enumerate(special_tokens)}
        return BPETokenizer(vocabulary, merges, special, **options)

    return make


@pytest.fixture
def tokenizer(make_tokenizer):
    return make_tokenizer()
