"""The same model on another device or in another precision, and how far its vectors differ."""

from typing import Any

import numpy as np

from ..backend import Backend
from ..encoder import Encoder
from ..model import GPT2
from .session import Session

MOST_COMPARED = 200  # sentences
ROUNDING = 1e-6  # a smaller change is one of the last digits, and another one on another machine


def encoder_on(encoder: Encoder, backend: Backend) -> Encoder:
    """The encoder with its parameters on another backend; they are shared where nothing needs to be moved."""
    model, now = encoder.model, encoder.backend
    if (now.xp, now.dtype) != (backend.xp, backend.dtype):
        model = GPT2(model.config, model.parameters.to(backend.xp, backend.dtype))
    return Encoder(model, encoder.tokenizer, encoder.settings, backend, encoder.path)


def difference(session: Session, encoder: Encoder) -> dict[str, Any]:
    """The largest difference that `encoder` makes to any number of the last kept vectors

    None where nothing is kept; `largest` is the largest number in the vectors, to compare with.
    """
    texts = [sentence.text for sentence in session.sentences[-MOST_COMPARED:]]
    if not texts:
        return {"sentences": 0, "largest_change": None, "largest": None}
    before = session.encoder.encode(texts).astype(np.float64)  # (m, D)
    after = encoder.encode(texts).astype(np.float64)  # (m, D)
    return {
        "sentences": len(texts),
        "largest_change": float(np.abs(after - before).max()),
        "largest": float(np.abs(before).max()),
    }


def said(change: dict[str, Any]) -> str:
    """The difference in words."""
    if not change["sentences"]:
        return "No sentence is kept, so there is no vector to compare."
    which = "the vector" if change["sentences"] == 1 else f"the vectors of {change['sentences']} sentences"
    if not change["largest_change"]:
        return f"Not one number in {which} has changed."
    largest = change["largest_change"]
    size = f"{largest:.1e}" if largest >= ROUNDING else f"below {ROUNDING:g}"
    return (
        f"The largest change of a number in {which} is {size}; the largest number there is "
        f"{change['largest']:.3f}."
    )
