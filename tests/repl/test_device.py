"""`/device`: where the model computes, with the reason of `choose_backend`, and what another one changes."""

import numpy as np
import pytest
from model_sessions import TYPED, check_drawing, drawn, say, session_with, state_of, tiny_encoder

from minigpt2.backend import choose_backend, gpu_problem
from minigpt2.errors import DeviceError, UsageError


def test_it_says_where_and_why(xp):
    session = session_with(encoder=tiny_encoder(xp))
    reply = say(session, "/device")
    backend = session.encoder.backend
    assert reply.data["device"] == backend.device
    assert reply.data["reason"] == backend.reason
    assert reply.data["gpu_problem"] == gpu_problem()
    check_drawing(reply)


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_the_reason_is_that_of_the_choice(device):
    session = session_with()
    vectors, model = session.vectors.copy(), session.encoder.model
    reply = say(session, f"/device {device}")
    assert session.encoder.backend == choose_backend(device=device)
    assert reply.data["reason"] == choose_backend(device=device).reason
    check_drawing(reply)
    if session.encoder.backend.device == "cpu":  # nothing has moved
        assert session.vectors.tobytes() == vectors.tobytes()
        assert session.encoder.model is model
        assert session.undos == []


@pytest.mark.skipif(gpu_problem() is None, reason="a GPU is usable")
def test_no_gpu_is_an_error_that_says_why():
    session = session_with()
    before = state_of(session)
    with pytest.raises(DeviceError) as raised:
        say(session, "/device cuda")
    assert str(raised.value) == gpu_problem()
    assert state_of(session) == before


@pytest.mark.gpu
@pytest.mark.skipif(gpu_problem() is not None, reason="no GPU is usable")
def test_to_the_gpu_and_back():
    session = session_with()
    before = session.vectors.copy()
    reply = say(session, "/device cuda")
    assert session.encoder.backend.device == "cuda"
    np.testing.assert_allclose(session.vectors, before, atol=1e-5)
    after = session.encoder.encode(list(TYPED))
    assert reply.data["largest_change"] == pytest.approx(np.abs(after - before).max(), abs=1e-7)
    assert "largest change" in drawn(reply)
    say(session, "/device cpu")
    assert session.encoder.backend.device == "cpu"
    say(session, "/undo")
    assert session.encoder.backend.device == "cuda"
    say(session, "/undo")
    assert session.vectors.tobytes() == before.tobytes()


@pytest.mark.parametrize("line", ["/device tpu", "/device cpu cpu", "/device --all"])
def test_wrong_use(line):
    session = session_with()
    before = state_of(session)
    with pytest.raises(UsageError):
        say(session, line)
    assert state_of(session) == before
