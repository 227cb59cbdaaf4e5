"""Make train.tsv, dev.tsv, test.tsv and kinds.tsv from `material/`: always the same bytes.

    python data_sets/make.py            # write the files and print what is in them
    python data_sets/make.py --check    # compare the files with what would be written; exit code 1 if they differ

Pairs are made four at a time from two meanings, m and its altered twin m*, each said in two ways:

    s  and s'  mean m            (s, s') and (n, n') are pairs of label 1
    n  and n'  mean m*           (s, n) and (s', n'), or (s, n') and (s', n), are pairs of label 0

So every sentence stands in one pair of each label, and no single sentence can give the label away. In the first
choice the sentences of a negative pair are said the same way and share almost all words; in the second they
differ in both meaning and words.
"""

import argparse
import hashlib
import itertools
import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from english import ROUND
from material import SPLITS, Domain, Material, Template, Thing, read_material
from sentences import CONVERSE, MODES, Meaning, Style, render, ways_between

FOLDER = Path(__file__).parent
SEED = 20261122
QUADS = {"train": 3750, "dev": 350, "test": 350}  # four pairs each
SHARES = {"train": 70, "dev": 15, "test": 15}  # of all pairs of entities, in per cent
CROSSED = 0.5  # share of the quads whose negative pairs also differ in their words

POSITIVE = {"synonym": 20, "voice": 17, "order": 18, "perspective": 10, "opposite": 10, "combination": 25}
NEGATIVE = {"negation": 17, "roles": 11, "number": 12, "time": 12, "place": 11, "participant": 12, "topic": 12,
            "unrelated": 13}  # fmt: skip


class Pair(NamedTuple):
    first: str
    second: str
    label: int
    kind: str
    domain: str
    templates: tuple[str, str]


# -- which pair of entities belongs to which split


class Entities:
    """Which entities a sentence names, and the split of each pair of them."""

    def __init__(self, material: Material) -> None:
        self.canonical: dict[str, str] = {}  # a name, in lower case -> the name that stands for its entity
        other: set[str] = {name for times in material.times.values() for time in times for name in time.names}
        for domain in material.domains:
            for thing in itertools.chain.from_iterable(domain.classes.values()):
                self._join([name.lower() for name in thing.names])
            other.update(name for place in domain.places for name in place.names)
        names = sorted({*self.canonical, *(name.lower().removesuffix("!") for name in other)}, key=lambda n: (-len(n), n))
        self.pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b")

    def _join(self, names: list[str]) -> None:
        """Make all `names`, and all that already mean the same as one of them, one entity."""
        meant = {self.canonical.get(name, name) for name in names}
        chosen = min(meant)
        for name in names:
            self.canonical[name] = chosen
        for name, key in self.canonical.items():
            if key in meant:
                self.canonical[name] = chosen

    def key(self, thing: Thing) -> str:
        return self.canonical[thing.key.lower()]

    def named_in(self, sentence: str) -> set[str]:
        """The entities that a sentence names, as a slot or in its fixed wording; places and times are none."""
        found = (match[0] for match in self.pattern.finditer(sentence.lower()))
        return {self.canonical[name] for name in found if name in self.canonical}

    def split_of(self, a: str, b: str) -> str:
        """By a hash, so that it depends on nothing but the two entities."""
        number = int.from_bytes(hashlib.sha256("|".join(sorted((a, b))).encode()).digest()[:4], "big") % 100
        for split, share in SHARES.items():
            if number < share:
                return split
            number -= share
        raise AssertionError("the shares make 100")

    def belong(self, sentence: str, split: str) -> bool:
        """Whether every two entities of a sentence are a pair of this split."""
        named = sorted(self.named_in(sentence))
        return all(self.split_of(a, b) == split for a, b in itertools.combinations(named, 2))


# -- drawing meanings


class Maker:
    """Draws the pairs of one split."""

    def __init__(self, material: Material, entities: Entities, split: str) -> None:
        self.material, self.entities, self.split = material, entities, split
        self.rng = random.Random(f"{SEED} {split}")
        self.domains = {domain.name: domain for domain in material.domains}
        self.templates = {d.name: [t for t in d.templates if t.split == split] for d in material.domains}
        self.used: set[str] = set()
        self.counts: Counter = Counter()

    def entity(self, domain: Domain, kind: str, others: list[Thing], single: bool) -> Thing | None:
        """A random entity of a class whose pairs with `others` belong to this split."""
        if kind == "who":
            kind = self.rng.choices(("name", "family", "people"), (45, 20, 35))[0]
        key, split_of = self.entities.key, self.entities.split_of
        fitting = [
            thing
            for thing in domain.classes[kind]
            if not (single and thing.plural)
            and all(key(thing) != key(o) and split_of(key(thing), key(o)) == self.split for o in others)
        ]
        return self.rng.choice(fitting) if fitting else None

    def meaning(self, template: Template, like: Meaning | None = None) -> Meaning | None:
        """A random meaning of a template, sharing what it can with `like`; None if the draw found no entities."""
        rng, domain, say = self.rng, self.domains[template.domain], template.type == "say"
        classes = [*template.classes]
        if say:
            inline = dict.fromkeys(re.findall(r"\{(\w+):[A-C]\}", template.wordings[0].text))
            classes += inline
            classes += re.findall(r"\{(\w+):C\}", template.wordings[0].text)[: "{town:C}" in template.wordings[0].text]
        fills: list[tuple[Thing, ...]] = []
        if like and not say and like.template.classes and like.template.classes[0] == template.classes[0]:
            fills.append(like.fills[0])
        for kind in classes[len(fills) :]:
            others = list(itertools.chain.from_iterable(fills))
            thing = self.entity(domain, kind, others, single=say)
            if thing is None:
                return None
            fills.append((thing,))
        if not say and kind_may_be_two(classes[0]) and len(fills[0]) == 1 and rng.random() < 0.12:
            second = self.entity(domain, classes[0], list(itertools.chain.from_iterable(fills)), single=True)
            fills[0] = (*fills[0], second) if second and not fills[0][0].plural else fills[0]
        tense = template.tense if say else self._tense(template, like)
        wrap = tense == "past" and classes[0] == "who" and template.type != "say" and "wrap" not in template.flags
        mode = rng.choice(list(MODES)) if wrap and rng.random() < 0.2 else "plain"
        negative = may_deny(template, tense) and rng.random() < 0.2
        reason = bool(template.reason) and tense == "past" and mode == "plain" and not negative and rng.random() < 0.4
        place = None
        if not say and domain.places and "place" not in template.flags and rng.random() < (0.1 if reason else 0.35):
            place = like.place if like and like.place else rng.choice(domain.places)
        meaning = Meaning(template, tuple(fills), self._number(template, fills), tense, None, place, negative, mode, reason)
        times = self._times(meaning)
        if times and (tense == "habit" or rng.random() < (0.4 if place or reason else 0.75)):
            time = like.time if like and like.time in times else rng.choice(times)
            meaning = meaning._replace(time=time)
        return meaning

    def _tense(self, template: Template, like: Meaning | None) -> str:
        tenses = {"past": 62, "future": 24, "habit": 14}
        for flag in template.flags & {"future", "habit"}:
            del tenses[flag]
        rare = template.verbs[0] in self.material.long_verbs or template.verbs[0] in CONVERSE
        if "time" in template.flags or rare:  # nobody sells a house every Monday
            tenses.pop("habit", None)
        if like and like.tense in tenses:
            return like.tense
        return self.rng.choices(list(tenses), list(tenses.values()))[0]

    def _number(self, template: Template, fills: list[tuple[Thing, ...]]) -> int | None:
        counts = [thing.counts for things in fills for thing in things if thing.counts]
        text = " ".join([*template.ending, *(w.text for w in template.wordings)])
        if span := re.search(r"\{N:(\d+)-(\d+)\}", text):
            counts.append(tuple(range(int(span[1]), int(span[2]) + 1)))
        return self.rng.choice([n for n in counts[0] if n in ROUND]) if counts else None

    def _times(self, meaning: Meaning) -> list[Thing]:
        """The times that suit a meaning: no "last year" for peeling an onion, no hour where the ending has one."""
        template = meaning.template
        if "time" in template.flags or (template.type == "say" and "{T}" not in template.wordings[0].text):
            return []
        times = self.material.times[meaning.tense]
        if template.type == "say":
            return times
        if meaning.reason or TIMED.search(template.ending[0]):
            scales = {"day"}
        elif template.verbs[0] in self.material.long_verbs:
            scales = {"day", "long"}
        else:
            scales = {"clock", "day"}
        return [time for time in times if time.scale in scales]

    # -- altering a meaning

    def altered(self, m: Meaning, kind: str) -> Meaning | None:
        """A meaning that differs from `m` in the way `kind` says, or None where it cannot."""
        rng, template = self.rng, m.template
        domain = self.domains[template.domain]
        if kind == "negation":
            possible = may_deny(template, m.tense) and not m.reason
            return m._replace(negative=not m.negative) if possible else None
        if kind == "roles":
            if not template.swap:
                return None
            fills, last = list(m.fills), 2 if template.type == "give" else 1
            fills[0], fills[last] = fills[last], fills[0]
            return m._replace(fills=tuple(fills))
        if kind == "number":
            other = self._number(template, list(m.fills))
            return m._replace(number=other) if m.number and other != m.number else None
        if kind == "time":
            others = [time for time in self._times(m) if time.key != (m.time and m.time.key)]
            return m._replace(time=rng.choice(others)) if m.time and others else None
        if kind == "place":
            others = [place for place in domain.places if place != m.place]
            return m._replace(place=rng.choice(others)) if m.place else None
        if kind == "participant":
            slot = rng.randrange(len(m.fills))
            if len(m.fills[slot]) > 1 or len(m.fills) > len(template.classes):
                return None
            others = [thing for at, things in enumerate(m.fills) if at != slot for thing in things]
            new = self.entity(domain, template.classes[slot], others, single=template.type == "say")
            if new is None or new.counts and m.number not in new.counts or self.entities.key(new) == self.entities.key(m.fills[slot][0]):
                return None
            return m._replace(fills=(*m.fills[:slot], (new,), *m.fills[slot + 1 :]))
        if kind == "topic":
            others = [t for t in self.templates[template.domain] if t.name != template.name]
            return self.meaning(rng.choice(others), like=m)
        others = [name for name in self.domains if name != template.domain]
        return self.meaning(rng.choice(self.templates[rng.choice(others)]))

    # -- four sentences

    def quad(self, negative: str, positive: str) -> list[Pair] | None:
        """Four pairs, of which the first is of the kind `positive` and the last two of the kind `negative`."""
        rng = self.rng
        m = self.meaning(rng.choice(self.templates[rng.choice(list(self.domains))]))
        other = m and self.altered(m, negative)
        if other is None:
            return None
        one = Style(rng)
        first = render(m, one)
        ways = {"combination": {"synonym", "voice", "order"}, "perspective": {"perspective", "wording", "synonym", "order"},
                "opposite": {"opposite", "wording", "synonym", "order"}}.get(positive, {positive, "wording"})  # fmt: skip
        two = one.redrawn(ways)
        second = render(m, two)
        if kind_of(ways_between(one, two)) != positive:
            return None
        if negative == "unrelated":
            one, two = Style(rng), Style(rng)
        third, fourth = render(other, one), render(other, two)
        twin_kind = kind_of(ways_between(one, two))
        sentences = [first, second, third, fourth]
        if len(set(sentences)) < 4 or self.used.intersection(sentences) or twin_kind is None:
            return None
        if not all(self.entities.belong(sentence, self.split) for sentence in sentences):
            return None
        self.used.update(sentences)
        self.counts.update([positive, twin_kind, negative, negative])
        a, b = m.template, other.template
        pairs = [
            Pair(first, second, 1, positive, a.domain, (a.name, a.name)),
            Pair(third, fourth, 1, twin_kind, b.domain, (b.name, b.name)),
        ]
        if rng.random() < CROSSED:
            third, fourth = fourth, third
        pairs += [Pair(x, y, 0, negative, a.domain, (a.name, b.name)) for x, y in ((first, third), (second, fourth))]
        return [turned(pair) if rng.random() < 0.5 else pair for pair in pairs]

    def pairs(self) -> list[Pair]:
        """All pairs of the split, in random order; the kinds come in the shares of POSITIVE and NEGATIVE."""
        pairs: list[Pair] = []
        while len(pairs) < 4 * QUADS[self.split]:
            negative = min(NEGATIVE, key=lambda kind: self.counts[kind] / NEGATIVE[kind])
            wanted = sorted(POSITIVE, key=lambda kind: self.counts[kind] / POSITIVE[kind])
            for positive in itertools.chain.from_iterable([kind] * 40 for kind in wanted):
                if found := self.quad(negative, positive):
                    pairs += found
                    break
        self.rng.shuffle(pairs)
        return pairs


TIMED = re.compile(r"\b(after|before|during|until|for|within|night|weekend|summer|winter|evening|day|dark|sun|take|Saturdays)\b")


def kind_may_be_two(kind: str) -> bool:
    return kind == "who"


def may_deny(template: Template, tense: str) -> bool:
    """Whether a sentence of this template can be negated and stay clear."""
    return any(w.negative for w in template.wordings) if template.type == "say" else tense != "habit"


def kind_of(ways: set[str]) -> str | None:
    """The kind of a paraphrase that differs in these ways."""
    for way in ("opposite", "perspective"):
        if way in ways:
            return way
    return next(iter(ways), None) if len(ways) < 2 else "combination"


def turned(pair: Pair) -> Pair:
    return pair._replace(first=pair.second, second=pair.first, templates=pair.templates[::-1])


# -- the files


def make() -> dict[str, str]:
    """File name -> content."""
    material = read_material()
    entities = Entities(material)
    files, kinds = {}, ["id\tkind\ttemplates"]
    for split in SPLITS:
        lines = ["id\tsentence1\tsentence2\tlabel"]
        for number, pair in enumerate(Maker(material, entities, split).pairs(), start=1):
            name = f"{split}-{number:05}"
            lines.append(f"{name}\t{pair.first}\t{pair.second}\t{pair.label}")
            kinds.append("\t".join((name, pair.kind, " ".join(dict.fromkeys(pair.templates)))))
        files[f"{split}.tsv"] = "\n".join(lines) + "\n"
    files["kinds.tsv"] = "\n".join(kinds) + "\n"
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the files that are there")
    args = parser.parse_args()
    files = make()
    if args.check:
        stale = [name for name, text in files.items() if (FOLDER / name).read_text(encoding="utf-8") != text]
        print(f"differ: {', '.join(stale)}" if stale else "the files are what make.py makes")
        return bool(stale)
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
