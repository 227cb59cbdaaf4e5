"""`/dtype`: the precision, and the difference that another one makes."""

import numpy as np
import pytest
from model_sessions import TYPED, check_drawing, drawn, say, session_with, state_of, tiny_encoder

from minigpt2.errors import UsageError


def test_the_difference_is_that_of_the_vectors(xp):
    encoder = tiny_encoder(xp)
    session = session_with(encoder=encoder)
    reply = say(session, "/dtype float64")
    assert session.encoder.backend.dtype == np.float64
    assert session.encoder.backend.device == encoder.backend.device
    exact = session.encoder.encode(list(TYPED))
    assert exact.dtype == np.float64
    rounded = encoder.encode(list(TYPED)).astype(np.float64)
    change = np.abs(exact - rounded).max()
    assert 0 < change < 1e-5
    assert reply.data["largest_change"] == pytest.approx(change, rel=1e-3 if xp is np else 1.0)
    assert reply.data["largest"] == pytest.approx(np.abs(rounded).max(), rel=1e-3)
    assert reply.data["sentences"] == 3
    assert reply.data["epsilon"] == np.finfo(np.float64).eps
    shown = " ".join(drawn(reply).split())
    assert "is below 1e-06;" in shown if change < 1e-6 else f"{change:.1e}" in shown
    check_drawing(reply)


def test_undo_goes_back():
    session = session_with()
    before = session.vectors.tobytes()
    say(session, "/dtype float64")
    say(session, "/undo")
    assert session.encoder.backend.dtype == np.float32
    assert session.vectors.tobytes() == before


@pytest.mark.parametrize("line", ["/dtype", "/dtype float32"])
def test_what_it_is_already_changes_nothing(line):
    session = session_with()
    before = state_of(session)
    reply = say(session, line)
    assert state_of(session) == before
    assert reply.data["dtype"] == "float32"
    assert reply.data["bytes"] == 4 * session.encoder.model.parameters.flat.size
    check_drawing(reply)


def test_without_sentences_there_is_nothing_to_compare():
    reply = say(session_with(()), "/dtype float64")
    assert reply.data["largest_change"] is None
    assert "No sentence is kept" in drawn(reply, 200)


@pytest.mark.parametrize("line", ["/dtype float16", "/dtype float32 float64", "/dtype f8", "/dtype int"])
def test_wrong_use(line):
    session = session_with()
    before = state_of(session)
    with pytest.raises(UsageError, match="float32, float64"):
        say(session, line)
    assert state_of(session) == before
