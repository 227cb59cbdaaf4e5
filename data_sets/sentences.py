"""From what a sentence means to its words, in many ways that all mean the same.

A `Meaning` says who does what to whom, when and where. `render` puts it into words; wherever English offers a
choice it asks the `Style`, and the name of the choice says what kind of paraphrase another answer makes:

    synonym      other words: "repaired" or "mended", "12" or "a dozen", "did not" or "didn't"
    voice        "Anna repaired the van" or "The van was repaired by Anna"
    order        "Yesterday, Anna …" or "… yesterday"; "gave Tom the key" or "gave the key to Tom"
    perspective  "Anna sold the van to Tom" or "Tom bought the van from Anna"; "taller" or "shorter"
    opposite     "refused to" or "did not agree to"; "is broken" or "does not work"
"""

import random
import re
from typing import NamedTuple

from english import inflect, number_word, sentence_case
from material import Template, Thing

WAYS = ("synonym", "voice", "order", "perspective", "opposite")
CONVERSE = {
    "sell": ("buy", "purchase"),
    "give": ("get", "receive"),
    "lend": ("borrow",),
    "hand": ("get", "receive"),
    "send": ("get", "receive"),
    "teach": ("learn",),
    "pay": ("get", "receive"),
}
FOR_RECEIVER = {"buy", "play"}  # "bought a scarf for Anna", where the others have "to"
NOT = ("did not", "didn't")
TO_ONLY = {"recommend", "return", "play"}  # no "recommended Anna a hotel"
NO_PASSIVE = {
    *("break through", "clap for", "forget", "get", "get rid of", "go to", "go with", "have", "hold on to"),
    *("leave behind", "meet", "race against", "reply to", "run after", "run into", "take on", "vote for"),
    "wait for",
}  # fmt: skip

# What the subject brings about: the ways to affirm it and the ways to deny it, each without and with "not".
# {base} and {ing} are forms of the verb.
MODES = {
    "manage": (
        (("managed to {base}", "succeeded in {ing}"), ("did not fail to {base}",)),
        (
            ("failed to {base}",),
            ("did not manage to {base}", "didn't manage to {base}", "did not succeed in {ing}"),
        ),
    ),
    "remember": (
        (("remembered to {base}",), ("did not forget to {base}", "didn't forget to {base}")),
        (("forgot to {base}",), ("did not remember to {base}", "didn't remember to {base}")),
    ),
    "agree": (
        (
            ("agreed to {base}",),
            ("did not refuse to {base}", "didn't refuse to {base}"),
        ),
        (
            ("refused to {base}",),
            ("did not agree to {base}", "didn't agree to {base}"),
        ),
    ),
}


class Meaning(NamedTuple):
    """What a sentence says, apart from its words."""

    template: Template
    fills: tuple[tuple[Thing, ...], ...]  # for each slot of the template one entity, or two joined by "and"
    number: int | None
    tense: str  # past, future or habit
    time: Thing | None
    place: Thing | None
    negative: bool
    mode: str  # plain or a key of MODES
    reason: bool  # whether the template's reason is given


class Style:
    """The answers to all choices, drawn when they are first asked for and remembered."""

    def __init__(self, rng: random.Random, answers: dict[tuple[str, str], float] | None = None) -> None:
        self.rng, self.answers = rng, dict(answers or {})
        self.made: dict[tuple[str, str], object] = {}  # what was chosen in the last sentence

    def redrawn(self, ways: set[str]) -> "Style":
        """The same answers, but most of those that belong to `ways` are turned half round."""
        answers = dict(self.answers)
        for key in answers:
            if key[0] in ways:
                answers[key] = (answers[key] + 0.5) % 1 if self.rng.random() < 0.75 else self.rng.random()
        return Style(self.rng, answers)

    def choose(self, way: str, name: str, options: tuple, first: float | None = None):
        """One of `options`; `first` is the share of the first one, where they are not all equally likely."""
        if len(options) == 1:
            return options[0]
        u = self.answers.setdefault((way, name), self.rng.random())
        if first is None:
            index = int(u * len(options))
        else:
            index = 0 if u < first else 1 + int((u - first) / (1 - first) * (len(options) - 1))
        self.made[way, name] = options[index]
        return options[index]


def render(meaning: Meaning, style: Style) -> str:
    """The sentence; `style.made` then holds the choices that it took."""
    style.made = {}
    words = _render_wording if meaning.template.type == "say" else _render_clause
    text = words(meaning, style)
    if number := re.match(r"\d+", text):
        text = number_word(int(number[0])) + text[number.end() :]
    return sentence_case(text)


def ways_between(a: Style, b: Style) -> set[str]:
    """In which ways the last sentences of two styles differ."""
    ways: set[str] = set()
    for key in a.made.keys() & b.made.keys():
        if a.made[key] != b.made[key]:
            if key[0] == "wording":
                ways |= (a.made[key].ways ^ b.made[key].ways) or {"synonym"}
            else:
                ways.add(key[0])
    return ways


# -- the parts of a sentence


def _noun(things: tuple[Thing, ...], number: int | None, slot: str, style: Style) -> tuple[str, bool]:
    """The words for one or two entities, and whether a verb after them is plural."""
    if len(things) == 2:
        things = style.choose("order", f"pair {slot}", (things, things[::-1]))
    chosen = [
        style.choose(
            "synonym", f"{slot} {thing.key}", tuple(zip(thing.names, thing.plural, strict=True)), first=0.5
        )
        for thing in things
    ]
    name, plural = chosen[0]
    if things[0].counts:
        return f"{_number(number, style, dozen=True)} {name}", True
    return " and ".join(name for name, _ in chosen), plural or len(things) == 2


def _number(number: int, style: Style, dozen: bool = False) -> str:
    options = (number_word(number), str(number), *(("a dozen",) if dozen and number == 12 else ()))
    return style.choose("synonym", "number", options)


def _ending(meaning: Meaning, style: Style) -> str:
    text = style.choose("synonym", "ending", meaning.template.ending).removesuffix("!")
    return re.sub(r"\{N:[\d-]+\}", lambda _: _number(meaning.number, style), text)


def _verb_group(meaning: Meaning, verb: str, plural: bool, style: Style) -> str:
    """The active verb with its tense and, where the meaning is negative, its "not"."""
    if meaning.mode != "plain":
        plain, denied = MODES[meaning.mode][meaning.negative]
        options = style.choose("opposite", "mode", (plain, denied), first=0.55)
        pattern = style.choose("synonym", f"mode {len(options)}", options)
        return pattern.format(base=verb, ing=inflect(verb, "ing"))
    if meaning.tense == "future":
        return f"{_will(meaning.negative, plural, style)} {verb}"
    if meaning.tense == "habit":
        return verb if plural else inflect(verb, "s")
    if meaning.negative:
        return f"{style.choose('synonym', 'not', NOT)} {verb}"
    return inflect(verb, "past")


def _will(negative: bool, plural: bool, style: Style) -> str:
    be = "are" if plural else "is"
    if negative:
        return style.choose("synonym", "will", ("will not", "won't", f"{be} not going to"))
    return style.choose("synonym", "will", ("will", f"{be} going to"), first=0.65)


def _be_group(meaning: Meaning, plural: bool, style: Style) -> str:
    """The passive's form of "be"."""
    if meaning.tense == "future":
        return f"{_will(meaning.negative, plural, style)} be"
    if meaning.tense == "habit":
        return "are" if plural else "is"
    was = "were" if plural else "was"
    return style.choose("synonym", "not", (f"{was} not", f"{was}n't")) if meaning.negative else was


def _passive(verbs: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `verbs` that can be passive: not "wait for", not "take a picture of", not "go and get"."""
    return tuple(v for v in verbs if v not in NO_PASSIVE and " a " not in v and " and " not in v)


def _verb(verbs: tuple[str, ...], way: str, style: Style) -> str:
    return style.choose("synonym", f"verb {way} {len(verbs)}", verbs)


# -- sentences of act and give templates


def _render_clause(meaning: Meaning, style: Style) -> str:
    template, plain = meaning.template, meaning.mode == "plain"
    views = ["active"]
    if plain and "conv" not in template.flags and template.type == "give" and template.verbs[0] in CONVERSE:
        views.append("converse")
    view = style.choose("perspective", "view", tuple(views), first=0.6)
    passive = (
        plain and "passive" not in template.flags and len(template.classes) > 1 and _passive(template.verbs)
    )
    voice = style.choose("voice", "voice", ("active", "passive"), first=0.66) if passive else "active"
    parts = _give_parts if template.type == "give" else _act_parts
    core, subject, rest = parts(meaning, view, voice, style)
    if (
        voice == "active"
        and plain
        and not meaning.negative
        and meaning.tense == "past"
        and not meaning.reason
    ):
        who = style.choose("order", "cleft", ("", f"it was {subject} who"), first=0.92)
        if who and template.classes[0] == "who":
            core = f"{who} {rest}"
    return _with_adjuncts(core, meaning, style)


def _act_parts(meaning: Meaning, view: str, voice: str, style: Style) -> tuple[str, str, str]:
    """The clause, its subject, and the clause without its subject."""
    verbs, fills = meaning.template.verbs, meaning.fills
    subject, plural = _noun(fills[0], meaning.number, "subject", style)
    thing, thing_plural = _noun(fills[1], meaning.number, "object", style)
    ending = _ending(meaning, style)
    if voice == "passive":
        verb = inflect(_verb(_passive(verbs), "act", style), "participle")
        rest = f"{_be_group(meaning, thing_plural, style)} {verb} by {subject} {ending}"
        return f"{thing} {rest}", thing, rest
    rest = f"{_verb_group(meaning, _verb(verbs, 'act', style), plural, style)} {thing} {ending}"
    return f"{subject} {rest}", subject, rest


def _give_parts(meaning: Meaning, view: str, voice: str, style: Style) -> tuple[str, str, str]:
    verb, fills = meaning.template.verbs[0], meaning.fills
    giver, giver_plural = _noun(fills[0], meaning.number, "subject", style)
    thing, thing_plural = _noun(fills[1], meaning.number, "object", style)
    receiver, receiver_plural = _noun(fills[2], meaning.number, "receiver", style)
    ending = _ending(meaning, style)
    if view == "converse":
        converse = _verb(CONVERSE[verb], "converse", style)
        if voice == "passive" and (options := _passive((converse,))):
            rest = (
                f"{_be_group(meaning, thing_plural, style)} {inflect(options[0], 'participle')} by {receiver}"
            )
            rest += f" from {giver} {ending}"
            return f"{thing} {rest}", thing, rest
        rest = f"{_verb_group(meaning, converse, receiver_plural, style)} {thing} from {giver} {ending}"
        return f"{receiver} {rest}", receiver, rest
    to = "for" if verb in FOR_RECEIVER else "to"
    shift = ("to",) if verb in TO_ONLY else ("to", "shifted")
    shifted = style.choose("order", "dative", shift) == "shifted"
    if voice == "passive":
        done = inflect(verb, "participle")
        if shifted and to == "to":
            rest = f"{_be_group(meaning, receiver_plural, style)} {done} {thing} by {giver} {ending}"
            return f"{receiver} {rest}", receiver, rest
        rest = f"{_be_group(meaning, thing_plural, style)} {done} {to} {receiver} by {giver} {ending}"
        return f"{thing} {rest}", thing, rest
    objects = f"{receiver} {thing}" if shifted else f"{thing} {to} {receiver}"
    rest = f"{_verb_group(meaning, verb, giver_plural, style)} {objects} {ending}"
    return f"{giver} {rest}", giver, rest


def _with_adjuncts(core: str, meaning: Meaning, style: Style) -> str:
    """Put place, time and reason round the clause."""
    place = style.choose("synonym", "place", meaning.place.names, first=0.6) if meaning.place else ""
    if meaning.reason:
        time = _time(meaning, style, fronted=False)
        return _with_reason(f"{core} {place} {time}", meaning.template.reason, style)
    first = []
    if meaning.time:
        first.append("time")
    if meaning.place:
        first.append("place")
    front = style.choose("order", f"front {' '.join(first)}", ("", *first), first=0.65) if first else ""
    time = _time(meaning, style, fronted=front == "time")
    if front == "time":
        return f"{time}, {core} {place}"
    if front == "place":
        return f"{place}, {core} {time}"
    return f"{core} {place} {time}"


def _time(meaning: Meaning, style: Style, fronted: bool) -> str:
    if not meaning.time:
        return ""
    names = meaning.time.names
    if fronted:
        names = tuple(name for name in names if not name.endswith("!"))
    return style.choose(
        "synonym", f"time {len(names)}", names, first=0.5 if len(names) > 1 else None
    ).removesuffix("!")


def _with_reason(clause: str, reason: str, style: Style) -> str:
    clause = " ".join(clause.split())
    if reason.startswith("of "):
        link = style.choose("synonym", "because of", ("because of", "due to"))
        reason = f"{link} {reason.removeprefix('of ')}"
        orders = ("last", "first")
    else:
        link = style.choose("synonym", "because", ("because", "since", "as"), first=0.5)
        orders = ("last", "first", "so")
    order = style.choose("order", f"reason {len(orders)}", orders, first=0.5)
    if order == "so":
        return f"{reason}, so {clause}"
    reason = reason if reason.startswith(link) else f"{link} {reason}"
    return f"{clause} {reason}" if order == "last" else f"{reason}, {clause}"


# -- sentences of say templates


def _render_wording(meaning: Meaning, style: Style) -> str:
    wordings = tuple(w for w in meaning.template.wordings if w.negative == meaning.negative)
    wording = style.choose(
        "wording", f"wording {meaning.negative}", wordings, first=1.3 / (len(wordings) + 0.3)
    )
    slots = dict(zip("ABC", meaning.fills, strict=False))

    def fill(match: re.Match) -> str:
        name = match[1].rpartition(":")[2] if not match[1].startswith("N") else "N"
        if name == "N":
            return _number(meaning.number, style)
        return "" if name == "T" else _noun(slots[name], None, f"slot {name}", style)[0]

    text = re.sub(r"\{([^}]+)\}", fill, wording.text)
    if not meaning.time:
        return text
    front = style.choose("order", "front", ("", "time"), first=0.65)
    time = _time(meaning, style, fronted=bool(front))
    if not front:
        return f"{text} {time}"
    lower = text if wording.text.startswith("{") else text[0].lower() + text[1:]
    return f"{time}, {lower}"
