"""Draw what a sentence says: a random meaning of a template, and one that differs from it in one respect."""

import itertools
import random
import re

from english import ROUND
from entities import Entities
from material import Domain, Material, Template, Thing
from sentences import CONVERSE, MODES, Meaning

# Endings that say when already: a sentence with one of them may have a day besides, but no hour.
TELLS_WHEN = re.compile(
    r"\b(after|before|during|until|for|within|night|dark|sun|evening|day|Saturdays|weekend|summer|winter|"
    r"lunch|dinner|breakfast|meal|take)\b"
)


class Meanings:
    """Draws meanings for one split: of its templates, with entities whose pairs all belong to it."""

    def __init__(self, material: Material, entities: Entities, split: str, rng: random.Random) -> None:
        self.entities, self.split, self.rng = entities, split, rng
        self.times, self.long_verbs = material.times, material.long_verbs
        self.domains = {domain.name: domain for domain in material.domains}
        self.templates = {d.name: [t for t in d.templates if t.split == split] for d in material.domains}

    def any(self) -> Meaning | None:
        """A meaning of a template of any domain; None where the draw found no entities that go together."""
        return self.meaning(self.rng.choice(self.templates[self.rng.choice(list(self.domains))]))

    def meaning(self, template: Template, like: Meaning | None = None) -> Meaning | None:
        """A meaning of this template that shares with `like` what it can: subject, tense, time and place."""
        rng, domain, say = self.rng, self.domains[template.domain], template.type == "say"
        fills = self._fills(template, like)
        if fills is None:
            return None
        tense = template.tense if say else self._tense(template, like)
        mode = "plain"
        if not say and template.classes[0] == "who" and tense == "past" and "wrap" not in template.flags:
            mode = rng.choice(list(MODES)) if rng.random() < 0.2 else "plain"
        negative = may_deny(template, tense) and rng.random() < 0.2
        reason = bool(template.reason) and tense == "past" and mode == "plain" and not negative
        reason = reason and rng.random() < 0.4
        place = None
        if not say and "place" not in template.flags and rng.random() < (0.1 if reason else 0.35):
            place = like.place if like and like.place else rng.choice(domain.places)
        number = self._number(template, fills)
        meaning = Meaning(template, fills, number, tense, None, place, negative, mode, reason)
        times = self._times(meaning)
        if times and (tense == "habit" or rng.random() < (0.4 if place or reason else 0.75)):
            meaning = meaning._replace(time=like.time if like and like.time in times else rng.choice(times))
        return meaning

    def altered(self, m: Meaning, kind: str) -> Meaning | None:
        """A meaning that differs from `m` as a negative pair of this kind does; None where `m` cannot."""
        rng, template = self.rng, m.template
        if kind == "negation":
            possible = may_deny(template, m.tense) and not m.reason
            return m._replace(negative=not m.negative) if possible else None
        if kind == "roles":
            return self._with_roles_swapped(m) if template.swap else None
        if kind == "number":
            number = self._number(template, m.fills)
            return m._replace(number=number) if number != m.number else None
        if kind == "time":
            times = [time for time in self._times(m) if time != m.time]
            return m._replace(time=rng.choice(times)) if m.time else None
        if kind == "place":
            places = [place for place in self.domains[template.domain].places if place != m.place]
            return m._replace(place=rng.choice(places)) if m.place else None
        if kind == "participant":
            return self._with_another_participant(m)
        if kind == "topic":
            others = [t for t in self.templates[template.domain] if t.name != template.name]
            return self.meaning(rng.choice(others), like=m)
        if kind == "unrelated":
            other = rng.choice([name for name in self.domains if name != template.domain])
            return self.meaning(rng.choice(self.templates[other]))
        raise ValueError(f"no such kind: {kind}")

    def _with_roles_swapped(self, m: Meaning) -> Meaning:
        """Who did it and to whom it was done change places."""
        fills, last = list(m.fills), 2 if m.template.type == "give" else 1
        fills[0], fills[last] = fills[last], fills[0]
        return m._replace(fills=tuple(fills))

    def _with_another_participant(self, m: Meaning) -> Meaning | None:
        slot = self.rng.randrange(len(m.fills))
        if len(m.fills[slot]) > 1:
            return None
        others = [thing for at, things in enumerate(m.fills) if at != slot for thing in things]
        new = self._entity(m.template, _classes(m.template)[slot], others)
        if new is None or self.entities.key(new) == self.entities.key(m.fills[slot][0]):
            return None
        if new.counts and m.number not in new.counts:
            return None
        return m._replace(fills=(*m.fills[:slot], (new,), *m.fills[slot + 1 :]))

    def _fills(self, template: Template, like: Meaning | None) -> tuple[tuple[Thing, ...], ...] | None:
        """Entities for all slots; now and then two people share the first."""
        classes = _classes(template)
        fills: list[tuple[Thing, ...]] = []
        if (
            like
            and "say" not in (template.type, like.template.type)
            and classes[0] == _classes(like.template)[0]
        ):
            fills.append(like.fills[0])
        for kind in classes[len(fills) :]:
            thing = self._entity(template, kind, [*itertools.chain.from_iterable(fills)])
            if thing is None:
                return None
            fills.append((thing,))
        first = fills[0]
        if template.type != "say" and classes[0] == "who" and len(first) == 1 and not any(first[0].plural):
            second = self._entity(template, "who", [*itertools.chain.from_iterable(fills)])
            if second and not any(second.plural) and self.rng.random() < 0.12:
                fills[0] = (*first, second)
        return tuple(fills)

    def _entity(self, template: Template, kind: str, others: list[Thing]) -> Thing | None:
        """An entity of a class of which each pair with `others` belongs to this split.

        The wordings of a `say` template have their verbs in the singular, so plurals do not fit there.
        """
        domain: Domain = self.domains[template.domain]
        if kind == "who":
            kind = self.rng.choices(("name", "family", "people"), (45, 20, 35))[0]
        key, split_of = self.entities.key, self.entities.split_of
        there = {key(other) for other in others}
        fitting = [
            thing
            for thing in domain.classes[kind]
            if not (template.type == "say" and any(thing.plural))
            and (name := key(thing)) not in there
            and all(split_of(name, other) == self.split for other in there)
        ]
        return self.rng.choice(fitting) if fitting else None

    def _tense(self, template: Template, like: Meaning | None) -> str:
        tenses = {"past": 62, "future": 24, "habit": 14}
        for flag in template.flags & {"future", "habit"}:
            del tenses[flag]
        rare = template.verbs[0] in self.long_verbs or template.verbs[0] in CONVERSE
        if "time" in template.flags or rare:  # nobody sells a house every Monday
            tenses.pop("habit", None)
        if like and like.tense in tenses:
            return like.tense
        return self.rng.choices(list(tenses), list(tenses.values()))[0]

    def _number(self, template: Template, fills: tuple[tuple[Thing, ...], ...]) -> int | None:
        spans = [thing.counts for things in fills for thing in things if thing.counts]
        texts = [*template.ending, *(wording.text for wording in template.wordings)]
        if span := re.search(r"\{N:(\d+)-(\d+)\}", " ".join(texts)):
            spans.append(range(int(span[1]), int(span[2]) + 1))
        return self.rng.choice([n for n in ROUND if n in spans[0]]) if spans else None

    def _times(self, m: Meaning) -> list[Thing]:
        """The times that suit a meaning: no "last year" for peeling an onion, no hour for marrying."""
        template, times = m.template, self.times[m.tense]
        if template.type == "say":
            return times if "{T}" in template.wordings[0].text else []
        if "time" in template.flags:
            return []
        if m.reason or TELLS_WHEN.search(template.ending[0]):
            scales = {"day"}
        elif template.verbs[0] in self.long_verbs:
            scales = {"day", "long"}
        else:
            scales = {"clock", "day"}
        return [time for time in times if time.scale in scales]


def may_deny(template: Template, tense: str) -> bool:
    """Whether a sentence of this template has a clear negation: "not … every day" has two readings."""
    return any(w.negative for w in template.wordings) if template.type == "say" else tense != "habit"


def _classes(template: Template) -> list[str]:
    """The classes of all slots, also of those that a wording names itself: {town:B}."""
    inline = [
        found for wording in template.wordings for found in re.findall(r"\{(\w+):([A-C])\}", wording.text)
    ]
    return [*template.classes, *(kind for kind, _ in sorted(set(inline), key=lambda pair: pair[1]))]
