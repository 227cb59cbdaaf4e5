"""Every number of a tiny model against the recorded ones, made by tests/golden/record.py."""

import numpy as np
import pytest
from golden import record

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
