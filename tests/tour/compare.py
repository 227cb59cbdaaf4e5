"""Are two screens the same up to rounding? Sums differ in their last bits from one processor to another.

| what                         | may differ                                                                |
|------------------------------|---------------------------------------------------------------------------|
| a number with a point, or %  | by one unit of its last digit; the blanks beside it follow its width      |
| any other number             | not at all: ids, counts, numbers of sentences are exact, and names of     |
|                              | heads and neurons such as 5.3, though they have a point                   |
| what the machine decides     | freely, and the lines of its paragraph may break elsewhere: times, rates, |
|                              | sizes of files, versions, where the package lies, why no GPU is usable    |
| a shade, a block of a bar    | by one step of its scale                                                  |
| a dot of braille             | by one dot in each direction                                              |
| a colour                     | by one sixteenth in each channel                                          |
| everything else              | not at all                                                                |

`varies` names screens whose numbers and bars are measured times throughout: there, words alone are compared.
"""

import itertools
import re
from typing import NamedTuple

GRADES = (" ░▒▓█", " ▁▂▃▄▅▆▇█", " ▏▎▍▌▋▊▉█", "·░▒▓█")
BRAILLE = range(0x2800, 0x2900)
DOTS = ((0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1))  # row and column of each bit

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?"
NUMBER = re.compile(rf"(?<![\w.#])[+\-−]?{_DIGITS}(?: ?%)?|(?<=#){_DIGITS}")
# Head 3 of layer 5: in titles, before its number in brackets, behind a command, and first in a table's row.
NAMES = re.compile(
    r"^\s*\d\.\d(?:\s{2,}\d\.\d)+\s*$|\b\d+\.\d+(?= \(\d+(?:\.\d+)?%?\))"
    r"|/(?:attn|ablate|neurons) \d+\.\d+|^\s*\d+\.\d+(?=\s+[\d.]+\s+‘)"
)
_MEASURED_ELSEWHERE = (
    rf"{_DIGITS}\s?(?:µs|ms|s|min|h|seconds?|[kKMG]i?B|bytes)\b",
    rf"{_DIGITS} (?:(?!\d)\w+ )?a\s+second\b",
    rf"{_DIGITS} tokens/s\b",
    r"\b\d+:\d\d\b",  # minutes and seconds
    r"\b\d+\.\d+\.\d+\b",  # a version
    r"(?<=No GPU is usable: ).*",
    r"/\S*/pretrained/nano\b",
)
ELSEWHERE = re.compile("|".join(_MEASURED_ELSEWHERE), re.DOTALL)
MEASURED = re.compile(rf"[+\-−]?{_DIGITS}(?: ?%)?")
DRAWN = re.compile("[▏▎▍▌▋▊▉█\u2800-\u28ff]+")
MARK = "‹…›"


class Difference(NamedTuple):
    """A row, counted from 0, and what is wrong with it."""

    row: int
    what: str


def differences(stored, now, varies=False):
    """Where two texts of several lines differ by more than rounding."""
    before, after = stored.splitlines(), now.splitlines()
    if varies:
        return _different_words(before, after, 0, MEASURED)
    found = _different_dots(before, after)
    blocks = [list(_blocks(rows)) for rows in (before, after)]
    if len(blocks[0]) != len(blocks[1]):
        return found + _different_rows(before, after, 0)
    ends = (0, 0)
    for (start, first), (start_now, second) in zip(*blocks, strict=True):
        if start - ends[0] != start_now - ends[1]:
            found.append(Difference(start, "another number of blank rows above"))
        ends = (start + len(first), start_now + len(second))
        if ELSEWHERE.search("\n".join(first)):
            found += _different_words(first, second, start, ELSEWHERE)
        else:
            found += _different_rows(first, second, start)
    return found


def _blocks(rows):
    """Runs of rows without a blank one, each with the number of its first."""
    start = 0
    for blank, run in itertools.groupby(rows, lambda row: not row.strip()):
        run = list(run)
        if not blank:
            yield start, run
        start += len(run)


def _different_words(before, after, start, masked):
    """For rows that the machine decides: their words in order, wherever the lines break, without bars."""
    texts = (DRAWN.sub(" ", " ".join(rows)) for rows in (before, after))
    first, second = (masked.sub(f" {MARK} ", text) for text in texts)
    first, second = (re.sub(r"─+", "─", " ".join(text.split())) for text in (first, second))
    what = _different_row(first, second)
    return [Difference(start, what)] if what else []


def _different_rows(before, after, start):
    found = []
    for place in range(max(len(before), len(after))):
        if place >= len(before):
            found.append(Difference(start + place, "a row more"))
        elif place >= len(after):
            found.append(Difference(start + place, "a row is missing"))
        elif what := _different_row(before[place], after[place]):
            found.append(Difference(start + place, what))
    return found


def _different_row(stored, now):
    """What is wrong with a row; None where nothing is."""
    if stored == now:
        return None
    names = [[" ".join(name.split()) for name in NAMES.findall(row)] for row in (stored, now)]
    if names[0] != names[1]:
        return f"{', '.join(names[1])}, not {', '.join(names[0])}"
    numbers = [list(NUMBER.finditer(row)) for row in (stored, now)]
    if len(numbers[0]) != len(numbers[1]):
        return f"{len(numbers[1])} numbers, not {len(numbers[0])}"
    longer = 0  # by how much the numbers around the text are longer now
    ends = [0, 0]
    for first, second in itertools.chain(zip(*numbers, strict=True), [(None, None)]):
        texts = [
            row[end : match.start() if match else len(row)]
            for row, end, match in zip((stored, now), ends, (first, second), strict=True)
        ]
        change = len(second[0]) - len(first[0]) if first else 0
        if longer or change:
            texts = [text.strip(" ") for text in texts]
        if first is None:  # blanks at the end of a row are not stored
            width = max(map(len, texts))
            texts = [text.ljust(width) for text in texts]
        if len(texts[0]) != len(texts[1]) or not all(map(_same_character, *texts)):
            return f"{texts[1]!r}, not {texts[0]!r}"
        if first is None:
            return None
        if not _same_number(first[0], second[0]):
            return f"{second[0]}, not {first[0]}"
        longer = change
        ends = [first.end(), second.end()]
    return None


def _same_character(stored, now):
    if stored == now or (_is_dots(stored) and _is_dots(now)):
        return True
    return any(
        stored in grade and now in grade and abs(grade.index(stored) - grade.index(now)) == 1
        for grade in GRADES
    )


def _same_number(stored, now):
    if stored == now:
        return True
    if not re.search(r"[.%e]", stored + now) or ("%" in stored) != ("%" in now):
        return False
    unit = 10.0 ** -max(_decimals(stored), _decimals(now))  # zeros at the end may have been left out
    return abs(_value(stored) - _value(now)) <= 1.001 * unit


def _decimals(number):
    """Digits behind the point, counted from the units: -1 where the last digit counts tens."""
    mantissa, _, exponent = number.rstrip(" %").partition("e")
    return len(mantissa.partition(".")[2]) - int(exponent or 0)


def _value(number):
    return float(number.replace("−", "-").replace(",", "").rstrip(" %"))


def _is_dots(character):
    return character == " " or ord(character) in BRAILLE


def _different_dots(before, after):
    """Where a dot of braille has none near it on the other screen."""
    dots = [_dots(before), _dots(after)]
    for here, there, what in ((dots[0], dots[1], "a dot is missing"), (dots[1], dots[0], "a dot too many")):
        for y, x in sorted(here):
            near = ((y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
            if not any(place in there for place in near):
                return [Difference(y // 4, f"{what} in column {x // 2}")]
    return []


def _dots(rows):
    return {
        (4 * y + dy, 2 * x + dx)
        for y, row in enumerate(rows)
        for x, character in enumerate(row)
        if ord(character) in BRAILLE
        for bit, (dy, dx) in enumerate(DOTS)
        if ord(character) - 0x2800 >> bit & 1
    }


def different_colours(stored, now):
    """Where the colours of two answers, whose texts are the same up to rounding, differ by more than that.

    Rows of which more than digits differ are left out: what has moved in them has taken its colour along.
    """
    before, after = stored.text.splitlines(), now.text.splitlines()
    if len(before) != len(after):
        return []
    found = []
    for row, texts in enumerate(zip(before, after, strict=True)):
        if len({re.sub(r"\d", "0", text) for text in texts}) > 1:
            continue
        cells = itertools.zip_longest(stored.colours[row], now.colours[row], fillvalue="")
        for column, (a, b) in enumerate(cells):
            if not _same_colour(a, b):
                found.append(Difference(row, f"column {column} is {b or 'plain'}, not {a or 'plain'}"))
                break
    return found


def _same_colour(stored, now):
    """Two cells like "#fff/#a31*": text, ground, bold or dim."""
    if stored == now:
        return True
    first, second = (re.fullmatch(r"([^/*~]*)/?([^*~]*)([*~]*)", colour).groups() for colour in (stored, now))
    black_or_white = {first[0], second[0]} <= {"#000", "#fff"} and first[1]  # whichever reads on the ground
    same_text = black_or_white or _same_channels(first[0], second[0])
    return same_text and _same_channels(first[1], second[1]) and first[2] == second[2]


def _same_channels(stored, now):
    if stored == now:
        return True
    if not (stored.startswith("#") and now.startswith("#")):
        return False
    return all(abs(int(a, 16) - int(b, 16)) <= 1 for a, b in zip(stored[1:], now[1:], strict=True))


def side_by_side(stored, now, found):
    """The two screens, with a mark at the rows that differ and what is wrong with them."""
    before, after = stored.splitlines(), now.splitlines()
    width = max(map(len, [*before, "stored"]))
    what = {difference.row: difference.what for difference in reversed(found)}
    rows = [f"    {'stored':<{width}} │ now"]
    for row, (first, second) in enumerate(itertools.zip_longest(before, after, fillvalue="")):
        mark = "→" if row in what else " "
        rows.append(f"{mark}{row:>2} {first:<{width}} │ {second}")
        if row in what:
            rows.append(f"    {what[row]}")
    return "\n".join(rows)
