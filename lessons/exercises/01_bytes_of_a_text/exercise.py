"""The bytes of a text, and which of them begin a character.

A byte-level tokenizer starts from UTF-8 bytes, so no text is ever unknown to it. In UTF-8 a character takes
1 to 4 bytes; every byte after a character's first has the bits 10xxxxxx, that is, a value from 128 to 191.

Write two functions:

    to_bytes("é!")               -> [195, 169, 33]
    character_lengths([195, 169, 33]) -> [2, 1]       how many bytes each character takes, in order

`character_lengths` is given the bytes alone, not the text. The package: `minigpt2/tokenizer/byte.py`.
"""


def to_bytes(text: str) -> list[int]:
    """The UTF-8 bytes of a text, as numbers from 0 to 255."""
    raise NotImplementedError("your turn")


def character_lengths(data: list[int]) -> list[int]:
    """How many bytes each character takes."""
    raise NotImplementedError("your turn")
