"""Numbers in the text of a lesson, tied to what its code has computed.

A code cell says each number that the text will repeat:

    claim("tokens", len(ids))                 prints  tokens = 12

The text below it holds the number as a reader wants to see it, and a comment at the end of the cell, which
neither a notebook nor the terminal shows, ties the two:

    The sentence has 12 tokens, 1.33 for each word, and encoding it again is several times faster.

    <!-- claims: 12 = tokens; 1.33 = tokens per word; 'several times' = speed-up > 2 -->

    12 = tokens                 the claim, rounded to the digits that the text shows, is this number
    3.4 = seconds ±50%          the claim lies this near; ±0.2 is a distance, ±50% a share of the number
    'several times' = x > 2     these words stand in the text, and the comparison holds (> >= < <= ==)

Numbers that the lesson chooses and does not find (a size, a bound that a cited paper states) are listed:

    <!-- given: 256; 0.1 -->

Every other number in a text is a mistake, which `untied` finds without running anything: it looks past code
spans and blocks, shapes such as (12, 256), years, the numbers of lessons, sections, equations and papers, and
list markers. Numbers that are part of a name (GPT-2, UTF-8, 2-D) are none.
"""

import math
import operator
import re
from collections.abc import Mapping
from numbers import Real
from typing import NamedTuple

from ..errors import UsageError
from ..views.numbers import number
from .cells import MARKDOWN, Cell, Lesson

_claims: dict[str, float] = {}

_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_NOT_PROSE = re.compile(
    r"<!--.*?-->"
    r"|^```.*?^```[^\n]*$"  # a fenced block
    r"|^(?: {4}|\t)[^\n]*$"  # an indented one
    r"|`[^`\n]+`"
    r"|\]\([^)\s]*\)|https?://\S+"  # where a link leads
    r"|^\s*\d+\.\s"  # the marker of a list
    r"|\A# \d\d ·|^\w+ · \d+ minutes$"  # the header of a lesson
    r"|\b[Ll]essons?\s+\d+(?:(?:,\s+|\s+and\s+|–|\s+to\s+|\s+or\s+)\d+)*"
    r"|(?:\b[Ss]ections?|\b[Ee]quations?|\b[Aa]lgorithms?|\b[Ff]igures?|\b[Tt]ables?|§)\s*\d+(?:\.\d+)*"
    r"|\barXiv[: ]\d{4}\.\d{4,5}"
    r"|\(\d+(?:, ?\d+)+\)|\(\d+,\)",  # a shape
    re.MULTILINE | re.DOTALL,
)
_NUMBER = re.compile(
    r"(?<![\w.\-])[−-]?(?:\d{1,3}(?:[,  ]\d{3})+|\d+)(?:\.\d+)?(?:[eE][-−+]?\d+)?(?=x\b|(?![\w]|-[A-Za-z]))"
)
_YEAR = re.compile(r"19\d\d|20[0-3]\d")
_TIE = re.compile(
    r"(?:'(?P<words>[^']+)'|(?P<number>[−\-\d][\d,.  eE+−-]*?)) = (?P<name>[^<>=±]+?)"
    r"(?: ±(?P<near>[\d.]+)(?P<share>%?)| (?P<compare>>=|<=|==|>|<) (?P<bound>-?[\d.]+(?:e-?\d+)?))?"
)
_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq}


def claim(name: str, value: Real) -> None:
    """Print `name = value` and remember it. UsageError for a value that is no finite number."""
    if not isinstance(name, str) or not re.fullmatch(r"[^<>=±;'\n]+", name) or name != name.strip():
        raise UsageError(f"a claim needs a name of words, not {name!r}")
    if isinstance(value, bool) or not isinstance(value, Real):
        try:
            value = value.item()  # an array of one number
        except (AttributeError, ValueError, TypeError):
            raise UsageError(f"the claim {name!r} needs one number, not {type(value).__name__}") from None
    if not math.isfinite(value):
        raise UsageError(f"the claim {name!r} is {value}, not a finite number")
    _claims[name] = float(value)
    print(f"{name} = {int(value) if float(value).is_integer() and abs(value) < 1e15 else number(value)}")


def claims() -> dict[str, float]:
    """What has been claimed since `forget_claims`; of a name claimed twice the later value."""
    return dict(_claims)


def forget_claims() -> None:
    """Begin anew, before another lesson."""
    _claims.clear()


class Tie(NamedTuple):
    """One entry of a `claims` comment."""

    written: str  # the number as the text has it, or the words
    name: str
    near: float | None  # how far the claim may lie from the number
    compare: str | None  # what must hold for words
    bound: float | None

    @property
    def is_words(self) -> bool:
        return self.compare is not None


def without_comments(markdown: str) -> str:
    """The text as people read it."""
    return _COMMENT.sub("", markdown).rstrip()


def numbers_in(markdown: str) -> list[str]:
    """The numbers of a text as they are written, years among them."""
    return [match[0] for match in _NUMBER.finditer(_NOT_PROSE.sub(" ¤ ", markdown))]


def ties_of(markdown: str) -> list[Tie]:
    """The entries of the `claims` comments. UsageError for one that cannot be read."""
    ties = []
    for entry in _entries(markdown, "claims"):
        match = _TIE.fullmatch(entry)
        if not match or (match["words"] is None) != (match["compare"] is None):
            raise UsageError(
                f'cannot read the claim {entry!r}: write "12 = name", "3.4 = name ±20%" or '
                f"\"'words' = name > 2\""
            )
        near = None
        if match["near"]:
            near = float(match["near"]) * (abs(value_of(match["number"])) / 100 if match["share"] else 1.0)
        bound = None if match["bound"] is None else float(match["bound"])
        written = match["words"] or match["number"]
        ties.append(Tie(written, match["name"].strip(), near, match["compare"], bound))
    return ties


def untied(markdown: str) -> list[str]:
    """What is wrong with the numbers of a text, before anything has run: one sentence each."""
    try:
        ties = ties_of(markdown)
    except UsageError as error:
        return [str(error)]
    given = _entries(markdown, "given")
    there = numbers_in(markdown)
    words = " ".join(without_comments(markdown).split())
    tied = {tie.written for tie in ties if not tie.is_words}
    problems = [
        f"{n} is tied to no claim" for n in there if not (n in tied or n in given or _YEAR.fullmatch(n))
    ]
    problems += [f"{n} is not in the text, but in a comment" for n in [*tied, *given] if n not in there]
    problems += [
        f"{tie.written!r} is not in the text, but in a comment"
        for tie in ties
        if tie.is_words and tie.written not in words
    ]
    return list(dict.fromkeys(problems))


def disagreements(markdown: str, claimed: Mapping[str, float]) -> list[str]:
    """Where a text says something else than what the code above it has claimed: one sentence each."""
    problems = []
    try:
        ties = ties_of(markdown)
    except UsageError:
        return []  # which `untied` reports
    for tie in ties:
        if tie.name not in claimed:
            problems.append(f"{tie.written} is tied to {tie.name!r}, which no cell above claims")
        elif not _agrees(tie, claimed[tie.name]):
            problems.append(f"the text says {tie.written}, the code {tie.name} = {claimed[tie.name]:.6g}")
    return problems


def problems_of(lesson: Lesson) -> list[str]:
    """`untied` for every text of a lesson, with the line of its cell."""
    return [
        f"{lesson.path.name}: cell at line {cell.line}: {problem}"
        for cell in lesson.cells
        if cell.kind == MARKDOWN
        for problem in untied(cell.source)
    ]


def problems_after(lesson: Lesson, cell: Cell) -> list[str]:
    """`disagreements` of one text with what has been claimed so far, with the line of its cell."""
    return [
        f"{lesson.path.name}: cell at line {cell.line}: {problem}"
        for problem in disagreements(cell.source, _claims)
    ]


def value_of(written: str) -> float:
    """`−1,234.5` -> -1234.5"""
    return float(re.sub("[,  ]", "", written).replace("−", "-"))


def _agrees(tie: Tie, value: float) -> bool:
    if tie.compare is not None:
        return _COMPARE[tie.compare](value, tie.bound)
    shown = value_of(tie.written)
    if tie.near is not None:
        return abs(value - shown) <= tie.near
    digits, _, exponent = tie.written.lower().replace("−", "-").partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))
    return abs(value - shown) <= 0.51 * unit  # a little more than rounding, for other machines


def _entries(markdown: str, kind: str) -> list[str]:
    """The entries of all comments of this kind."""
    entries = []
    for match in _COMMENT.finditer(markdown):
        head, _, body = match[1].strip().partition(":")
        if head == kind:
            entries += [" ".join(entry.split()) for entry in body.split(";") if entry.strip()]
    return entries
