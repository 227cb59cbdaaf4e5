"""The merges of a text, one by one."""

from hypothesis import given
from hypothesis import strategies as st

from minigpt2.tokenizer import ByteTokenizer, MergeStep, WordTrace, trace_merges, train_bpe


def test_worked_example(tokenizer):
    low, lower = trace_merges(tokenizer, "low lower")
    assert low == WordTrace(
        text="low",
        pieces=(b"l", b"o", b"w"),
        steps=(
            MergeStep(0, b"l", b"o", 0, 256, (b"lo", b"w"), (256, 119)),
            MergeStep(0, b"lo", b"w", 1, 257, (b"low",), (257,)),
        ),
        ids=(257,),
        tokens=(b"low",),
    )
    assert lower.text == " lower"
    assert [(step.rank, step.position, step.left + step.right) for step in lower.steps] == [
        (0, 1, b"lo"),
        (1, 1, b"low"),
        (2, 2, b"er"),
        (3, 0, b" low"),
    ]
    assert lower.tokens == (b" low", b"er")
    assert lower.ids == (259, 258)


def test_a_byte_tokenizer_merges_nothing():
    assert trace_merges(ByteTokenizer(), "hé") == [
        WordTrace("hé", (b"h", b"\xc3", b"\xa9"), (), (0x68, 0xC3, 0xA9), (b"h", b"\xc3", b"\xa9"))
    ]
    assert trace_merges(ByteTokenizer(), "") == []


def test_normalization_and_malformed_text(make_tokenizer):
    (word,) = trace_merges(make_tokenizer(lowercase=True, add_prefix_space=True), "LOW")
    assert (word.text, word.ids) == (" low", (259,))
    assert trace_merges(make_tokenizer(), "\ud800")[0].text == "\ufffd"


LEARNED = train_bpe(["abab abba baab aabb ababab", "the then them there"] * 3, 290)


@given(st.text(alphabet="abthenmr é\n", max_size=200))
def test_every_step_is_one_merge_and_the_last_is_encode(text):
    trace = trace_merges(LEARNED, text)
    assert [id for word in trace for id in word.ids] == LEARNED.encode(text)
    for word in trace:
        pieces = word.pieces
        assert b"".join(pieces) == word.text.encode()
        for step in word.steps:
            assert pieces[step.position : step.position + 2] == (step.left, step.right)
            after = (*pieces[: step.position], step.left + step.right, *pieces[step.position + 2 :])
            assert step.pieces == after
            assert step.pieces == tuple(LEARNED.token_bytes(id) for id in step.ids)
            assert LEARNED.merges[step.rank] == (step.left, step.right)
            pieces = step.pieces
        assert word.tokens == pieces
