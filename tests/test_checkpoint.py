"""Checkpoints: the safetensors format read strictly, every number in its place."""

import io
import json
import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save, save_file

from minigpt2.checkpoint import ITEM_BYTES, open_tensors, read_checkpoint, read_header, write_checkpoint
from minigpt2.config import GPT2Config
from minigpt2.errors import ModelError, UsageError
from minigpt2.parameters import Parameters

CONFIG = GPT2Config(vocab_size=11, n_positions=7, n_embd=6, n_layer=2, n_head=2, n_inner=10)


@pytest.fixture
def parameters(rng):
    parameters = Parameters.empty(CONFIG)
    parameters.flat[:] = rng.standard_normal(parameters.flat.shape)
    return parameters


def raw_file(header, data: bytes = b"") -> bytes:
    """A safetensors file by hand: `header` is text, or a dict to be written as JSON."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def tensor(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def save_model(folder, tensors) -> None:
    save_file(
        {name: np.ascontiguousarray(values) for name, values in tensors.items()}, folder / "model.safetensors"
    )


def save_raw(
    folder, tensors: dict[str, tuple[str, tuple[int, ...], bytes]], name="model.safetensors"
) -> None:
    header, data = {}, b""
    for key, (dtype, shape, content) in tensors.items():
        header[key] = tensor(dtype, shape, (len(data), len(data) + len(content)))
        data += content
    (folder / name).write_bytes(raw_file(header, data))


def to_bfloat16(x: np.ndarray) -> bytes:
    """The upper 16 bits of every float32: rounding toward zero."""
    return (x.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()


class TestReadHeader:
    def test_agrees_with_the_library(self, rng):
        arrays = {
            "a": rng.standard_normal((2, 3)),
            "b": np.float32(rng.standard_normal(5)),
            "c": np.zeros((0, 4), np.float16),
            "d": np.array(7, np.int64),
            "e": np.array([True, False]),
            "f": np.arange(3, dtype=np.uint8),
        }
        content = save(arrays, metadata={"format": "pt"})
        entries = read_header(io.BytesIO(content), "x")
        assert set(entries) == set(arrays)
        for name, entry in entries.items():
            assert entry.shape == arrays[name].shape
            assert content[entry.start : entry.stop] == arrays[name].tobytes()

    def test_no_tensor_at_all(self):
        assert read_header(io.BytesIO(raw_file(b"{}")), "x") == {}
        assert read_header(io.BytesIO(raw_file(b"{}     ")), "x") == {}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "truncated: 0 bytes"),
            (b"\0" * 7, "truncated: 7 bytes"),
            (b"\xff" * 64, "too large"),
            ((100_000_001).to_bytes(8, "little"), "too large"),
            ((50).to_bytes(8, "little") + b"{}", "truncated: the header alone needs 58 bytes, not 10"),
            (raw_file(b""), "does not begin with"),
            (raw_file(b" {}"), "does not begin with"),
            (raw_file(b"[]"), "does not begin with"),
            (raw_file(b'{"\xff": 1}'), "not UTF-8"),
            (raw_file(b'{"a": '), r"header: line 1, column 6: not valid JSON"),
            (raw_file(b"{}\n \0"), "not valid JSON"),
            (raw_file(b'{"a": ' + b'{"a":' * 5000), "JSON"),
            (raw_file({"__metadata__": {"a": 1}}), "__metadata__ must map"),
            (raw_file({"__metadata__": ["a"]}), "__metadata__ must map"),
            (raw_file({"w": 1}), r"'w' needs exactly dtype, shape and data_offsets"),
            (raw_file({"w": {"dtype": "F32", "shape": []}}), "'w' needs exactly"),
            (raw_file({"w": tensor() | {"more": 1}}, bytes(8)), "'w' needs exactly"),
            (raw_file({"w": tensor("F33")}, bytes(8)), "unknown dtype 'F33'"),
            (raw_file({"w": tensor(["F32"])}, bytes(8)), r"unknown dtype \['F32'\]"),
            (raw_file({"w": tensor(shape=(-2,))}, bytes(8)), r"impossible shape \[-2\]"),
            (raw_file({"w": tensor(shape=(2.0,))}, bytes(8)), r"impossible shape \[2\.0\]"),
            (raw_file({"w": tensor(shape=(True, 2))}, bytes(8)), "impossible shape"),
            (raw_file({"w": tensor() | {"shape": 2}}, bytes(8)), "impossible shape 2"),
            (raw_file({"w": tensor(offsets=(0,))}, bytes(8)), "impossible data_offsets"),
            (raw_file({"w": tensor(offsets=(8, 0))}, bytes(8)), "impossible data_offsets"),
            (raw_file({"w": tensor(offsets=(-8, 0))}, bytes(8)), "impossible data_offsets"),
            (raw_file({"w": tensor(offsets=(0, 12))}, bytes(12)), r"'w' has 12 bytes, but F32 \[2\] needs 8"),
            (raw_file({"w": tensor(shape=(2**62, 2**62))}, bytes(8)), "needs"),
            (raw_file({"w": tensor()}, bytes(7)), r"truncated: tensor 'w' ends at byte \d+ of \d+"),
            (raw_file({"w": tensor()}), "truncated"),
            (raw_file({"w": tensor()}, bytes(9)), "1 bytes at the end belong to no tensor"),
            (raw_file({"w": tensor(offsets=(4, 12))}, bytes(12)), "leaves a gap before tensor 'w'"),
            (
                raw_file({"w": tensor(), "v": tensor(offsets=(4, 12))}, bytes(12)),
                "overlaps the tensor before tensor 'v'",
            ),
            (
                raw_file({"w": tensor(), "v": tensor(offsets=(12, 20))}, bytes(20)),
                "leaves a gap before tensor 'v'",
            ),
            (raw_file({"w": tensor(), "v": tensor()}, bytes(8)), "overlaps"),
            (
                raw_file(b'{"w": %s, "w": %s}' % ((json.dumps(tensor()).encode(),) * 2), bytes(8)),
                "the key 'w' stands twice",
            ),
            (
                raw_file(
                    b'{"w": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}', bytes(8)
                ),
                "the key 'dtype' stands twice",
            ),
            (raw_file({"\n" * 500: 1}), "needs exactly"),
        ],
    )
    def test_refuses_with_one_line(self, content, message):
        with pytest.raises(ModelError, match=message) as caught:
            read_header(io.BytesIO(content), "weights.safetensors")
        said = str(caught.value)
        assert "weights.safetensors" in said
        assert "\n" not in said
        assert len(said) < 300

    @given(st.binary(max_size=300))
    def test_arbitrary_bytes_give_tensors_or_a_model_error(self, content):
        self.parse(content)

    @given(st.binary(max_size=200), st.binary(max_size=20))
    def test_arbitrary_header(self, header, data):
        self.parse(raw_file(b"{" + header, data))

    @given(
        st.dictionaries(
            st.text(max_size=5) | st.just("__metadata__"),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
                lambda inner: (
                    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
                ),
            )
            | st.fixed_dictionaries(
                {
                    "dtype": st.sampled_from([*ITEM_BYTES, "F4"]),
                    "shape": st.lists(st.integers(-1, 3), max_size=3),
                    "data_offsets": st.lists(st.integers(-1, 20), min_size=1, max_size=3),
                }
            ),
            max_size=4,
        ),
        st.binary(max_size=40),
    )
    def test_arbitrary_json(self, header, data):
        self.parse(raw_file(header, data))

    @given(st.data())
    def test_one_changed_byte_of_a_good_file(self, data):
        content = bytearray(save({"a": np.arange(3, dtype=np.float32), "b": np.zeros((2, 2), np.float16)}))
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        self.parse(bytes(content[: data.draw(st.integers(0, len(content)))]))

    @staticmethod
    def parse(content: bytes) -> None:
        said, entries = None, {}
        try:
            entries = read_header(io.BytesIO(content), "x")
        except ModelError as error:
            said = str(error)
        if said is not None:
            assert "\n" not in said
            assert said.encode()  # no lone surrogate from a name
        else:
            assert sum(entry.stop - entry.start for entry in entries.values()) <= len(content)
            assert all(8 <= entry.start <= entry.stop <= len(content) for entry in entries.values())


class TestRead:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("stored", [np.float16, np.float32, np.float64])
    def test_every_dtype(self, tmp_path, parameters, stored, dtype):
        save_model(tmp_path, {name: view.astype(stored) for name, view in parameters.items()})
        read = read_checkpoint(tmp_path, CONFIG, dtype)
        assert read.flat.dtype == dtype
        assert np.array_equal(read.flat, parameters.flat.astype(stored).astype(dtype))

    def test_bfloat16(self, tmp_path, parameters):
        save_raw(
            tmp_path, {name: ("BF16", view.shape, to_bfloat16(view)) for name, view in parameters.items()}
        )
        read = read_checkpoint(tmp_path, CONFIG)
        kept = (parameters.flat.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        assert np.array_equal(read.flat, kept)
        assert np.abs(read.flat - parameters.flat).max() > 0

    def test_special_bfloat16_values(self, tmp_path, parameters):
        view = parameters["ln_f.bias"]
        view[:] = [1.0, -2.0, 0.0, 2.0**-133, 3.3895314e38, -0.5]
        save_raw(
            tmp_path, {name: ("BF16", view.shape, to_bfloat16(view)) for name, view in parameters.items()}
        )
        read = read_checkpoint(tmp_path, CONFIG)["ln_f.bias"]
        assert read.tolist() == [1.0, -2.0, 0.0, 2.0**-133, float(np.float32(3.3895314e38)), -0.5]

    def test_more_than_one_block_and_an_odd_offset(self, tmp_path, rng):
        config = GPT2Config(vocab_size=70_001, n_positions=3, n_embd=2, n_layer=1, n_head=1)
        parameters = Parameters.initialise(config)
        tensors = {"h.0.attn.bias": ("BOOL", (1,), b"\1")}  # everything after it lies at odd addresses
        tensors |= {name: ("F32", view.shape, view.tobytes()) for name, view in parameters.items()}
        save_raw(tmp_path, tensors)
        assert np.array_equal(read_checkpoint(tmp_path, config).flat, parameters.flat)

    def test_prefix_buffers_and_tied_head(self, tmp_path, parameters):
        tensors = {f"transformer.{name}": view for name, view in parameters.items()}
        for i in range(CONFIG.L):
            tensors[f"transformer.h.{i}.attn.bias"] = np.tril(np.ones((1, 1, 7, 7), bool))
            tensors[f"transformer.h.{i}.attn.masked_bias"] = np.array(-1e4, np.float32)
        tensors["lm_head.weight"] = parameters["wte.weight"]
        save_model(tmp_path, tensors)
        assert np.array_equal(read_checkpoint(tmp_path, CONFIG).flat, parameters.flat)

    def test_head_of_its_own(self, tmp_path, parameters):
        for change in (parameters["wte.weight"] + 1, parameters["wte.weight"][1:]):
            save_model(tmp_path, {**parameters, "lm_head.weight": change})
            with pytest.raises(ModelError, match=r"'lm_head\.weight' differs from wte\.weight"):
                read_checkpoint(tmp_path, CONFIG)
        save_model(tmp_path, {**parameters, "lm_head.weight": np.zeros((11, 6), np.int32)})
        with pytest.raises(ModelError, match=r"'lm_head\.weight' is I32"):
            read_checkpoint(tmp_path, CONFIG)

    def test_prefixed_and_not(self, tmp_path, parameters):
        save_model(tmp_path, {**parameters, "transformer.ln_f.bias": parameters["ln_f.bias"]})
        with pytest.raises(ModelError, match=r"'(transformer\.)?ln_f\.bias' stands both with and without"):
            read_checkpoint(tmp_path, CONFIG)

    def test_missing_tensors(self, tmp_path, parameters):
        kept = dict(parameters)
        del kept["h.1.mlp.c_fc.weight"]
        save_model(tmp_path, kept)
        with pytest.raises(ModelError, match=r"lacks tensor 'h\.1\.mlp\.c_fc\.weight', which config"):
            read_checkpoint(tmp_path, CONFIG)
        save_model(tmp_path, {name: view for name, view in parameters.items() if not name.startswith("h.1.")})
        with pytest.raises(ModelError, match=r"lacks tensors 'h\.1\.ln_1\.weight', .* and 9 more"):
            read_checkpoint(tmp_path, CONFIG)

    def test_more_layers_than_can_be_listed(self, tmp_path, parameters):
        save_model(tmp_path, dict(parameters))
        with pytest.raises(ModelError, match="asks for 1000000000000 layers, but the checkpoint has only"):
            read_checkpoint(tmp_path, CONFIG.replace(n_layer=10**12))

    def test_unexpected_tensors(self, tmp_path, parameters):
        save_model(tmp_path, {**parameters, "score.weight": np.zeros(2, np.float32)})
        with pytest.raises(ModelError, match=r"has tensor 'score\.weight', which a GPT-2"):
            read_checkpoint(tmp_path, CONFIG)
        with pytest.raises(ModelError, match=r"which a GPT-2 of config\.json has not"):
            read_checkpoint(tmp_path, CONFIG.replace(n_layer=1))

    def test_wrong_shape(self, tmp_path, parameters):
        save_model(tmp_path, {**parameters, "h.0.mlp.c_fc.weight": parameters["h.0.mlp.c_fc.weight"].T})
        with pytest.raises(ModelError, match=r"'h\.0\.mlp\.c_fc\.weight' has shape \(10, 6\), .* \(6, 10\)"):
            read_checkpoint(tmp_path, CONFIG)

    def test_wrong_dtype(self, tmp_path, parameters):
        save_model(tmp_path, {**parameters, "ln_f.bias": np.zeros(6, np.int8)})
        with pytest.raises(ModelError, match=r"'ln_f\.bias' is I8, but weights must be one of F16, BF16"):
            read_checkpoint(tmp_path, CONFIG)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("stored", [np.float16, np.float32, np.float64])
    def test_not_finite(self, tmp_path, parameters, value, stored):
        parameters["h.1.ln_2.bias"][[1, 4]] = value
        save_model(tmp_path, {name: view.astype(stored) for name, view in parameters.items()})
        with pytest.raises(
            ModelError, match=r"tensor 'h\.1\.ln_2\.bias' has 2 of 6 numbers that are NaN or infin"
        ):
            read_checkpoint(tmp_path, CONFIG)

    def test_not_finite_bfloat16(self, tmp_path, parameters):
        parameters["ln_f.bias"][0] = np.nan
        save_raw(
            tmp_path, {name: ("BF16", view.shape, to_bfloat16(view)) for name, view in parameters.items()}
        )
        with pytest.raises(ModelError, match=r"'ln_f\.bias' has 1 of 6"):
            read_checkpoint(tmp_path, CONFIG)

    def test_float64_beyond_float32(self, tmp_path, parameters):
        large = {name: view.astype(np.float64) for name, view in parameters.items()}
        large["ln_f.bias"][3] = 1e39
        save_model(tmp_path, large)
        with pytest.raises(ModelError, match=r"'ln_f\.bias' has 1 of 6 .* infinite in float32"):
            read_checkpoint(tmp_path, CONFIG)
        assert read_checkpoint(tmp_path, CONFIG, "float64")["ln_f.bias"][3] == 1e39

    def test_truncated_at_every_kind_of_place(self, tmp_path, parameters):
        save_model(tmp_path, parameters)
        content = (tmp_path / "model.safetensors").read_bytes()
        for size in (0, 5, 8, 9, 200, len(content) // 2, len(content) - 1):
            (tmp_path / "model.safetensors").write_bytes(content[:size])
            with pytest.raises(ModelError, match=r"model\.safetensors.*is truncated"):
                read_checkpoint(tmp_path, CONFIG)

    def test_cut_short_while_it_is_read(self, tmp_path, parameters):
        save_model(tmp_path, parameters)
        with open_tensors(tmp_path) as tensors:
            os.truncate(tmp_path / "model.safetensors", 3000)
            with pytest.raises(ModelError, match="was cut short while it was read"):
                [list(tensor.blocks()) for tensor in tensors.values()]

    def test_nothing_there(self, tmp_path):
        with pytest.raises(ModelError, match=r"has no model\.safetensors"):
            read_checkpoint(tmp_path, CONFIG)
        (tmp_path / "pytorch_model.bin").write_bytes(b"")
        with pytest.raises(ModelError, match=r"only pytorch_model\.bin.*save_pretrained"):
            read_checkpoint(tmp_path, CONFIG)
        (tmp_path / "model.safetensors").mkdir()
        with pytest.raises(ModelError, match=r"cannot read .*is a directory"):
            read_checkpoint(tmp_path, CONFIG)

    def test_unknown_dtype_asked_for(self, tmp_path):
        with pytest.raises(UsageError, match="unknown dtype 'float16'"):
            read_checkpoint(tmp_path, CONFIG, "float16")

    def test_memory_is_little_more_than_the_model(self, tmp_path):
        config = GPT2Config(vocab_size=40_000, n_positions=8, n_embd=32, n_layer=1, n_head=1)
        parameters = Parameters.initialise(config)
        write_checkpoint(tmp_path, parameters, "float16")
        tracemalloc.start()
        read = read_checkpoint(tmp_path, config)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < read.flat.nbytes + 1_000_000


UNPRINTABLE = ["a\0.safetensors", "a\n.safetensors", "a\ud800.safetensors"]


class TestShards:
    @pytest.fixture
    def sharded(self, tmp_path, parameters):
        """Two shards and an index, split in the middle of a layer."""
        names = list(parameters)
        weight_map = {}
        for shard, part in (("a.safetensors", names[:9]), ("b.safetensors", names[9:])):
            save_file({name: parameters[name] for name in part}, tmp_path / shard)
            weight_map |= dict.fromkeys(part, shard)
        self.write_index(tmp_path, {"metadata": {"total_size": 1}, "weight_map": weight_map})
        return tmp_path, weight_map

    @staticmethod
    def write_index(folder, value):
        (folder / "model.safetensors.index.json").write_text(json.dumps(value))

    def test_read(self, sharded, parameters):
        assert np.array_equal(read_checkpoint(sharded[0], CONFIG).flat, parameters.flat)

    def test_one_file_goes_before_an_index(self, sharded, parameters):
        write_checkpoint(sharded[0], parameters.zeros_like())
        assert not read_checkpoint(sharded[0], CONFIG).flat.any()

    def test_missing_shard(self, sharded):
        (sharded[0] / "b.safetensors").unlink()
        with pytest.raises(ModelError, match=r"b\.safetensors is missing"):
            read_checkpoint(sharded[0], CONFIG)

    def test_tensor_in_two_shards(self, sharded, parameters):
        names = list(parameters)
        save_file({name: parameters[name] for name in names[8:]}, sharded[0] / "b.safetensors")
        with pytest.raises(
            ModelError, match=r"'h\.0\.ln_2\.weight' is both in .*a\.safetensors and in .*b\.safe"
        ):
            read_checkpoint(sharded[0], CONFIG)

    def test_index_names_a_tensor_that_no_shard_has(self, sharded, parameters):
        names = list(parameters)
        save_file({name: parameters[name] for name in names[10:]}, sharded[0] / "b.safetensors")
        with pytest.raises(ModelError, match="lacks tensor"):
            read_checkpoint(sharded[0], CONFIG)

    @pytest.mark.parametrize(
        "shard", ["../a.safetensors", "/etc/passwd", "", "..", ".", "sub/a", 3, None, "a\0b", *UNPRINTABLE]
    )
    def test_shard_outside_the_folder(self, sharded, shard):
        self.write_index(sharded[0], {"weight_map": sharded[1] | {"wte.weight": shard}})
        with pytest.raises(ModelError, match=r"index\.json puts tensor 'wte\.weight' into"):
            read_checkpoint(sharded[0], CONFIG)

    @pytest.mark.parametrize("index", [{}, {"weight_map": []}, {"weight_map": {}}])
    def test_no_map(self, sharded, index):
        self.write_index(sharded[0], index)
        with pytest.raises(ModelError, match="has no weight_map"):
            read_checkpoint(sharded[0], CONFIG)


class TestWrite:
    @pytest.mark.parametrize("dtype", ["float32", "float16"])
    def test_round_trip(self, tmp_path, parameters, dtype):
        write_checkpoint(tmp_path, parameters, dtype)
        expected = parameters.flat.astype(dtype).astype(np.float32)
        assert np.array_equal(read_checkpoint(tmp_path, CONFIG).flat, expected)
        theirs = load_file(tmp_path / "model.safetensors")
        assert set(theirs) == set(parameters)
        assert all(theirs[name].dtype == dtype for name in theirs)

    def test_file_is_as_readable_as_any_other(self, tmp_path, parameters):
        (tmp_path / "other").touch()
        write_checkpoint(tmp_path, parameters)
        assert (tmp_path / "model.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode

    @pytest.mark.parametrize("make", [np.asfortranarray, lambda x: np.repeat(x, 2, axis=0)[::2]])
    def test_arrays_that_are_not_contiguous(self, tmp_path, parameters, make):
        """The library's own writer gets these wrong, silently."""
        scattered = {name: make(view) for name, view in parameters.items()}
        assert any(not view.flags.c_contiguous for view in scattered.values())
        write_checkpoint(tmp_path, scattered)
        assert np.array_equal(read_checkpoint(tmp_path, CONFIG).flat, parameters.flat)

    def test_on_either_device(self, tmp_path, parameters, xp):
        write_checkpoint(tmp_path, parameters.to(xp))
        assert np.array_equal(read_checkpoint(tmp_path, CONFIG).flat, parameters.flat)

    def test_too_large_for_float16(self, tmp_path, parameters):
        parameters["h.0.ln_1.weight"][2] = 70_000
        write_checkpoint(tmp_path, parameters, "float32")
        with pytest.raises(
            ModelError, match=r"'h\.0\.ln_1\.weight' as float16: 1 of 6 .*65504 \(largest: 70000\)"
        ):
            write_checkpoint(tmp_path, parameters, "float16")

    @pytest.mark.parametrize("dtype", ["float32", "float16"])
    def test_not_finite(self, tmp_path, parameters, dtype):
        parameters["wpe.weight"][2, 1] = np.nan
        with pytest.raises(ModelError, match=r"'wpe\.weight' as .*: 1 of 42"):
            write_checkpoint(tmp_path, parameters, dtype)
        assert list(tmp_path.iterdir()) == []

    def test_unknown_dtype(self, tmp_path, parameters):
        with pytest.raises(UsageError, match="cannot save weights as 'bfloat16'"):
            write_checkpoint(tmp_path, parameters, "bfloat16")
