"""Weights on the disk: the safetensors format, read strictly, and the names that a GPT-2 goes by in it.

    8 bytes   N, the length of the header, unsigned, little-endian
    N bytes   JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [start, stop]}, …},
              "__metadata__" may hold strings; it begins with "{" and may end in spaces
    the rest  the numbers, little-endian, C order; offsets count from here, without gap or overlap

Format: the safetensors specification (huggingface/safetensors, README, "Format"). The reader is our own,
because the library's accepts a name twice and cannot give bfloat16 to NumPy. It reads one block at a time,
into the flat array of `Parameters` or one tensor after the other, so that loading needs no more memory than
what is made of it. Only the token table may be left in the file, as a memory map: a text needs few of its
rows. (Mapped as a whole, the file would be counted twice, and if it were cut short while it is in use, the
process would end without an error. minigpt2 itself never changes a file in place.)
"""

import contextlib
import math
import os
import re
import stat
import threading
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from .backend import DTYPES, Array, to_numpy
from .config import GPT2Config
from .errors import ModelError, OutputError, UsageError
from .files import parse_json, read_json, shorten
from .float16 import count_not_finite, float32_of
from .parameters import Parameters, parameter_shapes

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
SAVED_DTYPES = ("float32", "float16")

# Largest header, as in the library: a bound on what a damaged length can make us parse.
MAX_HEADER_BYTES = 100_000_000

# Bytes of one number of every dtype that the format names in whole bytes.
ITEM_BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E5M2": 1,
    "F8_E4M3": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
}
ITEM_BYTES |= {"I32": 4, "U32": 4, "F32": 4, "C64": 8, "I64": 8, "U64": 8, "F64": 8}

# What weights may be stored as. NumPy has no bfloat16: its 16 bits are the upper half of a float32.
FLOAT_TYPES = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}

# The causal mask, which old checkpoints store with the weights, once a layer.
MASK_BUFFER = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")

BLOCK = 1 << 16  # numbers converted and checked at a time: 256 KiB of float32 stay in the cache


class TensorEntry(NamedTuple):
    """Where one tensor lies."""

    dtype: str  # as the format spells it: "F32", "BF16", …
    shape: tuple[int, ...]
    start: int  # first byte, counted from the beginning of the file
    stop: int


def read_header(file: BinaryIO, where: str) -> dict[str, TensorEntry]:
    """The tensors of an open safetensors file; `where` names it in messages.

    Raises ModelError for everything that the format forbids: a file or header cut short, a header that is too
    long or no JSON, a name twice, an unknown dtype, offsets that leave a gap, overlap, pass the end of the
    file or do not fit the shape.
    """
    size = file.seek(0, os.SEEK_END)
    if size < 8:
        raise ModelError(f"{where} is truncated: {size} bytes cannot hold a safetensors header")
    file.seek(0)
    header_bytes = int.from_bytes(file.read(8), "little")
    if header_bytes > MAX_HEADER_BYTES:
        raise ModelError(f"{where}: a header of {header_bytes} bytes is too large: not a safetensors file?")
    data_start = 8 + header_bytes
    if data_start > size:
        raise ModelError(f"{where} is truncated: the header alone needs {data_start} bytes, not {size}")
    header = file.read(header_bytes)
    if not header.startswith(b"{"):
        raise ModelError(f"{where}: the header does not begin with '{{': not a safetensors file")
    try:
        text = header.decode("utf-8")
    except UnicodeDecodeError:
        raise ModelError(f"{where}: the header is not UTF-8: not a safetensors file") from None
    fields = parse_json(text.rstrip(" "), f"{where}, header")

    metadata = fields.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ModelError(f"{where}: the header's __metadata__ must map names to strings")
    entries = {name: _parse_entry(name, entry, data_start, where) for name, entry in fields.items()}
    _check_layout(entries, data_start, size, where)
    return entries


def _parse_entry(name: str, entry: Any, data_start: int, where: str) -> TensorEntry:
    tensor = f"{where}: tensor {shorten(name)}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ModelError(f"{tensor} needs exactly dtype, shape and data_offsets in the header")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise ModelError(f"{tensor} has the unknown dtype {shorten(dtype)}")
    if not _are_sizes(shape):
        raise ModelError(f"{tensor} has the impossible shape {shorten(shape)}")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise ModelError(f"{tensor} has the impossible data_offsets {shorten(offsets)}")
    start, stop = offsets
    needed = math.prod(shape) * ITEM_BYTES[dtype]
    if stop - start != needed:
        raise ModelError(f"{tensor} has {stop - start} bytes, but {dtype} {shorten(shape)} needs {needed}")
    return TensorEntry(dtype, tuple(shape), data_start + start, data_start + stop)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 2**63 for size in value)


def _check_layout(entries: Mapping[str, TensorEntry], start: int, size: int, where: str) -> None:
    """The tensors must fill the file from `start` to its end, one after the other."""
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.stop > size:
            raise ModelError(
                f"{where} is truncated: tensor {shorten(name)} ends at byte {entry.stop} of {size}: "
                f"fetch it again"
            )
        if entry.start != start:
            what = "leaves a gap before" if entry.start > start else "overlaps the tensor before"
            raise ModelError(f"{where}: the header {what} tensor {shorten(name)}: the file is damaged")
        start = entry.stop
    if start != size:
        raise ModelError(f"{where}: {size - start} bytes at the end belong to no tensor: the file is damaged")


class StoredTensor(NamedTuple):
    """A tensor in an open file."""

    name: str  # as stored
    entry: TensorEntry
    file: BinaryIO
    where: str  # the file's name

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Its numbers in C order: (index of the first, up to BLOCK of them in float16, 32 or 64).

        A block is overwritten by the next one.
        """
        dtype = np.dtype(FLOAT_TYPES[self.entry.dtype])
        size = math.prod(self.entry.shape)
        buffer = np.empty(min(BLOCK, size), dtype)
        for first in range(0, size, BLOCK):
            block = buffer[: min(BLOCK, size - first)]
            if _read_at(self.file, self.entry.start + first * dtype.itemsize, block) != block.nbytes:
                raise ModelError(f"{self.where} was cut short while it was read: fetch it again")
            if self.entry.dtype == "BF16":
                block = (block.astype(np.uint32) << np.uint32(16)).view(np.float32)
            yield first, block


def _read_at(file: BinaryIO, place: int, into: np.ndarray) -> int:
    """Fill an array with the bytes of a file from `place` on; how many there were"""
    if hasattr(os, "preadv"):  # does not move the place in the file, which processes share after a fork
        return os.preadv(file.fileno(), [into], place)
    file.seek(place)
    return file.readinto(into)


@contextlib.contextmanager
def open_tensors(folder: Path) -> Iterator[dict[str, StoredTensor]]:
    """Stored name -> tensor, over `model.safetensors` or all shards of `model.safetensors.index.json`."""
    with contextlib.ExitStack() as files:
        tensors: dict[str, StoredTensor] = {}
        for path in _weight_files(folder):
            file = files.enter_context(_open(path))
            for name, entry in read_header(file, str(path)).items():
                if name in tensors:
                    raise ModelError(f"tensor {shorten(name)} is both in {tensors[name].where} and in {path}")
                tensors[name] = StoredTensor(name, entry, file, str(path))
        yield tensors


def _open(path: Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: the checkpoint is incomplete, fetch it again") from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {(error.strerror or 'unreadable').lower()}") from error


def _weight_files(folder: Path) -> list[Path]:
    """The one file or the shards that the index names, each once, in its order."""
    if (folder / WEIGHTS).exists():
        return [folder / WEIGHTS]
    if not (folder / INDEX).exists():
        if any(folder.glob("pytorch_model*.bin")):
            raise ModelError(
                f"{folder} has only pytorch_model.bin, a pickle, which minigpt2 does not open: write it anew "
                f"with transformers' GPT2Model.from_pretrained({str(folder)!r}).save_pretrained(NEW_FOLDER)"
            )
        raise ModelError(f"{folder} has no {WEIGHTS} and no {INDEX}: it is not a complete model directory")
    weight_map = read_json(folder / INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelError(f"{folder / INDEX} has no weight_map from tensor names to files")
    for name, shard in weight_map.items():
        is_name = isinstance(shard, str) and Path(shard).name == shard and shard.isprintable()
        if not is_name or not shard.endswith(".safetensors"):
            raise ModelError(
                f"{folder / INDEX} puts tensor {shorten(name)} into {shorten(shard)}, no shard of that folder"
            )
    return [folder / shard for shard in dict.fromkeys(weight_map.values())]


class StoredParameters(Mapping[str, np.ndarray]):
    """The parameters of an open checkpoint: `stored["wpe.weight"]` reads that tensor, in float32.

    The files stay open until `close`, so they are the same ones even if others take their names meanwhile.
    """

    def __init__(self, folder: str | Path, config: GPT2Config) -> None:
        """Open `model.safetensors` or its shards and compare names, shapes and dtypes with `config`.

        Names may have the prefix `transformer.`; mask buffers are ignored; `lm_head.weight` is accepted if it
        is the token embedding, which is what GPT-2 ties it to. Raises ModelError naming file and tensor:
        damaged file, wrong shape or dtype, missing or unexpected tensors.
        """
        folder = Path(folder)
        self._lock = threading.Lock()  # a file has one place where it is read
        with contextlib.ExitStack() as opened:
            self._tensors = _by_parameter_name(opened.enter_context(open_tensors(folder)))
            self._head = self._tensors.pop("lm_head.weight", None)
            # Asked first: to list the shapes of billions of layers takes ages.
            if len(self._tensors) < config.L:
                raise ModelError(
                    f"{folder}: config.json asks for {shorten(config.L)} layers, but the checkpoint has only "
                    f"{len(self._tensors)} tensors"
                )
            self._shapes = parameter_shapes(config)
            _check_fit(self._tensors, self._shapes, folder)
            # Not __del__: the files would be found open if they went first, as in a cycle they may.
            self._close = weakref.finalize(self, opened.pop_all().close)

    def __enter__(self) -> "StoredParameters":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; memory maps of them stay."""
        self._close()

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, name: str) -> np.ndarray:
        """A tensor in float32. Raises ModelError if a number is not finite in it."""
        array = np.empty(self._shapes[name], np.float32)
        with self._lock:
            _fill(array.reshape(-1), self._tensors[name])
        return array

    def mapped(self, name: str) -> np.ndarray:
        """A tensor as it is stored, in a read-only memory map; or read, in float32, if NumPy lacks its dtype.

        Its numbers are checked, without being kept in memory. Raises ModelError as `[]` does.
        """
        tensor = self._tensors[name]
        if tensor.entry.dtype not in ("F16", "F32"):
            return self[name]
        dtype = np.dtype(FLOAT_TYPES[tensor.entry.dtype])
        with self._lock:
            _check_finite(tensor)
            mapped = np.memmap(tensor.file, dtype, "r", tensor.entry.start, tensor.entry.shape)
        return np.asarray(mapped)

    def check_head(self, dtype: str = "float32") -> None:
        """Raise ModelError if there is an output head that is not the token embedding."""
        if self._head is not None:
            with self._lock:
                _check_tied(self._head, self._tensors["wte.weight"], np.dtype(dtype))

    def read(self, config: GPT2Config, dtype: str = "float32") -> Parameters:
        """All of them in one flat array of `dtype`. Raises ModelError as `read_checkpoint` does."""
        parameters = Parameters.empty(config, np, dtype)
        with self._lock:
            for name, view in parameters.items():
                _fill(view.reshape(-1), self._tensors[name])
        self.check_head(dtype)
        return parameters


def read_checkpoint(folder: str | Path, config: GPT2Config, dtype: str = "float32") -> Parameters:
    """The parameters of a GPT-2 of shape `config`, from `model.safetensors` or its shards, on the host.

    float16, bfloat16, float32 and float64 become `dtype` ("float32" or "float64"). Raises ModelError as
    `StoredParameters` does, and for an output head of its own and numbers that are not finite.
    """
    if dtype not in DTYPES:
        raise UsageError(f"unknown dtype {dtype!r}: use one of {', '.join(DTYPES)}")
    with StoredParameters(folder, config) as stored:
        return stored.read(config, dtype)


def _by_parameter_name(stored: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    tensors: dict[str, StoredTensor] = {}
    for stored_name, tensor in stored.items():
        name = stored_name.removeprefix("transformer.")
        if MASK_BUFFER.fullmatch(name):
            continue
        if name in tensors:
            raise ModelError(
                f"{tensor.where}: tensor {shorten(name)} stands both with and without 'transformer.'"
            )
        tensors[name] = tensor
    return tensors


def _check_fit(
    tensors: Mapping[str, StoredTensor], shapes: Mapping[str, tuple[int, ...]], folder: Path
) -> None:
    missing = [name for name in shapes if name not in tensors]
    if missing:
        raise ModelError(f"{folder}: the checkpoint lacks {_some(missing)}, which config.json asks for")
    unexpected = [tensor.name for name, tensor in tensors.items() if name not in shapes]
    if unexpected:
        raise ModelError(
            f"{folder}: the checkpoint has {_some(unexpected)}, which a GPT-2 of config.json has not"
        )
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tensor.entry.shape != shape:
            raise ModelError(
                f"{tensor.where}: tensor {shorten(tensor.name)} has shape {tensor.entry.shape}, "
                f"but config.json makes it {shape}"
            )
        _check_is_float(tensor)


def _check_is_float(tensor: StoredTensor) -> None:
    if tensor.entry.dtype not in FLOAT_TYPES:
        raise ModelError(
            f"{tensor.where}: tensor {shorten(tensor.name)} is {tensor.entry.dtype}, "
            f"but weights must be one of {', '.join(FLOAT_TYPES)}"
        )


def _some(names: list[str]) -> str:
    shown = ", ".join(shorten(name) for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{'tensor' if len(names) == 1 else 'tensors'} {shown}{more}"


def _fill(flat: np.ndarray, tensor: StoredTensor) -> None:
    """Copy a stored tensor into `flat` (size,), and refuse it if any number is not finite there."""
    bad = 0
    for first, block in tensor.blocks():
        into = flat[first : first + len(block)]
        with np.errstate(over="ignore", invalid="ignore"):
            into[:] = float32_of(block) if block.dtype == np.float16 else block
        bad += count_not_finite(into)
    _refuse_infinite(tensor, bad, flat.dtype)


def _check_finite(tensor: StoredTensor) -> None:
    """The same check of a tensor that stays in its file."""
    bad = sum(count_not_finite(block) for _, block in tensor.blocks())
    _refuse_infinite(tensor, bad, np.dtype(np.float32))


def _refuse_infinite(tensor: StoredTensor, bad: int, dtype: np.dtype) -> None:
    if bad:
        raise ModelError(
            f"{tensor.where}: tensor {shorten(tensor.name)} has {bad} of {math.prod(tensor.entry.shape)} "
            f"numbers that are NaN or infinite in {dtype}: the checkpoint is damaged or its training diverged"
        )


def _check_tied(head: StoredTensor, token_embedding: StoredTensor, dtype: np.dtype) -> None:
    """`lm_head.weight` must be the token embedding: the tied head of Radford et al. is the only one here."""
    _check_is_float(head)
    same = head.entry.shape == token_embedding.entry.shape
    if same:
        with np.errstate(over="ignore", invalid="ignore"):
            same = all(
                np.array_equal(a.astype(dtype, copy=False), b.astype(dtype, copy=False))
                for (_, a), (_, b) in zip(head.blocks(), token_embedding.blocks(), strict=True)
            )
    if not same:
        raise ModelError(
            f"{head.where}: {shorten(head.name)} differs from wte.weight, but GPT-2's output head is its "
            f"token embedding: an untied head cannot be loaded; remove the tensor to embed text with it"
        )


def write_checkpoint(folder: str | Path, parameters: Mapping[str, Array], dtype: str = "float32") -> None:
    """Write `model.safetensors` in `folder`, in "float32" or "float16", under the names of `parameters`.

    Raises ModelError naming the tensor if a number is not finite or too large for `dtype`. Not atomic: meant
    for a folder from `atomic_directory`.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    if dtype not in SAVED_DTYPES:
        raise UsageError(f"cannot save weights as {dtype!r}: use one of {', '.join(SAVED_DTYPES)}")
    tensors = {}
    for name, view in parameters.items():
        values = to_numpy(view)
        with np.errstate(over="ignore", invalid="ignore"):
            # The library writes wrong data for an array that is not contiguous.
            tensors[name] = np.ascontiguousarray(values, dtype=dtype)
        bad = values.size - int(np.count_nonzero(np.isfinite(tensors[name])))
        if bad:
            largest = float(np.max(np.abs(values), initial=0.0))
            raise ModelError(
                f"cannot save tensor {name!r} as {dtype}: {bad} of {values.size} numbers are NaN, infinite "
                f"or beyond {float(np.finfo(dtype).max):g} (largest: {largest:g})"
            )
    path = Path(folder) / WEIGHTS
    path.touch()
    usual_mode = stat.S_IMODE(path.stat().st_mode)
    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:
        raise OutputError(f"cannot write {path}: {error}") from error
    path.chmod(usual_mode)  # the library leaves a file that only its owner can read
