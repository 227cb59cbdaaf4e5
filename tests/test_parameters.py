import math
import tracemalloc

import numpy as np
import pytest
from models import TINY

from minigpt2.backend import to_numpy
from minigpt2.config import NAMED_SIZES, GPT2Config
from minigpt2.parameters import Parameters, parameter_shapes

# Tokens, positions, and for each layer 12·D² of weights and 13·D of gains and biases; then ln_f.
COUNTS = {
    "nano": 8_998_912,
    "124M": 124_439_808,
    "355M": 354_823_168,
    "774M": 774_030_080,
    "1.5B": 1_557_611_200,
}


@pytest.mark.parametrize("name", NAMED_SIZES)
def test_every_named_size_has_its_known_number_of_parameters(name):
    config = GPT2Config.named(name)
    D = config.D
    count = sum(math.prod(shape) for shape in parameter_shapes(config).values())
    assert count == COUNTS[name]
    assert count == (config.V + config.n_positions) * D + config.L * (12 * D * D + 13 * D) + 2 * D


def test_names_and_shapes_are_those_of_the_published_checkpoints():
    shapes = parameter_shapes(TINY)
    assert list(shapes)[:2] == ["wte.weight", "wpe.weight"]
    assert list(shapes)[-2:] == ["ln_f.weight", "ln_f.bias"]
    assert len(shapes) == 4 + 12 * TINY.L
    assert {name: shape for name, shape in shapes.items() if name.startswith("h.1.")} == {
        "h.1.ln_1.weight": (6,),
        "h.1.ln_1.bias": (6,),
        "h.1.attn.c_attn.weight": (6, 18),
        "h.1.attn.c_attn.bias": (18,),
        "h.1.attn.c_proj.weight": (6, 6),
        "h.1.attn.c_proj.bias": (6,),
        "h.1.ln_2.weight": (6,),
        "h.1.ln_2.bias": (6,),
        "h.1.mlp.c_fc.weight": (6, 10),
        "h.1.mlp.c_fc.bias": (10,),
        "h.1.mlp.c_proj.weight": (10, 6),
        "h.1.mlp.c_proj.bias": (6,),
    }
    assert shapes["wte.weight"] == (11, 6)
    assert shapes["wpe.weight"] == (41, 6)


def test_views_share_the_flat_array_both_ways(xp):
    parameters = Parameters.empty(TINY, xp, np.float64)
    parameters.flat[...] = xp.arange(parameters.flat.size)
    start = 0
    for name, view in parameters.items():
        assert view.shape == parameter_shapes(TINY)[name]
        expected = np.arange(start, start + view.size).reshape(view.shape)
        np.testing.assert_array_equal(to_numpy(view), expected)
        start += view.size
    assert start == parameters.flat.size
    parameters["ln_f.bias"][...] = -1.0
    assert to_numpy(parameters.flat)[-TINY.D :].tolist() == [-1.0] * TINY.D


def test_subset_gives_the_same_views_under_the_rest_of_their_name(xp):
    parameters = Parameters.initialise(TINY, xp=xp)
    subset = parameters.subset("h.1.attn.")
    assert list(subset) == ["c_attn.weight", "c_attn.bias", "c_proj.weight", "c_proj.bias"]
    assert subset["c_proj.bias"] is parameters["h.1.attn.c_proj.bias"]
    assert parameters.subset("h.9.") == {}


def test_it_is_a_read_only_mapping(xp):
    parameters = Parameters.initialise(TINY, xp=xp)
    assert len(parameters) == len(list(parameters)) == 4 + 12 * TINY.L
    assert "wte.weight" in parameters
    with pytest.raises(KeyError):
        parameters["wte"]
    with pytest.raises(TypeError):
        parameters["wte.weight"] = 0
    assert repr(parameters) == f"Parameters(40 tensors, {parameters.flat.size:,} numbers, float32)"


def test_zeros_like_has_the_layout_and_its_own_memory(xp):
    parameters = Parameters.initialise(TINY, xp=xp)
    zeros = parameters.zeros_like()
    assert zeros.shapes == parameters.shapes
    assert zeros.flat.dtype == parameters.flat.dtype
    zeros["wte.weight"][...] += 1.0
    assert float(zeros.flat.sum()) == TINY.V * TINY.D
    np.testing.assert_array_equal(to_numpy(parameters.flat), Parameters.initialise(TINY).flat)


def test_to_copies_and_rounds(xp):
    double = Parameters.initialise(TINY, seed=2, dtype=np.float64)
    single = double.to(xp, np.float32)
    assert type(single.flat) is xp.ndarray
    np.testing.assert_array_equal(to_numpy(single.flat), double.flat.astype(np.float32))
    same = double.to(np)
    same.flat[:] = 0.0
    assert double.flat.any(), "a copy shares no memory"
    assert same.flat.dtype == np.float64


def test_moving_to_another_precision_copies_once():
    double = Parameters.initialise(TINY.replace(vocab_size=5000), dtype=np.float64)
    tracemalloc.start()
    try:
        single = double.to(np, np.float32)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * single.flat.nbytes


@pytest.mark.parametrize("shape", [(9,), (11,), (5, 2)])
def test_a_flat_array_of_another_size_is_refused(shape, xp):
    with pytest.raises(ValueError, match=r"the named shapes need \(10,\)"):
        Parameters(xp.zeros(shape), {"a": (2, 3), "b": (4,)})


# Initialisation


def test_initialisation_has_the_documented_statistics():
    config = GPT2Config(vocab_size=900, n_positions=300, n_embd=96, n_layer=8, n_head=4)
    parameters = Parameters.initialise(config, dtype=np.float64)
    for name, view in parameters.items():
        if name.endswith(".bias"):
            assert not view.any(), name
        elif view.ndim == 1:
            assert (view == 1.0).all(), name
        else:
            std = 0.02 / math.sqrt(2 * 8) if name.endswith("c_proj.weight") else 0.02
            # Five standard errors of the mean and of the standard deviation of a normal sample.
            assert abs(view.mean()) < 5 * std / math.sqrt(view.size), name
            assert view.std() == pytest.approx(std, rel=5 / math.sqrt(2 * view.size)), name
            assert 3 * std < np.abs(view).max() < 7 * std, name


def test_initializer_range_scales_the_weights():
    narrow = Parameters.initialise(TINY, dtype=np.float64)
    wide = Parameters.initialise(TINY.replace(initializer_range=0.2), dtype=np.float64)
    np.testing.assert_allclose(wide["wte.weight"], 10 * narrow["wte.weight"], rtol=1e-14)


def test_the_seed_decides():
    first, again, other = (Parameters.initialise(TINY, seed=seed).flat for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_no_two_tensors_are_filled_alike():
    weights = [view.ravel()[:20] for view in Parameters.initialise(TINY).values() if view.ndim == 2]
    assert len({tuple(np.round(w / np.abs(w).max(), 6).tolist()) for w in weights}) == len(weights)


def test_initialisation_is_the_same_on_every_device_and_rounded_in_every_precision(xp):
    expected = Parameters.initialise(TINY, seed=5, dtype=np.float64).flat
    for dtype in (np.float32, np.float64):
        flat = Parameters.initialise(TINY, 5, xp, dtype).flat
        assert type(flat) is xp.ndarray
        assert flat.dtype == dtype
        np.testing.assert_array_equal(to_numpy(flat), expected.astype(dtype))
