"""`/tokens [TEXT]`: how a text becomes tokens, merge by merge."""

from typing import Any

from ...errors import DataError
from ...tokenizer import Tokenizer, WordTrace, trace_merges
from ..line import Arguments
from ..reply import Reply
from ..session import Session
from ..wording import counted

NAME = "tokens"
USAGE = "/tokens [TEXT]"
SUMMARY = "how a text becomes tokens, merge by merge"
DETAILS = """\
The tokenizer starts from the bytes of each word. Again and again it joins the two neighbours whose merge was
learned first (the merge with the lowest rank), until no pair is left that it knows. What remains are the
tokens; the model sees their ids and nothing else. Bytes that are no whole character are shown as ‹e2 82›."""
EXAMPLES = ("/tokens Unbelievable tokenizers!", "/tokens naïve café 🙂")
FORM = "text"
OPTIONS = ()
COMPLETES = "sentence"

MOST_CHARACTERS = 20_000
LONGEST_WORD = 500  # characters; the work grows with the square of a word's length
WORDS_SHOWN = 12  # merge by merge on the screen; the data has them all


def run(session: Session, arguments: Arguments) -> Reply:
    """Cut a text into tokens and tell every merge."""
    text = session.current_or(arguments.texts)
    longest = max(map(len, text.split()), default=0)
    if len(text) > MOST_CHARACTERS or longest > LONGEST_WORD:
        raise DataError(
            f"merges are told for texts of at most {MOST_CHARACTERS:,} characters with words of at most "
            f"{LONGEST_WORD}: this one has {len(text):,}, its longest word {longest:,}"
        )
    tokenizer = session.encoder.tokenizer
    words = trace_merges(tokenizer, text)
    ids = [id for word in words for id in word.ids]
    n_bytes = len(tokenizer.decode_bytes(ids))
    window = session.encoder.max_seq_length
    _, prompt_tokens = session.encoder.token_ids([])
    data = {
        "text": text,
        "ids": ids,
        "tokens": [_token(tokenizer, id) for id in ids],
        "words": [_word(word) for word in words],
        "characters": len(text),
        "bytes": n_bytes,
        "characters_per_token": len(text) / len(ids) if ids else 0.0,
        "window": window,
        "prompt_tokens": prompt_tokens,
    }
    return Reply(_views(tokenizer, words, data), data)


def _token(tokenizer: Tokenizer, id: int) -> dict[str, Any]:
    token = tokenizer.token_bytes(id)
    return {"id": id, **_text_and_bytes(token)}


def _text_and_bytes(token: bytes) -> dict[str, str | None]:
    """`bytes` in hexadecimal; `text` is None for bytes that are no whole UTF-8."""
    try:
        text = token.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return {"text": text, "bytes": token.hex()}


def _word(word: WordTrace) -> dict[str, Any]:
    return {
        "word": word.text,
        "pieces": [_text_and_bytes(piece) for piece in word.pieces],
        "steps": [
            {
                "rank": step.rank,
                "position": step.position,
                "left": _text_and_bytes(step.left),
                "right": _text_and_bytes(step.right),
                "token": step.token,
                "ids": list(step.ids),
            }
            for step in word.steps
        ],
        "ids": list(word.ids),
    }


def _views(tokenizer: Tokenizer, words: list[WordTrace], data: dict[str, Any]) -> tuple:
    from ...interpret import token_text
    from ...views import MergeSteps, Paragraph, Stack, TokenChips

    ids = data["ids"]
    if not ids:
        return (Paragraph("An empty text has no tokens, and its vector is zero."),)
    whole = sum(len(word.ids) == 1 for word in words)
    sizes = f"{counted(len(ids), 'token')}, {counted(data['characters'], 'character')}"
    sizes += f", {counted(data['bytes'], 'byte')}: {data['characters_per_token']:.2f} characters a token"
    if words[0].steps or len(words) > 1:
        sizes += f"; {whole} of {counted(len(words), 'word')} in one token"
    chips = TokenChips([token_text(tokenizer, id) for id in ids], ids=ids, caption=sizes)
    views = [
        Paragraph(
            "Each chip is one token with its id below; ␣ is the blank that belongs to a word. Then each word"
            " from its bytes on: every line joins one pair, the one with the lowest rank first."
        ),
        chips,
    ]
    if len(ids) > data["window"] - data["prompt_tokens"]:
        views.append(Paragraph(_about_window(data)))
    # A word that has no steps says nothing more; each of the others is told once.
    told = list({word.text: word for word in words if word.steps}.values())
    views += [MergeSteps(word.text, word.steps) for word in told[:WORDS_SHOWN]]
    if len(told) > WORDS_SHOWN:
        views.append(
            Paragraph(f"{len(told) - WORDS_SHOWN} more words are not shown: /tokens WORD shows one.")
        )
    return (Stack(*views),)


def _about_window(data: dict[str, Any]) -> str:
    """How much of a long text the model reads."""
    window, prompt = data["window"], data["prompt_tokens"]
    if not prompt:
        return f"The model reads the first {window} of them, its window."
    return (
        f"The model reads about {window - prompt} of them: its window is {window}, its prompt takes {prompt}."
    )
