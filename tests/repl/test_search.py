"""`/search`: the order against a full sort, prompts as the encoder puts them, and thousands of sentences."""

import numpy as np
import pytest
from sentence_sessions import SENTENCES, check_drawings, conversation, drawn, nano, say, snapshot, tiny
from work import lines_run

from minigpt2.errors import UsageError


def test_the_order_is_that_of_all_cosines_sorted(xp):
    texts = [f"text number {i * i}" for i in range(23)]
    session = conversation(tiny(xp), texts)
    before = snapshot(session)
    data = say(session, "/search --k 7 a query").data
    vectors, query = session.encoder.encode(texts), session.encoder.encode("a query")  # (M, D), (D,)
    cosines = vectors @ query  # (M,)
    order = np.argsort(-cosines, kind="stable")[:7]
    np.testing.assert_allclose([one["cosine"] for one in data["nearest"]], cosines[order], atol=1e-6)
    assert [one["number"] for one in data["nearest"]] == (order + 1).tolist()
    assert data["searched"] == 23
    assert snapshot(session) == before


def test_prompts_stand_before_queries_and_documents():
    prompts = {"query": "what? ", "document": "doc: ", "other": "z"}
    encoder = tiny(prompts=prompts, default_prompt_name="other")
    session = conversation(encoder, ["alpha", "beta", "gamma"])

    def check(encoder, texts):
        cosines = encoder.encode_document(texts) @ encoder.encode_query("alp")  # (M,)
        found = [one["cosine"] for one in say(session, "/search alp").data["nearest"]]
        assert found == pytest.approx(sorted(cosines.tolist(), reverse=True), abs=1e-6)

    check(encoder, ["alpha", "beta", "gamma"])
    say(session, "delta")
    say(session, "/forget #2")
    check(encoder, ["alpha", "gamma", "delta"])
    before = session.state()
    other = tiny(prompts=prompts)
    other.model.parameters.flat *= 1.5
    session.use(other)
    check(other, ["alpha", "gamma", "delta"])
    session.restore(before)
    check(encoder, ["alpha", "gamma", "delta"])


def test_no_cosine_is_above_1():
    texts = [f"text {i}" for i in range(60)]
    session = conversation(tiny(), texts)
    squares = (session.vectors * session.vectors).sum(axis=1)  # (M,)
    assert squares.max() > 1.0  # by rounding
    assert all(say(session, f"/search --k 1 {text}").data["nearest"][0]["cosine"] <= 1.0 for text in texts)


def test_a_sentence_by_its_number_finds_its_neighbours_without_itself():
    session = conversation(lines=SENTENCES)
    data = say(session, "/search #1").data
    assert data["query"] == SENTENCES[0]
    assert data["nearest"][0]["number"] == 2
    assert data["searched"] == len(data["nearest"]) == 3
    assert say(session, "/search").data["query"] == SENTENCES[-1]  # the current one
    typed = say(session, f"/search {SENTENCES[0]}").data
    assert typed["nearest"][0]["number"] == 1
    assert typed["nearest"][0]["cosine"] == pytest.approx(1.0, abs=1e-6)
    assert typed["nearest"][0]["cosine"] <= 1.0
    assert say(conversation(lines=["alone"]), "/search #1").data["nearest"] == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/search", "nothing to search yet"),
        ("/search a", "nothing to search yet"),
        ("/search --k 0 a", "how many to show"),
        ("/search --k many a", "how many to show"),
        ("/search --n 3 a", "has no option"),
    ],
)
def test_what_is_refused_in_a_new_conversation(line, message):
    with pytest.raises(UsageError, match=message):
        say(conversation(tiny()), line)


def test_drawings():
    session = conversation(lines=[*SENTENCES, "犬が寝ている \x1b[2J " * 9])
    reply = say(session, "/search a pet at home")
    check_drawings(reply, widths=(20, 40, 80, 200))
    assert "#1 The cat is sleeping" in drawn(reply)
    session.keep_all(["from a file"], nano().encode(["from a file"]), "file.txt")
    wide = drawn(say(session, "/search a pet at home"), 200)
    assert "· file.txt" in wide
    assert "· typed" in wide
    alone = say(conversation(lines=["alone"]), "/search #1")
    assert "no other sentence" in drawn(alone)


def conversation_of(M):
    """M sentences that are kept, with random vectors"""
    session = conversation()
    vectors = np.random.default_rng(11).standard_normal((M, session.encoder.dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    session.keep_all([f"sentence {i}" for i in range(M)], vectors, "file.txt")
    return session


@pytest.mark.parametrize(
    "line", ["/search a dog in the garden", "a dog sleeps in the garden", "/list", "#1", "/search #500"]
)
def test_a_line_does_no_more_work_among_ten_thousand_sentences(line):
    def work(M):
        session = conversation_of(M)
        return lines_run(lambda: drawn(say(session, line), colour="truecolor"))

    work(1000)  # imports, and what is computed once
    few = work(1000)
    assert work(10_000) < 1.5 * few


def test_to_find_a_sentence_that_is_kept_is_one_look():
    session = conversation_of(10_000)
    texts = [sentence.text for sentence in session.sentences]
    assert lines_run(lambda: [session.keep(text, session.vectors[0]) for text in texts]) < 10 * len(texts)
    assert len(session.sentences) == 10_000
