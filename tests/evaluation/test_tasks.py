"""From files to numbers: what is read, what learns from what, and which systems are measured."""

import json

import numpy as np
import pytest

from minigpt2.config import GPT2Config
from minigpt2.embedding_settings import EmbeddingSettings
from minigpt2.encoder import Encoder
from minigpt2.errors import DataError, UsageError
from minigpt2.evaluation import metrics
from minigpt2.evaluation.overlap import unigram_overlap
from minigpt2.evaluation.tasks import HEADLINES, evaluate, open_sets
from minigpt2.model import GPT2
from minigpt2.tokenizer import ByteTokenizer

ANIMALS = ["cat", "dog", "bird", "cow", "hen", "fox"]
CITIES = ["Rome", "Paris", "Oslo", "Bern", "Lima", "Cairo"]


@pytest.fixture(scope="module")
def encoder():
    tokenizer = ByteTokenizer()
    config = GPT2Config(vocab_size=tokenizer.vocab_size, n_positions=64, n_embd=16, n_layer=1, n_head=2)
    return Encoder(GPT2.initialise(config, seed=5), tokenizer, EmbeddingSettings())


@pytest.fixture
def files(tmp_path):
    """Write files by name: lines of fields, or text."""

    def write(**contents):
        for name, content in contents.items():
            path = tmp_path / name.replace("__", "/").replace("_", "-").replace("-DOT-", ".")
            path.parent.mkdir(exist_ok=True)
            if not isinstance(content, str):
                content = "".join("\t".join(map(str, fields)) + "\n" for fields in content)
            path.write_text(content, encoding="utf-8")
        return tmp_path

    return write


HEADER = ("id", "sentence1", "sentence2", "label")
BINARY = [HEADER, *((i, f"the {a} ran", f"the {a} ran far", 1) for i, a in enumerate(ANIMALS))]
BINARY += [
    (f"n{i}", f"the {a} ran", f"in {c} it rains", 0)
    for i, (a, c) in enumerate(zip(ANIMALS, CITIES, strict=True))
]
SCORES = [HEADER, *((row[0], row[1], row[2], 2.5 * row[3] + i / 10) for i, row in enumerate(BINARY[1:]))]
CLASSES = [("text", "label"), *((f"the {a} ran", "animal") for a in ANIMALS)]
CLASSES += [(f"I live in {c}", "city") for c in CITIES]
BEIR = {
    "set__corpus_DOT_jsonl": "".join(
        json.dumps({"_id": a, "title": "", "text": f"the {a} ran"}) + "\n" for a in ANIMALS
    ),
    "set__queries_DOT_jsonl": "".join(json.dumps({"_id": f"q{a}", "text": f"a {a}"}) + "\n" for a in ANIMALS),
    "set__qrels_test_DOT_tsv": [(f"q{a}", a, 1) for a in ANIMALS],
}


class TestOpening:
    def test_kinds_names_and_order(self, files):
        folder = files(a_DOT_tsv=BINARY, b_DOT_tsv=SCORES, c_DOT_tsv=CLASSES, **BEIR)
        sets = open_sets([folder / name for name in ("set", "c.tsv", "b.tsv", "a.tsv", "c.tsv")])
        assert [(one.name, one.task) for one in sets] == [
            ("set", "beir"),
            ("c", "labelled_texts"),
            ("b", "score"),
            ("a", "binary"),
        ]
        assert sets[0].notes == ["6 queries, 6 documents"]
        assert sets[1].notes[0] == "12 texts, 2 classes; 5-fold cross-validation"
        assert sets[2].notes == ["12 pairs, scores from 0.6 to 3"]
        assert sets[3].notes[0] == "12 pairs, 50.0% positive"
        assert "optimistic" in sets[3].notes[1]

    def test_thresholds_from_dev(self, files):
        folder = files(a_DOT_tsv=BINARY, dev_DOT_tsv=BINARY[:1] + BINARY[3:9], b_DOT_tsv=SCORES)
        binary, score = open_sets([folder / "a.tsv", folder / "b.tsv"], dev=folder / "dev.tsv")
        assert binary.notes[1] == f"thresholds chosen on {folder / 'dev.tsv'}"
        assert len(binary.learn_from.ids) == 6
        assert score.learn_from is None

    def test_train_beside_test_is_used_and_no_set_of_its_own(self, files):
        folder = files(x_train_DOT_tsv=CLASSES, x_test_DOT_tsv=[*CLASSES[:4], ("why", "question")])
        for given in (["x-test.tsv"], ["x-train.tsv", "x-test.tsv"], ["x-test.tsv", "x-train.tsv"]):
            (one,) = open_sets([folder / name for name in given])
            assert one.name == "x"
            assert one.notes[0] == "4 texts, 2 classes; learned from 12 texts of x-train.tsv"
            assert one.notes[1] == "1 texts have a class that is not in x-train.tsv, and count as wrong"
        (alone,) = open_sets([folder / "x-train.tsv"])
        assert (alone.name, alone.learn_from) == ("x-train", None)
        files(other_DOT_tsv=CLASSES[:9])
        for one in open_sets([folder / "x-test.tsv", folder / "x-train.tsv"], train=folder / "other.tsv"):
            assert "learned from 8 texts of other.tsv" in one.notes[0]

    def test_limit_spreads_evenly(self, files):
        folder = files(a_DOT_tsv=BINARY, c_DOT_tsv=CLASSES, **BEIR)
        binary, classes, beir = open_sets([folder / name for name in ("a.tsv", "c.tsv", "set")], limit=4)
        assert binary.data.ids == ["0", "3", "n0", "n3"]
        assert binary.notes[0] == "4 of 12 pairs, 50.0% positive"
        assert classes.data.labels == ["animal", "animal", "city", "city"]
        assert list(beir.data.queries) == ["qcat", "qdog", "qcow", "qhen"]
        assert len(beir.data.documents) == 6
        (learned,) = open_sets([folder / "c.tsv"], train=folder / "c.tsv", limit=4)
        assert learned.notes[0].endswith("learned from 4 of 12 texts of c.tsv")
        (same,) = open_sets([folder / "a.tsv"], limit=99)
        assert same.notes[0] == "12 pairs, 50.0% positive"

    def test_refused(self, files):
        folder = files(
            a_DOT_tsv=BINARY,
            b_DOT_tsv=SCORES,
            p_DOT_tsv=[("a", "b")],
            t_DOT_txt="a\n",
            one_DOT_tsv=BINARY[:3],
            c_DOT_tsv=CLASSES[:4],
        )
        for paths, options, error, message in [
            (["p.tsv"], {}, DataError, "holds positives without negatives"),
            (["t.txt"], {}, DataError, "holds texts without labels"),
            (["none.tsv"], {}, DataError, "no such file"),
            (["one.tsv"], {}, DataError, r"one\.tsv: every label is 1,"),
            (["c.tsv"], {}, DataError, "every label is animal"),
            (["a.tsv"], {"limit": 1}, DataError, "every label of the 1 examples that the limit leaves is"),
            (["b.tsv"], {"dev": folder / "a.tsv"}, UsageError, "--dev chooses thresholds"),
            (["a.tsv"], {"dev": folder / "b.tsv"}, DataError, "neither 0 nor 1"),
            (["a.tsv"], {"dev": folder / "one.tsv"}, DataError, r"one\.tsv: every label is 1,"),
            (["a.tsv"], {"train": folder / "c.tsv"}, UsageError, "--train is for files of text and label"),
        ]:
            with pytest.raises(error, match=message):
                open_sets([folder / name for name in paths], **options)


class TestMeasuring:
    def test_every_task_by_every_system(self, files, encoder):
        folder = files(a_DOT_tsv=BINARY, b_DOT_tsv=SCORES, c_DOT_tsv=CLASSES, **BEIR)
        for one in open_sets([folder / name for name in ("a.tsv", "b.tsv", "c.tsv", "set")]):
            result = evaluate(one, encoder, name="tiny")
            names = ["tiny", "untrained", "TF-IDF", "random words", "unigrams", "bigrams", "majority"]
            left_out = {
                "binary": (),
                "score": ("majority",),
                "labelled_texts": ("unigrams", "bigrams"),
                "beir": ("majority",),
            }[one.task]
            assert [system.name for system in result.results] == [n for n in names if n not in left_out]
            for system in result.results:
                assert set(HEADLINES[one.task]) <= set(system.metrics) == set(result.results[0].metrics)
                assert np.isfinite(list(system.metrics.values())).all()
                assert system.seconds >= 0.0
            assert result.collapse.dimensions == 16
            (only,) = evaluate(one, encoder, name="tiny", with_baselines=False).results
            assert only.metrics == result.results[0].metrics

    def test_the_numbers_of_pairs_are_those_of_the_cosines(self, files, encoder):
        folder = files(a_DOT_tsv=BINARY, b_DOT_tsv=SCORES)
        for one in open_sets([folder / "a.tsv", folder / "b.tsv"]):
            data = one.data
            cosines = (encoder.encode(data.first) * encoder.encode(data.second)).sum(axis=1)
            overlap = unigram_overlap(data.first, data.second)
            measure = metrics.auc if one.task == "binary" else metrics.spearman
            found = {system.name: system.metrics for system in evaluate(one, encoder).results}
            (headline,) = HEADLINES[one.task]
            assert found["model"][headline] == pytest.approx(measure(cosines, data.labels))
            assert found["unigrams"][headline] == pytest.approx(measure(overlap, data.labels))

    def test_dev_decides_the_thresholds_of_every_system(self, files, encoder):
        """Of this dev file's words a negative pair shares more than those of the other file do."""
        dev = [HEADER, *BINARY[1:6], (9, "the cat ran", "the cat ran far too", 0)]
        folder = files(a_DOT_tsv=BINARY, dev_DOT_tsv=dev)
        (one,) = open_sets([folder / "a.tsv"], dev=folder / "dev.tsv")
        found = {system.name: system.metrics for system in evaluate(one, encoder).results}
        assert found["majority"]["accuracy"] == 0.5
        assert found["majority"]["threshold"] == 0.0
        assert found["unigrams"]["accuracy"] == 1.0
        assert found["unigrams"]["threshold"] == pytest.approx((3 / 4 + 3 / 5) / 2)
        sides = ([row[column] for row in dev[1:]] for column in (1, 2))
        cosines = np.multiply(*(encoder.encode(side, normalize_embeddings=True) for side in sides)).sum(
            axis=1
        )
        expected = metrics.best_threshold(cosines, [1, 1, 1, 1, 1, 0]).threshold
        assert found["model"]["threshold"] == pytest.approx(expected, abs=1e-6)
        (alone,) = open_sets([folder / "a.tsv"])
        gauges = [evaluate(given, encoder, with_baselines=False).collapse for given in (one, alone)]
        assert gauges[0].mean_cosine == pytest.approx(
            gauges[1].mean_cosine, abs=1e-6
        )  # dev has no part in it

    def test_classes_with_and_without_a_file_to_learn_from(self, files, encoder):
        unknown = ("why", "question")
        folder = files(x_train_DOT_tsv=CLASSES, x_test_DOT_tsv=[*CLASSES, unknown], c_DOT_tsv=CLASSES)
        learned, folded = open_sets([folder / "x-test.tsv", folder / "c.tsv"])
        found = {system.name: system.metrics for system in evaluate(learned, encoder).results}
        assert found["TF-IDF"]["probe_accuracy"] == 12 / 13  # the unknown class is wrong
        assert found["majority"]["knn_accuracy"] == 6 / 13
        assert found["majority"]["v_measure"] == 0.0
        found = {system.name: system.metrics for system in evaluate(folded, encoder).results}
        assert found["TF-IDF"]["probe_accuracy"] == 1.0
        assert found["TF-IDF"]["v_measure"] > 0.3

    def test_a_search_by_words(self, files, encoder):
        (one,) = open_sets([files(**BEIR) / "set"])
        found = {system.name: system.metrics for system in evaluate(one, encoder).results}
        assert found["unigrams"] == {"ndcg@10": 1.0, "mrr@10": 1.0, "recall@10": 1.0, "recall@100": 1.0}
        assert found["bigrams"]["mrr@10"] == pytest.approx(np.mean(1 / np.arange(1, 7)))  # all tied at 0

    def test_a_narrower_vector_and_a_text_beyond_the_window(self, files, encoder, recwarn):
        rows = [*BINARY, ("long", "word " * 50, "the cat ran", 0)]
        (one,) = open_sets([files(a_DOT_tsv=rows) / "a.tsv"])
        result = evaluate(one, encoder, truncate_dim=6)
        assert result.collapse.dimensions == 6
        assert len(recwarn) == 1  # the untrained model cuts the same text and says nothing
