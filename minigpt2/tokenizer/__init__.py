"""Text to token ids and back.

    base.py           what every tokenizer can do; special tokens; texts that are not valid Unicode
    byte.py           one id a byte: the tokenizer to read first
    byte_alphabet.py  the printable character that stands for each byte in vocabulary files
    bpe.py            GPT-2's byte-level byte-pair encoding
    split.py          cutting a text into words before it
    text_cache.py     the fast way through many texts: what stands between blanks, remembered
    lowercase.py      the optional normalizer
    train.py          learning merges from text
    trace.py          every merge of a text, one by one, for teaching
    files.py          tokenizer.json; vocab.json with merges.txt; tokenizer_config.json

Names are imported when they are first used, so that reading one file costs that file only.
"""

import importlib
from typing import Any

_HOME_OF = {
    "Tokenizer": "base",
    "ByteTokenizer": "byte",
    "BPETokenizer": "bpe",
    "load_tokenizer": "files",
    "save_vocabulary": "files",
    "train_bpe": "train",
    "trace_merges": "trace",
    "WordTrace": "trace",
    "MergeStep": "trace",
}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'minigpt2.tokenizer' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
