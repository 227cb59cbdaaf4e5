"""`/list`: which sentences it shows, with what, and how many."""

import pytest
from sentence_sessions import SENTENCES, check_drawings, conversation, drawn, say, tiny

from minigpt2.errors import UsageError


def numbers(reply):
    return [one["number"] for one in reply.data["sentences"]]


def test_all_of_a_few_with_the_current_one_marked():
    session = conversation(lines=[*SENTENCES, "#2"])
    reply = say(session, "/list")
    assert reply.data["kept"] == 4
    assert reply.data["current"] == SENTENCES[1]
    assert reply.data["sentences"][2] == {"number": 3, "text": SENTENCES[2], "source": "typed"}
    marked = [row for row in drawn(reply).splitlines() if row.startswith("→")]
    assert len(marked) == 1
    assert SENTENCES[1] in marked[0]


def test_the_last_ones_as_many_as_asked_for():
    session = conversation(tiny(), [f"sentence {i}" for i in range(1, 31)])
    assert numbers(say(session, "/list")) == list(range(16, 31))
    assert "the last 15 of 30" in drawn(say(session, "/list"))
    assert numbers(say(session, "/list 4")) == [27, 28, 29, 30]
    assert numbers(say(session, "/list 99")) == list(range(1, 31))
    assert numbers(say(session, "/list #3 #7-#9 #3")) == [3, 7, 8, 9]
    assert numbers(say(session, "/list all")) == list(range(1, 31))


def test_none_is_kept():
    reply = say(conversation(tiny()), "/list")
    assert reply.data == {"kept": 0, "current": None, "sentences": []}
    assert "no sentence is kept yet" in drawn(reply)


@pytest.mark.parametrize("line", ["/list 0", "/list -3", "/list x", "/list 3 4", "/list #8", "/list --all"])
def test_what_is_refused(line):
    with pytest.raises(UsageError):
        say(conversation(tiny(), ["a", "b"]), line)


def test_drawings():
    session = conversation(tiny(), ["\x1b[2J" + "long " * 60, "犬" * 90, *SENTENCES])
    check_drawings(say(session, "/list"), widths=(20, 40, 80, 200))
