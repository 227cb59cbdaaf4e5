"""Arrays for tests: built on the host, moved to the array module under test, compared on the host."""

import numpy as np

from minigpt2.backend import array_module, asarray, to_numpy

LAYOUTS = ("C", "F", "strided")


def laid_out(x, layout, xp, dtype=np.float64):
    """The values of `x` on `xp`: row by row, column by column, or in every second place of a wider array."""
    x = asarray(x, xp, dtype)
    if layout == "C" or x.ndim == 0:
        return xp.ascontiguousarray(x) if x.ndim else x
    if layout == "F":
        return xp.asfortranarray(x)
    wide = xp.full((*x.shape[:-1], 2 * x.shape[-1]), xp.nan, dtype=dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def arrays_in(thing):
    """Every array inside nested tuples, lists, mappings and objects with attributes, in a fixed order."""
    if hasattr(thing, "dtype") and hasattr(thing, "shape"):
        return [thing]
    if isinstance(thing, dict):
        thing = list(thing.values())
    elif hasattr(thing, "__dict__") and not isinstance(thing, type) and not hasattr(thing, "__path__"):
        thing = [value for name, value in vars(thing).items() if name != "xp"]
    if isinstance(thing, (tuple, list)):
        return [array for part in thing for array in arrays_in(part)]
    return []


def freeze(arrays):
    """Make writing into these arrays an error where the module can (NumPy)."""
    for array in arrays:
        if array_module(array) is np and isinstance(array, np.ndarray):
            array.flags.writeable = False


def largest_difference(actual, expected):
    """max |actual − expected| on the host; the shapes must be equal."""
    actual, expected = to_numpy(actual), np.asarray(expected)
    if expected.size == 0 and actual.size == 0:
        return 0.0
    assert actual.shape == expected.shape, f"shape {actual.shape} is not {expected.shape}"
    return float(np.abs(actual - expected).max(initial=0.0))


def assert_close(actual, expected, tolerance):
    difference = largest_difference(actual, expected)
    assert difference <= tolerance, f"largest difference {difference:.3g} is over {tolerance:.3g}"
