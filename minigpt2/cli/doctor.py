"""`minigpt2 doctor`: is everything here that minigpt2 needs, is it fast, and what to do where it is not.

Every check is a Finding. A missing GPU is a fact and not a failure; only what minigpt2 cannot work without
makes the command exit with 1.
"""

import argparse
import ctypes
import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from .. import __version__
from ..errors import MiniGPT2Error
from . import console
from .options import DEVICE_VARIABLE

HELP = "check this installation: versions, speed, GPU, the bundled model"

REQUIRED = ("numpy", "safetensors", "rich", "regex")

# Variables that make OpenBLAS take other code, or NumPy fewer instructions, than the processor allows.
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
    state: str  # "ok", "note" (worth knowing), "warning" (works, but slower than it could), "failure"
    text: str
    facts: dict[str, Any]
    remedy: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = "Check this installation. Exits with 1 if something that minigpt2 needs is broken."
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Make every check and print what it found."""
    show = _printer(sys.stdout) if not args.json else None
    findings = []
    for finding in check():
        findings.append(finding)
        if show:
            show(finding)
    failed = any(finding.state == "failure" for finding in findings)
    if args.json:
        report = {"ok": not failed, "findings": [finding._asdict() for finding in findings]}
        sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return 1 if failed else 0


def check() -> Iterator[Finding]:
    """All findings, each made when it is asked for, since the last ones take a moment."""
    version = platform.python_version()
    machine = f"{platform.system()} {platform.machine()}"
    yield Finding("python", "ok", f"{version} on {machine}", {"version": version, "machine": machine})
    home = str(Path(__file__).parents[1])
    yield Finding("minigpt2", "ok", f"{__version__} in {home}", {"version": __version__, "path": home})
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
        remedy = f"pip install --force-reinstall {name}"
        return Finding(name, "failure", f"cannot be imported: {reason}", {"version": None}, remedy)
    return Finding(name, "ok", version, {"version": version})


def blas_facts() -> dict[str, Any]:
    """NumPy's matrix library: name, version, and where it tells them, the kernel and the threads in use.

    threadpoolctl knows every library, if it is installed; without it, OpenBLAS as NumPy's wheels bring it is
    asked through its own functions.
    """
    built = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    facts = {"name": built.get("name", "unknown"), "version": built.get("version"), "kernel": None}
    facts |= {"threads": None}
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return facts | ask_bundled_openblas()
    for library in threadpool_info():
        if library["user_api"] == "blas" and "numpy" in library["filepath"]:
            facts |= {"kernel": library.get("architecture"), "threads": library["num_threads"]}
    return facts


def ask_bundled_openblas() -> dict[str, Any]:
    """Kernel and threads from the OpenBLAS beside NumPy, or nothing if there is none."""
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
        text += f", {facts['threads']} {'thread' if facts['threads'] == 1 else 'threads'}"
    return Finding("blas", "ok", text, facts)


def _check_environment() -> Iterator[Finding]:
    """What in the environment slows NumPy down, said plainly; silent where nothing does."""
    names = (*SLOWING, *THREADS, DEVICE_VARIABLE)
    found = {name: os.environ[name] for name in names if os.environ.get(name)}
    for name, value in found.items():
        facts = {"variable": name, "value": value}
        if name in SLOWING:
            text = f"{name}={value} {SLOWING[name]}; NumPy may run at half its speed"
            yield Finding("environment", "warning", text, facts, f"unset {name}")
        elif name == DEVICE_VARIABLE:
            yield _check_device(value, facts)
        elif value.isdigit() and int(value) < _cores():
            text = f"{name}={value} limits NumPy to {value} of {_cores()} cores"
            yield Finding("environment", "note", text, facts, f"unset {name}")


def _check_device(value: str, facts: dict[str, Any]) -> Finding:
    from ..backend import choose_backend

    try:
        text = f"{DEVICE_VARIABLE}={value}: {choose_backend(device=value)}"
    except MiniGPT2Error as error:
        text = f"{DEVICE_VARIABLE}={value}: {error}"
        return Finding("environment", "failure", text, facts, f"unset {DEVICE_VARIABLE}")
    return Finding("environment", "ok", text, facts)


def _check_speed() -> Finding:
    n = 1024
    a = np.ones((n, n), dtype=np.float32)
    gflops = 2 * n**3 / min(_seconds(lambda: a @ a) for _ in range(6)) / 1e9
    text = f"{gflops:,.0f} GFLOP/s, float32 product of {n}×{n} matrices"
    return Finding("speed", "ok", text, {"gflops": round(gflops, 1)})


def _check_gpu() -> Finding:
    from ..backend import choose_backend, gpu_problem

    problem = gpu_problem()
    if problem:
        what, _, remedy = problem.partition(": ")
        facts = {"usable": False, "problem": problem}
        return Finding("gpu", "note", f"not used: {what}", facts, remedy or None)
    xp = choose_backend(device="cuda").xp
    runtime = xp.cuda.runtime
    free, total = runtime.memGetInfo()
    facts = {
        "usable": True,
        "name": runtime.getDeviceProperties(0)["name"].decode(),
        "memory_bytes": total,
        "free_bytes": free,
        "cupy": xp.__version__,
        "cuda": _cuda_version(runtime.runtimeGetVersion()),
        "driver": _cuda_version(runtime.driverGetVersion()),
    }
    text = (
        f"{facts['name']}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free, CuPy {facts['cupy']}, "
        f"CUDA {facts['cuda']}, driver for CUDA {facts['driver']}"
    )
    return Finding("gpu", "ok", text, facts)


def _check_model() -> Finding:
    """Load the bundled model and embed with it, as a user's first command does."""
    sentence = "The cat is sleeping"
    try:
        from ..encoder import load

        start = time.perf_counter()
        encoder = load()
        loading = time.perf_counter() - start
        vector = encoder.encode(sentence, normalize_embeddings=True)
        embedding = min(_seconds(lambda: encoder.encode(sentence)) for _ in range(5))
    except (MiniGPT2Error, ImportError) as error:
        return Finding("model", "failure", str(error), {})
    facts = {
        "path": str(encoder.path),
        "dimensions": len(vector),
        "length": float(np.linalg.norm(vector)),
        "load_ms": round(1e3 * loading, 2),
        "embed_ms": round(1e3 * embedding, 3),
    }
    if not abs(facts["length"] - 1.0) < 1e-3:
        text = f"{encoder.path.name} gives a vector of length {facts['length']:.4g} instead of 1"
        return Finding("model", "failure", text, facts, "install minigpt2 again from its repository")
    times = f"loads in {facts['load_ms']:.0f} ms and embeds a sentence in {facts['embed_ms']:.1f} ms"
    return Finding("model", "ok", f"{encoder.path.name} {times}", facts)


def _printer(stream: TextIO) -> Callable[[Finding], None]:
    """Prints findings one by one: wrapped and in colour on a terminal, one line each elsewhere."""
    marks = {"ok": "ok", "note": "note", "warning": "slow", "failure": "FAIL"}
    colours = {"ok": "green", "note": "cyan", "warning": "yellow", "failure": "bold red"}
    if not console.stdout_is_terminal() or importlib.util.find_spec("rich") is None:

        def line(finding: Finding) -> None:
            remedy = f" -> {finding.remedy}" if finding.remedy else ""
            stream.write(f"{marks[finding.state]:<5}{finding.topic:<12}{finding.text}{remedy}\n")
            stream.flush()

        return line

    from rich.table import Table
    from rich.text import Text

    out = console.stdout()

    def row(finding: Finding) -> None:
        grid = Table.grid()
        grid.add_column(width=5, style=colours[finding.state])
        grid.add_column(width=12, style="bold")
        grid.add_column(overflow="fold")
        text = Text(finding.text)
        if finding.remedy:
            text.append(f"\n→ {finding.remedy}", style=colours[finding.state])
        grid.add_row(marks[finding.state], finding.topic, text)
        out.print(grid)

    return row


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cuda_version(number: int) -> str:
    """12090 -> 12.9"""
    return f"{number // 1000}.{number % 1000 // 10}"
