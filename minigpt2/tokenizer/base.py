"""What every tokenizer can do, and the two decisions they share: special tokens and malformed text.

Special tokens. `<|endoftext|>` written in a text is thirteen ordinary characters unless the caller says
`allow_special=True`: text comes from users, and a user must not be able to write a control token by accident.
The `tokenizers` library decides the other way round and always recognises them; `encode(text,
allow_special=True)` gives its ids (with `add_special_tokens=False` or not: GPT-2 adds none).

Malformed text. A Python str can hold lone surrogates (from `"\\ud800"` in JSON, or from bytes in a command's
arguments that are not UTF-8), which UTF-8 cannot express. They are replaced by U+FFFD, as tiktoken does, and
two surrogates that belong together become the character they mean. So `encode` accepts every str, and one bad
character does not stop a file of a million lines; only such a text does not come back exactly from `decode`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from itertools import chain
from os import PathLike
from pathlib import Path

import numpy as np

from ..errors import DataError, ModelError
from ..ragged import FlatSentences

END_OF_TEXT = "<|endoftext|>"
PAD = "<|pad|>"
END_OF_TEXT_NAMES = (END_OF_TEXT, "</s>", "<eos>")
PAD_NAMES = (PAD, "<pad>", "[PAD]")


class Tokenizer(ABC):
    """Ids 0 … vocab_size-1, each standing for some bytes or for one special token.

    A subclass fills `_bytes_of` (the bytes of every id, in order) before it calls `__init__` here, and writes
    `_encode_plain`.
    """

    lowercase = False
    add_prefix_space = False
    _bytes_of: list[bytes]

    def __init__(
        self, special_tokens: Mapping[str, int], eos_token: str | None = None, pad_token: str | None = None
    ) -> None:
        """`eos_token`, `pad_token`: which special tokens end a text and fill a batch.

        Left out, they are looked for by their usual names; a vocabulary without a padding token (GPT-2's own)
        pads with its end-of-text token.
        Raises ModelError for a name that is not a special token.
        """
        self.special_tokens = dict(sorted(special_tokens.items(), key=lambda item: item[1]))
        self.eos_token = eos_token or self._first_known(END_OF_TEXT_NAMES)
        self.pad_token = pad_token or self._first_known(PAD_NAMES) or self.eos_token
        for role, token in (("end-of-text", self.eos_token), ("padding", self.pad_token)):
            if token is not None and token not in self.special_tokens:
                known = ", ".join(self.special_tokens) or "none"
                raise ModelError(
                    f"tokenizer: {role} token {token!r} is not a special token (it has: {known})"
                )
        # Longest first, so that of two special tokens that start alike the longer is found.
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        self._special_pattern = re.compile(f"({'|'.join(map(re.escape, longest_first))})")

    def _first_known(self, names: Iterable[str]) -> str | None:
        return next((name for name in names if name in self.special_tokens), None)

    @property
    def vocab_size(self) -> int:
        """V: ids including the special tokens."""
        return len(self._bytes_of)

    @property
    def eos_id(self) -> int | None:
        """Id of the end-of-text token."""
        return None if self.eos_token is None else self.special_tokens[self.eos_token]

    @property
    def pad_id(self) -> int | None:
        """Id of the padding token."""
        return None if self.pad_token is None else self.special_tokens[self.pad_token]

    @abstractmethod
    def _encode_plain(self, text: str) -> list[int]:
        """Ids of a text without special tokens. May raise UnicodeEncodeError for a lone surrogate."""

    def encode(self, text: str, *, allow_special: bool = False) -> list[int]:
        """Ids of a text; every str has some, the empty one none.

        `allow_special`: special tokens written in the text become their ids instead of plain characters.
        Raises DataError for anything that is not a str.
        """
        if not isinstance(text, str):
            raise DataError(f"encode needs a str, not {type(text).__name__}; decode bytes first")
        try:
            if allow_special and self.special_tokens:
                return self._encode_with_special(text)
            return self._encode_plain(text)
        except UnicodeEncodeError:
            return self.encode(replace_lone_surrogates(text), allow_special=allow_special)

    def _encode_with_special(self, text: str) -> list[int]:
        ids: list[int] = []
        for i, piece in enumerate(self._special_pattern.split(text)):  # text, special, text, special, …, text
            if i % 2:
                ids.append(self.special_tokens[piece])
            elif piece:
                ids += self._encode_plain(piece)
        return ids

    def encode_batch(self, texts: Iterable[str], *, allow_special: bool = False) -> list[list[int]]:
        """Ids of each of B texts. Raises DataError for one that is not a str."""
        return [self.encode(text, allow_special=allow_special) for text in list_of_texts(texts)]

    def encode_flat(self, texts: Iterable[str], *, allow_special: bool = False) -> FlatSentences:
        """The same ids as of `encode_batch` in one run (N,) with B lengths: no list for each text is made."""
        rows = self.encode_batch(texts, allow_special=allow_special)
        lengths = np.array([len(row) for row in rows], np.int64)  # (B,)
        ids = np.fromiter(chain.from_iterable(rows), np.intc, lengths.sum())  # (N,)
        return FlatSentences(ids, lengths)

    def token_bytes(self, id: int) -> bytes:
        """The bytes that an id stands for; of a special token its name in UTF-8. DataError out of range."""
        if not 0 <= id < self.vocab_size:
            raise DataError(
                f"token id {id} is out of range: the tokenizer has ids 0 to {self.vocab_size - 1}"
            )
        return self._bytes_of[id]

    def decode_bytes(self, ids: Iterable[int], *, skip_special: bool = False) -> bytes:
        """The exact bytes of a run of ids, whole UTF-8 characters or not. DataError out of range."""
        skipped = set(self.special_tokens.values()) if skip_special else ()
        return b"".join(self.token_bytes(id) for id in ids if id not in skipped)

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """The text of a run of ids; bytes that are not UTF-8 (a character cut in half) become U+FFFD."""
        return self.decode_bytes(ids, skip_special=skip_special).decode("utf-8", errors="replace")

    def save(self, path: str | PathLike[str], *, model_max_length: int | None = None) -> Path:
        """Write `tokenizer.json` and `tokenizer_config.json` into a directory, or one file `….json`.

        `model_max_length`: the window of the model in tokens, for the libraries that read
        tokenizer_config.json. Returns the path.
        """
        from .files import save_tokenizer

        return save_tokenizer(self, path, model_max_length=model_max_length)

    def __repr__(self) -> str:
        extras = [name for name in ("lowercase", "add_prefix_space") if getattr(self, name)]
        return f"<{type(self).__name__} {', '.join([f'{self.vocab_size} tokens', *extras])}>"


def list_of_texts(texts: Iterable[str]) -> list[str]:
    """B texts as a list. DataError for one str in their place, and for anything among them that is no str."""
    if isinstance(texts, str):
        raise DataError("encode_batch needs a list of texts, not one str; use encode for one text")
    texts = list(texts)
    wrong = next((b for b, text in enumerate(texts) if not isinstance(text, str)), None)
    if wrong is not None:
        raise DataError(f"text {wrong} is no str but {type(texts[wrong]).__name__}; decode bytes first")
    return texts


def replace_lone_surrogates(text: str) -> str:
    """The text with each lone surrogate as U+FFFD and each proper pair of them as the character it means."""
    return text.encode("utf-16-le", errors="surrogatepass").decode("utf-16-le", errors="replace")
