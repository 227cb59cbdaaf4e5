"""The shape of a GPT-2: every size that the architecture leaves open, checked once.

Field names are those of the published `config.json` (Radford et al. 2019), so that a file is read without a
table of translations. The house alphabet (B, N, T, D, H, K, F, V, L) is here as properties.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from .errors import ModelError

ATTENTION = ("causal", "bidirectional")

# Names of the one activation that GPT-2 uses: GELU in its tanh form.
GELU_TANH_NAMES = ("gelu_new", "gelu_pytorch_tanh", "gelu_fast")


@dataclass(frozen=True, kw_only=True)
class GPT2Config:
    """Sizes and constants of one model. Raises ModelError for values that make no model."""

    vocab_size: int  # V
    n_positions: int  # the longest text in tokens, "the window"
    n_embd: int  # D
    n_layer: int  # L
    n_head: int  # H
    n_inner: int | None = None  # F; None means 4·D
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    embd_pdrop: float = 0.0  # dropout after the embeddings
    attn_pdrop: float = 0.0  # on the attention pattern
    resid_pdrop: float = 0.0  # on what a sublayer adds to the residual stream
    attention: str = "causal"  # or "bidirectional": every token sees every token

    def __post_init__(self) -> None:
        for name in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner"):
            value = getattr(self, name)
            if value is None and name == "n_inner":
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ModelError(f"config: {name} must be a whole number of at least 1, not {value!r}")
        if self.n_embd % self.n_head:
            raise ModelError(
                f"config: n_embd {self.n_embd} cannot be split evenly over n_head {self.n_head} heads"
            )
        for name in ("embd_pdrop", "attn_pdrop", "resid_pdrop"):
            value = getattr(self, name)
            if not _is_number(value) or not 0.0 <= value < 1.0:
                raise ModelError(
                    f"config: {name} must be a probability of at least 0 and below 1, not {value!r}"
                )
        for name in ("layer_norm_epsilon", "initializer_range"):
            value = getattr(self, name)
            if not _is_number(value) or not 0.0 < value < math.inf:
                raise ModelError(f"config: {name} must be positive, not {value!r}")
        if self.attention not in ATTENTION:
            raise ModelError(
                f"config: attention must be one of {', '.join(ATTENTION)}, not {self.attention!r}"
            )

    @property
    def D(self) -> int:
        """Model width."""
        return self.n_embd

    @property
    def H(self) -> int:
        """Heads."""
        return self.n_head

    @property
    def K(self) -> int:
        """Width of one head: D = H·K."""
        return self.n_embd // self.n_head

    @property
    def F(self) -> int:
        """MLP width."""
        return 4 * self.n_embd if self.n_inner is None else self.n_inner

    @property
    def V(self) -> int:
        """Vocabulary size."""
        return self.vocab_size

    @property
    def L(self) -> int:
        """Layers."""
        return self.n_layer

    @property
    def causal(self) -> bool:
        """True if a token sees only itself and the tokens before it."""
        return self.attention == "causal"

    @classmethod
    def named(cls, name: str, **changes: Any) -> "GPT2Config":
        """A size from NAMED_SIZES with any field changed: `GPT2Config.named("nano", vocab_size=300)`."""
        if name not in NAMED_SIZES:
            raise ModelError(f"unknown model size {name!r}: use one of {', '.join(NAMED_SIZES)}")
        return cls(**(NAMED_SIZES[name] | changes))

    def replace(self, **changes: Any) -> "GPT2Config":
        """The same configuration with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The published `config.json` without what belongs to the tokenizer (bos, eos and pad ids)."""
        fields = dataclasses.asdict(self)
        attention = fields.pop("attention")
        fields |= {
            "model_type": "gpt2",
            "architectures": ["GPT2Model"],
            "n_ctx": self.n_positions,
            "activation_function": "gelu_new",
        }
        if attention != "causal":
            fields["attention"] = attention
        return fields

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "GPT2Config":
        """Read a published `config.json`; keys that do not shape the model are ignored.

        Raises ModelError for another model type, another activation, a missing size, or one of the
        attention variants that no published GPT-2 uses and that are not written here.
        """
        model_type = fields.get("model_type", "gpt2")
        if model_type != "gpt2":
            raise ModelError(f"config: model_type is {model_type!r}, but only 'gpt2' can be loaded")
        activation = fields.get("activation_function", "gelu_new")
        if activation not in GELU_TANH_NAMES:
            raise ModelError(f"config: activation_function {activation!r} is not GPT-2's 'gelu_new'")
        for name, usual in (
            ("scale_attn_weights", True),
            ("scale_attn_by_inverse_layer_idx", False),
            ("add_cross_attention", False),
        ):
            if fields.get(name, usual) != usual:
                raise ModelError(f"config: {name}={fields[name]!r} is not supported, only {usual!r}")
        known = {f.name for f in dataclasses.fields(cls)}
        chosen = {name: value for name, value in fields.items() if name in known}
        if "n_positions" not in chosen and "n_ctx" in fields:
            chosen["n_positions"] = fields["n_ctx"]
        missing = [n for n in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head") if n not in chosen]
        if missing:
            raise ModelError(f"config: {', '.join(missing)} missing")
        return cls(**chosen)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_PUBLISHED = {"vocab_size": 50257, "n_positions": 1024}

NAMED_SIZES: dict[str, dict[str, Any]] = {
    "nano": {"vocab_size": 16384, "n_positions": 256, "n_embd": 256, "n_layer": 6, "n_head": 4},
    "124M": _PUBLISHED | {"n_embd": 768, "n_layer": 12, "n_head": 12},
    "355M": _PUBLISHED | {"n_embd": 1024, "n_layer": 24, "n_head": 16},
    "774M": _PUBLISHED | {"n_embd": 1280, "n_layer": 36, "n_head": 20},
    "1.5B": _PUBLISHED | {"n_embd": 1600, "n_layer": 48, "n_head": 25},
}
