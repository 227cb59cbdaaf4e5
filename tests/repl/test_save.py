"""`/save`: what is written loads again and gives the same vectors; nothing is overwritten unasked."""

import json

import numpy as np
import pytest
from model_sessions import TYPED, check_drawing, drawn, say, session_with, state_of, tiny_encoder, write_pairs

import minigpt2
from minigpt2.errors import OutputError, UsageError


def test_the_trained_model_loads_with_the_same_vectors(tmp_path, xp):
    session = session_with(encoder=tiny_encoder(xp, pooling="max", prompts={"query": "q: "}))
    say(session, f"/train {write_pairs(tmp_path / 'pairs.tsv')} --steps 2 --lr 0.003")
    before = state_of(session)
    reply = say(session, f"/save {tmp_path / 'model'}")
    assert state_of(session) == before
    loaded = minigpt2.load(tmp_path / "model", xp=xp)
    if xp is np:
        np.testing.assert_array_equal(loaded.encode(list(TYPED)), session.encoder.encode(list(TYPED)))
    np.testing.assert_allclose(loaded.encode(list(TYPED)), session.vectors, atol=1e-5)
    assert loaded.settings.pooling == "max"
    assert loaded.settings.prompts == {"query": "q: "}
    check_drawing(reply)


def test_what_was_written_is_said(tmp_path):
    reply = say(session_with(), f"/save '{tmp_path / 'my model'}'")
    files = {
        str(path.relative_to(tmp_path / "my model")): path.stat().st_size
        for path in (tmp_path / "my model").rglob("*")
        if path.is_file()
    }
    assert reply.data["files"] == files
    assert reply.data["bytes"] == sum(files.values())
    assert json.loads((tmp_path / "my model" / "config.json").read_text())["n_embd"] == 12
    assert "model.safetensors" in drawn(reply)


def test_it_is_from_there_from_then_on(tmp_path):
    session = session_with()
    assert say(session, "/model").data["path"] is None
    say(session, f"/save {tmp_path / 'model'}")
    assert say(session, "/model").data["path"] == str(tmp_path / "model")


def test_only_a_model_directory_is_replaced_and_only_when_asked(tmp_path):
    session = session_with()
    say(session, f"/save {tmp_path / 'model'}")
    with pytest.raises(UsageError, match="--overwrite"):
        say(session, f"/save {tmp_path / 'model'}")
    say(session, "/dtype float64")
    say(session, f"/save {tmp_path / 'model'} --overwrite")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(UsageError, match="not replaced"):
        say(session, f"/save {tmp_path / 'papers'} --overwrite")
    assert (tmp_path / "papers" / "thesis.txt").read_text(encoding="utf-8") == "years of work"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("/save", UsageError),
        ("/save a b", UsageError),
        ("/save ''", UsageError),
        ("/save a\0b", UsageError),
        ("/save HERE/none/model", OutputError),
        ("/save HERE/file", UsageError),
        ("/save HERE/m --dtype float16", UsageError),
    ],
)
def test_wrong_use_writes_nothing(tmp_path, line, error):
    (tmp_path / "file").write_text("", encoding="utf-8")
    session = session_with()
    before = state_of(session)
    with pytest.raises(error):
        say(session, line.replace("HERE", str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert state_of(session) == before


def test_the_prompt_of_the_conversation_is_not_saved(tmp_path):
    encoder = tiny_encoder(prompts={"query": "q: ", "doc": "d: "}, default_prompt_name="doc")
    session = session_with((), encoder)
    session.put_before("query")
    np.testing.assert_array_equal(session.embed(["a"]), encoder.encode(["a"], prompt_name="query"))
    say(session, f"/save {tmp_path / 'model'}")
    assert minigpt2.load(tmp_path / "model").settings.default_prompt_name == "doc"
    assert session.encoder.settings.default_prompt_name == "query"
