"""`/forget`: what goes, what stays, and that numbers are given once."""

import numpy as np
import pytest
from sentence_sessions import check_drawings, conversation, say, snapshot, tiny

from minigpt2.errors import UsageError

LETTERS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]


def texts(session):
    return [s.text for s in session.sentences]


def test_the_others_keep_their_numbers_and_vectors():
    session = conversation(tiny(), LETTERS)
    reply = say(session, "/forget #2 #4-#5")
    assert reply.data == {"forgotten": [2, 4, 5], "kept": 3}
    assert [(s.number, s.text) for s in session.sentences] == [(1, "alpha"), (3, "gamma"), (6, "zeta")]
    expected = session.encoder.encode(["alpha", "gamma", "zeta"])  # (3, D)
    np.testing.assert_allclose(session.vectors, expected, atol=1e-6)
    assert say(session, "#6").data["text"] == "zeta"


def test_a_number_is_never_given_again():
    session = conversation(tiny(), [*LETTERS, "/forget #5-#6"])
    assert say(session, "eta").data["number"] == 7
    say(session, "/forget all")
    assert texts(session) == []
    assert session.vectors.shape == (0, 18)
    assert say(session, "alpha").data["number"] == 8


def test_the_current_one_is_none_once_it_is_forgotten():
    session = conversation(tiny(), LETTERS)
    say(session, "/forget #1")
    assert session.current == "zeta"
    say(session, "/forget #6")
    assert session.current is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/forget", "which sentences"),
        ("/forget #1 #9", "no sentence is numbered #9"),
        ("/forget #8-#9", "no sentence is numbered #8-#9"),
        ("/forget #3-#2", "no sentence is numbered #3-#2"),
        ("/forget alpha", "takes numbers like #3"),
        ("/forget #1 --now", "has no option"),
    ],
)
def test_what_is_refused_changes_nothing(line, message):
    session = conversation(tiny(), LETTERS)
    before = snapshot(session)
    with pytest.raises(UsageError, match=message):
        say(session, line)
    assert snapshot(session) == before


def test_nothing_to_forget():
    with pytest.raises(UsageError, match="none is kept"):
        say(conversation(tiny()), "/forget all")


def test_drawings():
    session = conversation(tiny(), LETTERS)
    for line in ("/forget #1", "/forget #2-#4", "/forget all"):
        check_drawings(say(session, line), widths=(20, 40, 80, 200))
