"""`minigpt2 similarity`"""

import json

import numpy as np
import pytest

import minigpt2
from minigpt2.similarity import METRICS, pairwise

PAIR = ("The cat is sleeping", "A feline is resting")


@pytest.fixture
def vectors(tiny_model):
    return minigpt2.load(tiny_model).encode(list(PAIR))


@pytest.mark.parametrize(
    "argv",
    [
        PAIR,
        ("--sentence1", PAIR[0], "--sentence2", PAIR[1]),
        ("--sentence2", PAIR[1], PAIR[0]),
        (PAIR[1], "--sentence1", PAIR[0]),
    ],
)
def test_both_ways_to_name_the_sentences(cli, tiny_model, vectors, argv):
    code, out, err = cli("similarity", *argv, "--model", tiny_model, "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert (answer["sentence1"], answer["sentence2"]) == PAIR
    assert answer["scores"] == {"cosine": pytest.approx(float(pairwise(*vectors)[0]), abs=1e-6)}
    assert answer["dimensions"] == 24


def test_all_metrics_as_json(cli, tiny_model, vectors):
    _, out, _ = cli("similarity", *PAIR, "--model", tiny_model, "--all-metrics", "--json")
    answer = json.loads(out)
    assert list(answer["scores"]) == list(answer["metrics"]) == list(METRICS)
    for name, value in answer["scores"].items():
        assert value == pytest.approx(float(pairwise(*vectors, name)[0]), abs=1e-6)
        about = answer["metrics"][name]
        assert about["low"] <= value <= about["high"]
        assert about["formula"] == METRICS[name].formula
        assert about["higher_is_closer"] == METRICS[name].higher_is_closer


def test_without_normalisation_ranges_are_open(cli, tiny_model):
    raw = minigpt2.load(tiny_model).encode(list(PAIR), normalize_embeddings=False)
    options = ("--model", tiny_model, "--all-metrics", "--no-normalize")
    answer = json.loads(cli("similarity", *PAIR, *options, "--json")[1])
    assert answer["scores"]["dot"] == pytest.approx(float(pairwise(*raw, "dot")[0]), rel=1e-5)
    assert answer["metrics"]["dot"]["low"] is None
    assert answer["metrics"]["euclidean"]["high"] is None
    assert answer["metrics"]["euclidean"]["reading"] == "depends on the lengths of the vectors"
    assert "from -∞ to ∞" in cli("similarity", *PAIR, *options)[1]


def test_a_pipe_gets_one_plain_line_for_each_measure(cli, tiny_model, vectors):
    _, out, _ = cli("similarity", *PAIR, "--model", tiny_model, "--all-metrics")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == list(METRICS)
    for name, line in zip(METRICS, lines, strict=True):
        assert float(line.split()[1]) == pytest.approx(float(pairwise(*vectors, name)[0]), abs=1e-4)
    assert lines[0].split()[2:6] == ["from", "-1", "to", "1"]
    assert out.isascii()
    assert max(map(len, lines)) <= 80


def test_a_terminal_gets_a_table(cli, tiny_model, monkeypatch):
    monkeypatch.setattr("minigpt2.cli.console.stdout_is_terminal", lambda: True)
    code, out, _ = cli("similarity", "a [bold]cat[/bold] :smile:", "", "--model", tiny_model, "--all-metrics")
    assert code == 0
    assert "a [bold]cat[/bold] :smile:" in out  # the user's text is not markup
    assert "(empty)" in out
    for metric in METRICS.values():
        assert metric.name in out
    assert "no direction" in out
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("\n") < 20  # with a prompt, a terminal of 24 lines shows all of it


def test_one_measure_is_explained_in_more_words(cli, tiny_model, monkeypatch):
    monkeypatch.setattr("minigpt2.cli.console.stdout_is_terminal", lambda: True)
    words = " ".join(cli("similarity", *PAIR, "--model", tiny_model, "--metric", "euclidean")[1].split())
    for part in ("the straight line from", METRICS["euclidean"].landmarks, "lower is", "0 to 2"):
        assert part in words


def test_an_empty_text_has_no_reading(cli, tiny_model):
    _, out, _ = cli("similarity", "", "a", "--model", tiny_model)
    assert out == "cosine       0.0000  from -1 to 1     an empty text has no direction\n"


def test_prompt_and_width(cli, tiny_model):
    encoder = minigpt2.load(tiny_model, dtype="float64")
    a, b = encoder.encode(list(PAIR), prompt_name="query", truncate_dim=7)
    options = ("--prompt-name", "query", "--truncate-dim", 7, "--dtype", "float64")
    answer = json.loads(cli("similarity", *PAIR, "--model", tiny_model, *options, "--json")[1])
    assert answer["scores"]["cosine"] == pytest.approx(float(np.dot(a, b)), abs=1e-12)


class TestSeveral:
    """More than two sentences: the first is compared with each of the others, in their order."""

    OTHERS = ("A feline is resting", "The stock\nmarket fell", "")

    def test_json_is_a_list_of_what_single_pairs_give(self, cli, tiny_model):
        answers = json.loads(cli("similarity", PAIR[0], *self.OTHERS, "--model", tiny_model, "--json")[1])
        assert [answer["sentence2"] for answer in answers] == list(self.OTHERS)
        for answer, other in zip(answers, self.OTHERS, strict=True):
            alone = json.loads(cli("similarity", PAIR[0], other, "--model", tiny_model, "--json")[1])
            assert answer["scores"]["cosine"] == pytest.approx(alone["scores"]["cosine"], abs=1e-6)
            assert answer["sentence1"] == PAIR[0]

    def test_a_pipe_gets_a_line_for_each_that_ends_in_its_sentence(self, cli, tiny_model):
        lines = cli("similarity", PAIR[0], *self.OTHERS, "--model", tiny_model)[1].splitlines()
        assert len(lines) == 3
        assert all(line.startswith("cosine ") for line in lines)
        assert lines[0].endswith("A feline is resting")
        assert lines[1].endswith("The stock market fell")

    def test_terminal_table(self, cli, tiny_model, monkeypatch):
        monkeypatch.setattr("minigpt2.cli.console.stdout_is_terminal", lambda: True)
        _, out, _ = cli("similarity", PAIR[0], *self.OTHERS, "--model", tiny_model)
        assert "A feline is resting" in out
        assert "(empty)" in out
        assert "higher is closer" in out
        _, out, _ = cli("similarity", PAIR[0], *self.OTHERS[:2], "--model", tiny_model, "--all-metrics")
        assert out.count("manhattan") == 2

    def test_control_characters_do_not_reach_the_terminal(self, cli, tiny_model, monkeypatch):
        monkeypatch.setattr("minigpt2.cli.console.stdout_is_terminal", lambda: True)
        for others in (["\x1b[31mred\u202e"], ["\x1b[31mred\u202e", "b"]):
            _, out, _ = cli("similarity", "a\x07", *others, "--model", tiny_model)
            assert not {"\x1b", "\x07", "\u202e"} & set(out)
            assert "‹1b›[31mred‹e2 80 ae›" in out
