"""One text and everything that the model computed on the way to its vector.

    seen = look(encoder, "The cat is sleeping")
    seen.tokens                                 ["The", " cat", " is", " sleeping"]
    seen.cache["blocks.3.attn.pattern"][0]      (H, T, T), by the names of `cache.py`

A text is read as `Encoder.encode` reads it: the model's default prompt stands before it, and what is longer
than the window is cut (TruncationWarning).
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..backend import Array
from ..cache import ActivationCache
from ..encoder import Encoder
from ..errors import DataError, UsageError
from ..ragged import TokenBatch
from ..tokenizer import Tokenizer


class Reading(NamedTuple):
    """What the encoder reads of one text, before the model runs."""

    text: str
    ids: list[int]  # T, the prompt's among them
    tokens: list[str]  # T, what each id shows: see `token_text`


class Look(NamedTuple):
    """One text, what the encoder reads of it, and every intermediate of its forward pass."""

    text: str
    ids: list[int]  # T, the prompt's among them
    tokens: list[str]  # T, what each id shows: see `token_text`
    batch: TokenBatch  # this one sentence
    hidden: Array  # (T, D) after the last layernorm
    cache: ActivationCache
    encoder: Encoder  # which looked


def look(encoder: Encoder, text: str) -> Look:
    """Run the model over one text and keep everything. Raises DataError for a text without tokens."""
    (reading,), batch = read(encoder, [text])
    hidden, cache = encoder.model.run_with_cache(batch)  # (T, D)
    return Look(*reading, batch, hidden, cache, encoder)


def read(encoder: Encoder, texts: Sequence[str]) -> tuple[list[Reading], TokenBatch]:
    """B texts -> what is read of each, and all of them as one batch. Raises DataError as `look` does."""
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"a text is a string, not a {type(text).__name__}")
        if not text:
            raise DataError("an empty text has no tokens to look at: give it a word at least")
    ids, _ = encoder.token_ids(list(texts))
    readings = [
        Reading(text, of_text, [token_text(encoder.tokenizer, id) for id in of_text])
        for text, of_text in zip(texts, ids, strict=True)
    ]
    return readings, TokenBatch(ids, encoder.backend.xp)


def token_text(tokenizer: Tokenizer, id: int) -> str:
    """What a token shows: its bytes as text, blanks and all; bytes that are no whole UTF-8 as ‹e2 82›.

    Control characters are left as they are: what draws them makes them visible. DataError out of range.
    """
    token = tokenizer.token_bytes(id)
    try:
        return token.decode("utf-8")
    except UnicodeDecodeError:
        return f"‹{token.hex(' ')}›"
