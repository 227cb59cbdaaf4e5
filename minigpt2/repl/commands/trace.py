"""`/trace [TEXT]`: the forward pass step by step."""

import contextlib
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...backend import to_numpy
from ...config import GPT2Config
from ..keys import can_read_keys, single_keys
from ..line import Arguments
from ..reply import Reply
from ..session import Session
from ..wording import word_of

if TYPE_CHECKING:
    from ...interpret import Step
    from ...views import View

NAME = "trace"
USAGE = "/trace [TEXT]"
SUMMARY = "step through the forward pass, layer by layer"
DETAILS = """\
Every step from the ids to the sentence's vector: what it reads, its formula, the shapes that go in and come
out, and the first of its numbers. At a terminal Enter goes to the next step, b back, n to the next layer, q
out; elsewhere all steps follow one another. T tokens, D width, H heads, K width of a head, F width of an MLP,
V vocabulary, P positions."""
EXAMPLES = ("/trace The cat sleeps",)
FORM = "text"
OPTIONS = ()
COMPLETES = "sentence"

ROWS, COLUMNS = 8, 12  # of an array that are shown
KEYS, SHORT_KEYS = "Enter next, b back, n next layer, q out", "Enter b n q"


class Walk(NamedTuple):
    """A forward pass to walk through."""

    steps: "list[Step]"
    described: list[dict[str, Any]]  # the same as plain values
    tokens: list[str]
    causal: bool


class Reads(NamedTuple):
    """What a step reads: names of earlier steps and of parameters, and the shapes that its formula joins."""

    names: tuple[str, ...]
    shapes: str


# Steps outside the blocks by their names, those inside by what stands behind `blocks.i.`; there a name that
# begins with h. is a parameter. `x` is the residual stream as the step finds it.
READS = {
    "ids": Reads(("the text",), "text"),
    "tokens": Reads(("wte.weight", "ids"), "T rows of (V, D)"),
    "positions": Reads(("wpe.weight",), "the first T rows of (P, D)"),
    "embed": Reads(("tokens", "positions"), "(T, D) + (T, D)"),
    "ln_1.out": Reads(("x", "h.ln_1.weight", "h.ln_1.bias"), "(T, D) · (D,) + (D,)"),
    "attn.q": Reads(("ln_1.out", "h.attn.c_attn.weight", "h.attn.c_attn.bias"), "(T, D) · (D, D) + (D,)"),
    "attn.k": Reads(("ln_1.out", "h.attn.c_attn.weight", "h.attn.c_attn.bias"), "(T, D) · (D, D) + (D,)"),
    "attn.v": Reads(("ln_1.out", "h.attn.c_attn.weight", "h.attn.c_attn.bias"), "(T, D) · (D, D) + (D,)"),
    "attn.scores": Reads(("attn.q", "attn.k"), "(H, T, K) · (H, K, T)"),
    "attn.pattern": Reads(("attn.scores",), "(H, T, T)"),
    "attn.z": Reads(("attn.pattern", "attn.v"), "(H, T, T) · (H, T, K)"),
    "attn.out": Reads(("attn.z", "h.attn.c_proj.weight", "h.attn.c_proj.bias"), "(T, D) · (D, D) + (D,)"),
    "resid_mid": Reads(("x", "attn.out"), "(T, D) + (T, D)"),
    "ln_2.out": Reads(("resid_mid", "h.ln_2.weight", "h.ln_2.bias"), "(T, D) · (D,) + (D,)"),
    "mlp.pre": Reads(("ln_2.out", "h.mlp.c_fc.weight", "h.mlp.c_fc.bias"), "(T, D) · (D, F) + (F,)"),
    "mlp.post": Reads(("mlp.pre",), "(T, F)"),
    "mlp.out": Reads(("mlp.post", "h.mlp.c_proj.weight", "h.mlp.c_proj.bias"), "(T, F) · (F, D) + (D,)"),
    "resid_post": Reads(("resid_mid", "mlp.out"), "(T, D) + (T, D)"),
    "ln_f.out": Reads(("x", "ln_f.weight", "ln_f.bias"), "(T, D) · (D,) + (D,)"),
    "pooled": Reads(("ln_f.out",), "(T, D)"),
    "vector": Reads(("pooled",), "(D,) / length"),
}


def run(session: Session, arguments: Arguments) -> Reply:
    """Walk through the forward pass: with keys at a terminal, at one go elsewhere."""
    from ...interpret import trace_steps

    look = session.look(session.current_or(arguments.texts))
    config = session.encoder.model.config
    steps = trace_steps(look)
    described = [_describe(step, config, len(look.ids)) for step in steps]
    data = {"text": look.text, "tokens": look.tokens, "ids": look.ids, "steps": described}
    walk = Walk(steps, described, look.tokens, config.causal)
    if session.interactive and session.console.is_terminal and can_read_keys():
        from ...views import Paragraph

        seen = _step_by_keys(session, walk)
        last = described[seen]
        return Reply((Paragraph(f"Left at step {seen + 1} of {len(steps)}: {last['name']}."),), data)
    from ...views import Paragraph, Stack

    intro = Paragraph(
        "What the model computes, in order: each step says what it reads and what it makes, in names and in"
        " shapes, and shows the first of its numbers."
    )
    return Reply((Stack(intro, *(_view(walk, at) for at in range(len(steps)))),), data)


def _step_by_keys(session: Session, walk: Walk) -> int:
    """Draw the steps that the keys ask for; the last one that was seen. Ctrl-C is the way out as q is."""
    from rich.control import Control
    from rich.segment import ControlType
    from rich.text import Text

    from ...views.frame import fitting

    at, console = 0, session.console
    line = Text(fitting((KEYS, SHORT_KEYS), console.width), style="reverse" if console.color_system else "")
    with single_keys() as next_key, contextlib.suppress(KeyboardInterrupt):
        while True:
            console.print(_view(walk, at))
            console.print(line, end="")
            try:
                to = at
                while to == at:
                    to = destination(next_key(), at, walk.described)
            finally:
                console.control(
                    Control((ControlType.CURSOR_MOVE_TO_COLUMN, 0), (ControlType.ERASE_IN_LINE, 2))
                )
            if to is None:
                break
            at = to
            console.print()
    return at


def destination(key: str, at: int, described: list[dict[str, Any]]) -> int | None:
    """The step that a key leads to, None for the way out; `at` itself for a key that means nothing."""
    if key in ("q", "Q", "escape", "end"):
        return None
    if key in ("b", "B", "left", "up", "backspace"):
        return max(0, at - 1)
    if key in ("enter", "right", "down"):
        return at + 1 if at + 1 < len(described) else None
    if key in ("n", "N"):
        here = described[at]["layer"]
        return next((i for i in range(at + 1, len(described)) if described[i]["layer"] != here), None)
    return at


def _describe(step: "Step", config: GPT2Config, T: int) -> dict[str, Any]:
    """A step as plain values: what it is called, reads and makes, and what its numbers come to."""
    layer, name = _place(step.name)
    reads = READS[name]
    sizes = {letter: getattr(config, letter) for letter in "VDHKF"} | {"T": T, "P": config.n_positions}
    array = to_numpy(step.array)
    finite = array[np.isfinite(array)].astype(np.float64)
    return {
        "name": step.name,
        "layer": layer,
        "explanation": step.explanation,
        "formula": step.formula,
        "reads": [_full_name(read, layer, config.L) for read in reads.names],
        "reads_shapes": re.sub(r"\b[VDHKFTP]\b", lambda letter: str(sizes[letter[0]]), reads.shapes),
        "makes": re.sub(r"\((\w+)\)", r"(\1,)", step.shape),  # a tuple of one as Python writes it
        "shape": list(array.shape),
        "mean": float(finite.mean()),
        "std": float(finite.std()),
        "min": float(finite.min()),
        "max": float(finite.max()),
        "hidden": int(array.size - finite.size),
        "first": _values(_window(array)[0]),
    }


def _values(window: np.ndarray) -> list:
    """Plain numbers, None for what is not finite."""
    if window.ndim > 1:
        return [_values(row) for row in window]
    return [value if math.isfinite(value) else None for value in window.tolist()]


def _place(name: str) -> tuple[int | None, str]:
    """`blocks.3.attn.q` -> 3, "attn.q"; other names stand outside the blocks: None."""
    match = re.fullmatch(r"blocks\.(\d+)\.(.+)", name)
    return (int(match[1]), match[2]) if match else (None, name)


def _full_name(name: str, layer: int | None, layers: int) -> str:
    """The name of a step or parameter as others call it."""
    if name == "x":
        before = layers if layer is None else layer
        return f"blocks.{before - 1}.resid_post" if before else "embed"
    if layer is None:
        return name
    return f"h.{layer}.{name[2:]}" if name.startswith("h.") else f"blocks.{layer}.{name}"


def _window(array: np.ndarray) -> tuple[np.ndarray, str]:
    """The first rows and columns, those of head 0 where there are heads, and in words which they are."""
    if array.ndim == 1:
        return array[: ROWS * COLUMNS], ""
    which = ""
    if array.ndim == 3 and array.shape[1] == array.shape[2]:  # (H, T, T)
        array, which = array[0], f"head 0 of {len(array)}: "
    elif array.ndim == 3:  # (T, H, K)
        array, which = array[:, 0], f"head 0 of {array.shape[1]}: "
    R, C = array.shape
    rows = f"all {R} rows" if R <= ROWS else f"the first {ROWS} of {R} rows"
    columns = f"all {C} columns" if C <= COLUMNS else f"the first {COLUMNS} of {C} columns"
    return array[:ROWS, :COLUMNS], f"{which}{rows}, {columns}"


def _view(walk: Walk, at: int) -> "View":
    """One step."""
    from ...views import Heading, Paragraph, Stack

    described = walk.described[at]
    layer = "" if described["layer"] is None else f"layer {described['layer']}, "
    reads = ", ".join(described["reads"])
    explanation = f"{described['explanation'][0].upper()}{described['explanation'][1:]}."
    shapes = f"{described['reads_shapes']} → {described['makes']}"
    views = [
        Heading(f"Step {at + 1} of {len(walk.steps)}", f"{layer}{described['name']}"),
        Paragraph(f"{explanation}\nreads: {reads}\nformula: {described['formula']}\nshapes: {shapes}"),
        _picture(walk, at),
    ]
    if described["name"] != "ids":
        views.append(Paragraph(_numbers(described), "dim"))
    return Stack(*views)


def _numbers(described: dict[str, Any]) -> str:
    told = ", ".join(f"{name} {described[name]:.4g}" for name in ("mean", "std", "min", "max"))
    hidden = described["hidden"]
    return f"{told}; {hidden:,} entries are -inf: the future, which is hidden" if hidden else told


def _picture(walk: Walk, at: int) -> "View":
    """The first of an array's numbers."""
    from ...views import HeatMap, TokenChips, VectorStrip

    array, name = to_numpy(walk.steps[at].array), walk.steps[at].name
    if name == "ids":
        return TokenChips(walk.tokens, ids=array.tolist())
    if array.ndim == 1:
        return VectorStrip(array)
    tokens = [word_of(token) for token in walk.tokens]
    window, which = _window(array)
    window = np.where(np.isfinite(window), window, np.nan)
    R, C = window.shape
    of_tokens = array.ndim == 3 and array.shape[1] == array.shape[2]
    columns = tokens[:C] if of_tokens else [str(c) for c in range(C)]
    pattern = name.endswith("attn.pattern")
    if pattern and walk.causal:
        window = np.where(np.tri(R, C, dtype=bool), window, np.nan)
    return HeatMap(
        window,
        rows=tokens[:R],
        columns=columns,
        low=0.0 if pattern else None,
        high=1.0 if pattern else None,
        diverging=not pattern,
        caption=which,
    )
