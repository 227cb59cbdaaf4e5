"""Before anything is timed: do the competitors compute the same?

Vectors are compared with those of transformers. Random weights give vectors that point almost the same way,
and so does the mean of any causal model's rows to a degree; so the cosine is also taken of what is left when
the mean of all vectors has been subtracted.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .schedule import Failed

LEAST_COSINE = 1 - 1e-5


class Check(NamedTuple):
    """Two that should agree: the competitor, the one it is measured against, and both tasks."""

    name: str
    task: str
    reference: str
    reference_task: str
    least: float = LEAST_COSINE
    centred: bool = True


CHECKS = (
    Check("124M minigpt2", "ids", "124M transformers", "ids"),
    Check("124M minigpt2", "one", "124M transformers", "one"),
    Check("124M minigpt2", "text", "124M sentence-transformers", "text"),
    Check("124M onnx", "ids", "124M transformers", "ids"),
    Check("124M picogpt", "ids", "124M transformers", "ids"),
    Check("124M compiled", "ids", "124M transformers", "ids"),
    Check("nano minigpt2", "ids", "nano transformers", "ids"),
    Check("nano minigpt2", "one", "nano transformers", "one"),
    Check("nano minigpt2", "text", "nano sentence-transformers", "text"),
    Check("nano compiled", "ids", "nano transformers", "ids"),
    Check("minilm int8", "text", "minilm float32", "text", 0.95, centred=False),
    Check("minilm float32 as fastembed", "text", "minilm float32", "text"),
    Check("minilm int8 as fastembed", "text", "minilm float32", "text", 0.95, centred=False),
)


class Wrong(Exception):
    """A competitor that computes something else."""


def check_vectors(competitors: dict, folder: Path) -> list[str]:
    """One line for every check whose two competitors run; Wrong for one that does not hold."""
    lines = []
    for check in CHECKS:
        if check.name not in competitors or check.reference not in competitors:
            continue
        mine = _vectors(competitors[check.name], check.task, folder)
        theirs = _vectors(competitors[check.reference], check.reference_task, folder)
        plain = float(_cosines(mine, theirs).min())
        mean = theirs.mean(axis=0)
        centred = float(_cosines(mine - mean, theirs - mean).min())
        least = min(plain, centred) if check.centred else plain
        line = f"{check.name} {check.task} against {check.reference}: least cosine 1 - {1 - plain:.1e}"
        line += f", without the mean 1 - {1 - centred:.1e} ({len(mine)} sentences)"
        if not least >= check.least:
            raise Wrong(f"{line}: below {check.least}")
        lines.append(line)
    return lines


def check_first_steps(competitors: dict) -> list[str]:
    """Loss and gradient length of the first training step, which both sides must share."""
    if not {"training minigpt2", "training torch"} <= set(competitors):
        return []
    ours, theirs = (
        np.array(competitors[f"training {name}"].ask(do="first_step")["value"])
        for name in ("minigpt2", "torch")
    )
    line = f"first training step, loss and gradient norm: minigpt2 {ours}, PyTorch {theirs}"
    if not np.allclose(ours, theirs, rtol=1e-3):
        raise Wrong(line)
    return [line]


def check_ids(competitors: dict, folder: Path) -> list[str]:
    """The ids of all tokenizers, which must be equal."""
    names = [name for name in competitors if name.startswith("tokenizer ")]
    if len(names) < 2:
        return []
    first, *others = (_vectors(competitors[name], "batch", folder) for name in names)
    for name, other in zip(names[1:], others, strict=True):
        if not np.array_equal(first, other):
            raise Wrong(f"{names[0]} and {name} give other ids")
    return [f"{', '.join(names)}: the same {first.size:,} ids"]


def _vectors(competitor, task: str, folder: Path) -> np.ndarray:
    file = folder / "vectors.npy"
    try:
        competitor.ask(do="vectors", task=task, to=str(file))
    except Failed as failure:
        raise Wrong(f"no vectors for {task}: {failure}") from None
    vectors = np.load(file)
    file.unlink()
    return vectors


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,) in float64"""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
