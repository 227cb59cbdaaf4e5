"""What a check says about a wrong answer: where it is wrong first, what was expected, and the likely reason.

A check computes what is right with an oracle and hands both to `same_array` or `same_value`. It also computes
what typical mistakes would give: an answer that equals one of these candidates gets that mistake's sentence,

    same_array(softmax(x), yours, "softmax(x)", [(np.exp(x), "your rows do not sum to 1: divide by the sum")])

so a message is as precise as the mistake is common. For the others there are a few general suspicions: the
sign, a factor, a transpose, a missing axis.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# A mistake: what it would give, or a function that recognises it in the learner's answer; and what to say.
Reason = tuple[Any | Callable[[Any], bool], str]

TOLERANCE = 1e-6


class WrongAnswer(AssertionError):
    """An answer that is not right. `message`: what and where; `reason`: the likely mistake, may be empty.

    `expected` and `yours` are arrays of one shape to be drawn side by side, or None.
    """

    def __init__(self, message: str, *, expected: Any = None, yours: Any = None, reason: str = "") -> None:
        super().__init__(f"{message}\n{reason}" if reason else message)
        self.message, self.reason = message, reason
        self.expected, self.yours = expected, yours


def same_array(
    expected: Any,
    yours: Any,
    name: str,
    reasons: Sequence[Reason] = (),
    *,
    tolerance: float = TOLERANCE,
    dtype: Any = None,
) -> None:
    """Raise WrongAnswer unless `yours` has the shape and, within `tolerance`, the entries of `expected`.

    name       what is compared, as the learner would write it: "softmax(x)"
    reasons    mistakes, each a candidate array or a predicate of `yours`, with its sentence; the first that
               fits is reported
    tolerance  relative to the entry and to the largest entry
    dtype      the dtype that the answer must have; None takes any
    """
    expected = np.asarray(expected)
    yours = _as_array(yours, expected, name)
    if yours.shape != expected.shape:
        reason = _known_mistake(expected, yours, reasons, tolerance) or _guess_from_shape(expected, yours)
        raise WrongAnswer(
            f"{name} has shape {yours.shape}, expected is {expected.shape}",
            **_pictures(expected, yours, reason),
        )
    unlike = ~close(expected, yours, tolerance)
    if unlike.any():
        reason = _known_mistake(expected, yours, reasons, tolerance) or _guess(expected, yours, tolerance)
        raise WrongAnswer(_where(expected, yours, unlike, name), **_pictures(expected, yours, reason))
    if dtype is not None and yours.dtype != dtype:
        fits = [sentence for mistake, sentence in reasons if callable(mistake) and _applies(mistake, yours)]
        widened = yours.dtype == np.float64
        guess = "a float64 array or NumPy scalar somewhere has turned all into float64" if widened else ""
        raise WrongAnswer(
            f"{name} has the right numbers, but as {yours.dtype}; expected is {np.dtype(dtype)}",
            reason=fits[0] if fits else guess,
        )


def same_value(expected: Any, yours: Any, name: str, reasons: Sequence[Reason] = ()) -> None:
    """Raise WrongAnswer unless `yours == expected`: numbers that are exact, texts, lists, dictionaries.

    `reasons` as in `same_array`, with values for arrays.
    """
    if yours is None and expected is not None:
        raise WrongAnswer(f"{name} gives None", reason=RETURNS_NOTHING)
    yours = _plain(yours.tolist() if isinstance(yours, np.ndarray) else yours)
    if _holds_arrays(yours):
        raise WrongAnswer(
            f"{name} holds arrays, expected is {_short(expected)}",
            reason="array.tolist() makes a list of an array",
        )
    if type(yours) is tuple and type(expected) is list:
        yours = list(yours)
    if _equal(expected, yours):
        return
    known = [
        sentence
        for mistake, sentence in reasons
        if (_applies(mistake, yours) if callable(mistake) else _equal(mistake, yours))
    ]
    guess = "" if not _equal(_as_lists(expected), _as_lists(yours)) else TUPLES
    raise WrongAnswer(
        f"{name} should be {_short(expected)}, yours is {_short(yours)}{_first_difference(expected, yours)}",
        reason=known[0] if known else guess,
    )


def number(value: Any, name: str) -> float:
    """The one number that a function returned, or WrongAnswer."""
    if value is None:
        raise WrongAnswer(f"{name} gives None", reason=RETURNS_NOTHING)
    if isinstance(value, (bool, np.complexfloating)) or not isinstance(value, (int, float, np.number)):
        raise WrongAnswer(f"{name} gives a {type(value).__name__}, expected is one number")
    return float(value)


def array(value: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of numbers of this shape that a function returned, or WrongAnswer."""
    value = _as_array(value, np.empty(shape), name)
    if value.shape != shape:
        guess = _guess_from_shape(np.empty(shape), value)
        raise WrongAnswer(f"{name} has shape {value.shape}, expected is {shape}", reason=guess)
    return value


def several(values: Any, names: str, of: str) -> Sequence[Any]:
    """What a function returned, which must be a tuple of as many values as `names` ("dx, dgain") has."""
    wanted = [name.strip() for name in names.split(",")]
    if isinstance(values, (tuple, list)) and len(values) == len(wanted):
        return values
    if values is None:
        raise WrongAnswer(f"{of} gives None", reason=RETURNS_NOTHING)
    found = f"{len(values)} values" if isinstance(values, (tuple, list)) else f"one {type(values).__name__}"
    raise WrongAnswer(f"{of} gives {found}, expected are {len(wanted)}: {names}")


def unchanged(before: Any, after: Any, name: str) -> None:
    """Raise WrongAnswer if an input is not as it was: `before` is a copy of it made before the call."""
    is_array = isinstance(before, np.ndarray)
    if not (np.array_equal(before, after, equal_nan=True) if is_array else before == after):
        raise WrongAnswer(
            f"your function changes its input {name}",
            reason="`+=`, `*=` and `x[…] = …` write into the caller's array: make a new one, or copy first",
        )


def require(holds: bool, message: str, reason: str = "") -> None:
    """Raise WrongAnswer with this message unless `holds`."""
    if not holds:
        raise WrongAnswer(message, reason=reason)


TUPLES = "the right values, but lists stand where tuples should, or tuples where lists should"
RETURNS_NOTHING = "the function ends without handing anything back: is its `return` missing?"


def _as_array(yours: Any, expected: np.ndarray, name: str) -> np.ndarray:
    """The answer as an array of numbers, or WrongAnswer."""
    if yours is None:
        raise WrongAnswer(f"{name} gives None", reason=RETURNS_NOTHING)
    if isinstance(yours, tuple):
        raise WrongAnswer(f"{name} gives a tuple of {len(yours)} values, expected is one array")
    is_number = isinstance(yours, (int, float, np.number)) and not isinstance(yours, bool)
    if not isinstance(yours, np.ndarray) and not (is_number and expected.ndim == 0):
        kind = type(yours).__name__
        if is_number:
            raise WrongAnswer(f"{name} gives one number, expected is an array of shape {expected.shape}")
        raise WrongAnswer(f"{name} gives a {kind}, expected is a NumPy array of shape {expected.shape}")
    array = np.asarray(yours)
    if array.dtype.kind not in "fiubc":
        raise WrongAnswer(f"{name} is an array of {array.dtype}, not of numbers")
    if array.dtype.kind == "c":
        if array.imag.any():
            raise WrongAnswer(f"{name} has complex numbers, expected are real ones")
        return array.real
    return array


def close(expected: np.ndarray, yours: np.ndarray, tolerance: float) -> np.ndarray:
    """Entry by entry; infinities equal themselves, NaN equals NaN."""
    expected, yours = expected.astype(np.float64), yours.astype(np.float64)
    size = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    with np.errstate(invalid="ignore"):
        return np.isclose(yours, expected, rtol=tolerance, atol=tolerance * size, equal_nan=True)


def _known_mistake(
    expected: np.ndarray, yours: np.ndarray, reasons: Sequence[Reason], tolerance: float
) -> str:
    """The sentence of the first mistake that gives what the learner gave."""
    for mistake, sentence in reasons:
        if callable(mistake):
            if _applies(mistake, yours):
                return sentence
            continue
        candidate = np.asarray(mistake)
        if not np.isfinite(candidate).all() and np.isfinite(expected).all():
            continue  # it overflows, as many mistakes do: that tells nothing about which one was made
        is_right = candidate.shape == expected.shape and close(expected, candidate, tolerance).all()
        if candidate.shape == yours.shape and not is_right and close(candidate, yours, tolerance).all():
            return sentence
    return ""


def _applies(predicate: Callable[[Any], bool], yours: Any) -> bool:
    """The predicate's answer; one that cannot deal with what the learner gave does not apply."""
    try:
        return bool(predicate(yours))
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        return False


def _guess_from_shape(expected: np.ndarray, yours: np.ndarray) -> str:
    wanted, given = expected.shape, yours.shape
    if given == wanted[::-1]:
        return "the axes stand the other way round: a transpose is missing or too many"
    if [n for n in given if n != 1] == [n for n in wanted if n != 1]:
        return "only axes of length 1 differ: look at keepdims=True, [:, None] and reshape"
    if len(given) == len(wanted) - 1:
        return "an axis is missing: a sum, mean or index has removed one too many"
    if yours.size == expected.size:
        return "there are as many numbers as expected, but laid out in another way"
    return ""


def _guess(expected: np.ndarray, yours: np.ndarray, tolerance: float) -> str:
    """What general mistake would turn the expected entries into these."""
    expected, yours = expected.astype(np.float64), yours.astype(np.float64)
    if np.isnan(yours).any() and not np.isnan(expected).any():
        return "NaN comes from 0/0, inf − inf or the root or logarithm of a negative number"
    if np.isinf(yours).any() and not np.isinf(expected).any():
        return "infinity comes from a division by 0 or from exp of a large number"
    if expected.size < 2 or not np.isfinite(expected).all():
        return ""
    if not yours.any():
        return "every entry of yours is 0: is the result ever written?"
    if close(-expected, yours, tolerance).all():
        return "only the sign is wrong, everywhere"
    norm = float((expected * expected).sum())
    factor = float((expected * yours).sum()) / norm if norm else 0.0
    if f"{factor:.4g}" not in ("0", "1") and close(factor * expected, yours, tolerance).all():
        return f"yours is {factor:.4g} times what is expected, everywhere: a factor is missing or too many"
    offset = float((yours - expected).mean())
    if close(expected + offset, yours, tolerance).all():
        return f"yours is what is expected {offset:+.4g}, everywhere: something is added, or not taken away"
    if (
        expected.ndim == 2
        and expected.shape[0] == expected.shape[1]
        and close(expected.T, yours, tolerance).all()
    ):
        return "yours is the transpose of what is expected"
    if expected.ndim and close(np.sort(expected, axis=0), np.sort(yours, axis=0), tolerance).all():
        return "the entries are right, but not in the right order"
    size = float(np.abs(expected).max())
    largest = float(np.abs(expected - yours).max()) / size if size else np.inf
    if largest < 1e-3:
        return f"nearly right, within {largest:.1g} of the largest: is something approximated or rounded?"
    return ""


def _where(expected: np.ndarray, yours: np.ndarray, unlike: np.ndarray, name: str) -> str:
    place = tuple(int(i) for i in np.argwhere(unlike)[0]) if expected.ndim else ()
    a, b = expected[place], yours[place]
    digits = next((n for n in (6, 9, 12) if _number(a, n) != _number(b, n)), 17)
    both = f"should be {_number(a, digits)}, yours is {_number(b, digits)}"
    if not place:
        return f"{name} {both}"
    index = ", ".join(map(str, place))
    return f"{name}[{index}] {both}; {int(unlike.sum())} of {unlike.size} entries are wrong"


def _pictures(expected: np.ndarray, yours: np.ndarray, reason: str) -> dict[str, Any]:
    """What to draw: nothing for a single number."""
    if expected.ndim == 0 and yours.ndim == 0:
        return {"reason": reason}
    return {"expected": expected, "yours": yours, "reason": reason}


def _number(value: Any, digits: int) -> str:
    if isinstance(value, (np.bool_, np.integer)):
        return str(value)
    return f"{float(value):.{digits}g}"


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    try:
        return bool(a == b)
    except ValueError:  # arrays inside
        return False


def _plain(value: Any) -> Any:
    """The same with Python's numbers for NumPy's, inside too."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(_plain(part) for part in value)
    return {_plain(key): _plain(part) for key, part in value.items()} if type(value) is dict else value


def _holds_arrays(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return isinstance(value, np.ndarray) or any(_holds_arrays(part) for part in parts)


def _as_lists(value: Any) -> Any:
    """The same with lists for tuples, inside too."""
    return [_as_lists(part) for part in value] if isinstance(value, (list, tuple)) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 90 else text[:89] + "…"


def _first_difference(expected: Any, yours: Any) -> str:
    """Where two lists or dictionaries part, for those too long to see it."""
    if isinstance(expected, list) and isinstance(yours, list) and len(repr(expected)) > 60:
        for place, (a, b) in enumerate(zip(expected, yours, strict=False)):
            if not _equal(a, b):
                return f"; first at place {place}: {_short(a)} expected, {_short(b)} yours"
        return f"; lengths: {len(expected)} expected, {len(yours)} yours"
    if isinstance(expected, dict) and isinstance(yours, dict):
        for key in [*expected, *yours]:
            if key not in yours or key not in expected or not _equal(expected[key], yours[key]):
                return f"; first at {key!r}: {expected.get(key)} expected, {yours.get(key)} yours"
    return ""
