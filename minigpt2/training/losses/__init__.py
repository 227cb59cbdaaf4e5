"""Losses on embeddings, one file each: `loss, ctx = f(…)` and `gradient = f_backward(dloss, ctx)`."""

from .distillation import distillation, distillation_backward

__all__ = ["distillation", "distillation_backward"]
