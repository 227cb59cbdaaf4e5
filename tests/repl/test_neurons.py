"""`/neurons`: the values after GELU, found by a search over all of them."""

import math

import numpy as np
import pytest
from inside import CONFIG, SENTENCE, ask, cached, check_drawings, drawn, encoder_of, nano, refused, session_of

from minigpt2.backend import to_numpy

TEXT = "cats purr"


def values_of(encoder, text):
    """(L, T, F): GELU of what the MLP's first matrix gives, by the formula"""
    p = {name: to_numpy(view) for name, view in encoder.model.parameters.items()}
    _, cache = cached(encoder, text)
    layers = []
    for i in range(encoder.model.config.L):
        read = to_numpy(cache[f"blocks.{i}.ln_2.out"])
        x = read @ p[f"h.{i}.mlp.c_fc.weight"] + p[f"h.{i}.mlp.c_fc.bias"]
        layers.append(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))
    return np.stack(layers)


def test_the_strongest_of_all_layers(xp):
    encoder = encoder_of(xp)
    values = values_of(encoder, TEXT)
    found = ask(session_of(encoder, TEXT), "/neurons --k 7").data["neurons"]
    peaks = values.max(axis=1)  # (L, F)
    order = np.argsort(-peaks, axis=None)[:7]
    assert [(one["layer"], one["neuron"]) for one in found] == [divmod(int(at), CONFIG.F) for at in order]
    for one in found:
        of_neuron = values[one["layer"], :, one["neuron"]]  # (T,)
        np.testing.assert_allclose(one["values"], of_neuron, rtol=1e-9, atol=1e-12)
        assert one["value"] == pytest.approx(of_neuron.max())
        assert one["position"] == int(of_neuron.argmax())
        assert one["token"] == TEXT[one["position"]]


def test_the_strongest_of_one_layer():
    encoder = encoder_of()
    peaks = values_of(encoder, TEXT)[2].max(axis=0)  # (F,)
    found = ask(session_of(encoder, TEXT), "/neurons 2").data["neurons"]
    assert [one["neuron"] for one in found] == np.argsort(-peaks)[:10].tolist()
    assert {one["layer"] for one in found} == {2}


def test_one_neuron_over_the_tokens(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder), f'/neurons 3.17 --of "{TEXT}"').data
    np.testing.assert_allclose(data["values"], values_of(encoder, TEXT)[3, :, 17], rtol=1e-9, atol=1e-12)
    assert (data["layer"], data["neuron"], data["tokens"]) == (3, 17, list(TEXT))


def test_more_neurons_than_there_are_is_all_of_them():
    found = ask(session_of(encoder_of(), TEXT), "/neurons 1 --k 1000").data["neurons"]
    assert sorted(one["neuron"] for one in found) == list(range(CONFIG.F))


def test_over_the_kept_sentences(xp):
    encoder = encoder_of(xp)
    texts = [TEXT, "dogs bark loud", "a car", "x"]
    kept = ask(session_of(encoder, *texts), "/neurons 1.4 --kept --k 3").data["kept"]
    peaks = {text: values_of(encoder, text)[1, :, 4] for text in texts}  # (T,) of each
    order = sorted(texts, key=lambda text: -peaks[text].max())[:3]
    assert [one["text"] for one in kept] == order
    for one in kept:
        values = peaks[one["text"]]
        assert one["value"] == pytest.approx(values.max())
        assert one["position"] == int(values.argmax())
        assert one["token"] == one["text"][one["position"]]
        assert one["number"] == 1 + texts.index(one["text"])


@pytest.mark.parametrize(
    "line",
    ["/neurons", "/neurons 5 --k 30", "/neurons 0.7", '/neurons 2.9 --of "x"', "/neurons 3.430 --kept"],
)
def test_it_draws_everywhere(line):
    check_drawings(ask(session_of(nano(), "日本語", SENTENCE), line))


def test_no_sentence_needs_to_be_kept():
    reply = ask(session_of(encoder_of()), f'/neurons 1.4 --kept --of "{TEXT}"')
    assert reply.data["kept"] == []
    assert "None is kept" in drawn(reply)


def test_a_silent_neuron_is_called_silent():
    encoder = encoder_of()
    values = values_of(encoder, TEXT)
    layer, neuron = np.argwhere(values.max(axis=1) < 0)[0]
    assert "No token" in drawn(ask(session_of(encoder, TEXT), f"/neurons {layer}.{neuron}"))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/neurons 4", "no layer 4: the model has 4 layers, counted from 0 to 3"),
        ("/neurons 0.20", "no neuron 20: each layer has 20 neurons, counted from 0 to 19"),
        ("/neurons 4.1", "no layer 4"),
        ("/neurons cat", "a layer is a number from 0 to 3"),
        ("/neurons 1 2", "LAYER.NEURON"),
        ("/neurons 1.2.3", "a layer is a number"),
        ("/neurons --k 0", "at least 1"),
        ("/neurons --k -3", "at least 1"),
        ("/neurons --k many", "at least 1"),
        ("/neurons 0.1 --k 3", "--k"),
        ("/neurons 0 --kept", "LAYER.NEURON --kept"),
    ],
)
def test_what_does_not_fit_is_refused(line, says):
    assert says in refused(session_of(encoder_of(), TEXT), line)


def test_the_other_tokens_named_are_at_least_half_as_loud():
    reply = ask(session_of(nano(), SENTENCE), "/neurons --k 5")
    text = drawn(reply, 200)
    for one in reply.data["neurons"]:
        (row,) = (row for row in text.splitlines() if row.startswith(f"{one['layer']}.{one['neuron']} "))
        loud = [t for t, value in enumerate(one["values"]) if value > 0.5 * one["value"]]
        assert row.count("‘") == len(loud)
    assert any(min(one["values"]) < 0.5 * one["value"] > 0.0 for one in reply.data["neurons"])
