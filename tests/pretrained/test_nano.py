"""The model that ships: its size on disk, its precision, and that it tells meanings apart."""

import json

import minigpt2
from minigpt2.config import GPT2Config
from minigpt2.model_directory import find_model

FOLDER = find_model("nano")


def test_it_has_the_named_size_in_float16_and_at_most_20_megabytes():
    content = (FOLDER / "model.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert {tensor["dtype"] for name, tensor in header.items() if name != "__metadata__"} == {"F16"}
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) <= 20_000_000
    assert minigpt2.load().model.config == GPT2Config.named("nano")


def test_it_is_loaded_by_default_and_hears_what_a_sentence_means(xp):
    encoder = minigpt2.load(xp=xp)
    assert encoder.path == FOLDER
    texts = ["The cat is sleeping", "A feline is resting", "The stock market fell sharply"]
    _, related, unrelated = encoder.similarity(encoder.encode(texts[0]), encoder.encode(texts))[0]
    assert related > unrelated + 0.2


def test_it_is_calibrated_for_bytes(xp):
    assert minigpt2.load(xp=xp).encode("The cat is sleeping", precision="int8").dtype == "int8"
