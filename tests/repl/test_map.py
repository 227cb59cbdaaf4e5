"""`/map`: the points against the covariance's eigenvectors, what it admits, and the page that it writes."""

import re

import numpy as np
import pytest
from sentence_sessions import SENTENCES, check_drawings, conversation, drawn, nano, say, snapshot, tiny

from minigpt2.errors import OutputError, UsageError
from minigpt2.repl.commands.map import _neighbours_kept

TEXTS = [*SENTENCES, "a kitten", "shares and bonds", "wet weather", "an old dog"]


def principal(vectors):
    """Points (M, 2) and shares (2,) by the eigenvectors of the covariance, each axis up to its sign."""
    centred = vectors.astype(np.float64) - vectors.astype(np.float64).mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred)
    return centred @ axes[:, ::-1][:, :2], values[::-1][:2] / values.sum()


def test_the_points_are_the_principal_components(xp):
    session = conversation(tiny(xp), TEXTS)
    before = snapshot(session)
    data = say(session, "/map").data
    points, explained = principal(session.encoder.encode(TEXTS))
    np.testing.assert_allclose(np.abs(data["points"]), np.abs(points), atol=1e-5)
    np.testing.assert_allclose(data["explained"], explained, atol=1e-5)
    assert data["numbers"] == list(range(1, 9))
    assert snapshot(session) == before


def test_it_says_how_much_of_the_truth_it_shows():
    session = conversation(lines=TEXTS)
    reply = say(session, "/map")
    vectors = nano().encode(TEXTS)  # (M, D)
    points, explained = principal(vectors)

    def nearest(x):
        distances = np.linalg.norm(x[:, None] - x[None], axis=2)  # (M, M)
        np.fill_diagonal(distances, np.inf)
        return distances.argmin(axis=1)  # (M,)

    kept = int((nearest(vectors) == nearest(points)).sum())
    assert (reply.data["nearest_kept"], reply.data["nearest_tried"]) == (kept, 8)
    text = " ".join(drawn(reply).split())
    assert f"the map holds {explained.sum():.0%} of the variance" in text
    assert f"for {kept} of 8 sentences" in text


def test_a_sentence_is_not_its_own_neighbour_where_two_fall_on_one_point():
    vectors = np.array([[0.0, 0.0, 0.1], [0.0, 0.0, -0.1], [9.0, 0.0, 0.0]])  # (3, D)
    assert _neighbours_kept(vectors, vectors[:, :2]) == (3, 3)


def test_three_sentences_fit_on_a_plane():
    data = say(conversation(lines=SENTENCES), "/map #1-#3").data
    assert sum(data["explained"]) == pytest.approx(1.0, abs=1e-5)
    assert data["nearest_kept"] == 3


def test_the_sentences_named_or_the_last_ones():
    session = conversation(tiny(), [f"text {i}" for i in range(1, 51)])
    reply = say(session, "/map")
    assert reply.data["numbers"] == list(range(11, 51))
    assert "the last 40 of 50" in drawn(reply)
    assert say(session, "/map #50 #7 #1-#3").data["numbers"] == [50, 7, 1, 2, 3]
    assert len(say(session, "/map all").data["numbers"]) == 50
    check_drawings(reply, widths=(20, 40, 80, 200))


def test_drawings():
    session = conversation(lines=[*TEXTS, "犬が庭で寝ている \x1b[2J", "#2"])
    session.keep_all(["from a file"], nano().encode(["from a file"]), "file.txt")
    reply = say(session, "/map")
    check_drawings(reply, widths=(20, 40, 80, 200))
    stars = [row for row in drawn(reply).splitlines() if "★" in row]  # the current sentence, listed and drawn
    assert len(stars) == 2
    assert all("#2" in row for row in stars)
    assert "file.txt" in drawn(reply)
    same = conversation(tiny(), ["a", "b", "c"])
    same.vectors[:] = same.vectors[0]
    check_drawings(say(same, "/map"))


def test_a_page_that_needs_no_network(tmp_path):
    session = conversation(lines=[*TEXTS, "<script>alert(1)</script> & é 犬"])
    path = tmp_path / "my map.html"
    reply = say(session, f'/map --html "{path}"')
    assert reply.data["file"] == str(path)
    assert list(tmp_path.iterdir()) == [path]
    html = path.read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>")
    for text in TEXTS:
        assert text in html
    assert "<script>alert(1)" not in html
    assert not re.search(r"(src|href)\s*=|@import|url\(|fetch\(|https?://(?!www\.w3\.org)", html)
    check_drawings(reply)


def test_a_file_that_exists_is_replaced_only_when_told(tmp_path):
    session = conversation(tiny(), TEXTS)
    path = tmp_path / "map.html"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"map\.html exists"):
        say(session, f"/map --html {path}")
    assert path.read_text() == "mine"
    say(session, f"/map #1-#5 --html {path} --overwrite")
    assert TEXTS[4] in path.read_text()
    assert TEXTS[5] not in path.read_text()
    with pytest.raises(OutputError, match="does not exist"):
        say(session, f"/map --html {tmp_path / 'none' / 'map.html'}")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/map #1 #2", "at least 3 kept sentences, not 2"),
        ("/map #1 #2 #9", "no sentence is numbered #9"),
        ("/map map.html", "takes numbers like #3"),
        ("/map --overwrite", "belongs to --html"),
        ("/map --html", "needs a value"),
    ],
)
def test_what_is_refused(line, message):
    with pytest.raises(UsageError, match=message):
        say(conversation(tiny(), ["a", "b", "c"]), line)


def test_thousands_of_sentences():
    session = conversation(tiny())
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((2003, 18)).astype(np.float32)
    session.keep_all([f"text {i}" for i in range(2003)], vectors, "file.txt")
    reply = say(session, "/map all")
    assert reply.data["nearest_tried"] == 500
    check_drawings(reply, widths=(40, 80))
    session.keep_all([f"more {i}" for i in range(18_000)], np.ones((18_000, 18)), "file.txt")
    with pytest.raises(UsageError, match="20,003 sentences is too large"):
        say(session, "/map all")
