"""`minigpt2 doctor`: is everything here that minigpt2 needs, is it fast, and what to do where it is not.

Every check is a Finding. A missing GPU is a fact and not a failure; only what minigpt2 cannot work without
makes the command exit with 1.
"""

import argparse
import ctypes
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import __version__
from ..errors import MiniGPT2Error
from . import console
from .options import DEVICE_VARIABLE

HELP = "check this installation: versions, NumPy's speed, GPU, the bundled model"

REQUIRED = ("numpy", "safetensors", "rich", "regex")

# Variables that make OpenBLAS take other code or fewer threads than the processor allows.
SLOWING = {
    "OPENBLAS_CORETYPE": "makes NumPy use the routines of that processor type, whatever this one can do",
    "OPENBLAS_L2_SIZE": "makes OpenBLAS cut matrices for a cache of that size instead of the real one",
    "NPY_DISABLE_CPU_FEATURES": "switches off vector instructions in NumPy",
}
THREADS = (
    "OPENBLAS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class Finding(NamedTuple):
    """What one check found: for people in `text` and `remedy`, for programs in `facts`."""

    topic: str
    state: str  # "ok", "note" (worth knowing), "warning" (works, but worse than it could), "failure"
    text: str
    remedy: str | None = None
    facts: dict[str, Any] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = "Check this installation. Exits with 1 if something that minigpt2 needs is broken."
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Make every check and print what it found."""
    findings = []
    draw = _printer(sys.stdout) if not args.json else None
    for finding in check():
        findings.append(finding)
        if draw:
            draw(finding)
    failed = any(finding.state == "failure" for finding in findings)
    if args.json:
        topics = {
            f.topic: {"state": f.state, "text": f.text, "remedy": f.remedy, **f.facts} for f in findings
        }
        sys.stdout.write(json.dumps({"ok": not failed, **topics}, ensure_ascii=False, indent=2) + "\n")
    return 1 if failed else 0


def check() -> Iterator[Finding]:
    """All findings, each made when it is asked for, since the last ones take a moment."""
    version = platform.python_version()
    yield Finding(
        "python", "ok", f"{version} on {platform.system()} {platform.machine()}", facts={"version": version}
    )
    yield Finding(
        "minigpt2",
        "ok",
        f"{__version__} in {Path(__file__).parents[1]}",
        facts={"version": __version__, "path": str(Path(__file__).parents[1])},
    )
    for name in REQUIRED:
        yield _check_package(name)
    yield _check_blas()
    yield from _check_environment()
    yield _check_speed()
    yield _check_gpu()
    yield _check_model()


def _check_package(name: str) -> Finding:
    try:
        importlib.import_module(name)
        version = importlib.metadata.version(name)
    except Exception as error:  # whatever a broken installation raises
        reason = " ".join(str(error).split()) or type(error).__name__
        return Finding(
            name, "failure", f"cannot be imported: {reason}", f"pip install --force-reinstall {name}"
        )
    return Finding(name, "ok", version, facts={"version": version})


def blas_facts() -> dict[str, Any]:
    """NumPy's matrix library: name, version, and where they can be asked for the kernel and the threads in use.

    threadpoolctl knows every library, if it is installed; without it, OpenBLAS as NumPy's wheels bring it is
    asked through its own functions.
    """
    built = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    facts = {
        "name": built.get("name", "unknown"),
        "version": built.get("version"),
        "kernel": None,
        "threads": None,
    }
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return facts | _ask_bundled_openblas()
    for library in threadpool_info():
        if library["user_api"] == "blas" and "numpy" in library["filepath"]:
            facts |= {"kernel": library.get("architecture"), "threads": library["num_threads"]}
    return facts


def _ask_bundled_openblas() -> dict[str, Any]:
    folder = Path(np.__file__).parents[1] / "numpy.libs"
    for path in sorted(folder.glob("*openblas*")):
        try:
            library = ctypes.CDLL(str(path))  # loaded already: this gives the same one
            kernel = library.scipy_openblas_get_corename64_
            threads = library.scipy_openblas_get_num_threads64_
        except (OSError, AttributeError):
            continue
        kernel.restype = ctypes.c_char_p
        return {"kernel": kernel().decode(), "threads": threads()}
    return {}


def _check_blas() -> Finding:
    facts = blas_facts()
    text = " ".join(filter(None, (facts["name"], facts["version"])))
    if facts["kernel"]:
        text += f", {facts['kernel']} kernels"
    if facts["threads"]:
        text += f", {facts['threads']} {'thread' if facts['threads'] == 1 else 'threads'} on {_cores()} cores"
    return Finding("blas", "ok", text, facts=facts)


def _check_environment() -> Iterator[Finding]:
    """What in the environment slows NumPy down, said plainly; silent where nothing does."""
    found = {name: os.environ[name] for name in (*SLOWING, *THREADS, DEVICE_VARIABLE) if os.environ.get(name)}
    for name, effect in SLOWING.items():
        if name in found:
            yield Finding(
                name,
                "warning",
                f"is set to {found[name]!r}: it {effect}",
                f"unset {name} (if nothing here needs it): NumPy may be up to twice as fast",
                {"value": found[name]},
            )
    for name in THREADS:
        if name in found and found[name].isdigit() and int(found[name]) < _cores():
            yield Finding(
                name,
                "note",
                f"limits NumPy to {found[name]} of {_cores()} cores",
                f"unset {name} to use all of them",
                {"value": found[name]},
            )
    if DEVICE_VARIABLE in found:
        yield _check_device_variable(found[DEVICE_VARIABLE])


def _check_device_variable(value: str) -> Finding:
    from ..backend import choose_backend

    try:
        text = f"is {value!r}: {choose_backend(device=value)}"
    except MiniGPT2Error as error:
        return Finding(DEVICE_VARIABLE, "failure", f"is {value!r}: {error}", f"unset {DEVICE_VARIABLE}")
    return Finding(DEVICE_VARIABLE, "ok", text, facts={"value": value})


def _check_speed() -> Finding:
    n = 1024
    a = np.ones((n, n), dtype=np.float32)
    seconds = min(_seconds(lambda: a @ a) for _ in range(6))
    gflops = 2 * n**3 / seconds / 1e9
    return Finding(
        "speed",
        "ok",
        f"{gflops:,.0f} GFLOP/s in a float32 product of {n}×{n} matrices (best of 6)",
        facts={"gflops": round(gflops, 1)},
    )


def _check_gpu() -> Finding:
    from ..backend import choose_backend, gpu_problem

    problem = gpu_problem()
    if problem:
        what, _, remedy = problem.partition(": ")
        return Finding("gpu", "note", f"not used: {what}", remedy or None, {"usable": False})
    xp = choose_backend(device="cuda").xp
    runtime = xp.cuda.runtime
    name = runtime.getDeviceProperties(0)["name"].decode()
    free, total = runtime.memGetInfo()
    cuda, driver = (_cuda_version(v) for v in (runtime.runtimeGetVersion(), runtime.driverGetVersion()))
    return Finding(
        "gpu",
        "ok",
        f"{name}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free, CuPy {xp.__version__}, CUDA {cuda}, "
        f"driver for CUDA {driver}",
        facts={
            "usable": True,
            "name": name,
            "memory_bytes": total,
            "free_bytes": free,
            "cupy": xp.__version__,
            "cuda": cuda,
            "driver": driver,
        },
    )


def _check_model() -> Finding:
    """Load the bundled model and embed with it, as a user's first command does."""
    from ..encoder import load

    sentence = "The cat is sleeping"
    try:
        start = time.perf_counter()
        encoder = load()
        loading = time.perf_counter() - start
        vector = encoder.encode(sentence, normalize_embeddings=True)
        length = float(np.sqrt(np.dot(vector, vector)))
        embedding = min(_seconds(lambda: encoder.encode(sentence)) for _ in range(5))
    except MiniGPT2Error as error:
        return Finding("model", "failure", str(error), "pip install --force-reinstall minigpt2")
    if not abs(length - 1.0) < 1e-3:
        text = f"a normalised vector of {encoder.path} has length {length:.4f} instead of 1"
        return Finding("model", "failure", text, "pip install --force-reinstall minigpt2")
    return Finding(
        "model",
        "ok",
        f"{encoder.path.name} loads in {1e3 * loading:.0f} ms and embeds a sentence in {1e3 * embedding:.1f} ms",
        facts={
            "path": str(encoder.path),
            "load_ms": round(1e3 * loading, 2),
            "embed_ms": round(1e3 * embedding, 3),
            "dimensions": len(vector),
        },
    )


def _printer(stream) -> Callable[[Finding], None]:
    """Prints findings one by one; plain where rich, which doctor checks too, cannot be imported."""
    width = max(map(len, (*REQUIRED, *SLOWING, *THREADS)))
    marks = {"ok": "ok", "note": "note", "warning": "slow", "failure": "FAIL"}
    try:
        out = console.stdout()
        from rich.padding import Padding
        from rich.text import Text
    except ImportError:

        def plain(finding: Finding) -> None:
            stream.write(f"{marks[finding.state]:<5} {finding.topic:<{width}} {finding.text}\n")
            if finding.remedy:
                stream.write(f"{'':<5} {'':<{width}} -> {finding.remedy}\n")
            stream.flush()

        return plain

    colours = {"ok": "green", "note": "cyan", "warning": "yellow", "failure": "bold red"}

    def rich_lines(finding: Finding) -> None:
        out.print(
            Text.assemble((f"{marks[finding.state]:<5}", colours[finding.state]), (finding.topic, "bold"))
        )
        out.print(Padding(Text(finding.text), (0, 0, 0, 5)))
        if finding.remedy:
            out.print(Padding(Text(f"→ {finding.remedy}"), (0, 0, 0, 5)))

    return rich_lines


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cuda_version(number: int) -> str:
    """12090 -> "12.9" """
    return f"{number // 1000}.{number % 1000 // 10}"
