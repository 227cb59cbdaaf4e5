"""One printable character for each of the 256 bytes, so that a vocabulary of bytes can be a text file.

A token of byte-level BPE is a run of bytes, often no valid UTF-8 and often with spaces, while `vocab.json`
and `merges.txt` hold text, one "left right" a line. So every byte is written as one character that is neither
blank nor a control character (Radford et al. 2019, `encoder.py` of the published code):

- the 188 bytes that Latin-1 already prints (! to ~, ¡ to ¬, ® to ÿ) are written as themselves;
- the other 68 (controls, space, 0x7f to 0xa0, and the soft hyphen 0xad) take, in order, the characters from
  U+0100: 0x00 is Ā, newline is Ċ, space is Ġ.

    " café"  ->  20 63 61 66 c3 a9  ->  "ĠcafÃ©"

This is spelling only: encoding and decoding work on the bytes themselves.
"""

from collections.abc import Collection
from itertools import accumulate, pairwise

import numpy as np

_PRINTED_AS_ITSELF = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)}


def _character_of_each_byte() -> list[str]:
    shifted = (chr(code) for code in range(0x100, 0x200))
    return [chr(byte) if byte in _PRINTED_AS_ITSELF else next(shifted) for byte in range(256)]


CHARACTER_OF_BYTE: list[str] = _character_of_each_byte()
BYTE_OF_CHARACTER: dict[str, int] = {character: byte for byte, character in enumerate(CHARACTER_OF_BYTE)}


def spell(token: bytes) -> str:
    """b" low" -> "Ġlow" """
    return "".join(map(CHARACTER_OF_BYTE.__getitem__, token))


def unspell(spelling: str) -> bytes:
    """ "Ġlow" -> b" low". KeyError for a character that stands for no byte."""
    return unspell_all([spelling])[0]


def unspell_all(spellings: Collection[str]) -> list[bytes]:
    """The bytes of many tokens at once, for a vocabulary of thousands. KeyError as `unspell`."""
    codes = np.frombuffer("".join(spellings).encode("utf-32-le", errors="surrogatepass"), "<u4")
    found = _BYTE_OF_CODE[np.minimum(codes, _NO_CODE)]
    if found.min(initial=0) < 0:
        raise KeyError(chr(codes[found < 0][0]))
    joined = found.astype(np.uint8).tobytes()
    stops = accumulate(map(len, spellings), initial=0)
    return [joined[start:stop] for start, stop in pairwise(stops)]


_NO_CODE = max(map(ord, BYTE_OF_CHARACTER)) + 1
_BYTE_OF_CODE = np.full(_NO_CODE + 1, -1, np.int16)  # -1 for a code that stands for no byte
_BYTE_OF_CODE[list(map(ord, CHARACTER_OF_BYTE))] = range(256)
