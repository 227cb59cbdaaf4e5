"""GPT-2 sentence embeddings from scratch: every layer and every gradient explicit, on NumPy and CuPy.

    import minigpt2
    encoder = minigpt2.load()                                  # the small model that ships with the package
    vectors = encoder.encode(["The cat is sleeping", "A feline is resting"])
    print(encoder.similarity(vectors, vectors))

Public names are imported when they are first used, so importing minigpt2 imports NumPy and nothing heavier.
"""

import importlib
from typing import Any

import numpy  # noqa: F401  the one import that everything here needs, paid for once and visibly

__version__ = "0.1.0"

_HOME_OF = {
    "load": "encoder",
    "Encoder": "encoder",
    "GPT2": "model",
    "GPT2Config": "config",
    "Parameters": "parameters",
    "TokenBatch": "ragged",
    "use_kernels": "kernels",
    "Backend": "backend",
    "choose_backend": "backend",
    "MiniGPT2Error": "errors",
    "UsageError": "errors",
    "DataError": "errors",
    "ModelError": "errors",
    "DeviceError": "errors",
    "DivergedError": "errors",
}
_MODULES = (
    "backend",
    "config",
    "encoder",
    "errors",
    "gradcheck",
    "kernels",
    "layers",
    "model",
    "model_directory",
)
_MODULES += ("parameters", "ragged", "similarity", "tokenizer", "training")

__all__ = ["__version__", *_HOME_OF, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'minigpt2' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
