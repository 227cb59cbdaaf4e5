"""A line without a slash, `/embed TEXT`: a sentence's tokens, its vector, and its nearest neighbours."""

import time
import warnings

import numpy as np

from ...encoder import Encoder, TruncationWarning
from ...errors import DataError
from ...interpret import token_text
from ...layers.normalize import normalize
from ...similarity import reading
from ...views import Heading, Paragraph, Stack, Table, TokenChips, VectorStrip
from ..line import Arguments
from ..reply import Reply
from ..selection import beginning, neighbours
from ..session import Session
from ..wording import counted
from . import ALIASES, NAMES, find

NAME = "embed"
USAGE = "/embed TEXT, or TEXT alone"
SUMMARY = "a sentence's tokens, its vector, and the nearest of the sentences kept"
DETAILS = """\
A line without a slash does the same. The chips are the pieces that the model reads, with their numbers in
the vocabulary. The strip is the vector, one dimension beside the other: single dimensions mean nothing to
people, but alike sentences have alike strips. The length before normalisation is what was divided away,
since only the direction carries the meaning. The sentence is kept under a number and becomes the current
one, which /attn, /layers and their like look at; #3 makes sentence 3 the current one again."""
EXAMPLES = ("The cat is sleeping", "/embed A feline is resting", "#1")
FORM = "text"
OPTIONS = ()
COMPLETES = "sentence"

NEAREST = 5
LARGEST = 6  # dimensions that are named


def run(session: Session, arguments: Arguments) -> Reply:
    """Embed a text, keep it, and make it the current one."""
    text = session.current_or(arguments.texts)
    if not text.strip():
        raise DataError("an empty text has no tokens to embed: write a word at least")
    encoder = session.encoder
    started = time.perf_counter()
    raw = _encode(encoder, text)  # (D,)
    milliseconds = 1e3 * (time.perf_counter() - started)
    length = float(np.linalg.norm(raw))
    vector = normalize(raw[None])[0][0] if encoder.settings.normalize else raw  # (D,)
    all_ids = _ids(encoder, text)
    ids = all_ids[: encoder.max_seq_length]
    tokens = [token_text(encoder.tokenizer, id) for id in ids]

    known = session.find(text)
    own_row = session.row_of(known.number) if known else None
    found = neighbours(session, vector, session.vectors, NEAREST, without=own_row)
    near = [session.sentences[row] for row in found.rows]
    largest = np.argsort(-np.abs(vector), kind="stable")[:LARGEST].tolist()
    words = [reading("cosine", cosine, len(vector)) for cosine in found.cosines]

    sentence = session.keep(text, vector)
    session.current = text
    data = {
        "number": sentence.number,
        "text": text,
        "new": known is None,
        "tokens": tokens,
        "ids": ids,
        "tokens_cut": len(all_ids) - len(ids),
        "vector": vector.tolist(),
        "length_before_normalisation": length,
        "largest_dimensions": [{"dimension": i, "value": float(vector[i])} for i in largest],
        "nearest": [
            {"number": s.number, "text": s.text, "source": s.source, "cosine": cosine, "reading": said}
            for s, cosine, said in zip(near, found.cosines, words, strict=True)
        ],
        "embedding_milliseconds": milliseconds,
    }
    named = arguments.texts != [text]  # by its number, or as the current one
    views = [Heading(text)] if named else []
    views += [
        TokenChips(tokens, ids=ids),
        VectorStrip(vector, caption=_about_vector(vector, length, largest, encoder.settings.normalize)),
    ]
    if near:
        rows = [
            (f"#{s.number}", beginning(s.text), f"{cosine:.3f}", said)
            for s, cosine, said in zip(near, found.cosines, words, strict=True)
        ]
        columns, aligned = ("", "nearest", "cosine", "in words"), ("left", "left", "right", "left")
        views.append(Table(columns, rows, align=aligned))
    views.append(Paragraph(_facts(data, encoder), "dim"))
    word = text.strip().lower()
    if word in (*NAMES, *ALIASES):
        views.append(Paragraph(f"A command begins with a slash: /{word} ({find(word).SUMMARY}).", "dim"))
    return Reply((Stack(*views),), data)


def _encode(encoder: Encoder, text: str) -> np.ndarray:
    """(D,) before normalisation; that a text is cut is said in the reply."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        return encoder.encode(text, normalize_embeddings=False)


def _ids(encoder: Encoder, text: str) -> list[int]:
    """Every id of the text behind the model's own prompt, those beyond the window too."""
    settings = encoder.settings
    prompt = settings.prompts.get(settings.default_prompt_name or "", "")
    return encoder.tokenizer.encode(prompt + text)


def _about_vector(vector: np.ndarray, length: float, largest: list[int], normalised: bool) -> str:
    first, *others = largest
    dimensions = [f"{vector[first]:.3f} in dimension {first}", *(f"{vector[i]:.3f} in {i}" for i in others)]
    scaled = f"length {length:.2f} before normalisation" if normalised else f"length {length:.2f}"
    return f"{scaled}; largest: {', '.join(dimensions)}"


def _facts(data: dict, encoder: Encoder) -> str:
    count = len(data["tokens"])
    facts = [
        f"#{data['number']}" + ("" if data["new"] else ", kept before"),
        counted(count, "token"),
        f"{data['embedding_milliseconds']:.1f} ms to embed",
    ]
    if data["tokens_cut"]:
        facts.append(
            f"the last {data['tokens_cut']:,} of {count + data['tokens_cut']:,} tokens do not fit into the "
            f"window of {encoder.max_seq_length} and were cut"
        )
    return " · ".join(facts)
