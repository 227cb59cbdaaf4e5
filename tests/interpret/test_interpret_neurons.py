import numpy as np
import pytest
from arrays import assert_close
from encoders import CONFIG, encoder_of

from minigpt2.backend import to_numpy
from minigpt2.errors import UsageError
from minigpt2.interpret import look, neuron_tokens, neurons

F, L = CONFIG.F, CONFIG.L


def by_loop(seen, layers):
    """(value, layer, neuron, row) of each neuron's best token, highest value first"""
    found = []
    for layer in layers:
        post = to_numpy(seen.cache[f"blocks.{layer}.mlp.post"])
        for neuron in range(F):
            row = max(range(len(post)), key=lambda t: post[t, neuron])
            found.append((post[row, neuron], layer, neuron, row))
    return sorted(found, key=lambda entry: -entry[0])


@pytest.mark.parametrize("layer", [None, 0, L - 1])
@pytest.mark.parametrize("k", [1, 7, 1000])
def test_the_strongest_neurons_are_those_of_the_loop(layer, k, xp):
    seen = look(encoder_of(xp), "a cat sat")
    layers = range(L) if layer is None else [layer]
    expected = by_loop(seen, layers)[:k]
    strongest = neurons(seen, layer, k)
    assert len(strongest) == min(k, len(layers) * F)
    for neuron, (value, of_layer, number, row) in zip(strongest, expected, strict=True):
        assert neuron == (of_layer, number, row, "a cat sat"[row], value)
        assert type(neuron.row) is int
        assert type(neuron.value) is float


def test_one_neuron_at_every_token(xp):
    seen = look(encoder_of(xp), "a cat")
    for layer, neuron in np.ndindex(L, F):
        values = neuron_tokens(seen, layer, neuron)
        pre = to_numpy(seen.cache[f"blocks.{layer}.mlp.pre"])[:, neuron]
        gelu = 0.5 * pre * (1 + np.tanh(np.sqrt(2 / np.pi) * (pre + 0.044715 * pre**3)))
        assert_close(values, gelu, 1e-13)
    strongest = neurons(seen, k=1)[0]
    assert float(neuron_tokens(seen, strongest.layer, strongest.neuron)[strongest.row]) == strongest.value


@pytest.mark.parametrize("k", [0, -3, 1.5, True])
def test_a_number_of_neurons_that_is_none_is_refused(k):
    with pytest.raises(UsageError, match="k must be a whole number of at least 1"):
        neurons(look(encoder_of(), "ab"), k=k)
