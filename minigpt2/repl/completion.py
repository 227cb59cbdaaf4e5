"""What Tab offers: one pure function of the session and the line up to the cursor, for every line editor.

| where the cursor is       | what is offered                                                  |
|---------------------------|------------------------------------------------------------------|
| behind a slash            | commands                                                         |
| in a sentence             | kept sentences that begin so; behind `#` their numbers           |
| behind a dash             | the command's options                                            |
| in an argument or a value | what the command's COMPLETES, or the option's `completes`, names |

The kinds that may be named are file, folder, model, sentence, command, layer, head, layer.head and those of
`_VALUES`. COMPLETES may also be a tuple of them: among words one for each place, in a text all of them.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from types import ModuleType
from typing import NamedTuple

from ..backend import DEVICES, DTYPES
from ..errors import MiniGPT2Error
from . import commands
from .line import Option, Word, is_option, next_word
from .session import Session

MOST = 100  # completions offered at once
_PART = re.compile(r"\d+\.\d+\s+")


class Completion(NamedTuple):
    """One way to go on: the line up to `start`, then `text`."""

    text: str
    start: int
    label: str = ""  # what is said about it

    @property
    def shown(self) -> str:
        """The completion in a list of them, with what is said about it."""
        return f"{self.text.strip()}  {self.label}" if self.label else self.text.strip()


class _Word(NamedTuple):
    """What the cursor stands behind: an argument that has begun, perhaps with nothing yet."""

    typed: str  # without quotation marks
    start: int  # where it begins in the line
    mark: str = ""  # the quotation mark that it begins with


def complete(session: Session, text_before_cursor: str) -> list[Completion]:
    """The ways to go on, best first, at most MOST; none where a text is not understood."""
    line = text_before_cursor
    start = len(line) - len(line.lstrip())
    if not line.strip():
        return _commands("", start, slash=True)
    if line.startswith("//", start):
        return []
    if line[start] != "/":
        return _texts(session, ("sentence",), line[start:], start, bars=False)
    name = line[start + 1 :].split(maxsplit=1)[0] if line[start + 1 :].strip() else ""
    place = start + 1 + len(name)
    if place == len(line):
        return _commands(name, start, slash=True)
    try:
        command = commands.find(name.lower())
    except MiniGPT2Error:
        return []
    return _arguments(session, command, line, place)[:MOST]


def _commands(prefix: str, start: int, *, slash: bool) -> list[Completion]:
    found = [name for name in commands.NAMES if name.startswith(prefix.lower())]
    return [Completion(f"{'/' * slash}{name} ", start, commands.find(name).SUMMARY) for name in found]


def _arguments(session: Session, command: ModuleType, line: str, place: int) -> list[Completion]:
    """What may stand behind the command, whose name ends at `place`."""
    options = {option.name: option for option in command.OPTIONS}
    value_of: Option | None = None  # the option whose value comes next
    options_end = False
    words_before = 0
    while word := next_word(line, place):
        if word.end == len(line) and not (line[-1].isspace() and not word.open_quote):
            return _at_word(session, command, options, line, word, value_of, options_end, words_before)
        begins_text = command.FORM != "words" and value_of is None and (options_end or not is_option(word))
        if begins_text:
            break
        place = word.end
        if value_of is not None:
            value_of = None
        elif options_end or not is_option(word):
            words_before += 1
        elif word.text == "--":
            options_end = True
        elif "=" not in word.text:
            known = options.get(word.text)
            value_of = known if known is not None and known.metavar else None
    else:
        return _at_word(session, command, options, line, None, value_of, options_end, words_before)
    return _texts(session, _kinds(command), line[word.start :], word.start, bars=command.FORM == "texts")


def _at_word(
    session: Session,
    command: ModuleType,
    options: dict[str, Option],
    line: str,
    word: Word | None,
    value_of: Option | None,
    options_end: bool,
    words_before: int,
) -> list[Completion]:
    """The cursor stands behind `word`, or behind a blank."""
    typed, start = (word.text, word.start) if word else ("", len(line))
    mark = line[start] if word and word.quoted else ""
    if value_of is not None:
        return _values(session, value_of.completes, _Word(typed, start, mark))
    if not options_end and not mark and typed.startswith("-"):
        name, equals, value = typed.partition("=")
        if not equals:
            return [
                Completion(f"{name} ", start, option.help)
                for name, option in options.items()
                if name.startswith(typed) and f"{name} " not in line
            ]
        if name in options and options[name].metavar:
            at = start + len(name) + 1
            mark = line[at : at + 1] if line[at : at + 1] in ('"', "'") else ""
            return _values(session, options[name].completes, _Word(value, at, mark))
        return []
    kinds = _kinds(command)
    if command.FORM in ("text", "texts"):
        found = _texts(session, kinds, line[start:], start, bars=command.FORM == "texts")
    elif command.FORM == "words" and words_before < len(kinds):
        found = _values(session, kinds[words_before], _Word(typed, start, mark))
    else:
        found = []
    if not found and word is None and not options_end:
        return [Completion(f"{name} ", start, option.help) for name, option in options.items()]
    return found


def _kinds(command: ModuleType) -> Sequence[str]:
    """What may stand at each place; a single kind at every place."""
    if isinstance(command.COMPLETES, tuple):
        return command.COMPLETES
    return (command.COMPLETES,) * MOST if command.COMPLETES else ()


def _texts(session: Session, kinds: Iterable[str], typed: str, start: int, *, bars: bool) -> list[Completion]:
    """Kept sentences for a text, or with `bars` for the last of several."""
    if bars:
        bar = typed.rfind("|")
        while bar > 0 and typed[bar - 1] == "\\":
            bar = typed.rfind("|", 0, bar)
        start, typed = start + bar + 1, typed[bar + 1 :]
    begun = typed.lstrip()
    start += len(typed) - len(begun)
    kinds = list(dict.fromkeys(kinds))
    if "layer.head" in kinds and (part := _PART.match(begun)):  # which stands before the text
        return _texts(session, ("sentence",), begun[part.end() :], start + part.end(), bars=False)
    found = []
    for kind in kinds:
        if kind != "sentence":
            found += _values(session, kind, _Word(begun, start))
            continue
        found += _numbers(session, begun, start)
        if begun and not begun.startswith("#"):
            wanted = (begun.replace("\\|", "|") if bars else begun).lower()
            for sentence in _beginning_with(session, wanted):
                text = sentence.text.replace("|", "\\|") if bars else sentence.text
                found.append(Completion(text, start, f"#{sentence.number}"))
    return found[:MOST]


def _numbers(session: Session, typed: str, start: int) -> list[Completion]:
    """`#3` and so on, the newest first where nothing tells which; the label is the sentence."""
    if typed and not typed.startswith("#"):
        return []
    known = reversed(session.sentences) if typed in ("", "#") else session.sentences
    matching = (sentence for sentence in known if f"#{sentence.number}".startswith(typed or "#"))
    return [Completion(f"#{s.number}", start, " ".join(s.text[:200].split())) for s in islice(matching, MOST)]


def _beginning_with(session: Session, wanted: str) -> Iterable:
    """The sentences that begin so, in any case of letters; of those that a line editor can show."""
    length = len(wanted)
    matching = (s for s in session.sentences if s.text[:length].lower() == wanted and s.text.isprintable())
    return islice(matching, MOST)


def _values(session: Session, kind: str | None, word: _Word) -> list[Completion]:
    """Values of one kind that begin as the word does."""
    if kind in ("file", "folder", "model"):
        return _paths(kind, word)
    if kind == "sentence":
        if word.mark:
            found = _beginning_with(session, word.typed.lower()) if word.typed else ()
            return [Completion(_quoted(s.text, word.mark) + " ", word.start, f"#{s.number}") for s in found]
        return [c._replace(text=c.text + " ") for c in _numbers(session, word.typed, word.start)]
    if kind == "command":
        return _commands(word.typed.removeprefix("/"), word.start, slash=word.typed.startswith("/"))
    names = _names(session, kind)
    return [Completion(f"{name} ", word.start) for name in names if name.startswith(word.typed.lower())]


def _names(session: Session, kind: str | None) -> Sequence[str]:
    """The values of a kind of which there are few."""
    if kind in ("layer", "head", "layer.head"):
        config = session.encoder.config
        layers, heads = range(config.L), range(config.H)
        if kind == "layer.head":
            return [f"{layer}.{head}" for layer in layers for head in heads]
        return [str(number) for number in (layers if kind == "layer" else heads)]
    return tuple(_VALUES[kind]()) if kind in _VALUES else ()


def _metrics() -> Iterable[str]:
    from ..similarity import METRICS

    return METRICS


def _objectives() -> Iterable[str]:
    from .commands.train import OBJECTIVES_HERE

    return OBJECTIVES_HERE


def _poolings() -> Iterable[str]:
    from ..layers.pooling import POOLINGS

    return POOLINGS


_VALUES: dict[str, Callable[[], Iterable[str]]] = {
    "metric": _metrics,
    "objective": _objectives,
    "pooling": _poolings,
    "device": lambda: DEVICES,
    "dtype": lambda: DTYPES,
}


def _paths(kind: str, word: _Word) -> list[Completion]:
    """Files and folders, quoted where they must be; a folder is left open, to go on into it."""
    if word.typed == "~":
        return [Completion("~/", word.start)]
    folder, _, prefix = word.typed.rpartition("/")
    folder += "/" if "/" in word.typed else ""
    entries = []
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as listing:
            for entry in listing:
                hidden = entry.name.startswith(".") and not prefix.startswith(".")
                if entry.name.startswith(prefix) and not hidden and entry.name.isprintable():
                    entries.append(entry)
    except (OSError, ValueError):  # no such folder, not permitted; a NUL in the name
        entries = []
    found = []
    if kind == "model":
        from ..model_directory import bundled_models

        names = [name for name in bundled_models() if name.startswith(word.typed)]
        found = [Completion(f"{name} ", word.start, "bundled") for name in names]
    for entry in sorted(entries, key=lambda entry: entry.name)[: 10 * MOST]:
        is_folder = _is_folder(entry)
        if not is_folder and kind != "file":
            continue
        path = folder + entry.name
        if not is_folder:
            found.append(Completion(_quoted(path, word.mark) + " ", word.start))
            continue
        label = "model" if kind == "model" and os.path.exists(os.path.join(entry.path, "config.json")) else ""
        quoted = _quoted(path + "/", word.mark)
        found.append(Completion(quoted[:-1] if quoted[-1] in "\"'" else quoted, word.start, label))
        if len(found) >= MOST:
            break
    return found


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _quoted(text: str, mark: str) -> str:
    """The text as one word: as it stands if it can and no `mark` is begun, else within quotation marks."""
    plain = text and not any(c.isspace() for c in text) and text[0] not in "\"'-"
    if plain and not mark:
        return text
    for candidate in (mark or '"', '"', "'"):
        if candidate not in text:
            return f"{candidate}{text}{candidate}"
    return "'\"'".join(f'"{piece}"' for piece in text.split('"'))
