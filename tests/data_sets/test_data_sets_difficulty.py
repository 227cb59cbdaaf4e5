"""The pairs are not trivial: no count of words or negations tells the label, and no single sentence does."""

import itertools
import re

import numpy as np
import pytest

SPLITS = ("train", "dev", "test")


def words(text):
    return re.findall(r"\w+(?:['-]\w+)*", text.lower())


def bigrams(text):
    return list(itertools.pairwise(words(text)))


def jaccard(a, b):
    return len(set(a) & set(b)) / len(set(a) | set(b))


def denies(text):
    return bool({"not", "no", "never", "nobody"} & set(words(text))) or "n't" in text


def auc(scores, labels):
    """The chance that a positive scores above a negative, ties one half: counted over all pairs of pairs."""
    scores, labels = np.asarray(scores, float), np.asarray(labels)
    gaps = scores[labels == 1][:, None] - scores[labels == 0]
    return float((gaps > 0).mean() + (gaps == 0).mean() / 2)


def auc_of(score, rows):
    return auc([score(row.first, row.second) for row in rows], [row.label for row in rows])


def test_auc():
    assert auc([1, 2, 3, 4], [0, 1, 0, 1]) == 0.75
    assert auc([1, 1, 1], [0, 1, 1]) == 0.5


@pytest.mark.parametrize("split", SPLITS)
def test_overlap_of_words(splits, split):
    assert 0.35 <= auc_of(lambda a, b: jaccard(words(a), words(b)), splits[split]) <= 0.65


@pytest.mark.parametrize("split", SPLITS)
def test_overlap_of_neighbouring_words(splits, split):
    assert 0.35 <= auc_of(lambda a, b: jaccard(bigrams(a), bigrams(b)), splits[split]) <= 0.75


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    "score",
    [
        lambda a, b: abs(len(words(a)) - len(words(b))),
        lambda a, b: abs(len(a) - len(b)),
        lambda a, b: len(words(a)) + len(words(b)),
        lambda a, b: denies(a) or denies(b),
        lambda a, b: denies(a) and denies(b),
        lambda a, b: denies(a) == denies(b),
        lambda a, b: denies(b),
    ],
    ids=[
        "words apart",
        "letters apart",
        "words",
        "either denies",
        "both deny",
        "agree in denying",
        "second denies",
    ],
)
def test_length_and_negation(splits, split, score):
    assert 0.4 <= auc_of(score, splits[split]) <= 0.6


@pytest.mark.parametrize("split", SPLITS)
def test_many_negatives_share_almost_all_words_and_many_positives_few(splits, split):
    overlaps = {
        y: [jaccard(words(r.first), words(r.second)) for r in splits[split] if r.label == y] for y in (0, 1)
    }
    assert np.mean(np.array(overlaps[0]) > 0.75) > 0.25
    assert np.mean(np.array(overlaps[1]) < 0.6) > 0.25


def learned_scores(splits, bag_of):
    """By split, (B,) scores of a logistic regression on the words bag_of(row), learned from train.tsv."""
    bags = {split: [["", *bag_of(row)] for row in rows] for split, rows in splits.items()}  # "": the bias
    vocabulary = sorted({word for bag in bags["train"] for word in bag})
    number = {word: i for i, word in enumerate(vocabulary)}

    def flat(split):
        """ids (N,), where each bag begins (B,), labels (B,)"""
        ids = [[number[word] for word in bag if word in number] for bag in bags[split]]
        starts = np.cumsum([0, *map(len, ids)])[:-1]
        return np.concatenate(ids), starts, np.array([row.label for row in splits[split]])

    ids, starts, labels = flat("train")
    bag_number = np.repeat(np.arange(len(starts)), np.diff([*starts, len(ids)]))
    weights, squares = np.zeros(len(vocabulary)), np.full(len(vocabulary), 1e-6)
    for _ in range(100):
        logits = np.add.reduceat(weights[ids], starts)  # (B,)
        wrong = labels - 1 / (1 + np.exp(-logits))  # (B,)
        gradient = np.bincount(ids, wrong[bag_number], len(vocabulary))
        squares += gradient * gradient
        weights += 0.3 * gradient / np.sqrt(squares)  # Adagrad
    assert np.isfinite(weights).all()
    flats = {split: flat(split) for split in SPLITS}
    return {split: np.add.reduceat(weights[ids], starts) for split, (ids, starts, _) in flats.items()}


@pytest.mark.parametrize("side", ["first", "second"])
def test_one_sentence_alone_does_not_tell_the_label(splits, side):
    scores = learned_scores(splits, lambda row: words(getattr(row, side)))
    for split, rows in splits.items():
        assert 0.4 <= auc(scores[split], [row.label for row in rows]) <= 0.6


def test_which_words_differ_tells_much_but_not_all(splits):
    """README.md names this baseline: the words that stand in only one of the two sentences."""
    scores = learned_scores(splits, lambda row: set(words(row.first)) ^ set(words(row.second)))["test"]

    def auc_among(kinds):
        """Of the negative pairs of these kinds against all positive ones"""
        chosen = [i for i, row in enumerate(splits["test"]) if row.label or row.kind in kinds]
        return auc(scores[chosen], [splits["test"][i].label for i in chosen])

    assert 0.82 <= auc_among({row.kind for row in splits["test"]}) <= 0.89
    for kind in ("topic", "unrelated", "place"):
        assert auc_among({kind}) > 0.9
    for kind in ("roles", "negation"):
        assert auc_among({kind}) < 0.75
