"""An array that refuses to be raised to a power, for exercises that ask for products instead."""

from typing import Any

import numpy as np

from .checking import WrongAnswer


class NoPowers(np.ndarray):
    """`x.view(NoPowers)`: `x**3` and np.power are a WrongAnswer, everything else is NumPy's."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc in (np.power, np.float_power):
            raise WrongAnswer(
                "your code raises an array to a power",
                reason="`x**3` calls pow for every number: write x * x * x",
            )
        if "out" in options:  # views: what is written into them arrives in the arrays themselves
            options["out"] = _plain(options["out"])
        result = getattr(ufunc, method)(*_plain(inputs), **options)
        return result.view(NoPowers) if isinstance(result, np.ndarray) else result


def _plain(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(x.view(np.ndarray) if isinstance(x, NoPowers) else x for x in arrays)
