import time

import pytest
from encoders import encoder_of

import minigpt2.interpret.times as times
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder
from minigpt2.errors import DataError, UsageError
from minigpt2.interpret import forward_times, read
from minigpt2.ragged import TokenBatch

WIDE = GPT2Config(vocab_size=258, n_positions=64, n_embd=128, n_layer=3, n_head=4)
TEXTS = ["a cat sat on the mat " * 2, "the market fell", "x"]


@pytest.fixture
def wide(xp) -> Encoder:
    return encoder_of(xp, "float32", WIDE)


def test_every_kind_of_layer_takes_time_and_little_is_left_over(wide):
    _, batch = read(wide, TEXTS)
    best = min((forward_times(wide, batch, 15) for _ in range(3)), key=lambda found: found["other"])
    assert list(best) == [*times.KINDS, "other"]
    assert all(best[kind] > 0.0 for kind in times.KINDS)
    assert best["other"] <= 0.1 * sum(best.values())


def test_what_a_pass_takes_outside_of_its_layers_is_in_other(wide, monkeypatch):
    _, batch = read(wide, TEXTS)
    run, nap = wide.model.forward, 0.05

    def slow(*args, **options):
        time.sleep(nap)
        return run(*args, **options)

    monkeypatch.setattr(wide.model, "forward", slow)
    found = forward_times(wide, batch, 3)
    assert found["other"] >= 0.8 * nap
    assert sum(found.values()) >= nap


@pytest.mark.parametrize(
    ("function", "kind", "calls"),
    [
        ("embedding", "embedding", 1),
        ("layernorm", "layernorm", 2 * WIDE.L + 1),
        ("attend", "attention", WIDE.L),
        ("gelu", "gelu", WIDE.L),
    ],
)
def test_a_layer_that_is_slow_shows_in_its_own_kind(function, kind, calls, wide, monkeypatch):
    _, batch = read(wide, TEXTS)
    run, nap = getattr(times, function), 0.002

    def slow(*args):
        time.sleep(nap)
        return run(*args)

    before = forward_times(wide, batch, 3)
    monkeypatch.setattr(times, function, slow)
    after = forward_times(wide, batch, 3)
    assert after[kind] >= before[kind] * 0.3 + calls * nap
    for other in times.KINDS:
        assert other == kind or after[other] < calls * nap


def test_each_step_runs_on_the_input_that_it_had(wide, xp):
    """What the steps give again is what the forward pass gave."""
    _, batch = read(wide, TEXTS)
    _, cache = wide.model.run_with_cache(batch)
    results = [(kind, step()) for kind, step in times._steps(wide, batch)]
    ours = [result[0] for kind, result in results if kind in ("layernorm", "gelu")]
    names = [f"blocks.{i}.{name}" for i in range(WIDE.L) for name in ("ln_1.out", "ln_2.out", "mlp.post")]
    for result, name in zip(ours, [*names, "ln_f.out"], strict=True):
        assert (result == cache[name]).all(), name
    streams = [result for kind, result in results if kind == "residual"]
    assert len(streams) == 2 * WIDE.L
    for i in range(WIDE.L):
        assert float(xp.abs(streams[2 * i] - cache[f"blocks.{i}.resid_mid"]).max()) < 1e-4
        assert float(xp.abs(streams[2 * i + 1] - cache[f"blocks.{i}.resid_post"]).max()) < 1e-4


def test_repeats_and_batches_that_make_no_sense_are_refused(wide):
    _, batch = read(wide, TEXTS)
    with pytest.raises(UsageError, match="repeats must be a whole number of at least 1, not 0"):
        forward_times(wide, batch, 0)
    with pytest.raises(DataError, match="outside the vocabulary"):
        forward_times(wide, TokenBatch([[999]], wide.backend.xp), 1)
