"""GPT-2 in plain NumPy as a first version is written: one sentence at a time, textbook formulas, new arrays.

In the manner of picoGPT (Jay Mody, https://github.com/jaymody/picoGPT), written anew: the same operations in
the same order on float32 weights, `x**3` included.
"""

from pathlib import Path

import numpy as np


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Published names -> float32 arrays."""
    from safetensors.numpy import load_file

    weights = load_file(path / "model.safetensors")
    return {name.removeprefix("transformer."): w.astype(np.float32) for name, w in weights.items()}


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi).astype(x.dtype) * (x + 0.044715 * x**3)))


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def layer_norm(x, gain, bias, eps=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    variance = np.var(x, axis=-1, keepdims=True)
    return gain * (x - mean) / np.sqrt(variance + eps) + bias


def attention(x, weights, name, n_head):
    x = x @ weights[f"{name}.attn.c_attn.weight"] + weights[f"{name}.attn.c_attn.bias"]
    q, k, v = (np.split(part, n_head, axis=-1) for part in np.split(x, 3, axis=-1))
    mask = (1 - np.tri(len(x), dtype=x.dtype)) * -1e10
    heads = [
        softmax(qh @ kh.T / np.sqrt(qh.shape[-1]).astype(x.dtype) + mask) @ vh
        for qh, kh, vh in zip(q, k, v, strict=True)
    ]
    return np.hstack(heads) @ weights[f"{name}.attn.c_proj.weight"] + weights[f"{name}.attn.c_proj.bias"]


def mlp(x, weights, name):
    x = gelu(x @ weights[f"{name}.mlp.c_fc.weight"] + weights[f"{name}.mlp.c_fc.bias"])
    return x @ weights[f"{name}.mlp.c_proj.weight"] + weights[f"{name}.mlp.c_proj.bias"]


def hidden_rows(ids: list[int], weights: dict[str, np.ndarray], n_layer: int, n_head: int) -> np.ndarray:
    """The ids of one sentence -> (T, D)"""
    x = weights["wte.weight"][ids] + weights["wpe.weight"][range(len(ids))]
    for i in range(n_layer):
        name = f"h.{i}"
        normed = layer_norm(x, weights[f"{name}.ln_1.weight"], weights[f"{name}.ln_1.bias"])
        x = x + attention(normed, weights, name, n_head)
        normed = layer_norm(x, weights[f"{name}.ln_2.weight"], weights[f"{name}.ln_2.bias"])
        x = x + mlp(normed, weights, name)
    return layer_norm(x, weights["ln_f.weight"], weights["ln_f.bias"])
