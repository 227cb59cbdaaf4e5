"""Every number of a tiny model, and ten steps of its training, against what tests/golden/record.py made."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from golden import record

import minigpt2

# In float32 the tiny model's sums of a few dozen products lose a few digits more than one rounding.
TOLERANCE = {"float64": 1e-12, "float32": 50 * float(np.finfo(np.float32).eps)}


@pytest.fixture(scope="module")
def recorded():
    with np.load(record.FILE) as file:
        return dict(file)


def relative_difference(actual, expected):
    """max |actual − expected| / max |expected| over the finite entries; the others must be equal"""
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    scale = np.abs(expected[finite]).max(initial=0.0)
    return float(np.abs(actual - expected)[finite].max(initial=0.0)) / (scale or 1.0)


def difference(actual, expected):
    with np.errstate(invalid="ignore"):  # −inf − −inf where attention hides a token
        return relative_difference(np.asarray(actual, np.float64), expected)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_activation_loss_and_gradient_is_as_recorded(dtype, recorded, xp):
    seen = record.run(recorded["parameters"], xp, dtype)
    assert sorted([*seen, "parameters"]) == sorted(recorded), "other names than recorded"
    assert all(array.dtype == dtype for array in seen.values())
    differences = {}
    for name, array in seen.items():
        assert array.shape == recorded[name].shape, name
        differences[name] = difference(array, recorded[name])
        print(f"{dtype}, {name}: {differences[name]:.2e}")
    worst = max(differences, key=differences.get)
    assert differences[worst] <= TOLERANCE[dtype], f"{worst}: {differences[worst]:.2e}"


def test_the_record_covers_what_the_model_has(recorded):
    gradients = [name for name in recorded if name.startswith("gradient")]
    assert len(gradients) == 5 * len(record.parameter_shapes(record.CONFIG))
    # The gradient of the key bias is zero, but it is one part of a tensor whose other parts are not.
    assert all(np.abs(recorded[name]).max() > 1e-3 for name in gradients)
    assert record.FILE.stat().st_size < 300_000


def test_the_script_records_the_same_file_again(tmp_path, recorded):
    record.record(tmp_path / "again.npz")
    with np.load(tmp_path / "again.npz") as again:
        assert sorted(again) == sorted(recorded)
        np.testing.assert_array_equal(again["parameters"], recorded["parameters"])
        for name in recorded:
            assert difference(again[name], recorded[name]) <= TOLERANCE["float64"]


# Training. From one kernel of OpenBLAS to another, Prescott to SkylakeX, on one thread or two, the losses
# differ by 1e-15 in float64 and by 3.5e-7 in float32; a GPU adds up in yet another order.
TRAINING_TOLERANCE = {
    "numpy": {"float64": 1e-12, "float32": 1e-6},
    "cupy": {"float64": 1e-12, "float32": 1e-5},
}


@pytest.fixture(scope="module")
def recorded_losses():
    return json.loads(record.TRAINING_FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ten_steps_of_training_are_as_recorded(dtype, recorded, recorded_losses, xp):
    losses, flat = record.train(recorded["parameters"], xp, dtype)
    assert flat.dtype == dtype
    differences = [
        abs(loss - expected) / expected for loss, expected in zip(losses, recorded_losses[dtype], strict=True)
    ]
    print(f"{dtype}: " + " ".join(f"{difference:.1e}" for difference in differences))
    assert max(differences) <= TRAINING_TOLERANCE[xp.__name__][dtype]


def test_the_recorded_losses_are_those_of_training_that_works(recorded_losses):
    for losses in recorded_losses.values():
        assert len(losses) == record.STEPS == 10
        for batch in (losses[::2], losses[1::2]):  # two batches take turns
            assert all(later < earlier for earlier, later in itertools.pairwise(batch))
            assert 0.1 < batch[-1] < 0.6 * batch[0]
    difference = [abs(a - b) for a, b in zip(*recorded_losses.values(), strict=True)]
    assert 0 < max(difference) < 1e-6  # both precisions were recorded, and of one training


BITS = """
import sys
sys.path[:0] = sys.argv[2:]
import numpy as np
from golden import record
with np.load(record.FILE) as file:
    losses, flat = record.train(file["parameters"], np, sys.argv[1])
print(*(loss.hex() for loss in losses), flat.tobytes().hex())
"""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_runs_of_training_are_equal_bit_for_bit(dtype):
    def bits():
        """The losses and the trained parameters of a fresh process, in hexadecimal"""
        done = subprocess.run(
            [sys.executable, "-c", BITS, dtype, *paths],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    paths = [str(Path(minigpt2.__file__).parents[1]), str(Path(__file__).parent)]
    first, again = bits(), bits()
    assert first == again
    assert len(first.split()) == record.STEPS + 1


def test_the_script_records_the_same_losses_again(tmp_path, recorded_losses):
    record.record_training(tmp_path / "again.json")
    again = json.loads((tmp_path / "again.json").read_text(encoding="utf-8"))
    assert list(again) == list(recorded_losses)
    for dtype, losses in again.items():
        assert losses == pytest.approx(recorded_losses[dtype], rel=TRAINING_TOLERANCE["numpy"][dtype])
