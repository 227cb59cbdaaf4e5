"""What a typed line means: a sentence, or a command with its arguments.

A line that starts with a slash is a command; `//` starts a sentence whose first character is a slash. What
follows the command's name is read in one of four forms, which the command declares:

| form    | the rest of the line                                        | example                         |
|---------|-------------------------------------------------------------|---------------------------------|
| `none`  | nothing                                                     | `/history`                      |
| `text`  | one text as it stands; quotation marks are part of it       | `/search don't panic`           |
| `texts` | texts with ` | ` between them; `\\|` is a bar inside a text  | `/sim a cat | a feline`         |
| `words` | words parted by blanks; quotation marks hold one together   | `/load "my file.txt" --limit 9` |

Options (`--html FILE`, `--html=FILE`) may stand anywhere among words, and before a text; `--` ends them. A
text that is `#3` is the third of the sentences kept.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import UsageError

FORMS = ("none", "text", "texts", "words")


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


def parse_line(typed: str) -> Line:
    """`/sim a | b` -> command "sim" and the rest; anything else is a sentence."""
    text = typed.strip()
    if text.startswith("//"):
        return Line(typed, None, text[1:])
    if not text.startswith("/"):
        return Line(typed, None, text)
    name, rest = re.fullmatch(r"/(\S*)\s*(.*)", text, re.DOTALL).groups()
    return Line(typed, name.lower(), rest)


def parse_arguments(
    command: str, rest: str, form: str, options: Sequence[Option], usage: str = ""
) -> Arguments:
    """The rest of a line as a command's arguments. Raises UsageError for what does not fit its form."""
    chosen = {
        option.name.lstrip("-").replace("-", "_"): None if option.metavar else False for option in options
    }
    if form == "words":
        return Arguments(
            words=_take_options(command, _split_words(command, rest), options, chosen), options=chosen
        )
    rest = _take_leading_options(command, rest, options, chosen)
    if form == "none" and rest:
        raise UsageError(f"/{command} takes no argument, but {rest!r} stands behind it")
    if form == "text":
        return Arguments(texts=[rest] if rest else [], options=chosen)
    parts = [part.replace(r"\|", "|").strip() for part in re.split(r"(?<!\\)\|", rest)]
    return Arguments(texts=parts if rest else [], options=chosen)


def _split_words(command: str, rest: str) -> list[str]:
    """Words parted by blanks, each as (text); quotation marks hold a word together."""
    words = []
    for match in re.finditer(r"\s*((?:\"[^\"]*\"|'[^']*'|[^\s\"'])+|[\"'].*)", rest, re.DOTALL):
        word = match[1]
        if re.match(r"[\"'][^\"']*$", word):
            raise UsageError(f"/{command}: the quotation mark before {word[1:21]!r} is never closed")
        words.append(re.sub(r"\"([^\"]*)\"|'([^']*)'", lambda m: m[1] if m[1] is not None else m[2], word))
    return words


def _take_options(
    command: str, words: list[str], options: Sequence[Option], chosen: dict[str, Any]
) -> list[str]:
    """The words that are no options; the options go into `chosen`."""
    kept, waiting = [], list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return kept + waiting
        if not word.startswith("--"):
            kept.append(word)
            continue
        name, equals, value = word.partition("=")
        option = _known(command, name, options)
        if option.metavar is None:
            if equals:
                raise UsageError(f"/{command}: {name} takes no value")
            value = True
        elif not equals:
            if not waiting:
                raise UsageError(f"/{command}: {name} needs a value: {name} {option.metavar}")
            value = waiting.pop(0)
        chosen[name.lstrip("-").replace("-", "_")] = (
            value if value is True else _convert(command, option, value)
        )
    return kept


def _take_leading_options(command: str, rest: str, options: Sequence[Option], chosen: dict[str, Any]) -> str:
    """The text behind the options at its start; the options go into `chosen`."""
    while match := re.match(r"(--[a-z-]*)(=\S*)?(?:\s+|$)", rest):
        rest = rest[match.end() :]
        if match[0].strip() == "--":
            break
        name, value = match[1], match[2]
        option = _known(command, name, options)
        if option.metavar is None and value is None:
            chosen[name.lstrip("-").replace("-", "_")] = True
            continue
        if option.metavar is None:
            raise UsageError(f"/{command}: {name} takes no value")
        if value is None:
            word, _, rest = rest.partition(" ")
            if not word:
                raise UsageError(f"/{command}: {name} needs a value: {name} {option.metavar}")
            value, rest = "=" + word, rest.lstrip()
        chosen[name.lstrip("-").replace("-", "_")] = _convert(command, option, value[1:])
    return rest


def _known(command: str, name: str, options: Sequence[Option]) -> Option:
    for option in options:
        if option.name == name:
            return option
    names = [option.name for option in options]
    similar = difflib.get_close_matches(name, names, n=1)
    known = f"did you mean {similar[0]}?" if similar else f"it has {', '.join(names) or 'none'}"
    raise UsageError(f"/{command} has no option {name}: {known}")


def _convert(command: str, option: Option, value: str) -> Any:
    try:
        return option.convert(value)
    except UsageError:
        raise
    except ValueError:
        raise UsageError(f"/{command}: {option.name} is {value!r}: {option.help}") from None
