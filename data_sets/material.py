"""Read `material/*.txt`: who and what there is in each domain, and the templates that sentences are made of.

A file is one domain. Its lines (blank lines and lines that begin with "#" say nothing):

    vegetable: the onions+; the leeks+; the aubergines+ ~ the eggplants+; the spinach
        a class of entities. "~" joins names of one entity, "+" marks plurals.
    egg#2-12: eggs; cups of flour
        a class of things that are counted, and how many there may be: "seven eggs".
    places: in the kitchen; outside the hotel ~ in front of the hotel
        where anything in this domain may happen.
    act who | chop ~ cut up | vegetable | for the soup | because guests were coming | -wrap
        a template: class of the subject, verbs that mean the same, class of the object, an ending, and what
        may follow: a reason, and flags that each forbid something (see `Template`).
    give who | lend | tool | who | for the weekend
        a template with a receiver: subject, verb, class of the thing, class of the receiver, an ending.
    say dish dish swap
      = The recipe for {A} is easier than the recipe for {B}.
      p The recipe for {B} is harder than the recipe for {A}.
     -= The recipe for {A} is not easier than the recipe for {B}.
        a template given by its wordings. `swap`: exchanging A and B changes the meaning. The letters before a
        wording say how it differs from the first: s other words, v the other voice, o another order,
        p seen from the other side, n by negating the opposite. A "-" before them: the wording denies it.

A template belongs to train unless "dev" or "test" stands before it. `who` is a name, a member of the family
or one of the domain's people. {N:2-12} is a number, {T} is where a time may stand, {town:B} an entity of the
class named there.
"""

import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "material"
SPLITS = ("train", "dev", "test")
FLAGS = {"wrap", "habit", "future", "place", "passive", "time", "conv", "swap"}
LETTERS = {"s": "synonym", "v": "voice", "o": "order", "p": "perspective", "n": "opposite"}


class Thing(NamedTuple):
    """An entity, a place or a time: the names that mean it, the usual one first."""

    names: tuple[str, ...]
    plural: tuple[bool, ...]  # for each name
    counts: tuple[int, ...] = ()  # the numbers that may stand before it; empty for what is not counted
    scale: str = ""  # of a time: clock, day or long

    @property
    def key(self) -> str:
        return self.names[0]


class Wording(NamedTuple):
    """One way to say a `say` template."""

    negative: bool
    ways: frozenset[str]  # how it differs from the first wording
    text: str


class Template(NamedTuple):
    """The fixed wording of a family of sentences that mean the same, and its slots."""

    name: str  # the domain and the number of the template in its file
    domain: str
    split: str
    type: str  # act, give or say
    classes: tuple[str, ...]  # of the subject, of the object or thing, of the receiver
    verbs: tuple[str, ...]
    ending: tuple[str, ...]
    reason: str  # "guests were coming", "of the storm", or nothing
    # What the sentence may not have: wrap ("managed to", "forgot to"), a habit, a future, a place, the
    # passive, a time, the converse verb (get for give), or swapped roles (who met whom is the same).
    flags: frozenset[str]
    wordings: tuple[Wording, ...]
    swap: bool
    tense: str  # of the time in a `say` template


class Domain(NamedTuple):
    name: str
    classes: dict[str, list[Thing]]
    places: list[Thing]
    templates: list[Template]


class Material(NamedTuple):
    domains: list[Domain]
    times: dict[str, list[Thing]]  # past, future, habit
    long_verbs: frozenset[str]  # what they say takes place in a month rather than at an hour


def read_material(folder: Path = FOLDER) -> Material:
    """All of it. ValueError names the file and the line that is not understood."""
    shared = _read_file(folder / "shared.txt", {})
    common = {name: shared.classes[name] for name in ("name", "family", "town")}
    times = {tense: [_with_scale(t) for t in shared.classes[tense]] for tense in ("past", "future", "habit")}
    domains = [_read_file(p, common) for p in sorted(folder.glob("*.txt")) if p.name != "shared.txt"]
    return Material(domains, times, frozenset(thing.key for thing in shared.classes["long verbs"]))


def _read_file(path: Path, common: dict[str, list[Thing]]) -> Domain:
    name = path.stem
    domain = Domain(name, dict(common), [], [])
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("  "):
                last = domain.templates[-1]
                domain.templates[-1] = last._replace(wordings=(*last.wordings, _read_wording(line)))
            elif re.match(r"[\w ]+(#\d+-\d+)?:", line):
                head, members = line.split(":", 1)
                class_name, _, span = head.partition("#")
                things = [_read_thing(text, span) for text in members.split(";")]
                if class_name == "places":
                    domain.places.extend(things)
                else:
                    domain.classes[class_name] = things
            else:
                domain.templates.append(_read_template(line, name, len(domain.templates) + 1))
        except (ValueError, IndexError, KeyError) as error:
            raise ValueError(f"{path}, line {number}: {error}: {line}") from error
    for template in domain.templates:
        for kind in template.classes:
            if kind != "who" and kind not in domain.classes:
                raise ValueError(
                    f"{path}: template {template.name} needs the class {kind}, which is not there"
                )
    return domain


def _read_thing(text: str, span: str) -> Thing:
    names = tuple(name.strip() for name in text.split("~"))
    low, _, high = span.partition("-")
    counts = tuple(range(int(low), int(high) + 1)) if span else ()
    plural = tuple(name.endswith("+") or bool(span) for name in names)
    return Thing(tuple(name.removesuffix("+") for name in names), plural, counts)


def _with_scale(time: Thing) -> Thing:
    """A time whose last word tells its scale: "[clock]", "[day]" or "[long]"."""
    last, scale = re.fullmatch(r"(.*) \[(\w+)\]", time.names[-1]).groups()
    return time._replace(names=(*time.names[:-1], last), scale=scale)


def _read_template(line: str, domain: str, number: int) -> Template:
    head, *columns = [column.strip() for column in line.split("|")]
    words = head.split()
    split = words.pop(0) if words[0] in SPLITS else "train"
    kind, *classes = words
    template = Template(
        f"{domain}-{number:02}", domain, split, kind, (), (), (), "", frozenset(), (), False, "past"
    )
    if kind == "say":
        tense = "future" if "future" in classes else "past"
        plain = tuple(word for word in classes if word not in ("swap", "past", "future"))
        return template._replace(classes=plain, swap="swap" in classes, tense=tense)
    if kind not in ("act", "give"):
        raise ValueError(f"a template begins with act, give or say, not {kind}")
    count = 2 if kind == "act" else 3
    verbs, *columns = columns
    classes += columns[: count - 1]
    ending, *rest = columns[count - 1 :]
    reasons = [text.removeprefix("because ") for text in rest if text.startswith("because ")]
    flags = {flag.removeprefix("-") for text in rest if text.startswith("-") for flag in text.split()}
    if flags - FLAGS:
        raise ValueError(f"unknown flags {sorted(flags - FLAGS)}")
    return template._replace(
        classes=tuple(classes),
        verbs=_names(verbs),
        ending=_names(ending),
        reason=reasons[0] if reasons else "",
        flags=frozenset(flags),
        swap=(kind == "give" or classes[0] == classes[1]) and "swap" not in flags,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("~"))


def _read_wording(line: str) -> Wording:
    letters, text = line.split(maxsplit=1)
    ways = frozenset(LETTERS[letter] for letter in letters.strip("-="))
    return Wording(letters.startswith("-"), ways, text.removesuffix("."))
