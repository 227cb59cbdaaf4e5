"""The whole state of a run on the disk, so that a killed run goes on as if nothing had happened.

    OUTPUT/checkpoints/step-00000200/
        state.safetensors     parameters, m, v: three flat arrays (P,) in the precision of the model
        state.json            step, place in the data, position of the random numbers, best metric, …
        manifest.json         size and SHA-256 of the two files above

A checkpoint is written into a hidden folder, flushed to the disk and renamed (`files.atomic_directory`), so
it is there whole or not at all; the manifest finds what a disk or a copy has damaged since. Writing streams
the arrays through one block, so it needs no second copy of the model in memory.
"""

import contextlib
import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, to_numpy
from ..checkpoint import read_header
from ..errors import ModelError, OutputError
from ..files import atomic_directory, read_json, write_json

STATE, ARRAYS, MANIFEST = "state.json", "state.safetensors", "manifest.json"
NAME = re.compile(r"step-(\d{8,})")

# Left behind by a process that was killed while it wrote: see `files`.
LEFTOVER = re.compile(r"\..+\.[0-9a-f]{12}\.tmp(\..*)?")

BLOCK = 1 << 22  # numbers written or read at a time


@dataclass
class Progress:
    """Where a run stands, apart from the arrays: everything that the next step depends on."""

    step: int = 0  # optimizer steps done
    epoch: int = 0  # the epoch of the next batch, from 0
    batch: int = 0  # and its number in that epoch
    tokens: int = 0  # seen so far
    seconds: float = 0.0  # of work so far
    optimizer_steps: int = 0  # AdamW's t: less than `step` where float16 overflowed
    random_position: int = 0  # draws made by the generator of dropout
    loss_scale: dict[str, Any] | None = None  # state of the LossScaler, with float16 products
    best_metric: float | None = None
    best_step: int | None = None
    not_better: int = 0  # validations since the best one
    collapse_history: list[dict[str, Any]] = field(default_factory=list)  # gauges of every validation
    metrics: dict[str, float] = field(default_factory=dict)  # of the last validation
    warned_of_collapse: bool = False  # the last validation had an alarm, so the next one need not repeat it
    validated_step: int | None = None  # the last step that was validated


class Checkpoint(NamedTuple):
    """What a checkpoint holds, on the host."""

    path: Path
    progress: Progress
    arrays: dict[str, np.ndarray]  # name -> (P,)


def write_training_checkpoint(folder: Path, progress: Progress, arrays: dict[str, Array]) -> Path:
    """Write `folder/step-…` whole, replacing one of the same step; gives its path.

    Raises OutputError if it cannot be written; what was there before is untouched then.
    """
    path = _path_of(folder, progress.step)
    with atomic_directory(path, overwrite=True) as temporary:
        files = {ARRAYS: _write_arrays(temporary / ARRAYS, arrays)}
        write_json(temporary / STATE, dataclasses.asdict(progress))
        state = (temporary / STATE).read_bytes()
        files[STATE] = {"bytes": len(state), "sha256": hashlib.sha256(state).hexdigest()}
        write_json(temporary / MANIFEST, {"format": 1, "files": files})
    return path


def _write_arrays(path: Path, arrays: dict[str, Array]) -> dict[str, Any]:
    """Flat arrays into a safetensors file, by blocks: its entry in the manifest"""
    header, stop = {}, 0
    for name, array in arrays.items():
        start, stop = stop, stop + array.size * array.dtype.itemsize
        kind = {"float32": "F32", "float64": "F64"}[array.dtype.name]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, stop]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of 8
    digest = hashlib.sha256()
    with open(path, "wb") as file:

        def write(data: bytes | memoryview) -> None:
            digest.update(data)
            file.write(data)

        write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            for start in range(0, array.size, BLOCK):
                block = np.ascontiguousarray(to_numpy(array[start : start + BLOCK]))
                write(memoryview(block.astype(block.dtype.newbyteorder("<"), copy=False)).cast("B"))
        size = file.tell()
    return {"bytes": size, "sha256": digest.hexdigest()}


def read_training_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises ModelError, saying what is wrong, unless it is exactly what was written."""
    if not (path / MANIFEST).exists():
        raise ModelError(f"{path} has no {MANIFEST}, so it is not complete")
    files = read_json(path / MANIFEST).get("files")
    if not isinstance(files, dict) or set(files) != {STATE, ARRAYS}:
        raise ModelError(f"{path / MANIFEST} does not name {STATE} and {ARRAYS}")
    for name, entry in files.items():
        _check(path / name, entry)
    fields = read_json(path / STATE)
    known = {f.name for f in dataclasses.fields(Progress)}
    if set(fields) != known:
        raise ModelError(f"{path / STATE} was written by another version of minigpt2")
    arrays = {}
    with open(path / ARRAYS, "rb") as file:
        for name, entry in read_header(file, str(path / ARRAYS)).items():
            file.seek(entry.start)
            arrays[name] = np.empty(entry.shape, {"F32": "<f4", "F64": "<f8"}[entry.dtype])
            file.readinto(memoryview(arrays[name]).cast("B"))
    return Checkpoint(path, Progress(**fields), arrays)


def _check(path: Path, entry: Any) -> None:
    """The file must have the size and the checksum that the manifest says."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            while block := file.read(1 << 22):
                digest.update(block)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {(error.strerror or 'unreadable').lower()}") from None
    if not isinstance(entry, dict) or size != entry.get("bytes"):
        wanted = entry.get("bytes") if isinstance(entry, dict) else None
        raise ModelError(f"{path} has {size} bytes, but {wanted} were written")
    if digest.hexdigest() != entry.get("sha256"):
        raise ModelError(f"{path} is damaged: its SHA-256 is not the one in {MANIFEST}")


def checkpoints_in(folder: Path) -> list[Path]:
    """All finished checkpoints, oldest first, whole or damaged."""
    if not folder.is_dir():
        return []
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def checkpoint_of(folder: Path, step: int) -> Checkpoint:
    """The checkpoint of a step. Raises ModelError unless it is there and whole."""
    return read_training_checkpoint(_path_of(folder, step))


def _path_of(folder: Path, step: int) -> Path:
    return folder / f"step-{step:08d}"


def newest_checkpoint(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that is whole, None if there is none; and why each newer one was passed over."""
    warnings = []
    for path in reversed(checkpoints_in(folder)):
        try:
            return read_training_checkpoint(path), warnings
        except ModelError as error:
            warnings.append(f"checkpoint {path.name} is passed over: {error}")
    return None, warnings


def remove_old_checkpoints(folder: Path, keep: int, best_step: int | None, newest_step: int) -> None:
    """Remove all but the newest `keep` and the best; those after `newest_step`, once passed over, go too."""
    steps = {int(NAME.fullmatch(path.name)[1]): path for path in checkpoints_in(folder)}
    valid = [step for step in steps if step <= newest_step]
    kept = {*sorted(valid)[-keep:], best_step}
    for step, path in steps.items():
        if step not in kept:
            remove_folder(path)


def remove_folder(path: Path) -> None:
    """Delete a folder of a run: renamed first, so that a kill never leaves half of one under its name."""
    hidden = path.with_name(f".{path.name}.{'0' * 12}.tmp")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(hidden)
    try:
        path.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as error:
        raise OutputError(f"cannot remove {path}: {(error.strerror or 'refused').lower()}") from error


def remove_leftovers(*folders: Path) -> None:
    """Delete what killed processes left half-written."""
    for path in _leftovers(folders):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _leftovers(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from [path for path in folder.iterdir() if LEFTOVER.fullmatch(path.name)]
