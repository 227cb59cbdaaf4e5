"""Objectives: which data they take, the examples they make of it, and the loss of a batch."""

from pathlib import Path

import numpy as np
import pytest
from test_examples import pairs_of
from tiny_runs import tiny_encoder

from minigpt2.backend import asarray, to_numpy
from minigpt2.datasets import Positives
from minigpt2.errors import DataError, UsageError
from minigpt2.layers import normalize
from minigpt2.training import losses
from minigpt2.training.examples import TrainingSet
from minigpt2.training.objectives import OBJECTIVES, loss_of_batch, prepare, project, texts_of_batch
from minigpt2.training.settings import OBJECTIVES as NAMES
from minigpt2.training.settings import TrainingSettings

D = 12
ENCODER = tiny_encoder(n_embd=D)
BINARY = pairs_of(["ab", "cd", "ab", "e", "cd"], ["p", "qr", "s", "t", "u"], [1, 1, 0, 0, 0])
SCORES = pairs_of(["ab", "b", "c"], ["d", "e", "f"], [1.0, 5.0, 3.0], "score")
WITH_NEGATIVES = Positives(Path("t.tsv"), ["ab", "b", "c"], ["d", "e", "f"], [None, "g", "h"])
WITHOUT = WITH_NEGATIVES._replace(negatives=[None] * 3)
TEXTS = ["ab", "c", "de", "fgh"]

DATA = {
    "binary": TrainingSet.from_pairs(BINARY, ENCODER),
    "score": TrainingSet.from_pairs(SCORES, ENCODER, label_range=(0, 5)),
    "positives": TrainingSet.from_positives(WITHOUT, ENCODER),
    "with negatives": TrainingSet.from_positives(WITH_NEGATIVES, ENCODER),
    "texts": TrainingSet.from_texts(TEXTS, ENCODER),
    "targets": TrainingSet.from_texts(TEXTS, ENCODER, targets=np.random.default_rng(0).random((4, 20))),
}
FITS = {
    "contrastive": {"binary"},
    "cosine": {"binary", "score"},
    "cosent": {"binary", "score"},
    "info_nce": {"binary", "positives", "with negatives", "texts", "targets"},
    "triplet": {"binary", "with negatives"},
    "distillation": {"targets"},
    "language_model": set(DATA),
}
DROPPING = ENCODER.model.config.replace(attn_pdrop=0.1)


def prepared(kind, objective, **settings):
    return prepare(DATA[kind], TrainingSettings(objective=objective, **settings), DROPPING)


def test_every_objective_of_the_settings_is_here():
    assert tuple(OBJECTIVES) == NAMES == tuple(FITS)


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_which_data_an_objective_takes(objective, kind):
    if kind in FITS[objective]:
        assert len(prepared(kind, objective)[0]) > 0
        return
    with pytest.raises(UsageError) as caught:
        prepared(kind, objective)
    text = str(caught.value)
    assert text.startswith(f"the objective {objective} ")
    recommended = [name for name in OBJECTIVES if name in text.split("use ")[1]]
    assert recommended
    assert all(kind in FITS[name] for name in recommended)


def test_simcse_needs_dropout():
    with pytest.raises(UsageError, match="this model has no dropout: set dropout"):
        prepare(DATA["texts"], TrainingSettings(), ENCODER.model.config)
    data, notes = prepared("texts", "info_nce")
    assert data.columns.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert notes == ["each text is its own positive, by dropout"]


def test_scores_become_cosines_by_the_stated_range():
    data, notes = prepared("score", "cosine")
    assert data.labels.tolist() == [0.2, 1.0, 0.6]
    assert notes == ["labels 0 … 5 become cosines 0 … 1"]
    assert prepared("binary", "cosine")[1] == []


def test_pairs_with_labels_become_anchors_positives_and_negatives():
    first = ["a", "a", "b", "a", "a", "a", "b", "x"]
    second = ["p", "q", "r", "n", "o", "m", "s", "y"]
    labels = [1, 1, 1, 0, 0, 0, 0, 0]
    data = TrainingSet.from_pairs(pairs_of(first, second, labels), ENCODER)
    made, notes = prepare(data, TrainingSettings(), DROPPING)
    ids = data.tokens_of(np.arange(data.texts))
    name = dict(enumerate(map(ENCODER.tokenizer.decode, ids))) | {-1: None}
    assert [[name[t] for t in row] for row in made.columns.tolist()] == [
        ["a", "p", "n", "m"],  # the anchor's negatives go to its examples in turn
        ["a", "q", "o", None],
        ["b", "r", "s", None],
    ]
    assert notes == [
        "3 pairs with label 1 are anchors with their positives, to which the 5 with label 0 give hard "
        "negatives, 1 of them left out"
    ]
    triplets, _ = prepare(data, TrainingSettings(objective="triplet"), DROPPING)
    assert ["".join(name[t] for t in row) for row in triplets.columns.tolist()] == [
        "apn",
        "aqo",
        "brs",
        "apm",
    ]


def test_what_an_anchor_belongs_to_is_never_its_negative():
    first = ["a", "a", "a", "a", "a", "a", "a"]
    second = ["p", "q", "a", "q", "p", "n", "n"]
    data = TrainingSet.from_pairs(pairs_of(first, second, [1, 1, 0, 0, 0, 0, 0]), ENCODER)
    made, notes = prepare(data, TrainingSettings(), DROPPING)
    a, p, q, n = (data.columns[row, column] for row, column in ((0, 0), (0, 1), (1, 1), (5, 1)))
    assert made.columns.tolist() == [[a, p, n], [a, q, -1]]
    assert "the 5 with label 0 give hard negatives, 4 of them left out" in notes[0]


@pytest.mark.parametrize("objective", ["info_nce", "triplet"])
def test_a_given_negative_that_is_its_own_anchor_or_positive_is_left_out(objective):
    given = Positives(Path("t.tsv"), ["a", "b", "c"], ["p", "q", "r"], ["a", "q", "n"])
    data = TrainingSet.from_positives(given, ENCODER)
    made, notes = prepare(data, TrainingSettings(objective=objective), DROPPING)
    assert [row[2] for row in made.columns.tolist() if row[2] >= 0] == [data.columns[2, 2]]
    assert len(made) == {"info_nce": 3, "triplet": 1}[objective]
    assert notes[0] == "2 negatives left out that are the anchor or the positive of their example"


def test_triplets_leave_out_what_has_no_negative():
    data, notes = prepared("with negatives", "triplet")
    assert data.columns.tolist() == [[1, 4, 6], [2, 5, 7]]
    assert notes == ["1 examples without a negative left out"]


def test_triplets_from_pairs_need_an_anchor_with_both_labels():
    data = TrainingSet.from_pairs(pairs_of(["a", "b"], ["c", "d"], [0, 1]), ENCODER)
    with pytest.raises(UsageError, match="needs pairs with label 0 whose first sentence is also"):
        prepare(data, TrainingSettings(objective="triplet"), DROPPING)


def test_pairs_without_a_positive_are_refused():
    data = TrainingSet.from_pairs(pairs_of(["a"], ["b"], [0]), ENCODER)
    with pytest.raises(DataError, match="no pair has label 1"):
        prepare(data, TrainingSettings(), DROPPING)


def test_a_language_model_takes_every_distinct_text_of_two_tokens():
    data, notes = prepared("texts", "language_model")
    assert data.columns.tolist() == [[0], [2], [3]]
    assert notes == ["1 texts of one token left out: they have no next token"]
    one_token = TrainingSet.from_texts(["a", "b"], ENCODER)
    with pytest.raises(DataError, match="no example is left for the objective language_model: 2 texts"):
        prepare(one_token, TrainingSettings(objective="language_model"), DROPPING)


def test_a_matryoshka_width_must_fit_the_model():
    with pytest.raises(UsageError, match="matryoshka width 13 is beyond the model's width 12"):
        prepared("binary", "info_nce", matryoshka=[4, 13])


def test_targets_are_projected_onto_their_strongest_directions(rng):
    strong = rng.standard_normal((50, 3)) @ rng.standard_normal((3, 20))  # of rank 3
    targets, kept = project(strong, 3)
    assert targets.shape == (50, 3)
    assert kept == pytest.approx(1.0)
    unit = normalize(strong)[0]
    np.testing.assert_allclose(targets.astype(np.float64) @ targets.T, unit @ unit.T, atol=2e-3)
    same, kept = project(strong, 20)
    assert same is strong
    assert kept == 1.0
    with pytest.raises(UsageError, match="have 20 numbers, but the model's have 21"):
        project(strong, 21)
    weak, kept = project(rng.standard_normal((500, 20)), 10)
    assert 0.5 < kept < 0.7
    assert np.linalg.norm(weak.astype(np.float64), axis=1) == pytest.approx(1.0, abs=1e-3)


def batch(kind, objective, xp, rng, **settings):
    """A prepared set, all its rows, its texts and random vectors for them."""
    data, _ = prepared(kind, objective, **settings)
    rows = np.arange(len(data))
    texts = texts_of_batch(data, rows)
    vectors = normalize(rng.standard_normal((len(texts), D)))[0]
    return data, rows, texts, asarray(vectors, xp)


def test_texts_of_a_batch_stand_column_by_column(xp, rng):
    data, _, texts, _ = batch("with negatives", "info_nce", xp, rng)
    assert texts.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert texts_of_batch(data, np.array([2, 0])).tolist() == [2, 0, 5, 3, 7]


@pytest.mark.parametrize(
    ("objective", "kind"),
    [(o, k) for o, kinds in FITS.items() for k in sorted(kinds) if o != "language_model"],
)
@pytest.mark.parametrize("matryoshka", [None, (3, 7)])
def test_the_gradient_of_a_batch(xp, rng, objective, kind, matryoshka):
    data, rows, _, vectors = batch(kind, objective, xp, rng, matryoshka=matryoshka)
    settings = TrainingSettings(objective=objective, matryoshka=matryoshka)
    loss = loss_of_batch(data, rows, settings)
    value, gradient = loss(vectors)
    assert value.shape == ()
    assert gradient.shape == vectors.shape
    assert gradient.dtype == vectors.dtype
    direction = asarray(rng.standard_normal(vectors.shape), xp)
    step = 1e-6
    change = (float(loss(vectors + step * direction)[0]) - float(loss(vectors - step * direction)[0])) / (
        2 * step
    )
    assert float((gradient * direction).sum()) == pytest.approx(change, rel=1e-5, abs=1e-7)


def test_losses_are_called_with_the_settings(xp, rng):
    def value(kind, **settings):
        data, rows, _, vectors = batch(kind, settings["objective"], xp, np.random.default_rng(5))
        return float(loss_of_batch(data, rows, TrainingSettings(**settings))(vectors)[0]), data, vectors

    found, data, v = value("binary", objective="contrastive", margin=0.9)
    M = len(data)
    assert found == pytest.approx(float(losses.contrastive(v[:M], v[M:], data.labels, 0.9)[0]))
    found, _, v = value("binary", objective="contrastive", temperature=0.4)
    assert found == pytest.approx(float(losses.contrastive(v[:M], v[M:], data.labels, 0.5, 0.4)[0]))
    found, data, v = value("score", objective="cosine")
    assert found == pytest.approx(float(losses.cosine_regression(v[:3], v[3:], data.labels)[0]))
    found, data, v = value("score", objective="cosent", temperature=0.3)
    assert found == pytest.approx(float(losses.cosent(v[:3], v[3:], data.labels, 0.3)[0]))
    found, _, v = value("with negatives", objective="info_nce", temperature=0.2, symmetric=False)
    assert found == pytest.approx(float(losses.info_nce(v[:3], v[3:6], v[6:], 0.2, False)[0]))
    found, _, v = value("positives", objective="info_nce")
    assert found == pytest.approx(float(losses.info_nce(v[:3], v[3:])[0]))
    found, _, v = value("with negatives", objective="triplet", margin=0.7)
    assert found == pytest.approx(float(losses.triplet(v[:2], v[2:4], v[4:], 0.7)[0]))
    found, data, v = value("targets", objective="distillation", temperature=0.2, alpha=3.0)
    targets = normalize(asarray(data.targets, xp, v.dtype))[0]
    assert found == pytest.approx(float(losses.distillation(v, targets, 0.2, 3.0)[0]))
    whole = to_numpy(v)
    assert whole.dtype == np.float64
