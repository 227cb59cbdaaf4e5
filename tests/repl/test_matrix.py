"""`/matrix`: the scores against a double loop, the pairs that are named, and which sentences it takes."""

import numpy as np
import pytest
from sentence_sessions import SENTENCES, check_drawings, conversation, drawn, nano, say, tiny, unit

from minigpt2.errors import UsageError


def test_the_scores_are_those_of_a_double_loop(xp):
    session = conversation(tiny(xp), ["one", "two two", "a third", "and a fourth"])
    data = say(session, "/matrix").data
    vectors = unit(session.encoder.encode(data["texts"]))  # (M, D)
    expected = [[float(a @ b) for b in vectors] for a in vectors]
    np.testing.assert_allclose(data["scores"], expected, atol=2e-6)
    assert data["numbers"] == [1, 2, 3, 4]
    pairs = {(i, j): expected[i][j] for i in range(4) for j in range(i)}
    for what, place in (("closest", max(pairs, key=pairs.get)), ("farthest", min(pairs, key=pairs.get))):
        assert sorted(data[what]["numbers"]) == sorted(i + 1 for i in place)
        assert data[what]["score"] == pytest.approx(pairs[place], abs=2e-6)


def test_a_distance_is_closest_where_it_is_smallest():
    session = conversation(lines=SENTENCES)
    data = say(session, "/matrix --metric euclidean").data
    vectors = nano().encode(list(SENTENCES))  # (M, D)
    expected = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)  # (M, M)
    np.testing.assert_allclose(data["scores"], expected, atol=1e-3)
    cosine = say(session, "/matrix").data
    assert data["closest"]["numbers"] == cosine["closest"]["numbers"]
    assert data["farthest"]["numbers"] == cosine["farthest"]["numbers"]
    assert data["closest"]["score"] < data["farthest"]["score"]


def test_the_sentences_named_in_their_order():
    session = conversation(lines=[*SENTENCES, "a", "b", "/forget #3"])
    assert say(session, "/matrix #5 #1-#4,#6").data["numbers"] == [5, 1, 2, 4, 6]
    assert say(session, "/matrix #2-5 #2").data["numbers"] == [2, 4, 5]
    assert say(session, "/matrix all").data["numbers"] == [1, 2, 4, 5, 6]


def test_unasked_as_many_as_fit_and_it_says_so():
    lines = [f"sentence {i}" for i in range(1, 41)]
    counts = {}
    for width in (40, 80, 200):
        session = conversation(tiny(), lines, width=width)
        reply = say(session, "/matrix")
        counts[width] = len(reply.data["numbers"])
        assert reply.data["numbers"][-1] == 40
        assert f"the last {counts[width]} of 40" in drawn(reply, width)
        heading = drawn(reply, width).splitlines()[0]
        assert "#40" in heading  # every column has its label
        check_drawings(reply, widths=(width,))
    assert counts[40] < counts[80] < counts[200] <= 30


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/matrix #1", "at least 2 kept sentences, not 1"),
        ("/matrix #1 #9", "no sentence is numbered #9"),
        ("/matrix #7-#9", "no sentence is numbered #7-#9"),
        ("/matrix 1 2", "takes numbers like #3"),
        ("/matrix #1 cat", "takes numbers like #3"),
        ("/matrix --metric cosin", "unknown metric 'cosin': use one of cosine"),
        ("/matrix --metric", "needs a value"),
        ("/matrix --metrics cosine", "did you mean --metric"),
    ],
)
def test_what_is_refused(line, message):
    with pytest.raises(UsageError, match=message):
        say(conversation(tiny(), ["a", "b", "c"]), line)


def test_too_few_and_too_many():
    session = conversation(tiny())
    with pytest.raises(UsageError, match="at least 2 kept sentences, not 0"):
        say(session, "/matrix")
    rng = np.random.default_rng(3)
    session.keep_all([f"text {i}" for i in range(201)], rng.standard_normal((201, 18)), "here")
    with pytest.raises(UsageError, match="201 sentences is too large"):
        say(session, "/matrix all")
    check_drawings(say(session, "/matrix #1-#200"))


def test_drawings():
    session = conversation(lines=[*SENTENCES, "犬が寝ている \x1b[2J"])
    check_drawings(say(session, "/matrix"), widths=(20, 40, 80, 200))
    check_drawings(say(session, "/matrix --metric manhattan"), widths=(20, 40, 80, 200))
    text = drawn(say(session, "/matrix"))
    assert "closest" in text
    assert "farthest" in text
    two = drawn(say(session, "/matrix #1 #3"))
    assert "the pair" in two
    assert "closest" not in two
