"""What the files promise as files: format, size, ids, balance; and that the generator makes these bytes."""

import re
from collections import Counter

import pytest
from make import make
from statistics_table import markdown

SPLITS = ("train", "dev", "test")


@pytest.fixture(scope="module")
def made():
    return make()


def test_the_generator_makes_these_bytes(made, folder):
    for name, text in made.items():
        assert (folder / name).read_bytes() == text.encode(), f"{name} is stale: run python data_sets/make.py"


def test_the_readme_has_the_table_that_the_generator_prints(made, folder):
    assert markdown(made) in (folder / "README.md").read_text(encoding="utf-8")


def test_size(folder, splits):
    assert len(splits["train"]) >= 10_000
    assert len(splits["dev"]) >= 1_200
    assert len(splits["test"]) >= 1_200
    assert sum(path.stat().st_size for path in folder.glob("*.tsv")) < 3_000_000


@pytest.mark.parametrize("split", SPLITS)
def test_format(folder, split):
    raw = (folder / f"{split}.tsv").read_bytes()
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    head, *lines = raw.decode("utf-8").splitlines()
    assert head == "id\tsentence1\tsentence2\tlabel"
    for number, line in enumerate(lines, start=1):
        fields = line.split("\t")
        assert fields[0] == f"{split}-{number:05}"
        assert len(fields) == 4
        assert fields[3] in ("0", "1")


def test_kinds_has_one_line_for_each_pair(folder, splits):
    lines = (folder / "kinds.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "id\tkind\ttemplates"
    assert [line.split("\t")[0] for line in lines[1:]] == [
        row.id for split in SPLITS for row in splits[split]
    ]


@pytest.mark.parametrize("split", SPLITS)
def test_labels_are_balanced_and_follow_from_the_kind(splits, split):
    rows = splits[split]
    assert 0.45 <= sum(row.label for row in rows) / len(rows) <= 0.55
    labels = {(row.kind, row.label) for row in rows}
    assert len(labels) == len({kind for kind, _ in labels})


@pytest.mark.parametrize("split", SPLITS)
def test_every_kind_is_in_every_split(splits, split):
    counts = Counter(row.kind for row in splits[split])
    assert set(counts) == {
        *("synonym", "voice", "order", "perspective", "opposite", "combination"),
        *("negation", "roles", "number", "time", "place", "participant", "topic", "unrelated"),
    }
    assert min(counts.values()) >= 0.04 * len(splits[split])


@pytest.mark.parametrize("split", SPLITS)
def test_every_domain_is_in_every_split(splits, split, folder):
    domains = {path.stem for path in (folder / "material").glob("*.txt")} - {"shared"}
    assert len(domains) >= 15
    assert {name.rpartition("-")[0] for row in splits[split] for name in row.templates} == domains


def test_enough_templates_and_words(splits):
    templates = {split: {name for row in rows for name in row.templates} for split, rows in splits.items()}
    assert len(templates["train"]) >= 150
    assert len(templates["dev"]) >= 25
    assert len(templates["test"]) >= 25
    words = {
        w
        for rows in splits.values()
        for row in rows
        for w in re.findall(r"[a-z]+", f"{row.first} {row.second}".lower())
    }
    assert len(words) >= 1_200


def test_no_pair_occurs_twice_in_either_order(splits):
    pairs = [frozenset((row.first, row.second)) for rows in splits.values() for row in rows]
    assert len(set(pairs)) == len(pairs)
    assert min(map(len, pairs)) == 2


@pytest.mark.parametrize("split", SPLITS)
def test_sentences_look_like_sentences(splits, split):
    for row in splits[split]:
        for text in (row.first, row.second):
            assert re.fullmatch(
                r"[A-Z](?:[ap]\.m\.,? |[\w'-]+,? |(?<=[A-Z]),? )*(?:[ap]\.m|[\w'-]+)\.", text
            ), text
            assert not re.search(r"\b[Aa] [aeio]\w|\b[Aa]n [^aeiouhAEIOU]", text), text
            assert not re.search(r"\b(\w+) \1\b", text), text
            assert not re.search(r" ,|,\S|\{|\}|~|!|\|", text), text
