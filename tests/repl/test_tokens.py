"""`/tokens`: the merges lead from the bytes to the ids that the model reads."""

import pytest
from inside import CONFIG, SENTENCE, ask, check_drawings, drawn, encoder_of, nano, refused, session_of

TEXTS = (SENTENCE, "Unbelievable naïve 🙂 tokenizers", "  two  blanks ", "日本語", "a\tb\x1b[2Jc", "7" * 30)


@pytest.mark.parametrize("text", TEXTS)
def test_the_steps_of_every_word_lead_to_what_encode_gives(text):
    tokenizer = nano().tokenizer
    data = ask(session_of(nano()), f"/tokens -- {text}").data
    assert data["ids"] == tokenizer.encode(data["text"])
    assert [id for word in data["words"] for id in word["ids"]] == data["ids"]
    for word in data["words"]:
        pieces = [piece["bytes"] for piece in word["pieces"]]
        assert "".join(pieces) == word["word"].encode().hex()
        for step in word["steps"]:
            at = step["position"]
            assert pieces[at : at + 2] == [step["left"]["bytes"], step["right"]["bytes"]]
            pieces[at : at + 2] = ["".join(pieces[at : at + 2])]
            assert [tokenizer.token_bytes(id).hex() for id in step["ids"]] == pieces
            assert tokenizer.token_bytes(step["token"]).hex() == pieces[at]
        assert pieces == [tokenizer.token_bytes(id).hex() for id in word["ids"]]


@pytest.mark.parametrize("text", TEXTS)
def test_the_tokens_are_the_bytes_of_the_text(text):
    data = ask(session_of(nano()), f"/tokens -- {text}").data
    spelt = bytes.fromhex("".join(token["bytes"] for token in data["tokens"]))
    assert spelt.decode() == data["text"].lower()
    assert data["bytes"] == len(spelt)
    assert data["characters"] == len(data["text"])
    assert data["characters_per_token"] == len(data["text"]) / len(data["ids"])
    for token in data["tokens"]:
        assert token["text"] is None or token["text"].encode().hex() == token["bytes"]


def test_bytes_that_are_no_character_are_shown_in_hexadecimal():
    reply = ask(session_of(nano()), "/tokens 🙂")
    assert None in [token["text"] for token in reply.data["tokens"]]
    assert "‹f0›" in drawn(reply)


def test_nothing_in_a_text_acts_on_the_terminal():
    reply = ask(session_of(nano()), "/tokens a\x1b[2Jb\u202ec")
    assert not {"\x1b", "\u202e"} & set(drawn(reply))


@pytest.mark.parametrize("text", [*TEXTS, "word " * 300])
def test_it_draws_everywhere(text):
    check_drawings(ask(session_of(nano()), f"/tokens -- {text}"))


def test_what_is_beyond_the_window_is_said():
    assert "first 256" in drawn(ask(session_of(nano()), "/tokens " + "word " * 300))


def test_a_prompt_takes_its_share_of_the_window():
    encoder = encoder_of(prompts={"q": "to:"}, default_prompt_name="q")
    window = CONFIG.n_positions
    reply = ask(session_of(encoder), "/tokens " + "a" * (window - 2))
    assert f"about {window - 3} of them: its window is {window}, its prompt takes 3" in drawn(reply)
    assert "window" not in drawn(ask(session_of(encoder), "/tokens " + "a" * (window - 3)))


def test_a_tokenizer_without_merges_has_one_word_and_no_steps():
    data = ask(session_of(encoder_of()), "/tokens abc").data
    assert data["ids"] == [97, 98, 99]
    assert [word["steps"] for word in data["words"]] == [[]]


def test_without_a_text_it_takes_the_current_one_or_one_by_its_number():
    session = session_of(nano(), "A dog.", "A cat.")
    assert ask(session, "/tokens").data["text"] == "A cat."
    assert ask(session, "/tokens #1").data["text"] == "A dog."
    assert "#7" in refused(session, "/tokens #7")
    assert "type a sentence" in refused(session_of(nano()), "/tokens")
    assert "no option" in refused(session, "/tokens --ids a")
