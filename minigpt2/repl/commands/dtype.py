"""`/dtype [float32|float64]`: how precisely the model computes."""

import numpy as np

from ...backend import DTYPES, choose_backend
from ...errors import UsageError
from ...files import shorten
from ..line import Arguments
from ..recomputed import difference, encoder_on, said
from ..reply import Reply
from ..session import Session

NAME = "dtype"
USAGE = "/dtype [float32|float64]"
SUMMARY = "how precisely the model computes, or change it"
DETAILS = """\
Without an argument: the precision and what it costs. With one the model computes in it from now on, the kept
sentences are embedded anew, and the largest change of a number in their vectors is said. float64 takes twice
the memory and about twice the time; what it changes is the rounding of float32. /undo goes back."""
EXAMPLES = ("The cat is sleeping", "/dtype float64", "/undo")
FORM = "words"
OPTIONS = ()
COMPLETES = "dtype"


def run(session: Session, arguments: Arguments) -> Reply:
    """Show the precision or compute in another."""
    from ...views import Paragraph

    if len(arguments.words) > 1 or any(word not in DTYPES for word in arguments.words):
        raise UsageError(f"/dtype takes one of {', '.join(DTYPES)}, not {shorten(' '.join(arguments.words))}")
    now = session.encoder.backend
    if not arguments.words or now.dtype.name == arguments.words[0]:
        data = {"dtype": now.dtype.name, "changed": False, **_cost(session.encoder)}
        return Reply((Paragraph(_in_words(data)),), data)
    # Of the same array module, so that the device stays; the reason for it too.
    backend = choose_backend(now.xp, dtype=arguments.words[0])._replace(reason=now.reason)
    encoder = encoder_on(session.encoder, backend)
    change = difference(session, encoder)
    session.use(encoder, undo=f"/dtype {arguments.words[0]}")
    data = {"dtype": backend.dtype.name, "changed": True, **_cost(encoder), **change}
    return Reply((Paragraph(f"{_in_words(data)}\n{said(change)}"),), data)


def _cost(encoder) -> dict[str, float]:
    precision = np.finfo(encoder.backend.dtype)
    return {"epsilon": float(precision.eps), "bytes": int(encoder.model.parameters.flat.nbytes)}


def _in_words(data: dict) -> str:
    verb = "now computes" if data["changed"] else "computes"
    digits = 16 if data["dtype"] == "float64" else 7
    return (
        f"The model {verb} in {data['dtype']}: about {digits} digits count (1 + {data['epsilon']:.1e} is the "
        f"next number after 1), and its parameters take {data['bytes'] / 1e6:,.1f} MB."
    )
