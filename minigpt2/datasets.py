"""Data files for training and evaluation: strict readers whose errors name file, line and column.

    pairs            id<TAB>sentence1<TAB>sentence2<TAB>label      with this header; 0/1 labels or scores
    positives        anchor<TAB>positive[<TAB>negative]            with or without this header
    labelled texts   text<TAB>label                                with this header
    texts            one text a line, in .txt or .txt.xz
    BEIR folder      corpus.jsonl, queries.jsonl, qrels-test.tsv or qrels/test.tsv

A table is UTF-8 with one record a line; a byte-order mark, Windows line ends and a file compressed to .xz are
accepted. Fields are parted by tabs and there is no quoting: a quotation mark is an ordinary character, so a
field can hold neither a tab nor a line end. Nothing is stripped, skipped or guessed: a line with another
number of columns, an empty text, a label that is no number, or an id that stands twice is a DataError. The
BEIR format: Thakur et al. 2021, arXiv:2104.08663.
"""

import json
import lzma
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .errors import DataError, UsageError
from .files import read_lines, shorten

PAIRS_HEADER = ("id", "sentence1", "sentence2", "label")
POSITIVES_HEADER = ("anchor", "positive", "negative")
LABELLED_TEXTS_HEADER = ("text", "label")
QRELS_HEADER = ("query-id", "corpus-id", "score")
QRELS = ("qrels-test.tsv", "qrels/test.tsv")

KINDS = ("binary", "score")

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Pairs(NamedTuple):
    """M pairs of sentences with a label each."""

    path: Path
    ids: list[str]
    first: list[str]
    second: list[str]
    labels: np.ndarray  # (M,) float64
    kind: str  # "binary": every label is 0 or 1; "score": numbers on any scale, higher for closer


class Positives(NamedTuple):
    """M texts, each with one that belongs to it and perhaps one that does not."""

    path: Path
    anchors: list[str]
    positives: list[str]
    negatives: list[str | None]


class LabelledTexts(NamedTuple):
    """M texts with a class each."""

    path: Path
    texts: list[str]
    labels: list[str]


class Retrieval(NamedTuple):
    """Queries, documents, and which documents answer which query."""

    path: Path
    documents: dict[str, str]  # id -> title, a blank, and text
    queries: dict[str, str]  # id -> text, only those that a document answers
    relevance: dict[str, dict[str, float]]  # query id -> document id -> grade above 0


def read_pairs(path: str | Path, *, kind: str | None = None, limit: int | None = None) -> Pairs:
    """Read `id sentence1 sentence2 label`, the first `limit` pairs of it.

    kind   "binary" takes labels of 0 and 1 only, "score" any finite number; None finds out: "binary" if every
           label is 0 or 1

    Raises DataError for anything that the module refuses, UsageError for an unknown kind or a limit below 1.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f"unknown kind of labels {kind!r}: use one of {', '.join(KINDS)}")
    path = Path(path)
    ids: dict[str, int] = {}  # id -> its line
    first, second, labels = [], [], []
    for number, (id, a, b, label) in _records(path, PAIRS_HEADER, limit):
        if not id:
            raise DataError(f"{path}: line {number}, column 1 (id) is empty: give every pair its own id")
        if id in ids:
            raise DataError(
                f"{path}: line {number}, column 1: the id {shorten(id)} stands in line {ids[id]} already: "
                f"give every pair its own"
            )
        ids[id] = number
        first.append(_text(a, path, number, 2, "sentence1"))
        second.append(_text(b, path, number, 3, "sentence2"))
        labels.append(_number(label, path, number, 4, "label"))
        if kind == "binary" and labels[-1] not in (0.0, 1.0):
            raise DataError(
                f"{path}: line {number}, column 4: the label {label} is neither 0 nor 1: for scores use an "
                f"objective that takes them (cosine or cosent), or turn them into 0 and 1"
            )
    values = np.array(labels, np.float64)  # (M,)
    found = "binary" if np.isin(values, (0.0, 1.0)).all() else "score"
    return Pairs(path, list(ids), first, second, values, kind or found)


def read_positives(path: str | Path, *, limit: int | None = None) -> Positives:
    """Read `anchor positive` or `anchor positive negative`; lines with and without a negative may be mixed.

    Raises DataError for anything that the module refuses, UsageError for a limit below 1.
    """
    path = Path(path)
    anchors, positives, negatives = [], [], []
    for number, fields in _positives_records(path, limit):
        texts = [
            _text(field, path, number, column, name)
            for column, (field, name) in enumerate(zip(fields, POSITIVES_HEADER, strict=False), 1)
        ]
        anchors.append(texts[0])
        positives.append(texts[1])
        negatives.append(texts[2] if len(texts) == 3 else None)
    return Positives(path, anchors, positives, negatives)


def read_labelled_texts(path: str | Path, *, limit: int | None = None) -> LabelledTexts:
    """Read `text label`. A label is any name.

    Raises DataError for anything that the module refuses, UsageError for a limit below 1.
    """
    path = Path(path)
    texts, labels = [], []
    for number, (text, label) in _records(path, LABELLED_TEXTS_HEADER, limit):
        texts.append(_text(text, path, number, 1, "text"))
        labels.append(_text(label, path, number, 2, "label"))
    return LabelledTexts(path, texts, labels)


def read_texts(path: str | Path, *, limit: int | None = None) -> list[str]:
    """The lines of a .txt or .txt.xz file, those that hold nothing but white space left out.

    Raises DataError for a file that cannot be read, is not UTF-8 or holds no text, UsageError for a limit
    below 1.
    """
    path = Path(path)
    _check_limit(limit)
    texts = []
    for line in _lines(path):
        if line.strip():
            texts.append(line)
            if len(texts) == limit:
                break
    if not texts:
        raise DataError(f"{path} holds no text: give a file with one text a line")
    return texts


def read_beir(folder: str | Path) -> Retrieval:
    """Read a BEIR folder: corpus.jsonl, queries.jsonl, and qrels-test.tsv or qrels/test.tsv.

    A document is its title, a blank and its text, as BEIR's own models read it; it may be empty. Relevance of
    0 or less says that a document was judged and does not answer; it is the same here as no judgement. A
    query that no document answers is left out. Raises DataError, naming file and line, for anything missing,
    damaged or doubled, and for a judgement on a query or document that is not there.
    """
    folder = Path(folder)
    corpus, queries = folder / "corpus.jsonl", folder / "queries.jsonl"
    documents = {}
    for number, id, record in _json_records(corpus):
        title = _json_text({"title": "", **record}, "title", corpus, number)
        text = _json_text(record, "text", corpus, number)
        documents[id] = f"{title} {text}".strip()
    questions = {
        id: _json_text(record, "text", queries, number, filled=True)
        for number, id, record in _json_records(queries)
    }
    relevance: dict[str, dict[str, float]] = {}
    judgements = next((folder / name for name in QRELS if (folder / name).is_file()), None)
    if judgements is None:
        raise DataError(f"{folder} holds no {' or '.join(QRELS)}: a BEIR folder needs the judgements")
    judged: set[tuple[str, str]] = set()
    for number, (query, document, score) in _qrels_records(judgements):
        where = f"{judgements}: line {number}"
        if query not in questions:
            raise DataError(f"{where}, column 1: no query in {queries.name} has the id {shorten(query)}")
        if document not in documents:
            raise DataError(f"{where}, column 2: no document in {corpus.name} has the id {shorten(document)}")
        if (query, document) in judged:
            raise DataError(
                f"{where}: query {shorten(query)} and document {shorten(document)} are judged a second time"
            )
        judged.add((query, document))
        grade = _number(score, judgements, number, 3, "score")
        if grade > 0:
            relevance.setdefault(query, {})[document] = grade
    if not relevance:
        raise DataError(f"{judgements}: no judgement is above 0, so there is nothing to find")
    answered = {id: text for id, text in questions.items() if id in relevance}
    return Retrieval(folder, documents, answered, relevance)


def recognise(path: str | Path) -> str:
    """What a path holds: "binary", "score", "positives", "labelled_texts", "texts" or "beir".

    A folder is a BEIR folder, a .txt or .txt.xz file texts; a table is known by its header, a file of pairs
    then by its labels. Without a header, two or three columns are positives. Raises DataError for anything
    else, saying what was expected.
    """
    path = Path(path)
    if _is_folder(path):
        if not (path / "corpus.jsonl").exists():
            raise DataError(
                f"{path} is a folder without corpus.jsonl: give a file, or a BEIR folder with corpus.jsonl, "
                f"queries.jsonl and {QRELS[0]}"
            )
        return "beir"
    if path.name.endswith((".txt", ".txt.xz")):
        return "texts"
    header = next(_lines(path), None)
    if header is None:
        raise DataError(f"{path} is empty: a table begins with its header")
    columns = tuple(header.split("\t"))
    if columns == PAIRS_HEADER:
        return read_pairs(path).kind
    if columns == LABELLED_TEXTS_HEADER:
        return "labelled_texts"
    if len(columns) in (2, 3):
        return "positives"
    raise DataError(
        f"{path}: line 1 is {shorten(header)}, no header that is known: {_name(PAIRS_HEADER)}, "
        f"{_name(LABELLED_TEXTS_HEADER)}, or {_name(POSITIVES_HEADER)}, parted by tabs"
    )


class PairsStatistics(NamedTuple):
    """What a file of pairs is like; `str` of it is four lines to read."""

    pairs: int
    kind: str
    positives: float | None  # share of label 1, for 0/1 labels
    label_range: tuple[float, float]
    words: tuple[float, float, float]  # quartiles of the words in a sentence
    texts: int  # different ones
    repeated_texts: int  # those that stand in the file more than once
    unigram_overlap: float | None  # AUC for 0/1 labels, Spearman for scores; None where all labels are equal
    bigram_overlap: float | None

    def __str__(self) -> str:
        low, high = self.label_range
        labels = (
            f"{self.positives:.1%} positive"
            if self.positives is not None
            else f"scores from {low:g} to {high:g}"
        )
        lower, middle, upper = self.words
        if self.unigram_overlap is None or self.bigram_overlap is None:
            overlap = "all labels are equal, so no overlap of words can tell them apart"
        else:
            measure = "AUC" if self.kind == "binary" else "Spearman"
            overlap = (
                f"{measure} {self.unigram_overlap:.3f} by common words, {self.bigram_overlap:.3f} by bigrams"
            )
        return (
            f"{self.pairs} pairs, {labels}\n"
            f"{middle:g} words in a sentence (half of them {lower:g} to {upper:g})\n"
            f"{self.texts} different texts, {self.repeated_texts} of them more than once\n"
            f"{overlap}"
        )


def describe(pairs: Pairs) -> PairsStatistics:
    """Count what matters before training on pairs, the baselines of common words included."""
    from .evaluation.metrics import auc, spearman
    from .evaluation.overlap import bigram_overlap, unigram_overlap, words

    labels = pairs.labels
    binary = pairs.kind == "binary"
    measure = auc if binary else spearman
    overlaps: list[float | None] = [None, None]
    if labels.min() < labels.max():
        overlaps = [
            measure(overlap(pairs.first, pairs.second), labels)
            for overlap in (unigram_overlap, bigram_overlap)
        ]
    times: dict[str, int] = {}
    for text in (*pairs.first, *pairs.second):
        times[text] = times.get(text, 0) + 1
    lengths = [len(words(text)) for text in (*pairs.first, *pairs.second)]
    lower, middle, upper = (float(q) for q in np.quantile(lengths, (0.25, 0.5, 0.75)))
    return PairsStatistics(
        pairs=len(labels),
        kind=pairs.kind,
        positives=float(labels.mean()) if binary else None,
        label_range=(float(labels.min()), float(labels.max())),
        words=(lower, middle, upper),
        texts=len(times),
        repeated_texts=sum(count > 1 for count in times.values()),
        unigram_overlap=overlaps[0],
        bigram_overlap=overlaps[1],
    )


# Lines and fields


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file, unpacked where its name ends in .xz."""
    if path.suffix != ".xz":
        yield from read_lines(path)
        return
    try:
        with lzma.open(path, "rb") as stream:
            yield from read_lines(stream, str(path))
    except (lzma.LZMAError, EOFError) as error:
        raise DataError(f"{path} is no whole .xz file ({error}): write or copy it again") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {(error.strerror or 'unreadable').lower()}") from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name longer than any, or no permission: reading it will say so
        return False


def _name(header: tuple[str, ...]) -> str:
    return " ".join(header)


def _records(path: Path, header: tuple[str, ...], limit: int | None) -> Iterator[tuple[int, list[str]]]:
    """Line number (from 1) and fields of every line below the header, at most `limit`, at least one."""
    _check_limit(limit)
    number = found = 0
    for number, line in enumerate(_lines(path), 1):
        fields = line.split("\t")
        if number == 1:
            if tuple(fields) != header:
                raise DataError(
                    f"{path}: line 1 is {shorten(line)}, not the header {_name(header)}, parted by tabs"
                )
            continue
        if len(fields) != len(header):
            raise _wrong_count(path, number, fields, len(header), f"{len(header)} ({_name(header)})")
        yield number, fields
        found += 1
        if found == limit:
            return
    if number == 0:
        raise DataError(f"{path} is empty: a table begins with its header {_name(header)}, parted by tabs")
    if not found:
        raise DataError(f"{path} holds nothing below its header: give at least one line of data")


def _positives_records(path: Path, limit: int | None) -> Iterator[tuple[int, list[str]]]:
    _check_limit(limit)
    found = 0
    for number, line in enumerate(_lines(path), 1):
        fields = line.split("\t")
        if number == 1 and tuple(fields) in (POSITIVES_HEADER, POSITIVES_HEADER[:2]):
            continue
        if len(fields) not in (2, 3):
            raise _wrong_count(path, number, fields, 2, "2 or 3 (anchor positive, perhaps negative)")
        yield number, fields
        found += 1
        if found == limit:
            return
    if not found:
        raise DataError(f"{path} holds no pairs: give lines of anchor and positive, parted by a tab")


def _qrels_records(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(_lines(path), 1):
        fields = line.split("\t")
        if number == 1 and tuple(fields) == QRELS_HEADER:
            continue
        if len(fields) != 3:
            raise _wrong_count(path, number, fields, 3, f"3 ({_name(QRELS_HEADER)})")
        yield number, fields


def _wrong_count(path: Path, number: int, fields: list[str], least: int, wanted: str) -> DataError:
    if fields == [""]:
        return DataError(f"{path}: line {number} is empty: delete it")
    columns = "1 column" if len(fields) == 1 else f"{len(fields)} columns"
    hint = "put tabs between the columns" if len(fields) < least else "a text must not hold a tab"
    return DataError(f"{path}: line {number} has {columns}, not {wanted}: {hint}")


def _text(field: str, path: Path, number: int, column: int, name: str) -> str:
    if not field or field.isspace():
        raise DataError(
            f"{path}: line {number}, column {column} ({name}) is empty: fill it or delete the line"
        )
    return field


def _number(field: str, path: Path, number: int, column: int, name: str) -> float:
    value = float(field) if _NUMBER.fullmatch(field) else math.nan
    if not math.isfinite(value):
        raise DataError(
            f"{path}: line {number}, column {column}: the {name} {shorten(field)} is no finite number: "
            f"write it like 1 or 0.5"
        )
    return value


def _check_limit(limit: int | None) -> None:
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise UsageError(f"limit must be a whole number of at least 1, not {limit!r}")


def _json_records(path: Path) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Line number, `_id` and the whole object of every line of a .jsonl file; at least one."""
    lines: dict[str, int] = {}
    for number, line in enumerate(_lines(path), 1):
        where = f"{path}: line {number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{where}, column {error.colno}: not valid JSON ({error.msg})") from None
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets in brackets
            raise DataError(f"{where}: not usable JSON ({type(error).__name__})") from None
        if not isinstance(record, dict):
            raise DataError(f'{where} is no JSON object: every line must be like {{"_id": …, "text": …}}')
        id = _json_text(record, "_id", path, number, filled=True)
        if id in lines:
            raise DataError(f"{where}: the _id {shorten(id)} stands in line {lines[id]} already")
        lines[id] = number
        yield number, id, record
    if not lines:
        raise DataError(f"{path} is empty: a BEIR folder needs it")


def _json_text(record: dict[str, Any], key: str, path: Path, number: int, *, filled: bool = False) -> str:
    where = f"{path}: line {number}"
    if key not in record:
        raise DataError(f"{where} has no {key}: every line needs one")
    value = record[key]
    if not isinstance(value, str):
        raise DataError(f"{where}: {key} is {shorten(value)}, not a string")
    if filled and not value.strip():
        raise DataError(f"{where}: {key} is empty")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise DataError(f"{where}: {key} holds half of a surrogate pair, which is no character") from None
    return value
