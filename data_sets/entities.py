"""Which entities a sentence names, and to which split each pair of entities belongs."""

import functools
import hashlib
import itertools
import re

from material import Material, Thing

SHARES = {"train": 70, "dev": 15, "test": 15}  # of all pairs of entities, in per cent


class Entities:
    """All entities of the material. One with several names is known by the first in the alphabet."""

    def __init__(self, material: Material) -> None:
        self.canonical: dict[str, str] = {}  # a name, in lower case -> the name that stands for its entity
        other: set[str] = {name for times in material.times.values() for time in times for name in time.names}
        for domain in material.domains:
            for thing in itertools.chain.from_iterable(domain.classes.values()):
                self._join([name.lower() for name in thing.names])
            other.update(name for place in domain.places for name in place.names)
        names = sorted(
            {*self.canonical, *(name.lower().removesuffix("!") for name in other)}, key=lambda n: (-len(n), n)
        )
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
        """The entities that a sentence names, in a slot or in its fixed words; places and times are none."""
        found = (match[0] for match in self.pattern.finditer(sentence.lower()))
        return {self.canonical[name] for name in found if name in self.canonical}

    @functools.cache  # noqa: B019  (there is one object of this class, and it lives as long as the program)
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
