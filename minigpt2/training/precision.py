"""Half precision: products in 16 bits, and the scale that keeps float16 gradients alive.

    with half_products("float16"):
        loss = vector_gradients(…, scale=scaler.scale)        every gradient is `scale` times too large
    gradients.flat *= 1.0 / scaler.scale
    norm = float(clip_gradients(gradients, 1.0))              not finite if any gradient is
    finite = math.isfinite(norm)
    if finite:
        optimizer.step(gradients, lr)
    scaler.update(finite)                                     a step that was not finite is left out

float16 holds nothing below 6e-8, and many gradients are smaller; multiplied by a large power of two they fit,
and dividing the float32 sums by it later is exact. How large, the training shows: too large makes infinities.
So the scale falls at once when one appears and rises slowly while none does. Micikevicius et al. 2018,
arXiv:1710.03740, section 3.2. bfloat16 has the range of float32 and needs no scale.
"""

from typing import Any

from ..errors import DataError, UsageError
from ..half_products import half_products

__all__ = ["LossScaler", "half_products"]


class LossScaler:
    """A dynamic loss scale, always a power of two. A checkpoint keeps `state_dict()`."""

    def __init__(
        self,
        scale: float = 65536.0,
        *,
        patience: int = 2000,
        smallest: float = 1.0,
        largest: float = 2.0**24,
    ) -> None:
        """Start at `scale`; double it after `patience` finite steps in a row; stay within the two bounds.

        Raises UsageError for a scale or a bound that is no power of two, for bounds that do not hold the
        scale, and for a `patience` below 1.
        """
        for name, value in (("scale", scale), ("smallest", smallest), ("largest", largest)):
            if not _is_power_of_two(value):
                raise UsageError(f"the loss scale's {name} must be a power of two, not {value!r}")
        if not smallest <= scale <= largest:
            raise UsageError(f"the loss scale {scale} does not lie within {smallest} and {largest}")
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
            raise UsageError(
                f"the loss scale's patience must be a whole number of at least 1, not {patience!r}"
            )
        self.scale = float(scale)
        self.patience, self.smallest, self.largest = patience, float(smallest), float(largest)
        self.finite_steps = 0  # since the scale last changed

    def __repr__(self) -> str:
        return f"LossScaler(scale={self.scale:g}, {self.finite_steps} of {self.patience} finite steps)"

    @property
    def exhausted(self) -> bool:
        """True where the scale cannot fall: a step that is not finite then is the training's own fault."""
        return self.scale == self.smallest

    def update(self, finite: bool) -> None:
        """After each step: were all its gradients finite? Halves the scale if not, doubles it in time."""
        if not finite:
            self.scale = max(self.scale / 2, self.smallest)
            self.finite_steps = 0
            return
        self.finite_steps += 1
        if self.finite_steps >= self.patience:
            self.scale = min(self.scale * 2, self.largest)
            self.finite_steps = 0

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint has to keep, as JSON can: the scale, and how long it has been held."""
        return {"scale": self.scale, "finite_steps": self.finite_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises DataError for what is none or lies out of bounds."""
        scale, steps = state.get("scale"), state.get("finite_steps")
        fits = _is_power_of_two(scale) and self.smallest <= scale <= self.largest
        if not fits or isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise DataError(
                f"no state of a loss scale within {self.smallest:g} and {self.largest:g}: {state!r}"
            )
        self.scale, self.finite_steps = float(scale), steps


def _is_power_of_two(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        return False
    numerator, denominator = float(value).as_integer_ratio()
    return numerator == 1 or (denominator == 1 and numerator.bit_count() == 1)
