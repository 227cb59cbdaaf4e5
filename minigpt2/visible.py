"""Texts and tokens as a person may see them: nothing in them acts on a terminal or hides.

>>> visible("a\x1b[2Jb")
'a‹1b›[2Jb'
>>> visible_bytes(b" low")
'␣low'
"""

import locale
import os


def terminal_has_unicode() -> bool:
    """True where the locale's encoding is one of Unicode. A Linux console knows it, but not the signs."""
    return "utf" in locale.getencoding().lower() and os.environ.get("TERM") != "linux"


def visible(text: str) -> str:
    """The text with its control, direction and zero-width characters, which would act, as ‹hex bytes›."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"‹{c.encode('utf-8', 'surrogatepass').hex(' ')}›" for c in text)


def visible_bytes(token: bytes) -> str:
    """A token for the eye: a blank as ␣, and bytes that print nothing or are half a character as ‹e2 80›."""
    try:
        text = token.decode("utf-8")
    except UnicodeDecodeError:
        return f"‹{token.hex(' ')}›"
    return visible(text.replace(" ", "␣"))
