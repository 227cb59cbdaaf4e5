"""The generator: forms of English words, the material, and sentences of one meaning."""

import random
import re

import pytest
from english import inflect, number_word, sentence_case
from entities import Entities
from material import read_material
from meanings import Meanings
from sentences import Style, render, ways_between


@pytest.fixture(scope="module")
def material():
    return read_material()


@pytest.mark.parametrize(
    ("verb", "past", "participle", "s", "ing"),
    [
        ("chop", "chopped", "chopped", "chops", "chopping"),
        ("carry", "carried", "carried", "carries", "carrying"),
        ("play", "played", "played", "plays", "playing"),
        ("fix", "fixed", "fixed", "fixes", "fixing"),
        ("cancel", "cancelled", "cancelled", "cancels", "cancelling"),
        ("visit", "visited", "visited", "visits", "visiting"),
        ("write", "wrote", "written", "writes", "writing"),
        ("referee", "refereed", "refereed", "referees", "refereeing"),
        ("put away", "put away", "put away", "puts away", "putting away"),
        ("go and get", "went and got", "gone and got", "goes and gets", "going and getting"),
        ("have", "had", "had", "has", "having"),
    ],
)
def test_verbs(verb, past, participle, s, ing):
    assert [inflect(verb, form) for form in ("past", "participle", "s", "ing")] == [past, participle, s, ing]


def test_numbers_and_sentences():
    assert [number_word(n) for n in (2, 12, 19, 30, 45)] == [
        "two",
        "twelve",
        "nineteen",
        "thirty",
        "forty-five",
    ]
    assert sentence_case("the train  left at 7 p.m.") == "The train left at 7 p.m."
    assert sentence_case("tom ran") == "Tom ran."


def test_material_has_all_splits_in_every_domain(material):
    for domain in material.domains:
        assert {template.split for template in domain.templates} == {"train", "dev", "test"}
        assert len(domain.places) >= 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("act who | chop | vegetable | for the soup\n", "needs the class vegetable"),
        ("sing who | chop\n", "kitchen.txt, line 1: a template begins with act, give or say, not sing"),
        ("act who | chop | who | fast | -quick\n", "kitchen.txt, line 1: unknown flags"),
        ("say who\n  x {A} sleeps.\n", "kitchen.txt, line 2"),
    ],
)
def test_a_mistake_in_the_material_is_named(tmp_path, folder, text, message):
    (tmp_path / "shared.txt").write_bytes((folder / "material" / "shared.txt").read_bytes())
    (tmp_path / "kitchen.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_material(tmp_path)


def test_one_meaning_in_many_ways(material):
    entities = Entities(material)
    meanings = Meanings(material, entities, "train", random.Random(3))
    (template,) = [t for d in material.domains for t in d.templates if t.name == "transport-24"]
    assert template.type == "give"
    meaning = None
    while meaning is None or meaning.mode != "plain" or meaning.negative or meaning.tense != "past":
        meaning = meanings.meaning(template)
    texts = {render(meaning, Style(random.Random(i))) for i in range(200)}
    assert len(texts) > 20
    assert any(" sold " in text and " by " not in text for text in texts)
    assert any("sold" in text and " by " in text for text in texts)
    assert any("bought" in text for text in texts)
    assert any("purchased" in text for text in texts)

    one = Style(random.Random(0))
    render(meaning, one)
    for way in ("voice", "order", "perspective"):
        seen = set()
        for _ in range(30):
            two = one.redrawn({way})
            render(meaning, two)
            seen |= ways_between(one, two)
        assert seen == {way}


def test_altered_meanings_differ_in_one_respect(material):
    meanings = Meanings(material, Entities(material), "train", random.Random(5))
    fields = {"negation": "negative", "number": "number", "time": "time", "place": "place", "roles": "fills",
              "participant": "fills"}  # fmt: skip
    for kind, field in fields.items():
        found = 0
        while found < 20:
            meaning = meanings.any()
            other = meanings.altered(meaning, kind) if meaning else None
            if other is None:
                continue
            found += 1
            assert [name for name in meaning._fields if getattr(meaning, name) != getattr(other, name)] == [
                field
            ]


def test_who_met_whom_is_no_other_meaning_when_swapped(splits):
    """Where both do the same to each other, a pair with swapped roles would have the wrong label."""
    mutual = re.compile(r"\b(?:met|meets?|r[au]ns? into|marry|married)\b| to the buoy")
    said = [row for rows in splits.values() for row in rows if mutual.search(row.first)]
    assert len(said) >= 20
    assert not [row for row in said if row.kind == "roles"]


def test_entities_with_several_names_are_one(material):
    entities = Entities(material)
    assert entities.named_in("My mum lent the couch to Tom.") == entities.named_in(
        "The sofa was lent to Tom by my mother."
    )
    assert entities.split_of("tom", "anna") == entities.split_of("anna", "tom")
