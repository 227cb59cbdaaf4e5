import itertools

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


class Clock:
    """Stands still, in place of the real one, but for the functions that advance it."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(times, "perf_counter", lambda: self.now)

    def advancing(self, seconds, run):
        """The function, which takes so long by this clock"""

        def slow(*args, **options):
            self.now += seconds
            return run(*args, **options)

        return slow


@pytest.fixture
def wide(xp) -> Encoder:
    return encoder_of(xp, "float32", WIDE)


def test_every_step_of_a_pass_is_timed_once(wide, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(times, "perf_counter", lambda: next(ticks))  # so that each step takes one tick
    _, batch = read(wide, TEXTS)
    steps = dict.fromkeys(("qkv", "attention", "projection", "gelu"), WIDE.L)
    steps |= {"embedding": 1, "layernorm": 2 * WIDE.L + 1, "mlp": 2 * WIDE.L, "residual": 2 * WIDE.L}
    found = forward_times(wide, batch, 3)
    assert found == steps | {"pooling": 1, "other": 0}
    assert list(found) == [*times.KINDS, "other"]


def test_what_a_pass_takes_outside_of_its_layers_is_in_other(wide, monkeypatch):
    clock = Clock(monkeypatch)
    _, batch = read(wide, TEXTS)
    monkeypatch.setattr(wide.model, "forward", clock.advancing(0.05, wide.model.forward))
    found = forward_times(wide, batch, 3)
    assert found == pytest.approx(dict.fromkeys(times.KINDS, 0.0) | {"other": 0.05})


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
    clock = Clock(monkeypatch)
    _, batch = read(wide, TEXTS)
    monkeypatch.setattr(times, function, clock.advancing(0.002, getattr(times, function)))
    found = forward_times(wide, batch, 3)
    assert found[kind] == pytest.approx(calls * 0.002)
    assert forward_times(wide, batch, 1)[kind] == pytest.approx(calls * 0.002)  # behind the run to warm up
    assert sum(found.values()) == pytest.approx(found[kind])


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
