"""`/attn`: the pattern is the model's own, and what is said of a head follows from it."""

import dataclasses
import math

import numpy as np
import pytest
from inside import CONFIG, SENTENCE, ask, cached, check_drawings, drawn, encoder_of, nano, refused, session_of

from minigpt2.backend import to_numpy
from minigpt2.repl.commands.attn import kind_of, strongest_link

TEXT = "cats purr"


def pattern_of(encoder, text, layer):
    return to_numpy(cached(encoder, text)[1][f"blocks.{layer}.attn.pattern"][0])


def test_the_pattern_of_every_head_is_that_of_the_forward_pass(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder, TEXT), "/attn").data
    assert [(head["layer"], head["head"]) for head in data["heads"]] == [
        (i, h) for i in range(CONFIG.L) for h in range(CONFIG.H)
    ]
    for head in data["heads"]:
        expected = pattern_of(encoder, TEXT, head["layer"])[head["head"]]
        np.testing.assert_allclose(head["pattern"], expected, rtol=1e-12, atol=1e-15)
    assert data["ids"] == list(TEXT.encode())
    assert data["tokens"] == list(TEXT)


def test_the_pattern_is_softmax_of_q_times_k():
    encoder = encoder_of()
    _, cache = cached(encoder, TEXT)
    q, k = cache["blocks.2.attn.q"][:, 1], cache["blocks.2.attn.k"][:, 1]  # (T, K)
    pattern = ask(session_of(encoder, TEXT), "/attn 2 1").data["heads"][0]["pattern"]
    for t, row in enumerate(pattern):
        weights = [math.exp(sum(q[t] * k[u]) / math.sqrt(CONFIG.K)) for u in range(t + 1)]
        np.testing.assert_allclose(row[: t + 1], np.array(weights) / sum(weights), rtol=1e-10)
        assert row[t + 1 :] == [0.0] * (len(TEXT) - t - 1)


def test_the_numbers_of_a_head_by_a_loop():
    encoder = encoder_of()
    (head,) = ask(session_of(encoder, TEXT), "/attn 3 0").data["heads"]
    pattern = pattern_of(encoder, TEXT, 3)[0]
    T = len(TEXT)
    rows = range(1, T)  # token 0 can look at itself alone
    assert head["first"] == pytest.approx(sum(pattern[t, 0] for t in rows) / (T - 1))
    assert head["previous"] == pytest.approx(sum(pattern[t, t - 1] for t in rows) / (T - 1))
    assert head["itself"] == pytest.approx(sum(pattern[t, t] for t in rows) / (T - 1))
    distance = sum(pattern[t, u] * (t - u) for t in rows for u in range(T)) / (T - 1)
    assert head["distance"] == pytest.approx(distance)
    entropy = -sum(p * math.log(p) for t in rows for p in pattern[t] if p > 0) / (T - 1)
    assert head["entropy"] == pytest.approx(entropy)


def test_arguments_choose_layer_and_head():
    session = session_of(encoder_of(), TEXT)
    for line, heads in (
        ("/attn 2", [(2, 0), (2, 1), (2, 2)]),
        ("/attn 1 2", [(1, 2)]),
        ("/attn 1.2", [(1, 2)]),
        ('/attn 0 0 --of "a dog"', [(0, 0)]),
    ):
        assert [(head["layer"], head["head"]) for head in ask(session, line).data["heads"]] == heads
    assert ask(session, '/attn 0 --of "a dog"').data["text"] == "a dog"
    assert ask(session, "/attn --of #1").data["text"] == TEXT


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/attn 4", "no layer 4: the model has 4 layers, counted from 0 to 3"),
        ("/attn 0 3", "no head 3: each layer has 3 heads, counted from 0 to 2"),
        ("/attn -1", "a number from 0 to 3"),
        ("/attn two", "a number from 0 to 3"),
        ("/attn 1 1 1", "a layer and a head at most"),
        ("/attn 1.3", "no head 3"),
        ("/attn 1.1 1", "a layer and a head at most"),
        ("/attn ٣", "a number from 0 to 3"),
        ('/attn --of ""', "empty text"),
        ("/attn --of #9", "#9"),
        ("/attn --off x", "--of"),
    ],
)
def test_what_does_not_fit_is_refused(line, says):
    assert says in refused(session_of(encoder_of(), TEXT), line)


def test_without_a_sentence_it_is_refused():
    assert "type a sentence" in refused(session_of(encoder_of()), "/attn")


@pytest.mark.parametrize("line", ["/attn", "/attn 5", "/attn 3 1", '/attn 3 1 --of "x"', '/attn --of "x"'])
def test_it_draws_everywhere(line):
    check_drawings(ask(session_of(nano(), SENTENCE), line))


def test_the_future_stays_empty():
    text = drawn(ask(session_of(nano(), "The cat sleeps well"), "/attn 0 0"), 80)
    rows = [line.split() for line in text.splitlines() if line.split()[:1] in (["the"], ["cat"], ["sleep"])]
    assert [len(row) - 1 for row in rows if "." in row[-1]] == [1, 2, 3]


def test_a_bidirectional_model_has_no_empty_triangle():
    encoder = encoder_of(config=dataclasses.replace(CONFIG, attention="bidirectional"))
    reply = ask(session_of(encoder, "abcd"), "/attn 0 0")
    assert np.array(reply.data["heads"][0]["pattern"]).min() > 0
    assert reply.data["causal"] is False
    assert "triangle" not in drawn(reply)


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ({"itself": 0.5, "previous": 0.1, "first": 0.3, "spread": 0.2}, "itself"),
        ({"itself": 0.1, "previous": 0.7, "first": 0.1, "spread": 0.2}, "previous"),
        ({"itself": 0.1, "previous": 0.1, "first": 0.6, "spread": 0.9}, "first"),
        ({"itself": 0.2, "previous": 0.2, "first": 0.2, "spread": 0.95}, "spread"),
        ({"itself": 0.2, "previous": 0.2, "first": 0.2, "spread": 0.5}, "mixed"),
    ],
)
def test_what_a_head_does_most(numbers, kind):
    assert kind_of(numbers) == kind


def test_the_strongest_link_leaves_out_neighbours_and_the_first_token():
    pattern = np.array(
        [
            [1.0, 0.0, 0.0, 0.0, 0.0],
            [0.9, 0.1, 0.0, 0.0, 0.0],
            [0.8, 0.1, 0.1, 0.0, 0.0],
            [0.5, 0.2, 0.1, 0.2, 0.0],
            [0.1, 0.1, 0.3, 0.5, 0.0],
        ]
    )
    assert strongest_link(pattern) == (4, 2)
    assert strongest_link(pattern[:2, :2]) is None


def test_without_a_current_sentence_it_says_what_can_be_done():
    session = session_of(encoder_of())
    assert refused(session, "/attn") == 'type a sentence first, or name one with --of "TEXT"'
    assert refused(session, "/pool") == "type a sentence first"
    session.keep("a cat", session.embed(["a cat"])[0])
    assert refused(session, "/neurons").endswith("or make a kept one the current one: #1")
    ask(session, "#1")
    ask(session, "/attn")


def test_a_column_of_small_pictures_is_one_head():
    rows = [line.split() for line in drawn(ask(session_of(encoder_of(), "a cat"), "/attn"), 80).splitlines()]
    titles = [row for row in rows if row and row[0].endswith(".0") and row[0][:-2].isdigit()]
    assert [title for row in titles for title in row] == [f"{i}.{h}" for i in range(4) for h in range(3)]
