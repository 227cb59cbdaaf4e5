"""`/model`: its numbers against the model itself; another model instead, and back."""

import numpy as np
import pytest
from model_sessions import (
    TYPED,
    check_drawing,
    drawn,
    nano,
    say,
    session_with,
    state_of,
    tiny_encoder,
    write_pairs,
)

import minigpt2
from minigpt2.errors import ModelError, UsageError


def test_the_parameters_are_counted_part_by_part():
    session = session_with(encoder=tiny_encoder(pooling="max", max_seq_length=17))
    reply = say(session, "/model")
    data = reply.data
    parameters = session.encoder.model.parameters
    parts = {part["name"]: part for part in data["parts"]}
    for name, part in parts.items():
        beginnings = (
            [name.replace("*", str(block)) + "." for block in range(2)] if "*" in name else [name + "."]
        )
        tensors = [view for key, view in parameters.items() if key.startswith(tuple(beginnings))]
        assert part["parameters"] == sum(view.size for view in tensors)
        assert part["shape"] == list(tensors[0].shape)
    assert sum(part["parameters"] for part in parts.values()) == data["parameters"] == parameters.flat.size
    assert (data["layers"], data["heads"], data["width"], data["mlp_width"]) == (2, 3, 12, 48)
    assert (data["window"], data["pooling"], data["dtype"]) == (17, "max", "float32")
    assert data["tokenizer"] == "ByteTokenizer"
    check_drawing(reply)


def test_nano_says_where_it_is_from():
    reply = say(session_with((), nano()), "/model")
    assert reply.data["path"].endswith("nano")
    assert reply.data["lowercase"] is True
    assert "8,998,912" in drawn(reply)
    assert "nano, a model that ships with minigpt2" in drawn(reply)


def test_what_was_done_to_it_is_said(tmp_path):
    path, pairs = tiny_encoder().save(tmp_path / "first"), write_pairs(tmp_path / "pairs.tsv")
    session = session_with(encoder=minigpt2.load(path))
    say(session, f"/train {pairs} --steps 1")
    reply = say(session, "/model")
    assert reply.data["path"] is None
    assert reply.data["changes"] == [f"/train {pairs}"]
    assert f"{path}; here: /train {pairs}" in drawn(reply, 400)


def test_another_model_embeds_the_kept_sentences_anew(tmp_path):
    other = tiny_encoder(pooling="last")
    other.save(tmp_path / "other")
    session = session_with(encoder=nano())
    before = session.vectors.copy()
    reply = say(session, f"/model {tmp_path / 'other'}")
    np.testing.assert_allclose(session.vectors, other.encode(list(TYPED)), atol=1e-6)
    assert reply.data["width"] == 12
    assert reply.data["path"] == str(tmp_path / "other")
    assert np.shape(reply.data["after"]) == (3, 3)
    check_drawing(reply)
    say(session, "/undo")
    assert session.vectors.tobytes() == before.tobytes()
    assert session.encoder is nano()


def test_device_and_precision_stay(tmp_path, xp):
    path = tiny_encoder().save(tmp_path / "model")
    session = session_with(encoder=tiny_encoder(xp, np.float64))
    say(session, f"/model {path}")
    assert session.encoder.backend.xp is xp
    assert session.encoder.backend.dtype == np.float64


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("/model no-such-model", ModelError, "no-such-model"),
        ("/model HERE", ModelError, "config.json"),
        ("/model nano nano", UsageError, "one model"),
        ("/model ''", UsageError, "no name"),
        ("/model a\0b", UsageError, "no name"),
    ],
)
def test_wrong_use_leaves_the_model_as_it_was(tmp_path, line, error, message):
    session = session_with()
    before = state_of(session)
    with pytest.raises(error, match=message):
        say(session, line.replace("HERE", str(tmp_path)))
    assert state_of(session) == before
