"""The competitors: each a class with `load`, `encode_ids`, `encode_text` and `one`; all give unit vectors.

    load()              what a user does once, before the first sentence
    encode_ids(ids)     lists of token ids -> (B, D)
    encode_text(texts)  -> (B, D)
    one(ids)            the ids of one sentence -> (D,)

A library that works on padded batches is given the sentences sorted by length, BATCH at a time, which is its
fastest usual way; each has THREADS threads. A method that a rival has no use for is missing.
"""

import json
from pathlib import Path

import numpy as np

from . import models, picogpt

THREADS = 2
BATCH = 32
FASTEMBED_BATCH = 256  # the default of its TextEmbedding.embed


def unit(vectors):
    """(B, D) -> rows of length 1"""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def sorted_batches(lengths):
    """Indices of sentences, longest first, BATCH at a time."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    return [order[i : i + BATCH] for i in range(0, len(order), BATCH)]


def padded(sentences):
    """B lists of ids -> ids (B, T), mask (B, T), filled with id 0 on the right; int64"""
    T = max(map(len, sentences))
    ids = np.zeros((len(sentences), T), np.int64)
    mask = np.zeros((len(sentences), T), np.int64)
    for row, sentence in enumerate(sentences):
        ids[row, : len(sentence)] = sentence
        mask[row, : len(sentence)] = 1
    return ids, mask


class Padding:
    """What all that pad have in common; they have `run(ids (b, T), mask (b, T)) -> (b, D)`."""

    batches = staticmethod(sorted_batches)

    def encode_ids(self, ids):
        vectors = None
        for rows in self.batches([len(i) for i in ids]):
            pooled = self.run(*padded([ids[row] for row in rows]))  # (b, D)
            if vectors is None:
                vectors = np.empty((len(ids), pooled.shape[1]), np.float32)
            vectors[rows] = unit(pooled)
        return vectors

    def one(self, ids):
        return unit(self.run(*padded([ids])))[0]


class MiniGPT2:
    """This package, by its public interface."""

    label = "minigpt2"

    def __init__(self, path):
        self.path = path

    def load(self):
        import minigpt2

        self.encoder = minigpt2.load(self.path)
        if not hasattr(self.encoder, "encode_ids"):
            self.encode_ids = self._through_the_model

    def encode_ids(self, ids):
        return self.encoder.encode_ids(ids)

    def encode_text(self, texts):
        return self.encoder.encode(texts)

    def one(self, ids):
        return self.encode_ids([ids])[0]

    def _through_the_model(self, ids):
        """For versions whose encoder takes text only: the same steps from the public layers."""
        from minigpt2 import TokenBatch
        from minigpt2.encoder import BATCH_TOKENS, batches_by_length
        from minigpt2.layers import normalize, pooling

        vectors = np.empty((len(ids), self.encoder.dimension), np.float32)
        for rows in batches_by_length([len(i) for i in ids], 1024, BATCH_TOKENS["cpu"]):
            batch = TokenBatch([ids[row] for row in rows])
            hidden, _ = self.encoder.model.forward(batch)
            vectors[rows] = normalize(pooling(hidden, batch, self.encoder.settings.pooling)[0])[0]
        return vectors


class MiniGPT2Unshared(MiniGPT2):
    """This package, each token computed, also those of a beginning that another sentence has."""

    label = "minigpt2, every token"

    def load(self):
        from minigpt2.inference import chunks

        chunks.LEAST_SHARED = 2.0  # no share of the tokens is that large
        super().load()


class Transformers(Padding):
    """GPT2Model of transformers in PyTorch: sdpa, inference mode."""

    label = "transformers"

    def __init__(self, path):
        self.path = Path(path)

    def load(self):
        import torch

        torch.set_num_threads(THREADS)
        self.torch = torch
        self.module = models.pooling_module(self.path)
        self.forward = self.module

    def run(self, ids, mask):
        with self.torch.inference_mode():
            return self.forward(self.torch.from_numpy(ids), self.torch.from_numpy(mask)).numpy()

    def one(self, ids):
        with self.torch.inference_mode():
            ids = self.torch.tensor([ids])
            hidden = self.module.transformer(input_ids=ids, use_cache=False).last_hidden_state
            return unit(self.module.pool(hidden, self.torch.ones_like(ids)).numpy())[0]


class CompiledTransformers(Transformers):
    """The same through torch.compile, with sizes left open; needs a C++ compiler."""

    label = "transformers, torch.compile"

    def load(self):
        super().load()
        self.forward = self.torch.compile(self.module, dynamic=True)


class SentenceTransformers:
    """SentenceTransformer over the directory: text in, vectors out."""

    label = "sentence-transformers"

    def __init__(self, path):
        self.path = path

    def load(self):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(THREADS)
        self.model = SentenceTransformer(str(self.path), device="cpu")

    def encode_text(self, texts):
        return unit(self.model.encode(texts, batch_size=BATCH, show_progress_bar=False))


class OnnxRuntime(Padding):
    """ONNX Runtime over an export of the same weights; all but the number of threads is its default."""

    label = "ONNX Runtime"

    def __init__(self, path):
        self.path = path

    def load(self):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.inter_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(str(self.path), options, providers=providers)

    def run(self, ids, mask):
        return self.session.run(None, {"ids": ids, "mask": mask})[0]


class OnnxText(OnnxRuntime):
    """Text to vector: the fast tokenizer over all texts, then sorted batches."""

    def __init__(self, path, tokenizer, window=256):
        super().__init__(path)
        self.tokenizer_file, self.window = str(tokenizer), window

    def load(self):
        from tokenizers import Tokenizer

        super().load()
        self.tokenizer = Tokenizer.from_file(self.tokenizer_file)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.window)

    def encode_text(self, texts):
        return self.encode_ids([encoding.ids for encoding in self.tokenizer.encode_batch(texts)])


class FastEmbed(OnnxText):
    """The same as fastembed feeds it: FASTEMBED_BATCH texts at a time, in the order they are given in."""

    label = "ONNX Runtime, batches as in fastembed"

    @staticmethod
    def batches(lengths):
        return [range(len(lengths))[i : i + FASTEMBED_BATCH] for i in range(0, len(lengths), FASTEMBED_BATCH)]


class PicoGPT:
    """One sentence after the other in plain NumPy."""

    label = "picoGPT-style loop"

    def __init__(self, path):
        self.path = Path(path)

    def load(self):
        self.weights = picogpt.read_weights(self.path)
        config = json.loads((self.path / "config.json").read_text())
        self.sizes = config["n_layer"], config["n_head"]
        self.weighted = models.is_weighted(self.path)

    def one(self, ids):
        rows = picogpt.hidden_rows(ids, self.weights, *self.sizes)  # (T, D)
        weights = np.arange(1, len(ids) + 1) if self.weighted else np.ones(len(ids))
        return unit(np.average(rows, axis=0, weights=weights)[None])[0]

    def encode_ids(self, ids):
        return np.stack([self.one(sentence) for sentence in ids]).astype(np.float32)
