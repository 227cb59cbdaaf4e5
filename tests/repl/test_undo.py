"""`/undo`: the model and the vectors are as they were, bit for bit, whatever has been typed since."""

import numpy as np
import pytest
from model_sessions import TYPED, check_drawing, drawn, say, session_with, tiny_encoder, write_pairs

from minigpt2.errors import UsageError
from minigpt2.repl.session import UNDOS_KEPT


@pytest.fixture
def pairs(tmp_path):
    return write_pairs(tmp_path / "pairs.tsv")


def test_vectors_and_similarities_are_bit_for_bit_as_before(pairs, xp):
    session = session_with(encoder=tiny_encoder(xp))
    vectors, encoder = session.vectors.copy(), session.encoder
    scores = say(session, "/sim #1 | #2").data
    matrix = say(session, "/matrix").data
    say(session, f"/train {pairs} --steps 2 --lr 0.003")
    assert say(session, "/matrix").data != matrix
    reply = say(session, "/undo")
    assert session.encoder is encoder
    assert session.vectors.tobytes() == vectors.tobytes()
    assert say(session, "/matrix").data == matrix
    if xp is np:  # sums of a GPU may differ from run to run
        assert say(session, "/sim #1 | #2").data == scores
    assert reply.data["undone"] == f"/train {pairs}"
    check_drawing(reply)


def test_sentences_that_came_since_are_embedded_and_forgotten_ones_stay_forgotten(pairs):
    session = session_with()
    before = session.vectors.copy()
    say(session, f"/train {pairs} --steps 2 --lr 0.003")
    say(session, "a new sentence")
    say(session, "/forget #2")
    say(session, "/undo")
    assert [sentence.text for sentence in session.sentences] == [TYPED[0], TYPED[2], "a new sentence"]
    np.testing.assert_array_equal(session.vectors[:2], before[[0, 2]])
    np.testing.assert_allclose(session.vectors[2], session.encoder.encode("a new sentence"), atol=1e-6)


def test_a_sentence_typed_again_after_it_was_forgotten(pairs):
    session = session_with()
    before = session.vectors.copy()
    say(session, f"/train {pairs} --steps 2 --lr 0.003")
    say(session, "/forget #2")
    say(session, TYPED[1])
    say(session, "/undo")
    np.testing.assert_allclose(session.vectors, before[[0, 2, 1]], atol=1e-6)


def test_changes_are_taken_back_one_after_the_other(pairs):
    session = session_with()
    states = [session.vectors.tobytes()]
    for line in (f"/train {pairs} --steps 1", "/dtype float64", f"/train {pairs} --steps 2"):
        say(session, line)
        states.append(session.vectors.tobytes())
    for left in (2, 1, 0):
        reply = say(session, "/undo")
        assert session.vectors.tobytes() == states[left]
        assert len(reply.data["left"]) == left
    assert "next /undo" not in drawn(reply)
    assert session.encoder.backend.dtype == np.float32


def test_only_the_last_changes_are_kept():
    session = session_with()
    for _ in range(UNDOS_KEPT):
        say(session, "/dtype float64")
        say(session, "/dtype float32")
    assert len(session.undos) == UNDOS_KEPT
    for _ in range(UNDOS_KEPT):
        say(session, "/undo")
    with pytest.raises(UsageError, match="nothing to undo"):
        say(session, "/undo")


def test_nothing_to_undo():
    session = session_with()
    with pytest.raises(UsageError, match="nothing to undo"):
        say(session, "/undo")
    with pytest.raises(UsageError, match="no argument"):
        say(session, "/undo 3")


def test_without_sentences(pairs):
    session = session_with(())
    encoder = session.encoder
    say(session, f"/train {pairs} --steps 1")
    reply = say(session, "/undo")
    assert session.encoder is encoder
    assert session.vectors.shape == (0, 12)
    assert "Taken back" in drawn(reply)
