"""Model directories: written whole, read back equal, refused with one line when anything is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minigpt2 import model_directory
from minigpt2.config import GPT2Config
from minigpt2.embedding_settings import POOLINGS, EmbeddingSettings
from minigpt2.errors import ModelError, OutputError, UsageError
from minigpt2.model_directory import bundled_models, find_model, read_model_directory, write_model_directory
from minigpt2.parameters import Parameters
from minigpt2.tokenizer import ByteTokenizer, train_bpe

CONFIG = GPT2Config(vocab_size=300, n_positions=16, n_embd=6, n_layer=2, n_head=2)
TOKENIZER = ByteTokenizer()
WEIGHTS = "model.safetensors"


@pytest.fixture
def parameters(rng):
    parameters = Parameters.empty(CONFIG)
    parameters.flat[:] = rng.standard_normal(parameters.flat.shape)
    return parameters


@pytest.fixture
def saved(tmp_path, parameters):
    return write_model_directory(tmp_path / "model", CONFIG, parameters, TOKENIZER)


def change_json(path, **changes):
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not ...}))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class TestRoundTrip:
    @pytest.mark.parametrize("dtype", ["float32", "float16"])
    @pytest.mark.parametrize(
        "settings",
        [
            *(EmbeddingSettings(pooling=pooling) for pooling in POOLINGS),
            EmbeddingSettings(normalize=False, max_seq_length=7, include_prompt=False),
            EmbeddingSettings(prompts={"query": "q: "}, default_prompt_name="query"),
            EmbeddingSettings(calibration=np.array([[-1.5] * 6, [1 / 3] * 6])),
        ],
        ids=str,
    )
    def test_everything_comes_back(self, tmp_path, parameters, settings, dtype):
        path = write_model_directory(tmp_path / "m", CONFIG, parameters, TOKENIZER, settings, dtype=dtype)
        read = read_model_directory(path)
        assert read.config == CONFIG
        assert read.settings == settings
        assert read.path == tmp_path / "m"
        assert np.array_equal(read.parameters.flat, parameters.flat.astype(dtype).astype(np.float32))
        assert read.tokenizer.encode("Grüße 🎉") == TOKENIZER.encode("Grüße 🎉")
        assert read.tokenizer.special_tokens == TOKENIZER.special_tokens
        assert names(tmp_path) == ["m"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"n_inner": 10},
            {"layer_norm_epsilon": 1e-6, "initializer_range": 0.3},
            {"embd_pdrop": 0.1, "attn_pdrop": 0.2, "resid_pdrop": 0.3},
        ],
        ids=str,
    )
    def test_every_configuration(self, tmp_path, changes):
        config = CONFIG.replace(**changes)
        parameters = Parameters.initialise(config)
        read = read_model_directory(write_model_directory(tmp_path / "m", config, parameters, TOKENIZER))
        assert read.config == config
        assert np.array_equal(read.parameters.flat, parameters.flat)

    def test_bidirectional_is_written_and_said(self, tmp_path, parameters):
        config = CONFIG.replace(attention="bidirectional")
        with pytest.warns(UserWarning, match="bidirectional, but transformers .* as causal"):
            write_model_directory(tmp_path / "m", config, parameters, TOKENIZER)
        assert read_model_directory(tmp_path / "m").config.attention == "bidirectional"

    def test_trained_lower_casing_vocabulary(self, tmp_path, parameters):
        tokenizer = train_bpe(["The cat sat", "the mat the cat"] * 4, 270, lowercase=True)
        path = write_model_directory(tmp_path / "m", CONFIG, parameters, tokenizer)
        read = read_model_directory(path).tokenizer
        assert read.lowercase
        assert read.encode("THE CAT on a mat") == tokenizer.encode("THE CAT on a mat")
        assert (read.eos_id, read.pad_id) == (tokenizer.eos_id, tokenizer.pad_id)

    def test_without_a_tokenizer(self, tmp_path, parameters):
        path = write_model_directory(tmp_path / "m", CONFIG, parameters, None)
        assert read_model_directory(path).tokenizer is None
        assert json.loads((path / "config.json").read_text())["pad_token_id"] is None

    def test_float64_in_and_out(self, tmp_path, parameters):
        path = write_model_directory(tmp_path / "m", CONFIG, parameters.to(np, np.float64), TOKENIZER)
        read = read_model_directory(path, dtype="float64").parameters
        assert read.flat.dtype == np.float64
        assert np.array_equal(read.flat, parameters.flat)

    def test_from_either_device(self, tmp_path, parameters, xp):
        path = write_model_directory(tmp_path / "m", CONFIG, parameters.to(xp), TOKENIZER)
        assert np.array_equal(read_model_directory(path).parameters.flat, parameters.flat)

    def test_layout(self, saved):
        assert names(saved) == [
            "1_Pooling",
            "2_Normalize",
            "config.json",
            "config_sentence_transformers.json",
            WEIGHTS,
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ]
        config = json.loads((saved / "config.json").read_text())
        assert config["model_type"] == "gpt2"
        assert config["architectures"] == ["GPT2Model"]
        assert (config["bos_token_id"], config["eos_token_id"], config["pad_token_id"]) == (256, 256, 257)
        assert config["dtype"] == config["torch_dtype"] == "float32"
        tokenizer = json.loads((saved / "tokenizer_config.json").read_text())
        assert tokenizer["model_max_length"] == 16
        assert tokenizer["padding_side"] == "right"

    def test_model_card(self, tmp_path, parameters):
        path = write_model_directory(tmp_path / "m", CONFIG, parameters, TOKENIZER, model_card="# Größe\n")
        assert (path / "README.md").read_bytes() == "# Größe\n".encode()

    def test_published_layout(self, tmp_path, saved):
        """A GPT-2 as it is published: config, weights and vocabulary, nothing of sentence-transformers."""
        published = tmp_path / "gpt2"
        published.mkdir()
        for name in ("config.json", WEIGHTS, "tokenizer.json"):
            shutil.copy(saved / name, published / name)
        read = read_model_directory(published)
        assert read.settings == EmbeddingSettings(pooling="mean", normalize=False)
        assert read.tokenizer.vocab_size == 258

    def test_transformer_in_a_folder_of_its_own(self, tmp_path, saved):
        inner = saved / "0_Transformer"
        inner.mkdir()
        for name in (
            "config.json",
            WEIGHTS,
            "tokenizer.json",
            "tokenizer_config.json",
            "sentence_bert_config.json",
        ):
            os.rename(saved / name, inner / name)
        modules = json.loads((saved / "modules.json").read_text())
        modules[0]["path"] = "0_Transformer"
        (saved / "modules.json").write_text(json.dumps(modules))
        assert read_model_directory(saved).config == CONFIG


class TestRefuseToRead:
    def refuses(self, path, message):
        with pytest.raises(ModelError, match=message) as caught:
            read_model_directory(path)
        assert "\n" not in str(caught.value)

    def test_no_folder(self, tmp_path, saved):
        self.refuses(tmp_path / "absent", "absent is not a folder")
        self.refuses(saved / WEIGHTS, "is not a folder")

    @pytest.mark.parametrize("name", ["config.json", WEIGHTS, "1_Pooling/config.json"])
    def test_missing_file(self, saved, name):
        (saved / name).unlink()
        self.refuses(saved, rf"{name} is missing|has no {name}")

    @pytest.mark.parametrize(
        "name",
        [
            "config.json",
            "modules.json",
            "1_Pooling/config.json",
            "2_Normalize/config.json",
            "sentence_bert_config.json",
            "config_sentence_transformers.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "quantization.json",
        ],
    )
    @pytest.mark.parametrize("content", [b"", b"{", b"3", b"\xff\xfe", b'{"a": 1, "a": 1}'])
    def test_damaged_json(self, saved, name, content):
        (saved / name).write_bytes(content)
        self.refuses(saved, name)

    def test_truncated_weights(self, saved):
        content = (saved / WEIGHTS).read_bytes()
        (saved / WEIGHTS).write_bytes(content[:-1])
        self.refuses(saved, r"model\.safetensors is truncated")

    def test_duplicate_key_in_weights(self, saved):
        content = (saved / WEIGHTS).read_bytes()
        changed = content.replace(b'"ln_f.weight"', b'"ln_f.bias"  ')
        assert len(changed) == len(content)
        (saved / WEIGHTS).write_bytes(changed)
        self.refuses(saved, r"the key 'ln_f\.bias' stands twice")

    def test_weights_of_another_configuration(self, saved):
        change_json(saved / "config.json", n_layer=1)
        self.refuses(saved, r"the checkpoint has tensors 'h\.1")
        change_json(saved / "config.json", n_layer=2, n_inner=7)
        self.refuses(
            saved, r"'h\.0\.mlp\.c_fc\.weight' has shape \(6, 24\), but config\.json makes it \(6, 7\)"
        )

    def test_vocabulary_that_does_not_fit_the_weights(self, saved, parameters):
        change_json(saved / "config.json", vocab_size=299)
        self.refuses(saved, r"'wte\.weight' has shape \(300, 6\), but config\.json makes it \(299, 6\)")
        tensors = load_file(saved / WEIGHTS)
        save_file(tensors | {"wte.weight": tensors["wte.weight"][:257]}, saved / WEIGHTS)
        change_json(saved / "config.json", vocab_size=257)
        self.refuses(saved, "the tokenizer has 258 ids, but the weights have rows for only 257")

    def test_not_finite(self, saved):
        tensors = load_file(saved / WEIGHTS)
        tensors["h.1.attn.c_attn.bias"][3] = np.nan
        save_file(tensors, saved / WEIGHTS)
        self.refuses(saved, r"tensor 'h\.1\.attn\.c_attn\.bias' has 1 of 18 numbers that are NaN")

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"model_type": "bert"}, r"config\.json: config: model_type is 'bert'"),
            ({"n_embd": ...}, r"config\.json: config: n_embd missing"),
            ({"n_head": 4}, r"config\.json: .*n_embd 6 cannot be split evenly over n_head 4"),
            ({"activation_function": "relu"}, r"activation_function 'relu'"),
            ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx"),
            ({"attention": "sideways"}, "attention must be one of"),
        ],
    )
    def test_configuration(self, saved, changes, message):
        change_json(saved / "config.json", **changes)
        self.refuses(saved, message)


class TestRefuseToWrite:
    def test_existing_folder(self, saved, parameters):
        with pytest.raises(UsageError, match="exists"):
            write_model_directory(saved, CONFIG, parameters, TOKENIZER)

    def test_overwrite(self, saved, parameters):
        write_model_directory(saved, CONFIG, parameters.zeros_like(), None, overwrite=True)
        read = read_model_directory(saved)
        assert not read.parameters.flat.any()
        assert read.tokenizer is None

    def test_never_replaces_a_folder_that_is_no_model(self, tmp_path, parameters):
        (tmp_path / "precious").mkdir()
        (tmp_path / "precious" / "thesis.txt").write_text("")
        for expected in (["thesis.txt"], ["config.json", "thesis.txt"]):  # the second of another program
            with pytest.raises(UsageError, match="no model directory, so it is not replaced"):
                write_model_directory(tmp_path / "precious", CONFIG, parameters, None, overwrite=True)
            assert names(tmp_path / "precious") == expected
            (tmp_path / "precious" / "config.json").write_text("{}")
        (tmp_path / "empty").mkdir()
        write_model_directory(tmp_path / "empty", CONFIG, parameters, None, overwrite=True)

    def test_no_such_parent(self, tmp_path, parameters):
        with pytest.raises(OutputError, match="does not exist"):
            write_model_directory(tmp_path / "absent" / "m", CONFIG, parameters, None)

    @pytest.mark.parametrize(
        ("changes", "error", "message"),
        [
            ({"dtype": "int8"}, UsageError, "cannot save weights as 'int8'"),
            (
                {"config": CONFIG.replace(n_layer=1)},
                ModelError,
                r"h\.1\.ln_1\.weight is \(6,\), but the configuration needs none",
            ),
            (
                {"settings": EmbeddingSettings(max_seq_length=17)},
                UsageError,
                "beyond the model's window of 16",
            ),
            ({"settings": EmbeddingSettings(calibration=np.zeros((2, 5)))}, UsageError, "5 dimensions"),
            (
                {"tokenizer": ByteTokenizer([f"<{i}>" for i in range(45)])},
                ModelError,
                "has 301 ids, but the weights have rows for only 300",
            ),
        ],
    )
    def test_what_does_not_fit(self, tmp_path, parameters, changes, error, message):
        given = {
            "config": CONFIG,
            "parameters": parameters,
            "tokenizer": TOKENIZER,
            "settings": None,
        } | changes
        with pytest.raises(error, match=message):
            write_model_directory(tmp_path / "m", **given)
        assert names(tmp_path) == []

    def test_too_large_for_float16(self, tmp_path, parameters):
        parameters["ln_f.weight"][0] = 1e6
        with pytest.raises(ModelError, match=r"'ln_f\.weight' as float16: 1 of 6"):
            write_model_directory(tmp_path / "m", CONFIG, parameters, TOKENIZER, dtype="float16")
        assert names(tmp_path) == []


class TestInterruption:
    @pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("broken"), MemoryError])
    @pytest.mark.parametrize("step", ["write_json", "write_checkpoint", "write_settings"])
    @pytest.mark.parametrize("existed", [True, False])
    def test_failure_at_every_step(self, tmp_path, parameters, monkeypatch, step, error, existed):
        path = tmp_path / "m"
        if existed:
            write_model_directory(path, CONFIG, parameters.zeros_like(), TOKENIZER)
        original = getattr(model_directory, step)

        def write_then_fail(*arguments):
            original(*arguments)
            raise error

        monkeypatch.setattr(model_directory, step, write_then_fail)
        expected = error if isinstance(error, type) else type(error)
        with pytest.raises(expected):
            write_model_directory(path, CONFIG, parameters, TOKENIZER, overwrite=True)
        monkeypatch.undo()
        assert names(tmp_path) == (["m"] if existed else [])
        if existed:
            assert not read_model_directory(path).parameters.flat.any()

    @pytest.mark.parametrize("overwrite", [True, False])
    def test_killed_at_any_moment(self, tmp_path, overwrite):
        """SIGKILL gives no chance to clean up; still the target is absent or complete, every time.

        Replacing a version goes through no moment at which there is none.
        """
        code = (
            "import itertools, sys\nimport numpy as np\n"
            "from minigpt2 import GPT2Config, Parameters\n"
            "from minigpt2.model_directory import write_model_directory\n"
            "from minigpt2.tokenizer import ByteTokenizer\n"
            "config = GPT2Config(vocab_size=300, n_positions=16, n_embd=64, n_layer=4, n_head=2)\n"
            "parameters = Parameters.empty(config)\n"
            "tokenizer = ByteTokenizer()\n"
            "print('ready', flush=True)\n"
            "for i in itertools.count():\n"
            "    parameters.flat[:] = i\n"
            "    name = sys.argv[1] if len(sys.argv) > 2 else f'{sys.argv[1]}-{i}'\n"
            "    write_model_directory(name, config, parameters, tokenizer, overwrite=True)\n"
        )
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        arguments = [sys.executable, "-c", code, str(tmp_path / "m"), *(["same"] if overwrite else [])]
        complete, interrupted = set(), 0
        for attempt in range(40):
            if attempt >= 6 and complete and interrupted:
                break
            child = subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment)
            assert child.stdout.readline() == b"ready\n"
            time.sleep(0.02 + 0.017 * attempt)
            child.send_signal(signal.SIGKILL)
            assert child.wait(20) == -signal.SIGKILL
            child.stdout.close()
            targets = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
            interrupted += len(targets) < len(names(tmp_path))  # the kill left a hidden temporary
            if overwrite and complete and sys.platform == "linux":
                assert targets  # the exchange is one step: there is always a version
            for path in targets:
                read = read_model_directory(path)
                assert (read.parameters.flat == read.parameters.flat[0]).all()
                assert read.tokenizer.vocab_size == 258
                complete.add(path)
            if not overwrite:
                for path in tmp_path.iterdir():
                    shutil.rmtree(path)
        assert complete
        assert interrupted


class TestFindModel:
    @pytest.fixture
    def pretrained(self, tmp_path, monkeypatch, parameters):
        folder = tmp_path / "pretrained"
        folder.mkdir()
        monkeypatch.setattr(model_directory, "PRETRAINED", folder)
        for name in ("nano", "other"):
            write_model_directory(folder / name, CONFIG, parameters, TOKENIZER)
        (folder / "unfinished").mkdir()
        return folder

    def test_default_and_names(self, pretrained):
        assert bundled_models() == ["nano", "other"]
        assert find_model() == find_model(None) == find_model("nano") == pretrained / "nano"
        assert find_model("other") == pretrained / "other"

    def test_path(self, pretrained, saved, monkeypatch):
        assert find_model(saved) == find_model(str(saved)) == saved
        monkeypatch.chdir(saved.parent)
        (saved.parent / "nano").mkdir()
        assert find_model("model").resolve() == saved
        assert find_model("nano") == pretrained / "nano"
        assert find_model("./nano").resolve() == saved.parent / "nano"

    def test_the_folder_of_a_training_run_stands_for_its_best_model(self, saved, tmp_path):
        run = tmp_path / "run"
        shutil.copytree(saved, run / "last")
        assert find_model(run) == run / "last"
        shutil.copytree(saved, run / "best")
        assert find_model(run) == run / "best"
        shutil.copytree(saved, run, dirs_exist_ok=True)
        assert find_model(run) == run  # a model directory stands for itself

    def test_home(self, saved, monkeypatch):
        monkeypatch.setenv("HOME", str(saved.parent))
        assert find_model("~/model") == saved

    def test_nothing_found(self, pretrained, saved):
        with pytest.raises(
            ModelError, match=r"no model directory 'gpt2'.* nano, other, and nothing is downloaded"
        ):
            find_model("gpt2")
        with pytest.raises(ModelError, match="is a file: give the folder"):
            find_model(saved / WEIGHTS)

    def test_default_missing(self, pretrained):
        shutil.rmtree(pretrained / "nano")
        with pytest.raises(ModelError, match=r"no bundled model 'nano'.*or give the path"):
            find_model()
        shutil.rmtree(pretrained)
        with pytest.raises(ModelError, match="no model is bundled, and nothing is downloaded"):
            find_model("gpt2")
