"""What a conversation holds, and that nothing but success changes it."""

import dataclasses
import signal

import numpy as np
import pytest

from minigpt2.encoder import Encoder
from minigpt2.errors import DataError, MiniGPT2Error, UsageError
from minigpt2.repl import commands, loop
from minigpt2.repl import session as session_module
from minigpt2.repl.commands import sim
from minigpt2.repl.exchange import Exchange, run_line
from minigpt2.repl.exchange_size import size_of
from minigpt2.repl.reply import Reply


def everything(session):
    return (
        session.encoder,
        list(session.sentences),
        session.vectors.copy(),
        session.current,
        list(session.undos),
        session.numbered,
    )


def same(before, after):
    return all(
        np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
        for a, b in zip(before, after, strict=True)
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DataError("no"), MemoryError(), ZeroDivisionError()])
def test_a_command_that_fails_halfway_changes_nothing(session, monkeypatch, error):
    run_line(session, "one")
    run_line(session, "two")
    before = everything(session)

    def run(session, arguments):
        session.keep_all(["three", "four"], session.embed(["three", "four"]), "typed")
        session.forget([1])
        session.current = "three"
        session.use(session.encoder, "a change")
        raise error

    monkeypatch.setattr(sim, "run", run)
    with pytest.raises(type(error)):
        run_line(session, "/sim a | b")
    assert same(before, everything(session))
    assert session.find("three") is None
    assert session.text_of("#1") == "one"
    monkeypatch.undo()
    assert run_line(session, "five").reply.data["number"] == 3


def asks_for_documents(encoder, pooling):
    """The encoder with a prompt for documents and another pooling."""
    settings = dataclasses.replace(encoder.settings, prompts={"document": "text: "}, pooling=pooling)
    return Encoder(encoder.model, encoder.tokenizer, settings, encoder.backend)


def remembers_nothing_old(session):
    """What is remembered of a text is what the encoder in use makes of it."""
    expected = session.encoder.encode_document([sentence.text for sentence in session.sentences])
    return session.look("one").encoder is session.encoder and np.allclose(
        session.document_vectors(), expected, atol=1e-5
    )


def test_nothing_is_remembered_of_a_model_that_is_no_longer_in_use(session):
    run_line(session, "one")
    run_line(session, "two")
    session.use(asks_for_documents(session.encoder, "last"))
    assert remembers_nothing_old(session)
    session.use(asks_for_documents(session.encoder, "max"), "a change")
    assert remembers_nothing_old(session)
    session.undo()
    assert remembers_nothing_old(session)


def test_nothing_is_remembered_of_a_model_that_a_failed_command_put_in(session, monkeypatch):
    run_line(session, "one")
    session.use(asks_for_documents(session.encoder, "last"))
    assert remembers_nothing_old(session)

    def run(session, arguments):
        session.use(asks_for_documents(session.encoder, "max"), "a change")
        assert remembers_nothing_old(session)
        raise KeyboardInterrupt

    monkeypatch.setattr(sim, "run", run)
    with pytest.raises(KeyboardInterrupt):
        run_line(session, "/sim a | b")
    assert remembers_nothing_old(session)


def test_numbers_are_given_once(session):
    for text in ("one", "two", "three"):
        run_line(session, text)
    session.forget([3])
    assert run_line(session, "four").reply.data["number"] == 4
    assert [sentence.number for sentence in session.sentences] == [1, 2, 4]
    with pytest.raises(UsageError, match="no sentence is numbered #3"):
        session.text_of("#3")


def test_commands_are_found_by_name_and_alias():
    assert commands.find("quit").NAME == commands.find("exit").NAME == commands.find("q").NAME == "quit"
    assert commands.find("?").NAME == "help"
    for typed, hint in (("smi", "did you mean /sim?"), ("zzzzz", "/help lists all commands")):
        with pytest.raises(UsageError) as error:
            commands.find(typed)
        assert str(error.value).startswith(f"unknown command /{typed}: {hint}")


def test_an_unknown_command_is_told_in_one_short_line(session):
    with pytest.raises(UsageError) as error:
        run_line(session, "/" + "x" * 100_000)
    assert len(str(error.value)) < 200


def test_a_path_is_no_command(session):
    with pytest.raises(UsageError, match="// begins a sentence that starts with a slash"):
        run_line(session, "/usr/bin is a folder")
    assert run_line(session, "//usr/bin is a folder").reply.data["text"] == "/usr/bin is a folder"


def test_warnings_of_a_command_are_part_of_the_exchange(session, monkeypatch):
    import warnings

    from minigpt2.encoder import TruncationWarning

    def run(session, arguments):
        warnings.warn("cut\nat 512", TruncationWarning, stacklevel=1)
        return Reply()

    monkeypatch.setattr(sim, "run", run)
    for _ in range(2):  # not only the first time
        assert run_line(session, "/sim").warnings == ("cut at 512",)


def test_a_tilde_is_the_home(session, monkeypatch, tmp_path):
    (tmp_path / "texts.txt").write_text("a cat\na dog\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    run_line(session, "/load ~/texts.txt")
    assert [sentence.text for sentence in session.sentences] == ["a cat", "a dog"]


def exchange(reply):
    return Exchange("x", "sim", reply, None, 0.0)


def test_the_oldest_exchanges_are_dropped_by_number_and_by_size(session, monkeypatch):
    monkeypatch.setattr(session_module, "EXCHANGES_KEPT", 5)
    monkeypatch.setattr(session_module, "BYTES_KEPT", 100_000)
    for number in range(8):
        session.record(exchange(Reply(data={"n": number})))
    assert [kept.reply.data["n"] for kept in session.exchanges] == [3, 4, 5, 6, 7]
    assert session.exchanges_dropped == 3
    session.record(exchange(Reply(data={"n": 8, "vector": np.zeros(11_000)})))
    assert [kept.reply.data["n"] for kept in session.exchanges] == [4, 5, 6, 7, 8]
    session.record(exchange(Reply(data={"n": 9, "rows": [[0.0] * 1000] * 20})))
    assert [kept.reply.data["n"] for kept in session.exchanges] == [9]
    assert session.exchanges_dropped == 9


def test_sizes_count_arrays_texts_and_numbers():
    assert size_of(np.zeros((10, 100))) == pytest.approx(8000, rel=0.1)
    assert size_of({"a": [1.0] * 1000}) == pytest.approx(32_000, rel=0.1)
    assert size_of("x" * 5000) == pytest.approx(5000, rel=0.1)
    assert size_of(Reply(views=(type("View", (), {})(),), data={})) < 1000
    view = type("View", (), {})()
    view.values = np.zeros(1000)
    view.itself = view  # must end
    assert size_of(view) >= 8000


def test_every_error_is_one_of_ours(session):
    for line in ("/sim", "/sim a |", "/attn x", "/load nowhere.txt", "/nope", "/sim #9 | a", "/history x"):
        with pytest.raises(MiniGPT2Error):
            run_line(session, line)


def test_one_more_ctrl_c_does_not_silence_what_the_first_has_done(session, monkeypatch, capsys):
    """It comes while the line that it would stop is already being reported."""

    def press(*_):
        signal.raise_signal(signal.SIGINT)

    class Editor:
        def read(self):
            return "a cat"

        def remember(self, text):
            pass

    record = session.record
    monkeypatch.setattr(loop, "run_line", press)
    monkeypatch.setattr(session, "record", lambda exchange: (press(), record(exchange)))
    assert loop._turn(session, Editor(), debug=False)
    assert capsys.readouterr().err == "interrupted\n"
    assert [exchange.error for exchange in session.exchanges] == ["interrupted"]
    with pytest.raises(KeyboardInterrupt):  # from here on it counts again
        press()
