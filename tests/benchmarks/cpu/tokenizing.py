"""Tokenizers over the same lines, each in one thread, all with GPT-2's vocabulary, caches warm."""

import time
from pathlib import Path


class MiniGPT2Tokenizer:
    """This package."""

    label = "minigpt2 encode_batch"

    def __init__(self, folder):
        self.folder = Path(folder)

    def load(self):
        from minigpt2.tokenizer import load_tokenizer

        self.tokenizer = load_tokenizer(self.folder)

    def encode(self, texts, task):
        return self.tokenizer.encode_batch(texts)


class Tiktoken:
    """tiktoken's GPT-2 from the files, without its download."""

    label = "tiktoken encode_ordinary"

    def __init__(self, folder):
        self.folder = Path(folder)

    def load(self):
        import tiktoken
        from tiktoken.load import data_gym_to_mergeable_bpe_ranks
        from tiktoken_ext.openai_public import r50k_pat_str

        ranks = data_gym_to_mergeable_bpe_ranks(
            str(self.folder / "merges.txt"), str(self.folder / "vocab.json")
        )
        self.encoding = tiktoken.Encoding(
            "gpt2", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256}
        )

    def encode(self, texts, task):
        encode = self.encoding.encode_ordinary
        return [encode(text) for text in texts]


class HFTokenizer:
    """tokenizers' byte-level BPE: `batch` is encode_batch, `batch_fast` leaves the offsets out."""

    label = "HF tokenizers"

    def __init__(self, folder):
        self.folder = Path(folder)

    def load(self):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))

    def encode(self, texts, task):
        encode = self.tokenizer.encode_batch_fast if task == "batch_fast" else self.tokenizer.encode_batch
        return [encoding.ids for encoding in encode(texts)]


class Timed:
    """Any of the three over `texts`; the first pass, at load, fills the caches."""

    def __init__(self, kind, folder, texts):
        self.tokenizer, self.texts = globals()[kind](folder), texts
        self.label = self.tokenizer.label

    def load(self):
        self.tokenizer.load()
        self.ids = self.tokenizer.encode(self.texts, "batch")

    def measure(self, task):
        started = time.perf_counter()
        self.tokenizer.encode(self.texts, task)
        return (time.perf_counter() - started) / len(self.texts)

    def vectors(self):
        """All ids in one row, to compare the three."""
        return [[i for ids in self.ids for i in (*ids, -1)]]
