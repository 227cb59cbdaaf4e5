"""Bad input as a user meets it: one clear line on stderr, nothing on stdout, the right exit code."""

import json
import os
import shutil

import numpy as np
import pytest

from minigpt2.backend import gpu_problem


@pytest.fixture
def broken(tiny_model, tmp_path):
    """A copy of the tiny model to damage."""
    return shutil.copytree(tiny_model, tmp_path / "broken")


def refused(result, code, *parts):
    """The run failed with `code` and one line that holds all `parts`."""
    got, out, err = result
    assert (got, out) == (code, ""), err
    assert err.startswith("minigpt2: error: ")
    assert err.count("\n") == 1
    assert "this is a bug" not in err
    for part in parts:
        assert str(part) in err


def change_tensors(directory, change):
    from safetensors.numpy import load_file, save_file

    file = os.path.join(directory, "model.safetensors")
    tensors = load_file(file)
    change(tensors)
    save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, file, metadata={"format": "pt"})


def test_no_such_model(cli, tmp_path):
    refused(cli("embed", "a", "--model", tmp_path / "nowhere"), 3, "nowhere", "nothing is downloaded")


def test_missing_checkpoint(cli, broken):
    (broken / "model.safetensors").unlink()
    refused(cli("embed", "a", "--model", broken), 3, broken, "model.safetensors")


@pytest.mark.parametrize("keep", [0, 4, 100, -7])
def test_truncated_checkpoint(cli, broken, keep):
    file = broken / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    refused(cli("embed", "a", "--model", broken), 3, file)


def test_duplicate_key(cli, broken):
    file = broken / "model.safetensors"
    content = file.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + size].decode()
    name = next(name for name in json.loads(header) if name != "__metadata__")
    twice = ("{" + f'"{name}":{json.dumps(json.loads(header)[name])},' + header.strip()[1:]).encode()
    file.write_bytes(len(twice).to_bytes(8, "little") + twice + content[8 + size :])
    refused(cli("embed", "a", "--model", broken), 3, file, name, "twice")


def test_wrong_shape(cli, broken):
    change_tensors(broken, lambda t: t.update({"wpe.weight": t["wpe.weight"][:, :-1]}))
    refused(cli("embed", "a", "--model", broken), 3, "wpe.weight", "(40, 23)", "(40, 24)")


def test_wrong_dtype(cli, broken):
    change_tensors(broken, lambda t: t.update({"ln_f.bias": t["ln_f.bias"].astype(np.int32)}))
    refused(cli("embed", "a", "--model", broken), 3, "ln_f.bias", "I32")


def test_missing_tensor(cli, broken):
    change_tensors(broken, lambda t: t.pop("h.1.mlp.c_fc.weight"))
    refused(cli("embed", "a", "--model", broken), 3, "h.1.mlp.c_fc.weight")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(cli, broken, value):
    def change(tensors):
        tensors["h.0.mlp.c_fc.weight"][3, 5] = value

    change_tensors(broken, change)
    refused(cli("embed", "a", "--model", broken), 3, "h.0.mlp.c_fc.weight")


def test_vocabulary_that_does_not_fit_the_weights(cli, broken):
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"vocab_size": 200}))
    change_tensors(broken, lambda t: t.update({"wte.weight": t["wte.weight"][:200]}))
    refused(cli("embed", "a", "--model", broken), 3, "258", "200")


def test_config_that_is_no_json(cli, broken):
    (broken / "config.json").write_text('{"n_embd": 24,\n nonsense}')
    refused(cli("info", broken), 3, broken / "config.json", "line 2")


def test_file_that_is_not_utf8(cli, tiny_model, tmp_path):
    file = tmp_path / "latin1.txt"
    file.write_bytes("fine\nauch gut\nKäfer\n".encode("latin-1"))
    for command in (["embed", "--input", file], ["embed", "--input", file, "--output", tmp_path / "v.npy"]):
        refused(cli(*command, "--model", tiny_model), 3, f"{file}: line 3", "not UTF-8")
    assert [path.name for path in tmp_path.iterdir()] == ["latin1.txt"]


def test_input_that_is_not_there(cli, tiny_model, tmp_path):
    refused(cli("embed", "--input", tmp_path / "no.txt", "--model", tiny_model), 3, tmp_path / "no.txt")
    refused(cli("embed", "--input", tmp_path, "--model", tiny_model), 3, tmp_path)


@pytest.mark.skipif(gpu_problem() is None, reason="this machine has a GPU")
def test_cuda_without_a_gpu(cli, tiny_model):
    for command in (["embed", "a"], ["similarity", "a", "b"]):
        refused(cli(*command, "--device", "cuda", "--model", tiny_model), 4, "pip install 'minigpt2[gpu]'")


@pytest.mark.parametrize("name", ["missing/v.npy", "folder.npy", "locked/v.json"])
def test_output_path_that_cannot_be_written(cli, tiny_model, tmp_path, name):
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "locked").mkdir(mode=0o555)
    if name.startswith("locked") and os.access(tmp_path / "locked", os.W_OK):
        name = "/proc/v.json"  # root may write anywhere but here
    result = cli("embed", "a", "--output", tmp_path / name, "--model", tiny_model)
    refused(result, 2 if name == "folder.npy" else 1, name)


def test_text_longer_than_the_window_is_cut_with_a_warning(cli, tiny_model):
    code, out, err = cli("embed", "y" * 41, "--model", tiny_model)
    assert code == 0
    assert json.loads(out)["dimensions"] == 24
    assert err.startswith("minigpt2: warning: 1 of 1 texts was longer than the model's window of 40 tokens")


def test_prompt_that_the_model_does_not_have(cli, tiny_model):
    refused(cli("embed", "a", "--prompt-name", "poem", "--model", tiny_model), 2, "'poem'", "query")


def test_prompt_that_fills_the_window(cli, broken):
    file = broken / "config_sentence_transformers.json"
    fields = json.loads(file.read_text())
    file.write_text(json.dumps(fields | {"prompts": {"long": "p" * 50}}))
    refused(cli("embed", "a", "--prompt-name", "long", "--model", broken), 3, "prompt", "50")


def test_more_dimensions_than_there_are(cli, tiny_model):
    refused(cli("embed", "a", "--truncate-dim", 25, "--model", tiny_model), 2, "between 1 and 24")


def test_int8_without_calibration(cli, tiny_model):
    refused(cli("embed", "a", "--precision", "int8", "--model", tiny_model), 2, "int8", "calibrate")


def test_model_with_a_name_longer_than_any(cli):
    refused(cli("embed", "a", "--model", "a" * 5000), 3, "file name too long")
    refused(cli("tokens", "show", "a", "--tokenizer-path", "a" * 5000), 3, "file name too long")


def test_control_characters_of_a_model_do_not_reach_the_terminal(cli, broken):
    file = broken / "config_sentence_transformers.json"
    fields = json.loads(file.read_text())
    file.write_text(json.dumps(fields | {"prompts": {"q\x1b[31m": "\x1b[2J"}, "default_prompt_name": None}))
    refused(cli("embed", "a", "--prompt-name", "poem", "--model", broken), 2, "it has: q‹1b›[31m")
    code, out, _ = cli("info", broken)
    assert code == 0
    assert "q‹1b›[31m" in out
    assert "\x1b" not in out
