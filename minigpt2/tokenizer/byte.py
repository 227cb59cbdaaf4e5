"""The simplest tokenizer that can spell everything: a token is a byte of the text's UTF-8.

    "hé"  ->  68 c3 a9  ->  [104, 195, 169]

Id b is byte b; special tokens follow from 256. Nothing is learned, no text is unknown, and a word costs as
many tokens as it has bytes, which is what byte-pair encoding (bpe.py) is there to save.
"""

from collections.abc import Iterable

from ..errors import UsageError
from .base import END_OF_TEXT, PAD, Tokenizer


class ByteTokenizer(Tokenizer):
    """256 bytes and the special tokens."""

    def __init__(
        self,
        special_tokens: Iterable[str] = (END_OF_TEXT, PAD),
        *,
        eos_token: str | None = None,
        pad_token: str | None = None,
    ) -> None:
        """Raises UsageError for a special token given twice or empty."""
        names = check_special_tokens(special_tokens)
        self._bytes_of = [bytes([b]) for b in range(256)] + [name.encode("utf-8") for name in names]
        super().__init__({name: 256 + i for i, name in enumerate(names)}, eos_token, pad_token)

    def _encode_plain(self, text: str) -> list[int]:
        return list(text.encode("utf-8"))


def check_special_tokens(special_tokens: Iterable[str]) -> list[str]:
    """The names as a list. UsageError for one that is given twice or that one byte would already spell."""
    names = [special_tokens] if isinstance(special_tokens, str) else list(special_tokens)
    for i, name in enumerate(names):
        if not isinstance(name, str) or len(name.encode("utf-8", errors="replace")) < 2:
            raise UsageError(
                f"special token {name!r} must be a text of at least two bytes, as in {END_OF_TEXT!r}"
            )
        if name in names[:i]:
            raise UsageError(f"special token {name!r} is given twice")
    return names
