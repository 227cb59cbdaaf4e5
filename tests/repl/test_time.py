"""`/time`: the times of the lines as they were measured, and the parts of one forward pass."""

import re
import statistics

import pytest
from model_sessions import TYPED, check_drawing, drawn, nano, say, session_with, state_of, tiny_encoder

from minigpt2.errors import UsageError
from minigpt2.interpret import times
from minigpt2.repl.exchange import Exchange


def test_last_median_and_slowest_are_those_of_the_lines():
    session = session_with()
    say(session, "/sim #1 | #2")
    reply = session.exchanges[-1].reply
    for milliseconds, drawing in ((900, 50), (2, 1)):
        session.record(Exchange("/list", "list", reply, None, milliseconds / 1e3, drawing=drawing / 1e3))
    session.record(Exchange("/nothing", "nothing", None, "unknown command", 0.0))
    answered = [exchange for exchange in session.exchanges if exchange.reply]
    data = say(session, "/time").data
    assert data["lines"] == 6
    assert (data["last"]["input"], data["last"]["command"]) == ("/list", "list")
    assert data["last"]["milliseconds"] == pytest.approx(3)
    assert data["last"]["answer_milliseconds"] == pytest.approx(2)
    assert data["last"]["drawing_milliseconds"] == pytest.approx(1)
    assert data["slowest"]["milliseconds"] == pytest.approx(950)
    expected = 1e3 * statistics.median(exchange.seconds for exchange in answered)
    assert data["median"]["answer_milliseconds"] == pytest.approx(expected)


def test_the_parts_of_the_pass_sum_to_it(xp):
    session = session_with(encoder=tiny_encoder(xp))
    before = state_of(session)
    reply = say(session, "/time")
    assert state_of(session) == before
    sentence = reply.data["sentence"]
    assert sentence["text"] == TYPED[-1]
    assert sentence["tokens"] == len(TYPED[-1].encode())
    assert list(sentence["layers_milliseconds"]) == [*times.KINDS, "other"]
    assert sum(sentence["layers_milliseconds"].values()) == pytest.approx(sentence["forward_milliseconds"])
    seconds = sentence["forward_milliseconds"] / 1e3
    assert sentence["tokens_per_second"] == pytest.approx(sentence["tokens"] / seconds)
    assert sentence["parse_milliseconds"] > 0
    assert sentence["tokenize_milliseconds"] > 0
    check_drawing(reply)


def test_the_times_are_those_of_the_pass(monkeypatch):
    """What `forward_times` measures is what is shown."""
    seconds = {kind: 1e-3 * (place + 1) for place, kind in enumerate(times.KINDS)} | {"other": 0.5}
    monkeypatch.setattr("minigpt2.interpret.forward_times", lambda encoder, batch, repeats: seconds)
    reply = say(session_with(), "/time")
    shown = reply.data["sentence"]["layers_milliseconds"]
    assert shown == pytest.approx({kind: 1e3 * value for kind, value in seconds.items()})
    assert "500.000" in drawn(reply)


def test_at_the_start_there_is_nothing_but_a_hint():
    reply = say(session_with(()), "/time")
    assert reply.data == {"lines": 0, "last": None, "median": None, "slowest": None, "sentence": None}
    assert "Type a sentence" in drawn(reply)
    check_drawing(reply)


def test_nasty_lines_and_a_long_one(capsys):
    session = session_with(["\x1b[31mred\x1b[0m \u202e evil", "word " * 3000], nano())
    check_drawing(say(session, "/time"))


def test_wrong_use():
    with pytest.raises(UsageError, match="no argument"):
        say(session_with(), "/time now")


def test_milliseconds_have_two_decimals():
    shown = drawn(say(session_with(), "/time")).splitlines()
    rows = [row.split()[-3:] for row in shown if row.startswith(("the last", "median of", "slowest"))]
    assert len(rows) == 3
    assert all(re.fullmatch(r"[\d,]+\.\d\d", number) for row in rows for number in row)
