"""`/model [DIR|NAME]`: what the model is, or another one instead of it."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...model_directory import PRETRAINED
from ..line import Arguments
from ..paths import only_word
from ..reply import Reply
from ..session import Session

if TYPE_CHECKING:
    from ...encoder import Encoder
    from ...views import View

NAME = "model"
USAGE = "/model [DIR|NAME]"
SUMMARY = "what the model is, or load another"
DETAILS = """\
Without an argument: its sizes, where its parameters are, how a vector comes about, and what has been done to
it here. With a model directory or the name of a bundled model (nano) that model is loaded, on the same device
and in the same precision, and the kept sentences are embedded anew; /undo goes back."""
EXAMPLES = ("/model", "/model nano")
FORM = "words"
OPTIONS = ()
COMPLETES = "model"

# Groups of parameters from input to output: the start of their names, what they are. `*` is a block.
PARTS = {
    "wte": "token embedding",
    "wpe": "position embedding",
    "h.*.ln_1": "layernorm before attention",
    "h.*.attn.c_attn": "query, key, value",
    "h.*.attn.c_proj": "merge of the heads",
    "h.*.ln_2": "layernorm before the MLP",
    "h.*.mlp.c_fc": "widen",
    "h.*.mlp.c_proj": "narrow",
    "ln_f": "last layernorm",
}


def run(session: Session, arguments: Arguments) -> Reply:
    """Describe the model, or load another and embed the kept sentences with it."""
    from ...views import Stack
    from ..moves import data_of, moves_between, views_of

    if not arguments.words:
        data = describe(session.encoder, _changes(session))
        return Reply((Stack(_facts(data, session), _parts(data)),), data)
    from ...encoder import load

    name = only_word(NAME, arguments.words, "model")
    now = session.encoder.backend
    encoder = load(name, device=now.device, dtype=now.dtype)
    before = session.vectors  # (M, D)
    session.use(encoder, undo=f"/model {name}")
    moves = moves_between(session.sentences, before, session.vectors)
    data = describe(encoder, []) | data_of(moves)
    pictures = views_of(moves) if len(session.sentences) > 1 else []
    return Reply((Stack(_facts(data, session), *pictures),), data)


def describe(encoder: "Encoder", changes: list[str]) -> dict[str, Any]:
    """Everything that is shown of a model, as plain values."""
    config, settings, tokenizer = encoder.model.config, encoder.settings, encoder.tokenizer
    parameters = encoder.model.parameters
    return {
        "path": None if encoder.path is None else str(encoder.path),
        "changes": changes,
        "layers": config.L,
        "heads": config.H,
        "width": config.D,
        "head_width": config.K,
        "mlp_width": config.F,
        "vocabulary": config.V,
        "attention": config.attention,
        "parameters": int(parameters.flat.size),
        "bytes": int(parameters.flat.nbytes),
        "parts": _count_parts(parameters.shapes),
        "window": encoder.max_seq_length,
        "pooling": settings.pooling,
        "normalize": settings.normalize,
        "prompts": dict(settings.prompts),
        "tokenizer": type(tokenizer).__name__,
        "lowercase": tokenizer.lowercase,
        "device": encoder.backend.device,
        "dtype": str(encoder.backend.dtype),
        "backend": str(encoder.backend),
    }


def _count_parts(shapes: Mapping[str, tuple[int, ...]]) -> list[dict[str, Any]]:
    """The parameters of each part, all blocks together"""
    counts = dict.fromkeys(PARTS, 0)
    of_one: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        block, _, rest = name.removeprefix("h.").partition(".") if name.startswith("h.") else ("", "", "")
        part = (f"h.*.{rest}" if block else name).rpartition(".")[0]
        counts[part] += math.prod(shape)
        if name.endswith("weight"):
            of_one[part] = shape
    return [
        {"name": part, "meaning": PARTS[part], "parameters": count, "shape": list(of_one[part])}
        for part, count in counts.items()
    ]


def _changes(session: Session) -> list[str]:
    """What /undo could take back, the oldest first"""
    return [undo.what for undo in session.undos]


def _facts(data: dict[str, Any], session: Session) -> "View":
    from ...views import Table

    unit = ", normalised to length 1" if data["normalize"] else ", not normalised"
    case = ", lower-cased" if data["lowercase"] else ""
    prompts = ", ".join(f"{name} {text!r}" for name, text in data["prompts"].items())
    came_from = _origin(session)
    if data["changes"]:
        came_from += f"; here: {', then '.join(data['changes'])}"
    rows = [
        ("from", came_from),
        (
            "size",
            f"{data['layers']} blocks, {data['heads']} heads of {data['head_width']}, width {data['width']}, "
            f"MLP {data['mlp_width']}, {data['attention']} attention",
        ),
        ("parameters", f"{data['parameters']:,}, {data['bytes'] / 1e6:,.1f} MB in {data['dtype']}"),
        ("vector", f"{data['width']} numbers, {data['pooling']} pooling{unit}"),
        ("window", f"{data['window']} tokens"),
        ("tokenizer", f"{data['tokenizer']}, {data['vocabulary']:,} tokens{case}"),
        ("prompts", prompts or "none"),
        ("computes", data["backend"]),
    ]
    return Table(("property", "value"), rows)


def _origin(session: Session) -> str:
    """Where the model came from, which may have been changed since."""
    encoders = [session.encoder, *(undo.encoder for undo in reversed(session.undos))]
    path = next((encoder.path for encoder in encoders if encoder.path is not None), None)
    if path is None:
        return "memory"
    return f"{path.name}, a model that ships with minigpt2" if path.parent == PRETRAINED else str(path)


def _parts(data: dict[str, Any]) -> "View":
    from ...views import Bars

    parts = data["parts"]
    total = data["parameters"]
    return Bars(
        [part["name"] for part in parts],
        [100.0 * part["parameters"] / total for part in parts],
        digits=3,
        notes=[f"{part['parameters']:,}  {part['meaning']}" for part in parts],
        caption=f"% of the parameters; * stands for each of {data['layers']} blocks",
    )
