"""`/undo`: take back the last change of the model."""

from ..line import Arguments
from ..reply import Reply
from ..session import UNDOS_KEPT, Session

NAME = "undo"
USAGE = "/undo"
SUMMARY = "take back the last change of the model"
DETAILS = f"""\
What /train, /model, /pool, /device and /dtype have changed is as it was: the model, and bit for bit the
vectors of the sentences that were kept at that time. Sentences that have come since are embedded anew. The
last {UNDOS_KEPT} changes are remembered."""
EXAMPLES = ("The cat is sleeping", "/pool max", "/undo")
FORM = "none"
OPTIONS = ()
COMPLETES = None


def run(session: Session, arguments: Arguments) -> Reply:
    """Go back to the model before the last change."""
    from ...views import Paragraph
    from ..moves import data_of, moves_between, table_of

    vectors = session.vectors  # (M, D)
    undone = session.undo()
    moves = moves_between(session.sentences, vectors, session.vectors)
    left = [undo.what for undo in reversed(session.undos)]
    data = {"undone": undone.what, "left": left, **data_of(moves)}
    said = f"Taken back: {undone.what}."
    if left:
        said += f" The next /undo takes back {left[0]}."
    pictures = [table_of(moves)] if len(session.sentences) > 1 else []
    return Reply((Paragraph(said), *pictures), data)
