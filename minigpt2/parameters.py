"""All parameters of a model in one flat array, with a named view of each.

Because they are one array, the optimizer is one pass, the global gradient norm is one dot product, and a
gradient or one of Adam's moments is simply another array of the same layout. Names and shapes are those of
the published GPT-2 checkpoints; a linear weight is (in, out), so that a layer is `x @ weight + bias`.
"""

import math
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .backend import Array, array_module, to_numpy
from .config import GPT2Config
from .errors import ModelError


def parameter_shapes(config: GPT2Config) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every parameter, in the order in which they lie in the flat array."""
    V, P, D, F = config.V, config.n_positions, config.D, config.F
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (V, D), "wpe.weight": (P, D)}
    for i in range(config.L):
        shapes |= {
            f"h.{i}.ln_1.weight": (D,),
            f"h.{i}.ln_1.bias": (D,),
            f"h.{i}.attn.c_attn.weight": (D, 3 * D),
            f"h.{i}.attn.c_attn.bias": (3 * D,),
            f"h.{i}.attn.c_proj.weight": (D, D),
            f"h.{i}.attn.c_proj.bias": (D,),
            f"h.{i}.ln_2.weight": (D,),
            f"h.{i}.ln_2.bias": (D,),
            f"h.{i}.mlp.c_fc.weight": (D, F),
            f"h.{i}.mlp.c_fc.bias": (F,),
            f"h.{i}.mlp.c_proj.weight": (F, D),
            f"h.{i}.mlp.c_proj.bias": (D,),
        }
    return shapes | {"ln_f.weight": (D,), "ln_f.bias": (D,)}


class Parameters(Mapping[str, Array]):
    """`parameters.flat` is the one array; `parameters["h.0.ln_1.weight"]` is a view into it."""

    def __init__(self, flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """flat (P,) with P the sum of the sizes in `shapes`; views are made in the order of `shapes`."""
        self.flat = flat
        self.shapes = dict(shapes)
        size = sum(math.prod(shape) for shape in self.shapes.values())
        if flat.shape != (size,):
            raise ValueError(f"the flat array has shape {flat.shape}, but the named shapes need ({size},)")
        self._views: dict[str, Array] = {}
        start = 0
        for name, shape in self.shapes.items():
            stop = start + math.prod(shape)
            self._views[name] = flat[start:stop].reshape(shape)
            start = stop

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __repr__(self) -> str:
        return f"Parameters({len(self)} tensors, {self.flat.size:,} numbers, {self.flat.dtype})"

    def subset(self, prefix: str) -> dict[str, Array]:
        """The views whose name begins with `prefix`, under the rest of their name."""
        return {name[len(prefix) :]: view for name, view in self._views.items() if name.startswith(prefix)}

    def zeros_like(self) -> "Parameters":
        """The same layout filled with zeros: a gradient to add into, or a moment."""
        return Parameters(array_module(self.flat).zeros_like(self.flat), self.shapes)

    def to(self, xp: ModuleType, dtype: Any = None) -> "Parameters":
        """A copy on another device or in another precision."""
        flat = to_numpy(self.flat) if xp is np else self.flat  # (P,)
        return Parameters(xp.array(flat, dtype=dtype or self.flat.dtype), self.shapes)

    @classmethod
    def empty(cls, config: GPT2Config, xp: ModuleType = np, dtype: Any = np.float32) -> "Parameters":
        """The layout of `config` with whatever was in memory, to be filled by a reader."""
        shapes = parameter_shapes(config)
        return cls(xp.empty(sum(math.prod(shape) for shape in shapes.values()), dtype=dtype), shapes)

    @classmethod
    def initialise(
        cls, config: GPT2Config, seed: int = 0, xp: ModuleType = np, dtype: Any = np.float32
    ) -> "Parameters":
        """Fresh random parameters, the same on every device and (rounded) in every precision.

        Weights are normal with standard deviation `initializer_range`; those that write into the residual
        stream are divided by sqrt(2·L), because 2·L sublayers add to it and the variances of what they add
        sum up (Radford et al. 2019, section 2.3). Gains are 1 and biases 0.
        """
        parameters = cls.empty(config, np, np.float64)
        rng = np.random.default_rng(seed)
        for name, view in parameters.items():
            if name.endswith(".bias"):
                view[:] = 0.0
            elif view.ndim == 1:
                view[:] = 1.0
            else:
                std = config.initializer_range
                if name.endswith("c_proj.weight"):
                    std /= math.sqrt(2 * config.L)
                view[:] = std * rng.standard_normal(view.shape)
        return parameters.to(xp, dtype)


def require_fit(parameters: Parameters, config: GPT2Config) -> None:
    """Raise ModelError, naming the tensor, unless these are the parameters of `config`."""
    needed = parameter_shapes(config)
    for name in [*needed, *parameters.shapes]:
        has, needs = parameters.shapes.get(name), needed.get(name)
        if has != needs:
            raise ModelError(
                f"the parameters do not fit the configuration: {name} is {has or 'missing'}, "
                f"but the configuration needs {needs or 'none'}"
            )
