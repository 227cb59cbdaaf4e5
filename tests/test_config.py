import dataclasses
import re

import pytest

from minigpt2.config import NAMED_SIZES, GPT2Config
from minigpt2.errors import ModelError

SIZES = {"vocab_size": 11, "n_positions": 8, "n_embd": 6, "n_layer": 3, "n_head": 2}


def test_the_house_alphabet():
    config = GPT2Config(**SIZES, n_inner=10)
    assert (config.V, config.D, config.L, config.H, config.K, config.F) == (11, 6, 3, 2, 3, 10)
    assert config.causal


def test_the_mlp_is_four_times_as_wide_by_default():
    assert GPT2Config(**SIZES).F == 24


def test_named_sizes_are_the_published_ones():
    published = {  # Radford et al. 2019, table 2: layers and width; the heads are those of the checkpoints
        "124M": (12, 768, 12),
        "355M": (24, 1024, 16),
        "774M": (36, 1280, 20),
        "1.5B": (48, 1600, 25),
    }
    for name, (L, D, H) in published.items():
        config = GPT2Config.named(name)
        assert (config.L, config.D, config.H) == (L, D, H)
        assert (config.V, config.n_positions, config.K, config.F) == (50257, 1024, 64, 4 * D)
    nano = GPT2Config.named("nano")
    assert (nano.D, nano.L, nano.H) == (256, 6, 4)
    assert set(NAMED_SIZES) == {"nano", *published}


def test_named_takes_changes_and_leaves_the_table_alone():
    assert GPT2Config.named("nano", vocab_size=300).V == 300
    assert GPT2Config.named("nano") == GPT2Config(**NAMED_SIZES["nano"])


def test_an_unknown_size_lists_the_known_ones():
    with pytest.raises(
        ModelError, match=r"unknown model size 'huge': use one of nano, 124M, 355M, 774M, 1\.5B"
    ):
        GPT2Config.named("huge")


def test_it_is_frozen_and_replace_checks_again():
    config = GPT2Config(**SIZES)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.n_embd = 8
    assert config.replace(n_layer=5).L == 5
    assert config.L == 3
    with pytest.raises(ModelError, match="n_layer"):
        config.replace(n_layer=0)


@pytest.mark.parametrize("name", [*SIZES, "n_inner"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "6", True, None])
def test_sizes_are_whole_numbers_of_at_least_one(name, value):
    if name == "n_inner" and value is None:
        return
    with pytest.raises(
        ModelError, match=f"config: {name} must be a whole number of at least 1, not {value!r}"
    ):
        GPT2Config(**{**SIZES, name: value})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_head": 4}, "config: n_embd 6 cannot be split evenly over n_head 4 heads"),
        ({"embd_pdrop": 1.0}, "config: embd_pdrop must be a probability of at least 0 and below 1, not 1.0"),
        ({"attn_pdrop": -0.1}, "config: attn_pdrop must be a probability"),
        ({"resid_pdrop": "0.1"}, "config: resid_pdrop must be a probability"),
        ({"resid_pdrop": float("nan")}, "config: resid_pdrop must be a probability"),
        ({"resid_pdrop": False}, "config: resid_pdrop must be a probability"),
        ({"layer_norm_epsilon": 0.0}, "config: layer_norm_epsilon must be positive, not 0.0"),
        ({"layer_norm_epsilon": float("nan")}, "config: layer_norm_epsilon must be positive"),
        ({"layer_norm_epsilon": float("inf")}, "config: layer_norm_epsilon must be positive"),
        ({"initializer_range": "0.02"}, "config: initializer_range must be positive"),
        ({"initializer_range": True}, "config: initializer_range must be positive"),
        ({"attention": "both"}, "config: attention must be one of causal, bidirectional, not 'both'"),
    ],
)
def test_what_makes_no_model_is_refused(fields, message):
    with pytest.raises(ModelError, match=re.escape(message)):
        GPT2Config(**{**SIZES, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"n_inner": 10},
        {"attention": "bidirectional"},
        {"layer_norm_epsilon": 1e-6, "initializer_range": 0.1},
        {"embd_pdrop": 0.1, "attn_pdrop": 0.2, "resid_pdrop": 0.3},
    ],
)
def test_to_dict_and_from_dict_are_inverse(fields):
    config = GPT2Config(**SIZES, **fields)
    assert GPT2Config.from_dict(config.to_dict()) == config


def test_to_dict_is_what_a_published_config_says():
    fields = GPT2Config.named("124M").to_dict()
    assert fields["model_type"] == "gpt2"
    assert fields["architectures"] == ["GPT2Model"]
    assert fields["activation_function"] == "gelu_new"
    assert fields["n_ctx"] == fields["n_positions"] == 1024
    assert "attention" not in fields, "a causal model is a plain GPT-2"
    assert GPT2Config(**SIZES, attention="bidirectional").to_dict()["attention"] == "bidirectional"


def test_a_published_config_is_read_whatever_else_it_holds():
    fields = {
        "activation_function": "gelu_new",
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.1,
        "bos_token_id": 50256,
        "embd_pdrop": 0.1,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2",
        "n_ctx": 1024,
        "n_embd": 768,
        "n_head": 12,
        "n_inner": None,
        "n_layer": 12,
        "n_positions": 1024,
        "resid_pdrop": 0.1,
        "summary_type": "cls_index",
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
        "vocab_size": 50257,
    }
    expected = GPT2Config.named("124M", embd_pdrop=0.1, attn_pdrop=0.1, resid_pdrop=0.1)
    assert GPT2Config.from_dict(fields) == expected
    del fields["n_positions"]
    assert GPT2Config.from_dict(fields) == expected, "older files name the window n_ctx"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_type": "bert"}, "config: model_type is 'bert', but only 'gpt2' can be loaded"),
        ({"activation_function": "gelu"}, "config: activation_function 'gelu' is not GPT-2's 'gelu_new'"),
        ({"activation_function": "relu"}, "config: activation_function 'relu' is not GPT-2's"),
        ({"scale_attn_weights": False}, "config: scale_attn_weights=False is not supported, only True"),
        (
            {"scale_attn_by_inverse_layer_idx": True},
            "config: scale_attn_by_inverse_layer_idx=True is not supported, only False",
        ),
        ({"add_cross_attention": True}, "config: add_cross_attention=True is not supported, only False"),
        ({"n_embd": "768"}, "config: n_embd must be a whole number"),
    ],
)
def test_what_is_no_gpt2_is_refused(fields, message):
    with pytest.raises(ModelError, match=re.escape(message)):
        GPT2Config.from_dict({**SIZES, **fields})


def test_missing_sizes_are_named():
    with pytest.raises(ModelError, match="config: n_positions, n_layer missing"):
        GPT2Config.from_dict({"vocab_size": 11, "n_embd": 6, "n_head": 2})
