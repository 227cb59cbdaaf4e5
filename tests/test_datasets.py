"""Data files: what is well formed comes back exactly, and everything else is refused at its place."""

import contextlib
import json
import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigpt2.datasets import (
    describe,
    read_beir,
    read_labelled_texts,
    read_pairs,
    read_positives,
    read_texts,
    recognise,
)
from minigpt2.errors import DataError, UsageError
from minigpt2.evaluation.metrics import auc, spearman

HEADER = "id\tsentence1\tsentence2\tlabel\n"

field = st.text(st.characters(blacklist_characters="\t\n", blacklist_categories=["Cs"]), min_size=1)
text = field.filter(lambda t: not t.isspace() and not t.endswith("\r"))
number = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path: `write("a.tsv", content)`; folders of the name are made."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


class TestPairs:
    def test_a_table(self, write):
        path = write("a.tsv", HEADER + 'x1\tA "cat" sat.\t  b \t1\nx2\tc\t"d\t0\n')
        pairs = read_pairs(path)
        assert pairs.path == path
        assert pairs.ids == ["x1", "x2"]
        assert pairs.first == ['A "cat" sat.', "c"]
        assert pairs.second == ["  b ", '"d']  # no quoting, nothing stripped
        assert pairs.labels.dtype == np.float64
        assert pairs.labels.tolist() == [1.0, 0.0]
        assert pairs.kind == "binary"

    @pytest.mark.parametrize(
        ("labels", "kind", "found"),
        [
            (["1", "0.0"], None, "binary"),
            (["1", "0"], "score", "score"),
            (["1e0", "+0"], "binary", "binary"),
            (["4.75", "0"], None, "score"),
            (["-1", ".5"], None, "score"),
        ],
    )
    def test_kinds(self, write, labels, kind, found):
        lines = "".join(f"{i}\ta\tb\t{label}\n" for i, label in enumerate(labels))
        pairs = read_pairs(write("a.tsv", HEADER + lines), kind=kind)
        assert pairs.kind == found
        assert pairs.labels.tolist() == [float(label) for label in labels]

    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("packed", [False, True])
    def test_line_ends_byte_order_mark_and_xz(self, write, ending, mark, packed):
        content = mark + (HEADER + "é1\ta\tb\t1").replace("\n", ending).encode()
        path = write("a.tsv.xz", lzma.compress(content)) if packed else write("a.tsv", content)
        pairs = read_pairs(path)
        assert (pairs.ids, pairs.first, pairs.second) == (["é1"], ["a"], ["b"])

    def test_limit(self, write):
        lines = "".join(f"{i}\ta\tb\t{i % 2}\n" for i in range(5))
        path = write("a.tsv", HEADER + lines + "broken\n")
        assert read_pairs(path, limit=3).ids == ["0", "1", "2"]
        with pytest.raises(DataError, match="line 7"):
            read_pairs(path, limit=6)
        for limit in (0, -1, True, 2.0):
            with pytest.raises(UsageError, match="limit"):
                read_pairs(path, limit=limit)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is empty"),
            (HEADER, "nothing below its header"),
            ("1\ta\tb\t1\n", "line 1 is .* not the header id sentence1 sentence2 label"),
            (HEADER.replace("label", "score"), "line 1 is .* not the header"),
            (HEADER + "1\ta\tb\t1\n2\ta\tb\n", r"line 3 has 3 columns, not 4 \(id sentence1"),
            (HEADER + "1\ta\tb\tc\t1\n", "line 2 has 5 columns, not 4 .* must not hold a tab"),
            (HEADER + "1 a b 1\n", "line 2 has 1 column, not 4 .* put tabs"),
            (HEADER + "1\ta\tb\t1\n\n", "line 3 is empty: delete it"),
            (HEADER + "1\t\tb\t1\n", r"line 2, column 2 \(sentence1\) is empty"),
            (HEADER + "1\ta\t \u00a0\t1\n", r"line 2, column 3 \(sentence2\) is empty"),
            (HEADER + "\ta\tb\t1\n", r"line 2, column 1 \(id\) is empty"),
            (
                HEADER + "7\ta\tb\t1\n8\ta\tb\t0\n7\tc\td\t1\n",
                "line 4, column 1: the id '7' stands in line 2",
            ),
            (HEADER + "1\ta\tb\tyes\n", "line 2, column 4: the label 'yes' is no finite number"),
            (HEADER + "1\ta\tb\tnan\n", "column 4: the label 'nan' is no finite number"),
            (HEADER + "1\ta\tb\t-inf\n", "column 4: the label '-inf' is no finite number"),
            (HEADER + "1\ta\tb\t1e999\n", "column 4: the label '1e999' is no finite number"),
            (HEADER + "1\ta\tb\t1_0\n", "column 4: the label '1_0' is no finite number"),
            (HEADER + "1\ta\tb\t١\n", "column 4: the label '١' is no finite number"),
            (HEADER + "1\ta\tb\t\n", "column 4: the label '' is no finite number"),
            (HEADER.encode() + b"1\ta\xff\tb\t1\n", "line 2, byte 4 .* is not UTF-8"),
            (HEADER.encode("utf-16"), "UTF-16"),
        ],
    )
    def test_refused_at_its_place(self, write, content, message):
        path = write("bad.tsv", content)
        with pytest.raises(DataError, match=message) as caught:
            read_pairs(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)

    def test_scores_where_labels_are_wanted(self, write):
        path = write("a.tsv", HEADER + "1\ta\tb\t1\n2\ta\tb\t4.75\n3\ta\tb\t5\n")
        with pytest.raises(DataError, match=r"line 3, column 4: the label 4\.75 is .* \(cosine or cosent\)"):
            read_pairs(path, kind="binary")
        with pytest.raises(UsageError, match="unknown kind"):
            read_pairs(path, kind="0/1")

    def test_no_file(self, tmp_path):
        with pytest.raises(DataError, match="no such file"):
            read_pairs(tmp_path / "none.tsv")
        with pytest.raises(DataError, match=r"none\.tsv\.xz: no such file"):
            read_pairs(tmp_path / "none.tsv.xz")
        with pytest.raises(DataError, match="is a directory"):
            read_pairs(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"no xz", lzma.compress(f"{HEADER}1\ta\tb\t1".encode())[:-9]])
    def test_broken_xz(self, write, content):
        with pytest.raises(DataError, match=r"a\.tsv\.xz is no whole \.xz file"):
            read_pairs(write("a.tsv.xz", content))

    @settings(deadline=None)
    @given(rows=st.lists(st.tuples(text, text, text, number), min_size=1, unique_by=lambda row: row[0]))
    def test_any_table_comes_back(self, tmp_path_factory, rows):
        path = tmp_path_factory.mktemp("tables") / "a.tsv"
        lines = (f"{id}\t{a}\t{b}\t{label!r}\n" for id, a, b, label in rows)
        path.write_bytes((HEADER + "".join(lines)).encode("utf-8"))
        pairs = read_pairs(path)
        assert list(zip(pairs.ids, pairs.first, pairs.second, pairs.labels, strict=True)) == rows


@pytest.mark.parametrize("read", [read_pairs, read_positives, read_labelled_texts, read_texts, recognise])
@settings(deadline=None)
@given(
    content=st.binary(max_size=200),
    header=st.sampled_from(["", HEADER, "text\tlabel\n", "anchor\tpositive\n"]),
)
@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.xz"])
def test_any_bytes_give_data_or_a_data_error(tmp_path_factory, read, name, content, header):
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(header.encode() + content)
    with contextlib.suppress(DataError):
        read(path)


class TestPositives:
    @pytest.mark.parametrize("header", ["", "anchor\tpositive\n", "anchor\tpositive\tnegative\n"])
    def test_with_and_without_negatives(self, write, header):
        found = read_positives(write("a.tsv", header + "a\tb\nc\td\te\n"))
        assert found[1:] == (["a", "c"], ["b", "d"], [None, "e"])
        assert read_positives(found.path, limit=1).negatives == [None]

    def test_packed(self, write):
        assert read_positives(write("a.tsv.xz", lzma.compress(b"a\tb\n"))).anchors == ["a"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "holds no pairs"),
            ("anchor\tpositive\n", "holds no pairs"),
            ("a\tb\na\n", "line 2 has 1 column, not 2 or 3"),
            ("a\tb\tc\td\n", "line 1 has 4 columns"),
            ("a\t\n", r"line 1, column 2 \(positive\) is empty"),
            ("a\tb\t \n", r"line 1, column 3 \(negative\) is empty"),
            ("\tb\n", r"line 1, column 1 \(anchor\) is empty"),
        ],
    )
    def test_refused_at_its_place(self, write, content, message):
        with pytest.raises(DataError, match=message):
            read_positives(write("a.tsv", content))


class TestLabelledTexts:
    def test_a_table(self, write):
        found = read_labelled_texts(write("a.tsv", "text\tlabel\nhello there\tgreeting\nbye\t7\n"))
        assert found[1:] == (["hello there", "bye"], ["greeting", "7"])
        assert read_labelled_texts(found.path, limit=1).labels == ["greeting"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("hello\tgreeting\n", "line 1 is .* not the header text label"),
            ("text\tlabel\nhello\t\n", r"line 2, column 2 \(label\) is empty"),
            ("text\tlabel\n\tgreeting\n", r"line 2, column 1 \(text\) is empty"),
            ("text\tlabel\n", "nothing below its header"),
        ],
    )
    def test_refused_at_its_place(self, write, content, message):
        with pytest.raises(DataError, match=message):
            read_labelled_texts(write("a.tsv", content))


class TestTexts:
    @pytest.mark.parametrize("packed", [False, True])
    def test_lines(self, write, packed):
        content = "\ufeffone\r\n\n  \ntwo \nthree".encode()
        path = write("a.txt.xz", lzma.compress(content)) if packed else write("a.txt", content)
        assert read_texts(path) == ["one", "two ", "three"]
        assert read_texts(path, limit=2) == ["one", "two "]

    def test_nothing_to_read(self, write):
        with pytest.raises(DataError, match="holds no text"):
            read_texts(write("a.txt", "\n \n"))


CORPUS = [
    {"_id": "d1", "title": "Wings", "text": "lift and drag"},
    {"_id": "d2", "title": "", "text": "heat"},
]
QUERIES = [{"_id": "q1", "text": "what lifts"}, {"_id": "q2", "text": "unanswered"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n"


class TestBeir:
    @pytest.fixture
    def folder(self, write):
        def folder(corpus=CORPUS, queries=QUERIES, qrels=QRELS, name="qrels-test.tsv"):
            for file, records in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
                if not isinstance(records, (str, bytes)):
                    records = "".join(json.dumps(record) + "\n" for record in records)
                path = write(f"set/{file}", records)
            if qrels is not None:
                (path.parent / name).parent.mkdir(exist_ok=True)
                write(f"set/{name}", qrels)
            return path.parent

        return folder

    @pytest.mark.parametrize("name", ["qrels-test.tsv", "qrels/test.tsv"])
    @pytest.mark.parametrize("header", [True, False])
    def test_a_folder(self, folder, name, header):
        qrels = QRELS if header else QRELS.partition("\n")[2]
        found = read_beir(folder(qrels=qrels, name=name))
        assert found.documents == {"d1": "Wings lift and drag", "d2": "heat"}
        assert found.queries == {"q1": "what lifts"}  # no document answers q2
        assert found.relevance == {"q1": {"d1": 2.0}}

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"corpus": ""}, r"corpus\.jsonl is empty"),
            ({"corpus": '{"_id": "d1"\n'}, r"corpus\.jsonl: line 1, column \d+: not valid JSON"),
            ({"corpus": "[1]\n"}, "line 1 is no JSON object"),
            ({"corpus": "\n"}, "line 1, column 1: not valid JSON"),
            ({"corpus": "[" * 100_000}, "line 1: not usable JSON"),
            ({"corpus": [{"_id": 5, "text": "a"}]}, "line 1: _id is 5, not a string"),
            ({"corpus": [{"text": "a"}]}, "line 1 has no _id"),
            ({"corpus": [{"_id": "d1", "text": ["a"]}]}, "line 1: text is .* not a string"),
            ({"corpus": [{"_id": "d1"}]}, "line 1 has no text"),
            ({"corpus": [{"_id": "", "text": "a"}]}, "line 1: _id is empty"),
            ({"corpus": [{"_id": "d1", "title": None, "text": "a"}]}, "line 1: title is None, not a string"),
            ({"corpus": [*CORPUS, CORPUS[0]]}, "line 3: the _id 'd1' stands in line 1 already"),
            ({"corpus": '{"_id": "d1", "text": "\\ud800"}\n'}, "line 1: text holds half of a surrogate pair"),
            ({"corpus": b'{"_id": "d\xff'}, r"corpus\.jsonl: line 1, byte 11 .* is not UTF-8"),
            ({"queries": [*QUERIES, QUERIES[1]]}, r"queries\.jsonl: line 3: the _id 'q2' stands in line 2"),
            ({"queries": [{"_id": "q1", "text": " "}]}, r"queries\.jsonl: line 1: text is empty"),
            ({"qrels": None}, r"holds no qrels-test\.tsv or qrels/test\.tsv"),
            ({"qrels": ""}, "no judgement is above 0"),
            ({"qrels": "q1\td2\t0\n"}, "no judgement is above 0"),
            ({"qrels": QRELS + "q1\td1\n"}, "line 4 has 2 columns, not 3"),
            (
                {"qrels": QRELS + "q3\td1\t1\n"},
                r"line 4, column 1: no query in queries\.jsonl has the id 'q3'",
            ),
            (
                {"qrels": QRELS + "q2\td3\t1\n"},
                r"line 4, column 2: no document in corpus\.jsonl has the id 'd3'",
            ),
            (
                {"qrels": QRELS + "q1\td1\t1\n"},
                "line 4: query 'q1' and document 'd1' are judged a second time",
            ),
            ({"qrels": QRELS + "q2\td1\thigh\n"}, "line 4, column 3: the score 'high' is no finite number"),
        ],
    )
    def test_refused_at_its_place(self, folder, changes, message):
        with pytest.raises(DataError, match=message):
            read_beir(folder(**changes))

    def test_a_document_may_be_empty_and_have_no_title(self, folder):
        found = read_beir(folder(corpus=[CORPUS[0], {"_id": "d2", "text": ""}]))
        assert found.documents["d2"] == ""

    def test_missing_files(self, folder):
        place = folder()
        (place / "queries.jsonl").unlink()
        with pytest.raises(DataError, match=r"queries\.jsonl: no such file"):
            read_beir(place)

    def test_recognised(self, folder, tmp_path):
        assert recognise(folder()) == "beir"
        (tmp_path / "empty").mkdir()
        with pytest.raises(DataError, match=r"folder without corpus\.jsonl"):
            recognise(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.tsv", HEADER + "1\ta\tb\t1\n", "binary"),
        ("a.tsv", HEADER + "1\ta\tb\t2\n", "score"),
        ("a.tsv", "text\tlabel\na\tb\n", "labelled_texts"),
        ("a.tsv", "anchor\tpositive\na\tb\n", "positives"),
        ("a.tsv", "a\tb\tc\n", "positives"),
        ("a.txt", "a\tb\n", "texts"),
    ],
)
def test_recognise(write, name, content, kind):
    assert recognise(write(name, content)) == kind
    assert recognise(write(f"{name}.xz", lzma.compress(content.encode()))) == kind


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "is empty"), ("1\ta\tb\t1\n", "no header that is known: id sentence1"), ("a line\n", "no header")],
)
def test_not_recognised(write, content, message):
    with pytest.raises(DataError, match=message):
        recognise(write("a.tsv", content))


class TestDescribe:
    ROWS = (
        ("the cat sat", "the cat sat down", 1),
        ("the cat sat", "a dog ran", 0),
        ("one two three four", "one two three four", 1),
        ("it rains", "stocks fell", 1),
    )

    def test_binary(self, write):
        lines = "".join(f"{i}\t{a}\t{b}\t{label}\n" for i, (a, b, label) in enumerate(self.ROWS))
        pairs = read_pairs(write("a.tsv", HEADER + lines))
        found = describe(pairs)
        assert found.pairs == 4
        assert found.positives == 0.75
        assert found.label_range == (0.0, 1.0)
        assert found.words == (2.75, 3.0, 4.0)
        assert found.texts == 6
        assert found.repeated_texts == 2
        assert found.unigram_overlap == auc([0.75, 0.0, 1.0, 0.0], pairs.labels)
        assert found.bigram_overlap == auc([2 / 3, 0.0, 1.0, 0.0], pairs.labels)
        assert str(found).splitlines() == [
            "4 pairs, 75.0% positive",
            "3 words in a sentence (half of them 2.75 to 4)",
            "6 different texts, 2 of them more than once",
            "AUC 0.833 by common words, 0.833 by bigrams",
        ]

    def test_scores(self, write):
        pairs = read_pairs(write("a.tsv", HEADER + "1\ta b\ta b\t5\n2\ta b\ta c\t2.5\n3\ta\tb\t-1\n"))
        found = describe(pairs)
        assert found.positives is None
        assert found.label_range == (-1.0, 5.0)
        assert found.unigram_overlap == pytest.approx(1.0)
        assert found.bigram_overlap == pytest.approx(spearman([1.0, 0.0, 0.0], pairs.labels))
        assert "scores from -1 to 5" in str(found)
        assert "Spearman 1.000" in str(found)

    def test_labels_that_are_all_equal_have_no_overlap_score(self, write):
        found = describe(read_pairs(write("a.tsv", HEADER + "1\ta\tb\t1\n2\tc\td\t1\n")))
        assert found.unigram_overlap is None
        assert "all labels are equal" in str(found)
