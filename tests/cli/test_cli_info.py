"""`minigpt2 info`"""

import json
import math

import pytest

from minigpt2.cli import info
from minigpt2.config import GPT2Config
from minigpt2.model_directory import EmbeddingSettings, ModelFiles
from minigpt2.parameters import Parameters, parameter_shapes


@pytest.mark.parametrize("argument", ["positional", "--model"])
def test_text(cli, tiny_model, argument):
    code, out, err = cli("info", *((tiny_model,) if argument == "positional" else ("--model", tiny_model)))
    assert (code, err) == (0, "")
    assert out.startswith(tiny_model + "\n")
    for expected in (
        "21,648",
        "258×24",
        "24×72 + 72",
        "causal, 3 heads of 8",
        "40 tokens",
        "ByteTokenizer, 258",
    ):
        assert expected in out
    assert "query 'query: '" in out
    assert max(map(len, out.splitlines()[1:])) <= 80


def test_json(cli, tiny_model):
    code, out, _ = cli("info", tiny_model, "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["parameters"] == 21648
    assert answer["memory_bytes"] == {"float32": 4 * 21648, "float16": 2 * 21648}
    assert answer["config"]["n_embd"] == answer["dimensions"] == 24
    assert answer["tokenizer"]["vocab_size"] == 258
    assert answer["prompts"] == {"query": "query: "}


@pytest.mark.parametrize("size", ["nano", "124M", "1.5B"])
@pytest.mark.parametrize("L", [1, 3, None])
def test_parts_count_every_parameter_once(size, L):
    """Groups repeat what stands below them; the parts with shapes are all there is."""
    config = GPT2Config.named(size) if L is None else GPT2Config.named(size, n_layer=L)
    files = _files(config)
    total = sum(math.prod(shape) for shape in parameter_shapes(config).values())
    parts = info.parts_of(files)
    assert sum(part.parameters for part in parts if part.shapes) == total
    assert sum(part.parameters for part in parts if part.depth == 0) == total
    blocks = next(part for part in parts if part.name.startswith("h.0"))
    assert blocks.parameters == sum(part.parameters for part in parts if part.depth == 1)


@pytest.mark.parametrize("size", ["nano", "124M", "1.5B"])
def test_fits_80_columns(size, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    info._print(_files(GPT2Config.named(size)))
    out = capsys.readouterr().out
    assert "…" not in out.replace("h.0 … h.", "")
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("\n") < 26


def test_a_model_without_a_tokenizer(capsys):
    info._print(_files(GPT2Config.named("nano")))
    assert "none: give the directory a tokenizer.json to embed text" in capsys.readouterr().out


class _Sizes:
    """Stands for the parameters of a model too large to make here."""

    def __init__(self, config):
        self.shapes = parameter_shapes(config)
        self.flat = self
        self.size = sum(math.prod(shape) for shape in self.shapes.values())


def _files(config):
    return ModelFiles(config, _Sizes(config), None, EmbeddingSettings(), "somewhere")


def test_the_stand_in_agrees_with_real_parameters():
    config = GPT2Config.named("nano", vocab_size=50, n_layer=2)
    assert _Sizes(config).size == Parameters.initialise(config).flat.size


def test_an_empty_name_is_no_model(cli):
    for argv in (["info", ""], ["info", "--model", ""], ["embed", "a", "--model", ""]):
        code, out, err = cli(*argv)
        assert (code, out) == (3, "")
        assert err.startswith("minigpt2: error: the name of the model is empty: give ")
