"""`/sim A | B`: how alike two sentences are, by every measure."""

import numpy as np

from ...errors import UsageError
from ...similarity import METRICS, pairwise, reading
from ...views import Table
from ..line import Arguments
from ..reply import Reply
from ..session import Session

NAME = "sim"
USAGE = "/sim A | B"
SUMMARY = "how alike two sentences are, by every measure"
DETAILS = """\
Every measure with the range that it can have for vectors of length 1, and what its value says. With one text
it is compared with the last sentence typed."""
EXAMPLES = ("/sim The cat is sleeping | A feline is resting", "/sim #1 | #2")
FORM = "texts"
OPTIONS = ()
COMPLETES = "sentence"


def run(session: Session, arguments: Arguments) -> Reply:
    """Compare two texts."""
    texts = [session.text_of(text) for text in arguments.texts]
    if len(texts) == 1 and session.current is not None:
        texts.insert(0, session.current)
    if len(texts) != 2:
        raise UsageError("/sim compares two sentences: /sim A | B")
    a, b = session.embed(texts)  # (D,), (D,)
    scores = {name: float(pairwise(a, b, name)[0]) for name in METRICS}
    rows = []
    for name, value in scores.items():
        low, high = METRICS[name].unit_range(len(a))
        rows.append((name, value, f"{low:g} to {high:.3g}", reading(name, value, len(a))))
    table = Table(("measure", "value", "range", "reading"), rows)
    return Reply(
        (table,), {"texts": texts, "scores": scores, "norms": np.linalg.norm([a, b], axis=1).tolist()}
    )
