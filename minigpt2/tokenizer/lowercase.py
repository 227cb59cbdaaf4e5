"""Lower-casing exactly as the `Lowercase` normalizer of the `tokenizers` library does it.

Each character by itself, by Unicode's lower-case mapping: "İ" becomes two characters, and a capital sigma
becomes σ wherever it stands. `str.lower` differs in two ways: it writes ς at the end of a Greek word, and it
knows only the characters of the Unicode version that Python was built with.
"""

# Capital letters of Unicode 15 to 17; Python 3.11 has Unicode 14. Where Python knows them, nothing changes.
_NEW_LETTERS = {
    0x1C89: 0x1C8A,  # Cyrillic Tje
    0xA7CB: 0x0264,  # Latin rams horn
    0xA7CC: 0xA7CD,  # Latin S with diagonal stroke
    0xA7CE: 0xA7CF,
    0xA7D2: 0xA7D3,
    0xA7D4: 0xA7D5,
    0xA7DA: 0xA7DB,  # Latin lambda
    0xA7DC: 0x019B,  # Latin lambda with stroke
    **{capital: capital + 0x20 for capital in range(0x10D50, 0x10D66)},  # Garay
    **{capital: capital + 0x1B for capital in range(0x16EA0, 0x16EB9)},  # Beria Erfe
}


def lower(text: str) -> str:
    """The text in lower case, character by character."""
    if text.isascii():
        return text.lower()
    return text.translate(_CHANGES).lower()


_CHANGES = _NEW_LETTERS | {ord("Σ"): "σ"}
