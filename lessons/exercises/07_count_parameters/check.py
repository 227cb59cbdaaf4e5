"""The package's own shapes."""

import math
from types import ModuleType

from minigpt2.config import GPT2Config
from minigpt2.learn.checking import require, same_value
from minigpt2.parameters import parameter_shapes


def check(exercise: ModuleType) -> None:
    for V, P, D, L in ((50257, 1024, 768, 12), (11, 7, 6, 3), (50257, 1024, 1600, 48)):
        config = GPT2Config(vocab_size=V, n_positions=P, n_embd=D, n_layer=L, n_head=2)
        right = sum(math.prod(shape) for shape in parameter_shapes(config).values())
        biases = L * (3 * D + D + 4 * D + D)
        yours = exercise.count(V, P, D, L)
        require(
            not isinstance(yours, float),
            f"count gives {yours!r}",
            "a whole number is asked for: // and not /",
        )
        same_value(
            right,
            yours,
            f"count({V}, {P}, {D}, {L})",
            [
                (right + V * D, "the head is counted as a second V × D table: it is the token table itself"),
                (
                    right - biases,
                    "the biases of the four linear layers of a block are missing: 3·D + D + 4·D + D",
                ),
                (
                    right - L * 13 * D - 2 * D,
                    "these are the matrices alone: biases and layernorms are learned, too",
                ),
                (right - 2 * D, "the last layernorm, after all blocks, is missing"),
                (right - P * D, "the position table is missing"),
                (right - L * 4 * D, "the two layernorms of each block are missing"),
                (
                    right - L * 2 * D,
                    "each block has two layernorms, one before attention and one before the mlp",
                ),
                (right - L * 2 * D - D, "a layernorm has a gain and a bias: 2·D numbers"),
                (right - (L - 1) * (12 * D * D + 13 * D), "there are L blocks"),
            ],
        )
