"""Training sets: texts to tokens to examples, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from tiny_runs import tiny_encoder, word_pairs

from minigpt2.datasets import Pairs, Positives
from minigpt2.embedding_settings import EmbeddingSettings
from minigpt2.encoder import Encoder
from minigpt2.errors import DataError, UsageError
from minigpt2.model import GPT2
from minigpt2.tokenizer import train_bpe
from minigpt2.training.examples import TrainingSet


def pairs_of(first, second, labels, kind="binary"):
    ids = [str(i) for i in range(len(first))]
    return Pairs(Path("p.tsv"), ids, first, second, np.array(labels, np.float64), kind)


def test_pairs():
    encoder = tiny_encoder()
    data = TrainingSet.from_pairs(pairs_of(["ab", "c", "ab"], ["c", "dé", "f"], [1, 0, 0]), encoder)
    assert data.kind == "binary"
    assert len(data) == 3
    assert data.texts == 4  # ab, c, dé, f
    decoded = [[encoder.tokenizer.decode(i) for i in data.tokens_of(row)] for row in data.columns]
    assert decoded == [["ab", "c"], ["c", "dé"], ["ab", "f"]]
    assert data.labels.tolist() == [1, 0, 0]
    assert data.label_range == (0.0, 1.0)
    assert data.ids.dtype == np.uint16
    assert data.lengths_of_examples().sum(axis=1).tolist() == [3, 4, 3]
    assert data.summary().startswith(
        "3 examples, 4 distinct texts, 7 tokens, 3.3 an example (median 3, longest 4)"
    )
    assert "33.3% with label 1" in data.summary()


def test_scores_and_their_range():
    encoder = tiny_encoder()
    pairs = pairs_of(["a", "b"], ["c", "d"], [1.5, 4.0], "score")
    assert TrainingSet.from_pairs(pairs, encoder).label_range == (1.5, 4.0)
    assert TrainingSet.from_pairs(pairs, encoder, label_range=(0, 5)).label_range == (0.0, 5.0)
    for wrong in [(2, 5), (0, 3), (5, 0)]:
        with pytest.raises(UsageError, match=r"lie between 1.5 and 4, which the label range"):
            TrainingSet.from_pairs(pairs, encoder, label_range=wrong)


def test_positives_with_and_without_negatives():
    encoder = tiny_encoder()
    with_some = Positives(Path("t.tsv"), ["a", "b"], ["c", "d"], [None, "e"])
    data = TrainingSet.from_positives(with_some, encoder)
    assert data.columns.tolist() == [[0, 2, -1], [1, 3, 4]]
    assert data.lengths_of_examples().sum(axis=1).tolist() == [2, 3]
    without = TrainingSet.from_positives(with_some._replace(negatives=[None, None]), encoder)
    assert without.columns.tolist() == [[0, 2], [1, 3]]


def test_texts_with_targets_keep_the_first_of_equals():
    encoder = tiny_encoder()
    targets = np.arange(1, 9, dtype=np.float32).reshape(4, 2)
    data = TrainingSet.from_texts(["b", "a", "b", "c"], encoder, targets=targets)
    assert data.columns.tolist() == [[0], [1], [2]]
    assert [encoder.tokenizer.decode(ids) for ids in data.tokens_of(np.arange(3))] == ["b", "a", "c"]
    assert data.targets.tolist() == targets[[0, 1, 3]].tolist()


def test_texts_are_equal_if_their_tokens_are():
    tokenizer = train_bpe(["the cat sat on the mat"] * 3, 300, lowercase=True)
    config = tiny_encoder().model.config.replace(vocab_size=tokenizer.vocab_size)
    encoder = Encoder(GPT2.initialise(config), tokenizer)
    data = TrainingSet.from_pairs(pairs_of(["The Cat", "the cat"], ["mat", "sat"], [1, 0]), encoder)
    assert data.columns.tolist() == [[0, 1], [0, 2]]
    assert data.texts == 3


def test_long_texts_are_cut_at_the_window_and_counted():
    encoder = tiny_encoder(n_positions=5)
    data = TrainingSet.from_texts(["abcdefg", "abcdexx", "ab"], encoder)
    assert data.truncated == 2
    assert data.texts == 2  # the first two are the same now
    assert data.lengths.tolist() == [5, 2]
    assert "2 texts cut at the window" in data.summary()


def test_the_default_prompt_stands_before_every_text():
    plain = tiny_encoder()
    settings = EmbeddingSettings(prompts={"q": "q: "}, default_prompt_name="q")
    encoder = Encoder(plain.model, plain.tokenizer, settings)
    data = TrainingSet.from_texts(["a"], encoder)
    assert encoder.tokenizer.decode(data.ids) == "q: a"
    left_out = EmbeddingSettings(prompts={"q": "q: "}, default_prompt_name="q", include_prompt=False)
    with pytest.raises(UsageError, match="leaves its prompt 'q: ' out of the pooling"):
        TrainingSet.from_texts(["a"], Encoder(plain.model, plain.tokenizer, left_out))


def test_several_processes_give_the_same_set():
    encoder = tiny_encoder()
    texts = [f"text {i % 9000} of many" for i in range(11_000)]
    one = TrainingSet.from_texts(texts, encoder)
    two = TrainingSet.from_texts(texts, encoder, processes=2)
    assert one.fingerprint() == two.fingerprint()
    assert one.texts == 9000


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda e: TrainingSet.from_pairs(pairs_of(["a", " "], ["b", "c"], [0, 1]), e), DataError,
         "p.tsv: sentence1 of example 2 is empty"),
        (lambda e: TrainingSet.from_pairs(pairs_of([], [], []), e), DataError, "p.tsv: no examples"),
        (lambda e: TrainingSet.from_pairs(pairs_of(["a"], ["b", "c"], [0]), e), UsageError, "equally long"),
        (lambda e: TrainingSet.from_pairs(pairs_of(["a"], ["b"], [0, 1]), e), UsageError, "equally long"),
        (lambda e: TrainingSet.from_texts(["a", ""], e), DataError, "the texts: text of example 2 is empty"),
        (lambda e: TrainingSet.from_texts(["a", 3], e), UsageError, "text of example 2 is a int"),
        (lambda e: TrainingSet.from_texts([], e), DataError, "no examples"),
        (lambda e: TrainingSet.from_texts(["a"], e, targets=np.ones((2, 3))), UsageError, "of shape (1, W)"),
        (lambda e: TrainingSet.from_texts(["a"], e, targets=np.ones((1, 3), int)), UsageError, "int64"),
        (lambda e: TrainingSet.from_texts(["a", "b"], e, targets=np.array([[1.0], [np.nan]])), UsageError,
         "target of text 1 of the texts is zero or not finite"),
        (lambda e: TrainingSet.from_texts(["a", "b"], e, targets=np.array([[0.0], [1.0]])), UsageError,
         "target of text 0"),
        (lambda e: TrainingSet.from_texts(["a"], e, processes=0), UsageError, "processes must be"),
        (lambda e: TrainingSet.of("one text", e), UsageError, "cannot train on a str"),
        (lambda e: TrainingSet.of({"a": 1}, e), UsageError, "cannot train on a dict"),
    ],
)  # fmt: skip
def test_refusals(make, error, message):
    with pytest.raises(error) as caught:
        make(tiny_encoder())
    assert message in str(caught.value)


def test_of_finds_the_constructor():
    encoder = tiny_encoder()
    assert TrainingSet.of(word_pairs(4), encoder).kind == "binary"
    assert TrainingSet.of(Positives(Path("t"), ["a"], ["b"], [None]), encoder).kind == "positives"
    assert TrainingSet.of(["a", "b"], encoder).kind == "texts"


def test_the_fingerprint_sees_every_part():
    encoder = tiny_encoder()
    data = TrainingSet.from_pairs(word_pairs(20), encoder)
    same = TrainingSet.from_pairs(word_pairs(20), encoder)
    assert data.fingerprint() == same.fingerprint()
    ids, labels, columns = data.ids.copy(), data.labels.copy(), data.columns.copy()
    ids[3] ^= 1
    labels[4] = 1 - labels[4]
    columns[[0, 1]] = columns[[1, 0]]
    targets = np.ones((data.texts, 2))
    prints = [data.fingerprint()]
    for changes in ({"ids": ids}, {"labels": labels}, {"columns": columns}, {"targets": targets}):
        prints.append(data.replace(**changes).fingerprint())
    assert len({str(p) for p in prints}) == 5
