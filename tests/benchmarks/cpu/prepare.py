"""Make what a run needs in a folder, and print where it lies as JSON.

    python -m cpu.prepare CACHE GPT2 COUNT NAME …

A process of its own, so that PyTorch's and ONNX's threads and memory are gone before anything is measured.
GPT2 is a model directory of GPT-2 124M, or `random`; COUNT is the number of sentences; the names are those of
the competitors that will run.
"""

import json
import os
import sys
from pathlib import Path

from . import models
from .sentences import first_sentences, sentences

PAIRS = 64


def main():
    os.umask(0o022)
    cache, gpt2, count, *names = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    json.dump(prepare(Path(cache).resolve(), gpt2, int(count), names), answers)


def prepare(cache: Path, gpt2: str, count: int, names: list[str]) -> dict[str, str]:
    """Name -> path of every file that `figures.specifications` asks for, as far as `names` need it."""
    from minigpt2.tokenizer import load_tokenizer

    cache.mkdir(parents=True, exist_ok=True)
    texts, of_pairs = sentences(count), sentences(2 * PAIRS)
    big = models.gpt2_124M(cache) if gpt2 == "random" else Path(gpt2).resolve()
    small = models.nano()
    files = {"124M": big, "nano": small, "vocabulary": models.gpt2_vocabulary(cache)}
    files["minilm"] = models.minilm() if any("minilm" in name for name in names) else ""
    files["minilm_tokenizer"] = Path(files["minilm"], "tokenizer.json") if files["minilm"] else ""

    ids = {"124M": load_tokenizer(big).encode_batch(texts), "nano": load_tokenizer(small).encode_batch(texts)}
    for name, of_texts in ids.items():
        files[f"{name}_data"] = _data(cache, name, of_texts, texts)
    files["pairs"] = _data(cache, "pairs", load_tokenizer(small).encode_batch(of_pairs), of_pairs)
    files["lines"] = _data(cache, "lines", [], first_sentences())
    files["minilm_data"] = _data(cache, "minilm", _minilm_ids(files["minilm_tokenizer"], texts), texts)
    files["sentences"] = cache / "sentences.txt"
    files["sentences"].write_text("\n".join(texts) + "\n", encoding="utf-8")

    if "124M onnx" in names:
        files["124M_onnx"] = models.onnx_export(big, cache, "gpt2-124M")
    if any(name.startswith(("minilm float32", "minilm int8")) for name in names):
        files["minilm_onnx"] = models.onnx_export(files["minilm"], cache, "all-MiniLM-L6-v2")
    if any(name.startswith("minilm int8") for name in names):
        files["minilm_int8"] = models.onnx_int8(files["minilm_onnx"])
    return {name: str(path) for name, path in files.items()}


def _minilm_ids(file, texts):
    if not file:
        return []
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def _data(cache: Path, name: str, ids: list[list[int]], texts: list[str]) -> Path:
    path = cache / f"{name}.json"
    path.write_text(json.dumps({"ids": ids, "texts": texts}), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
