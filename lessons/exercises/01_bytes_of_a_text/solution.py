"""The bytes of a text: one way to do it."""


def to_bytes(text: str) -> list[int]:
    """The UTF-8 bytes of a text, as numbers from 0 to 255."""
    return list(text.encode("utf-8"))


def character_lengths(data: list[int]) -> list[int]:
    """How many bytes each character takes."""
    lengths = []
    for byte in data:
        if 128 <= byte < 192:
            lengths[-1] += 1
        else:
            lengths.append(1)
    return lengths
