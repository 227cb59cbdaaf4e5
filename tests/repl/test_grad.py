"""`/grad`: against finite differences through the layers, and against really leaving tokens out."""

import re

import numpy as np
import pytest
from inside import (
    SENTENCE,
    ask,
    check_drawings,
    cosine,
    drawn,
    encoder_of,
    ids_of,
    layers_of,
    nano,
    refused,
    session_of,
)

from minigpt2.backend import to_numpy
from minigpt2.layers import block, layernorm, pooling
from minigpt2.ragged import TokenBatch

A, B = "cats purr", "dogs bark loud"


def similarity_from(encoder, x, batch):
    """Embedding rows (N, D) of two sentences -> their cosine, by the layers one after the other"""
    model = encoder.model
    for i in range(model.config.L):
        x = block(x, model.parameters.subset(f"h.{i}."), batch, model.config)[0]
    gain, bias = model.parameters["ln_f.weight"], model.parameters["ln_f.bias"]
    hidden = layernorm(x, gain, bias, model.config.layer_norm_epsilon)[0]
    u, v = to_numpy(pooling(hidden, batch, encoder.settings.pooling)[0])
    return cosine(u, v)


def rows_of(encoder, *texts):
    batch = TokenBatch([ids_of(encoder, text) for text in texts], encoder.backend.xp)
    p = encoder.model.parameters
    return p["wte.weight"][batch.ids] + p["wpe.weight"][batch.positions], batch


@pytest.mark.parametrize("kind", ["mean", "weighted_mean", "last", "max"])
def test_a_score_is_the_slope_of_stretching_the_tokens_row(xp, kind):
    encoder = encoder_of(xp, pooling=kind)
    data = ask(session_of(encoder), f"/grad {A} | {B}").data
    x, batch = rows_of(encoder, A, B)
    assert data["similarity"] == pytest.approx(similarity_from(encoder, x, batch), rel=1e-9)
    scores = [*data["a"]["scores"], *data["b"]["scores"]]
    step = 1e-5
    for n, score in enumerate(scores):
        up, down = x.copy(), x.copy()
        up[n] *= 1 + step
        down[n] *= 1 - step
        slope = (similarity_from(encoder, up, batch) - similarity_from(encoder, down, batch)) / (2 * step)
        assert score == pytest.approx(slope, rel=1e-5, abs=1e-9)
    slope = similarity_from(encoder, x * (1 + step), batch) - similarity_from(encoder, x * (1 - step), batch)
    assert data["sum"] == pytest.approx(slope / (2 * step), rel=1e-5, abs=1e-9)
    assert data["a"]["sum"] + data["b"]["sum"] == pytest.approx(data["sum"])


def test_the_length_of_the_gradient_by_differences_in_every_direction():
    encoder = encoder_of()
    data = ask(session_of(encoder), f"/grad {A} | {B}").data
    x, batch = rows_of(encoder, A, B)
    step = 1e-5
    for n, length in ((1, data["a"]["gradient_norms"][1]), (len(A) + 3, data["b"]["gradient_norms"][3])):
        slopes = []
        for d in range(x.shape[1]):
            up, down = x.copy(), x.copy()
            up[n, d] += step
            down[n, d] -= step
            difference = similarity_from(encoder, up, batch) - similarity_from(encoder, down, batch)
            slopes.append(difference / (2 * step))
        assert length == pytest.approx(np.linalg.norm(slopes), rel=1e-5)


@pytest.mark.parametrize("kind", ["mean", "weighted_mean", "last", "max"])
def test_the_parts_of_each_sentence_add_up_to_the_cosine(xp, kind):
    data = ask(session_of(encoder_of(xp, pooling=kind)), f"/grad {A} | {B}").data
    for letter in "ab":
        assert sum(data[letter]["parts"]) == pytest.approx(data["similarity"], rel=1e-9)


def test_a_part_is_the_tokens_row_along_the_other_sentence():
    encoder = encoder_of(pooling="mean")
    parts = ask(session_of(encoder), f"/grad {A} | {B}").data["a"]["parts"]
    u, v = layers_of(encoder, A)[-1], layers_of(encoder, B)[-1]
    hidden, _ = encoder.model.forward(TokenBatch([ids_of(encoder, A)]))
    v = v / np.linalg.norm(v)
    expected = [row @ v / (len(A) * np.linalg.norm(u)) for row in hidden]
    np.testing.assert_allclose(parts, expected, rtol=1e-9)


def test_with_check_every_token_is_left_out(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder), f"/grad --check {A} | {B}").data
    a, b = encoder.encode([A, B])
    for letter, text, other in (("a", A, b), ("b", B, a)):
        assert len(data[letter]["similarity_without"]) == len(text)
        for t, found in enumerate(data[letter]["similarity_without"]):
            assert found == pytest.approx(cosine(encoder.encode(text[:t] + text[t + 1 :]), other), rel=1e-9)
    assert "similarity_without" not in ask(session_of(encoder), f"/grad {A} | {B}").data["a"]


def test_a_sentence_of_one_token_left_out_leaves_nothing():
    data = ask(session_of(encoder_of()), f"/grad --check x | {B}").data
    assert data["a"]["similarity_without"] == [0.0]


@pytest.mark.parametrize("include", [True, False])
def test_a_prompts_tokens_are_shown_and_count_as_the_model_says(include):
    settings = {"prompts": {"q": "to:"}, "default_prompt_name": "q", "include_prompt": include}
    encoder = encoder_of(**settings)
    data = ask(session_of(encoder), f"/grad --check {A} | {B}").data
    u, v = encoder.encode([A, B])
    assert data["similarity"] == pytest.approx(float(u @ v), rel=1e-9)
    assert data["a"]["tokens"] == list("to:" + A)
    assert sum(data["a"]["parts"]) == pytest.approx(data["similarity"], rel=1e-9)
    t = 5  # "cats" without its t, behind the prompt
    without = encoder.encode(A[: t - 3] + A[t - 2 :])
    assert data["a"]["similarity_without"][t] == pytest.approx(float(without @ v), rel=1e-9)


@pytest.mark.parametrize("kind", ["mean", "weighted_mean", "last", "max"])
def test_a_token_of_a_prompt_takes_no_word_along_when_it_is_left_out(xp, kind):
    settings = {"prompts": {"q": "to:"}, "default_prompt_name": "q", "include_prompt": False}
    encoder = encoder_of(xp, pooling=kind, **settings)
    data = ask(session_of(encoder), f"/grad --check {A} | {B}").data
    for letter, text, other in (("a", A, B), ("b", B, A)):
        against = encoder.encode(other)
        found = data[letter]["similarity_without"]
        for t, prompt in enumerate(("o:", "t:", "to")):  # all of the text is pooled, behind two tokens
            assert found[t] == pytest.approx(cosine(encoder.encode(text, prompt=prompt), against), rel=1e-9)


def test_one_text_is_compared_with_the_current_one():
    session = session_of(encoder_of(), A)
    data = ask(session, f"/grad {B}").data
    assert (data["a"]["text"], data["b"]["text"]) == (A, B)
    assert ask(session, "/grad #1 | x").data["a"]["text"] == A


@pytest.mark.parametrize(
    "line",
    [
        "/grad The cat is sleeping | A feline is resting",
        "/grad --check a | b",
        f"/grad --check {SENTENCE} | 日本語 🙂",
        "/grad same | same",
    ],
)
def test_it_draws_everywhere(line):
    check_drawings(ask(session_of(nano()), line))


def test_the_words_name_the_largest_scores():
    reply = ask(session_of(nano()), "/grad The cat is sleeping | A feline is resting")
    scored = [
        (abs(score), token.strip())
        for letter in "ab"
        for token, score in zip(reply.data[letter]["tokens"], reply.data[letter]["scores"], strict=True)
    ]
    text = " ".join(drawn(reply, 200).split())
    assert f"‘{max(scored)[1]}’ in" in text
    assert f"Their cosine is {reply.data['similarity']:.3f}" in text


def test_the_words_say_which_way_a_token_pushes():
    reply = ask(session_of(nano()), "/grad The cat is sleeping | A feline is resting")
    scored = [
        (score, f"‘{token.strip()}’ in {letter.upper()}")
        for letter in "ab"
        for token, score in zip(reply.data[letter]["tokens"], reply.data[letter]["scores"], strict=True)
    ]
    (lowest, parts), (highest, unites) = min(scored), max(scored)
    assert lowest < -1e-3 < 1e-3 < highest
    together, apart = re.search(
        r"Together: (.*) Apart: (.*) All tokens", " ".join(drawn(reply).split())
    ).groups()
    assert unites in together
    assert unites not in apart
    assert parts in apart
    assert parts not in together


def test_with_check_the_words_name_what_moves_the_cosine_most():
    reply = ask(session_of(nano()), "/grad --check the cat sleeps | a dog barks")
    text = " ".join(drawn(reply).split())
    for letter in "ab":
        side = reply.data[letter]
        without = dict(zip(side["similarity_without"], side["tokens"], strict=True))
        lowest, highest = min(without), max(without)
        assert lowest < reply.data["similarity"] < highest
        assert f"without ‘{without[lowest].strip()}’ it falls to {lowest:.3f}" in text
        assert f"without ‘{without[highest].strip()}’ it rises to {highest:.3f}" in text


def test_where_nothing_pulls_no_token_is_named():
    assert "No token stands out" in drawn(ask(session_of(nano()), "/grad same | same"))


def test_what_does_not_fit_is_refused():
    session = session_of(encoder_of(), A)
    assert "two sentences" in refused(session, "/grad")
    assert "two sentences" in refused(session, "/grad a | b | c")
    assert "empty" in refused(session, "/grad a |")
    assert "two sentences" in refused(session_of(encoder_of()), "/grad a")
