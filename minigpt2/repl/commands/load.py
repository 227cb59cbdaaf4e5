"""`/load FILE`: keep the texts of a file."""

import time
import warnings
from collections.abc import Iterable
from pathlib import Path

from ...datasets import (
    read_beir,
    read_labelled_texts,
    read_pairs,
    read_positives,
    read_texts,
    recognise,
)
from ...encoder import TruncationWarning
from ...views import Paragraph, Stack, Table
from ..asking import at_least_one
from ..line import Arguments, Option
from ..paths import only_word
from ..reply import Reply
from ..selection import beginning
from ..session import Session
from ..wording import counted

NAME = "load"
USAGE = "/load FILE [--limit N]"
SUMMARY = "keep the texts of a file"
DETAILS = """\
FILE is a .txt or .txt.xz file with one text a line, or a table as `minigpt2 train` and `minigpt2 evaluate`
read it: pairs, positives, labelled texts, or a BEIR folder, of which every text is taken. Each different text
is kept once, and one that is kept already stays as it is. A file with a mistake is refused whole, with its
line. Ctrl-C stops without keeping any."""


EXAMPLES = ("/load data_sets/dev.tsv --limit 50", "/search a dog in the garden")
FORM = "words"
OPTIONS = (
    Option("--limit", "read so many lines and keep at most so many texts, at least 1", "N", at_least_one),
)
COMPLETES = "file"

SHOWN = 3


def run(session: Session, arguments: Arguments) -> Reply:
    """Read a file, embed its texts, and keep those that are new."""
    path = Path(only_word(NAME, arguments.words, "file"))
    limit = arguments.options["limit"]
    kind = recognise(path)
    texts = list(dict.fromkeys(_texts(path, kind, limit)))[:limit]
    new = [text for text in texts if session.find(text) is None]
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)  # said in the reply
        vectors = session.embed(new, show_progress_bar=None)  # (B, D)
    seconds = time.perf_counter() - started
    cut = session.encoder.truncated
    kept = session.keep_all(new, vectors, path.name)
    data = {
        "file": str(path),
        "kind": kind,
        "limit": limit,
        "texts": len(texts),
        "new": len(new),
        "first": kept[0].number if kept else None,
        "last": kept[-1].number if kept else None,
        "cut_at_window": cut,
        "embedding_seconds": seconds,
    }
    views = [Paragraph(_summary(data, session))]
    if kept:
        rows = [(f"#{s.number}", beginning(s.text)) for s in kept[:SHOWN]]
        if len(kept) > SHOWN:
            rows += [("…", f"{len(kept) - SHOWN:,} more")]
        views.append(Table(("", "sentence"), rows))
    return Reply((Stack(*views),), data)


def _texts(path: Path, kind: str, limit: int | None) -> Iterable[str]:
    """Every text of a file of this kind, in the order of the file."""
    if kind == "texts":
        yield from read_texts(path, limit=limit)
    elif kind in ("binary", "score"):
        pairs = read_pairs(path, limit=limit)
        for both in zip(pairs.first, pairs.second, strict=True):
            yield from both
    elif kind == "positives":
        triples = read_positives(path, limit=limit)
        for texts in zip(triples.anchors, triples.positives, triples.negatives, strict=True):
            yield from filter(None, texts)
    elif kind == "labelled_texts":
        yield from read_labelled_texts(path, limit=limit).texts
    else:
        retrieval = read_beir(path)
        yield from filter(str.strip, retrieval.documents.values())
        yield from retrieval.queries.values()


def _summary(data: dict, session: Session) -> str:
    count, new = data["texts"], data["new"]
    first = "the first " if count == data["limit"] else ""
    parts = [f"{first}{counted(count, 'different text')} of {data['file']}"]
    if new < count:
        known = count - new
        parts.append(f"{known:,} {'was' if known == 1 else 'were'} kept already")
    if new:
        rate = new / data["embedding_seconds"]
        span = f"#{data['first']}" if new == 1 else f"#{data['first']} to #{data['last']}"
        parts.append(f"kept as {span}, embedded in {data['embedding_seconds']:.2f} s ({rate:,.0f} a second)")
    if data["cut_at_window"]:
        verb = "was" if data["cut_at_window"] == 1 else "were"
        parts.append(
            f"{data['cut_at_window']:,} {verb} longer than the window of "
            f"{session.encoder.max_seq_length} tokens and {verb} cut there"
        )
    return "; ".join(parts)
