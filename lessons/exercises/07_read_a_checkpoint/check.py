"""Shapes made from configurations, dressed up as published files are."""

import math
from types import ModuleType

from minigpt2.config import GPT2Config
from minigpt2.learn.checking import same_value
from minigpt2.parameters import parameter_shapes


def check(exercise: ModuleType) -> None:
    for L, F, prefix, old in ((3, None, "", False), (12, 20, "transformer.", True), (11, 7, "", True)):
        config = GPT2Config(vocab_size=13, n_positions=9, n_embd=4, n_layer=L, n_head=2, n_inner=F)
        plain = parameter_shapes(config)
        right = sum(math.prod(shape) for shape in plain.values())
        shapes = {prefix + name: shape for name, shape in plain.items()}
        if old:
            shapes |= {f"{prefix}h.{i}.attn.bias": (1, 1, 9, 9) for i in range(L)}
            shapes["lm_head.weight"] = (13, 4)
        kind = f"a file of {L} layers" + (
            ", an old one with a prefix" if old and prefix else ", an old one" if old else ""
        )
        wanted = {"V": 13, "P": 9, "D": 4, "F": config.F, "L": L}
        digits = len({name[len(prefix) :][2] for name in shapes if name.startswith(prefix + "h.")})
        same_value(
            wanted,
            exercise.sizes(dict(shapes)),
            f"sizes of {kind}",
            [
                (
                    {**wanted, "L": digits},
                    "only the first digit of the layer's number is read: split the name at its dots",
                ),
                ({**wanted, "L": L - 1}, "the layers are numbered from 0: the highest number is L − 1"),
                ({**wanted, "L": 10}, "as text '9' is larger than '11': make numbers of them"),
                ({**wanted, "F": 16}, "F need not be 4·D: read it from h.0.mlp.c_fc.weight"),
                ({**wanted, "P": 4}, "this is the width of the position table: P is its rows"),
            ],
        )
        mask, head = L * 81, 13 * 4
        same_value(
            right,
            exercise.parameters(dict(shapes)),
            f"parameters of {kind}",
            [
                (
                    right + mask + head,
                    "h.….attn.bias is the causal mask, and lm_head.weight repeats wte: neither is "
                    "learned again",
                ),
                (right + mask, "h.….attn.bias of shape (1, 1, P, P) is the causal mask, no parameter"),
                (right + head, "lm_head.weight repeats wte"),
                (
                    lambda yours: (
                        yours
                        == sum(
                            math.prod(s)
                            for n, s in plain.items()
                            if not n.endswith("attn.bias") and not n.endswith("c_attn.bias")
                        )
                    ),
                    "c_attn.bias ends with 'attn.bias', too, and is a parameter: look at the whole part "
                    "of the name",
                ),
            ],
        )
