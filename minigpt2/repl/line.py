r"""What a typed line means: a sentence, or a command with its arguments.

A line that starts with a slash is a command; `//` starts a sentence whose first character is a slash. What
follows the command's name is read in one of four forms, which the command declares:

| form    | the rest of the line                                       | example                         |
|---------|------------------------------------------------------------|---------------------------------|
| `none`  | nothing                                                    | `/quit`                         |
| `text`  | one text as it stands; quotation marks are part of it      | `/search don't panic`           |
| `texts` | texts with `|` between them; `\|` is a bar inside a text   | `/sim a cat | a feline`         |
| `words` | words parted by blanks; quotation marks hold one together  | `/load "my file.txt" --limit 9` |

An option is a word of two dashes and a letter: `--html FILE`, `--html=FILE`, `--html "my file.html"`.
Options may stand anywhere among words, and before a text; `--` ends them. What follows an option that takes
a value is its value, `-3` too, but not another option.

Among words a quotation mark, `"` or `'`, opens at the start of a word, behind the `=` of an option, or right
behind another that closes, and reaches to the next of its kind; anywhere else it is a character like any
other, and so is a backslash everywhere.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import UsageError
from ..files import shorten

FORMS = ("none", "text", "texts", "words")

_BLANKS = re.compile(r"\s*")
_NO_BLANKS = re.compile(r"\S*")
_OPTION = re.compile(r"--[A-Za-z]")


class Line(NamedTuple):
    """A line as it was typed; `command` is None for a sentence."""

    typed: str
    command: str | None
    rest: str


class Option(NamedTuple):
    """What a command may be told beside its arguments."""

    name: str  # with its dashes: "--html"
    help: str
    metavar: str | None = None  # None: a flag, True where it is given
    convert: Callable[[str], Any] = str  # may raise ValueError or UsageError
    completes: str | None = None  # "file", "layer", …: see completion


class Arguments(NamedTuple):
    """What stands behind a command's name."""

    texts: Sequence[str] = ()  # forms `text` (at most one) and `texts`
    words: Sequence[str] = ()  # form `words`
    options: Mapping[str, Any] = MappingProxyType({})  # "html" -> value; None or False where not given


class Word(NamedTuple):
    """One word of a line, as `next_word` finds it."""

    text: str  # without its quotation marks
    start: int  # where it begins in the line, and
    end: int  # the place behind it
    quoted: bool  # it begins with a quotation mark, so it is no option
    open_quote: str = ""  # the mark that is never closed, if there is one


def parse_line(typed: str) -> Line:
    """`/sim a | b` -> command "sim" and the rest; anything else is a sentence."""
    text = typed.strip()
    if text.startswith("//"):
        return Line(typed, None, text[1:])
    if not text.startswith("/"):
        return Line(typed, None, text)
    name = _NO_BLANKS.match(text, 1)[0]
    return Line(typed, name.lower(), text[1 + len(name) :].lstrip())


def parse_arguments(
    command: str, rest: str, form: str, options: Sequence[Option], usage: str = ""
) -> Arguments:
    """The rest of a line as a command's arguments. UsageError, naming `usage`, for what does not fit."""
    try:
        return _Reader(command, options).arguments(rest, form)
    except UsageError as error:
        raise UsageError(f"{error} (usage: {usage})" if usage else str(error)) from None


def next_word(text: str, start: int) -> Word | None:
    """The word that begins at `start` or behind the blanks there; None at the end of the line."""
    start = place = _BLANKS.match(text, start).end()
    if start == len(text):
        return None
    pieces: list[str] = []
    may_open = True
    while place < len(text) and not text[place].isspace():
        if may_open and text[place] in "\"'":
            end = text.find(text[place], place + 1)
            if end < 0:
                pieces.append(text[place + 1 :])
                return Word("".join(pieces), start, len(text), text[start] in "\"'", text[place])
            pieces.append(text[place + 1 : end])
            place = end + 1
            continue
        run = _NO_BLANKS.match(text, place)[0]
        equals = run.find("=") + 1 if may_open and place == start and _OPTION.match(run) else 0
        # A mark may open behind the `=` of an option; up to there it is an option's name.
        run = run[:equals] if equals else run
        may_open = bool(equals)
        pieces.append(run)
        place += len(run)
    return Word("".join(pieces), start, place, text[start] in "\"'")


def split_texts(rest: str) -> list[str]:
    r"""`a | b` -> its texts, stripped; `\|` is a bar inside one."""
    texts: list[list[str]] = [[]]
    pieces = rest.split("|")
    for piece in pieces[:-1]:
        if piece.endswith("\\"):
            texts[-1] += [piece[:-1], "|"]
        else:
            texts[-1].append(piece)
            texts.append([])
    texts[-1].append(pieces[-1])
    return ["".join(text).strip() for text in texts]


def is_option(word: Word) -> bool:
    """True for `--html`, and for the `--` that ends options."""
    return not word.quoted and (word.text == "--" or _OPTION.match(word.text) is not None)


class _Reader:
    """Reads the arguments of one command."""

    def __init__(self, command: str, options: Sequence[Option]) -> None:
        self.command = command
        self.options = options
        self.chosen = {_key(option.name): None if option.metavar else False for option in options}

    def arguments(self, rest: str, form: str) -> Arguments:
        if form == "words":
            return Arguments(words=self._words(rest), options=self.chosen)
        rest = self._behind_options(rest)
        if form == "none" and rest:
            raise UsageError(f"/{self.command} takes no argument, but {shorten(rest, 40)} stands behind it")
        if not rest or form == "text":
            return Arguments(texts=[rest] if rest else [], options=self.chosen)
        texts = split_texts(rest)
        if "" in texts:
            raise UsageError(f"text {texts.index('') + 1} of {len(texts)} is empty")
        return Arguments(texts=texts, options=self.chosen)

    def _words(self, rest: str) -> list[str]:
        words, place, options_end = [], 0, False
        while word := next_word(rest, place):
            if options_end or not is_option(word):
                words.append(self._closed(word).text)
                place = word.end
            elif word.text == "--":
                options_end, place = True, word.end
            else:
                place = self._take(word, rest)
        return words

    def _behind_options(self, rest: str) -> str:
        """The text behind the options at its start."""
        place = 0
        while (word := next_word(rest, place)) and is_option(word):
            if word.text == "--":
                return rest[word.end :].strip()
            place = self._take(word, rest)
        return rest[place:].strip()

    def _take(self, word: Word, rest: str) -> int:
        """Read an option, and the place behind it and its value."""
        name, equals, value = self._closed(word).text.partition("=")
        option = self._known(name)
        place = word.end
        if option.metavar is None:
            if equals:
                raise UsageError(f"/{self.command}: {name} takes no value")
            self.chosen[_key(name)] = True
            return place
        if not equals:
            following = next_word(rest, place)
            if following is None or is_option(following):
                raise UsageError(f"/{self.command}: {name} needs a value: {name} {option.metavar}")
            value, place = self._closed(following).text, following.end
        self.chosen[_key(name)] = self._converted(option, value)
        return place

    def _closed(self, word: Word) -> Word:
        if word.open_quote:
            raise UsageError(
                f"/{self.command}: the quotation mark {word.open_quote} before {shorten(word.text, 40)} is "
                "never closed"
            )
        return word

    def _known(self, name: str) -> Option:
        for option in self.options:
            if option.name == name:
                return option
        names = [option.name for option in self.options]
        similar = difflib.get_close_matches(name[:40], names, n=1)
        known = f"did you mean {similar[0]}?" if similar else f"it has {', '.join(names) or 'none'}"
        raise UsageError(
            f"/{self.command} has no option {shorten(name, 40)}: {known}; "
            "-- stands before a text that begins with dashes"
        )

    def _converted(self, option: Option, value: str) -> Any:
        try:
            return option.convert(value)
        except UsageError:
            raise
        except (ValueError, OverflowError):
            raise UsageError(
                f"/{self.command}: {option.name} is {shorten(value, 40)}: {option.help}"
            ) from None


def _key(name: str) -> str:
    return name.lstrip("-").replace("-", "_")
