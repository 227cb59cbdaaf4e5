"""`/device [cpu|cuda|auto]`: where the model computes, and why there."""

from ...backend import DEVICES, choose_backend, gpu_problem
from ...errors import UsageError
from ...files import shorten
from ..line import Arguments
from ..recomputed import difference, encoder_on, said
from ..reply import Reply
from ..session import Session

NAME = "device"
USAGE = "/device [cpu|cuda|auto]"
SUMMARY = "where the model computes, or change it"
DETAILS = """\
Without an argument: the device, the reason for it, and whether a GPU could be used. With one the model moves
there, the kept sentences are embedded anew, and the largest change of a number in their vectors is said:
another device adds up in another order, so the last digits differ. /undo goes back."""
EXAMPLES = ("/device", "The cat is sleeping", "/device auto")
FORM = "words"
OPTIONS = ()
COMPLETES = "device"


def run(session: Session, arguments: Arguments) -> Reply:
    """Show the device or move the model to another."""
    from ...views import Paragraph

    if len(arguments.words) > 1 or any(word not in DEVICES for word in arguments.words):
        raise UsageError(
            f"/device takes one of {', '.join(DEVICES)}, not {shorten(' '.join(arguments.words))}"
        )
    now = session.encoder.backend
    if not arguments.words:
        problem = gpu_problem()
        data = {"device": now.device, "reason": now.reason, "backend": str(now), "gpu_problem": problem}
        gpu = "A GPU is usable: /device cuda" if problem is None else f"No GPU is usable: {problem}"
        views = [Paragraph(f"The model computes with {now}.")]
        return Reply((*views, *([Paragraph(gpu)] if now.device == "cpu" else [])), data)
    backend = choose_backend(device=arguments.words[0], dtype=now.dtype)
    encoder = encoder_on(session.encoder, backend)
    data = {"device": backend.device, "reason": backend.reason, "backend": str(backend)}
    if backend.xp is now.xp:
        session.encoder = encoder
        data["changed"] = False
        return Reply((Paragraph(f"The model stays where it is: {backend}."),), data)
    change = difference(session, encoder)
    session.use(encoder, undo=f"/device {arguments.words[0]}")
    data |= {"changed": True, **change}
    return Reply((Paragraph(f"The model now computes with {backend}.\n{said(change)}"),), data)
