"""Numbers and tokens in the sentences that explain a picture."""

from collections.abc import Sequence


def word_of(token: str) -> str:
    """A token as a label: without the blank that begins a word; blanks alone stay visible."""
    return token.removeprefix(" ") or "␣"


def quoted(token: str) -> str:
    """A token inside a sentence."""
    return f"‘{word_of(token)}’"


def share(value: float) -> str:
    """0.314 -> 31%"""
    return f"{100 * value:.0f}%"


def signed(value: float, digits: int = 3) -> str:
    """Always with its sign, never -0."""
    text = f"{value:+.{digits}f}"
    return text.replace("-", "+") if float(text) == 0 else text


def listed(parts: Sequence[str], last: str = "and") -> str:
    """a, b and c"""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def counted(count: int, thing: str) -> str:
    """1 token, 2,000 tokens"""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
