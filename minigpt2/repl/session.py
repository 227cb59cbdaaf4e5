"""What a conversation holds: the model, the sentences kept, what was asked and answered.

A command computes first and changes the session last, by one of the methods here, so that Ctrl-C in the
middle of it leaves the session as it was.
"""

import bisect
import dataclasses
import re
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..backend import to_numpy
from ..encoder import Encoder
from ..errors import UsageError
from .exchange_size import size_of
from .history import History

if TYPE_CHECKING:
    from rich.console import Console

    from ..interpret import Look
    from .exchange import Exchange

LOOKS_KEPT = 8  # sentences whose every intermediate is remembered
EXCHANGES_KEPT = 1000  # replies that are remembered, and
BYTES_KEPT = 256 << 20  # how large they may be together
UNDOS_KEPT = 4  # changes that can be taken back; each may hold a whole model


class Sentence(NamedTuple):
    """A sentence that is kept: people call it by its number, `#3`."""

    number: int
    text: str
    source: str  # "typed", or the file that it came from


class Undo(NamedTuple):
    """What `/undo` goes back to."""

    encoder: Encoder
    sentences: list[Sentence]  # those that were kept, with their
    vectors: np.ndarray  # (M, D)
    what: str  # what is undone, in words


class ChosenPrompt(NamedTuple):
    """A prompt that this conversation puts before every text, in the place of the model's own."""

    name: str
    own: str | None  # the model's own default
    prompts: dict[str, str]  # of that model; another one may be loaded later


class State(NamedTuple):
    """What a command may change: a failed or interrupted one leaves it as it was."""

    encoder: Encoder
    sentences: list[Sentence]
    vectors: np.ndarray  # (M, D)
    kept: dict[str, Sentence]
    numbered: int
    current: str | None
    undos: tuple[Undo, ...]


class Session:
    """The state of one conversation."""

    def __init__(self, encoder: Encoder, console: "Console", *, interactive: bool = False) -> None:
        """`console` draws on stdout; `interactive`: a person is at both ends and can be asked."""
        self.encoder = encoder
        self.console = console
        self.interactive = interactive
        self.sentences: list[Sentence] = []
        self.vectors = np.zeros((0, encoder.dimension), dtype=np.float32)  # (M, D) of the sentences, host
        self.current: str | None = None  # what /attn and its like look at: the last sentence typed
        self.numbered = 0  # the last number given to a sentence; no number is given twice
        self.exchanges: list[Exchange] = []  # what was typed, and what came back: see `record`
        self.exchanges_dropped = 0  # older ones, which are no longer in the list
        self.history = History()  # the lines that were typed, of earlier conversations too
        self.undos: list[Undo] = []
        self._chosen_prompt: ChosenPrompt | None = None
        self._looks: OrderedDict[str, Look] = OrderedDict()
        self._kept: dict[str, Sentence] = {}  # `sentences` by their texts
        self._documents: dict[str, np.ndarray] = {}  # text -> (D,), see `document_vectors`
        self._sizes: deque[int] = deque()  # bytes of each exchange

    def record(self, exchange: "Exchange") -> None:
        """Remember what was typed and what came back, for `/time` and `/export`.

        The oldest are dropped, and counted, where there are more than EXCHANGES_KEPT or where the arrays and
        lists in them take more than BYTES_KEPT; the last one stays, however large it is.
        """
        self.exchanges.append(exchange)
        self._sizes.append(size_of(exchange.reply))
        total = sum(self._sizes)
        while len(self.exchanges) > 1 and (total > BYTES_KEPT or len(self.exchanges) > EXCHANGES_KEPT):
            del self.exchanges[0]
            total -= self._sizes.popleft()
            self.exchanges_dropped += 1

    def state(self) -> "State":
        """What `restore` goes back to."""
        sentences = (self.sentences, self.vectors, self._kept, self.numbered)
        return State(self.encoder, *sentences, self.current, tuple(self.undos))

    def restore(self, state: "State") -> None:
        """Be as the session was when `state` was taken."""
        if self.encoder is not state.encoder:
            self._looks.clear()
            self._documents.clear()
        self.encoder, self.current, self.undos = state.encoder, state.current, list(state.undos)
        self.sentences, self.vectors = state.sentences, state.vectors
        self._kept, self.numbered = state.kept, state.numbered

    def embed(self, texts: Sequence[str], *, show_progress_bar: bool | None = False) -> np.ndarray:
        """B texts -> (B, D) on the host, normalised as the model does; a bar on stderr as in `encode`."""
        vectors = self.encoder.encode(list(texts), show_progress_bar=show_progress_bar)  # (B, D)
        return to_numpy(vectors)

    def look(self, text: str) -> "Look":
        """Every intermediate of one text, computed once for the texts looked at last."""
        from ..interpret import look

        if text not in self._looks:
            self._looks[text] = look(self.encoder, text)
            if len(self._looks) > LOOKS_KEPT:
                self._looks.popitem(last=False)
        self._looks.move_to_end(text)
        return self._looks[text]

    def find(self, text: str) -> Sentence | None:
        """The sentence of this text, if it is kept."""
        return self._kept.get(text)

    def keep(self, text: str, vector: np.ndarray, source: str = "typed") -> Sentence:
        """Keep a sentence with its vector (D,). One that is there already keeps its number."""
        return self.find(text) or self.keep_all([text], vector[None], source)[0]

    def keep_all(self, texts: Sequence[str], vectors: np.ndarray, source: str) -> list[Sentence]:
        """Keep new sentences, all different, with their vectors (B, D), numbered on from the last."""
        new = [Sentence(self.numbered + 1 + i, text, source) for i, text in enumerate(texts)]
        every_vector = np.concatenate([self.vectors, vectors.astype(np.float32)])
        every_sentence = [*self.sentences, *new]
        kept = self._kept | {sentence.text: sentence for sentence in new}
        numbered = self.numbered + len(new)
        # Nothing is called between these, so Ctrl-C comes before or after all of them.
        self.vectors, self.sentences, self._kept, self.numbered = every_vector, every_sentence, kept, numbered
        return new

    def forget(self, numbers: Sequence[int]) -> None:
        """Drop the sentences with these numbers; the others keep theirs."""
        gone = set(numbers)
        rows = [row for row, sentence in enumerate(self.sentences) if sentence.number not in gone]
        sentences = [self.sentences[row] for row in rows]
        vectors = self.vectors[rows]
        kept = {sentence.text: sentence for sentence in sentences}
        current = self.current if self.current in kept or self.current not in self._kept else None
        self.vectors, self.sentences, self._kept, self.current = vectors, sentences, kept, current

    def row_of(self, number: int) -> int:
        """The row of this number in `sentences` and `vectors`. UsageError if no sentence has it."""
        row = bisect.bisect_left(self.sentences, number, key=lambda sentence: sentence.number)
        if row < len(self.sentences) and self.sentences[row].number == number:
            return row
        known = (
            f"#{self.sentences[0].number} to #{self.sentences[-1].number}" if self.sentences else "none yet"
        )
        raise UsageError(f"no sentence is numbered #{number}: there are {known}")

    def document_vectors(self) -> np.ndarray:
        """(M, D) of the sentences for a search, behind the prompt for documents of a model that has one."""
        settings = self.encoder.settings
        usual = settings.prompts.get(settings.default_prompt_name or "", "")
        if settings.prompts.get("document", usual) == usual:
            return self.vectors
        texts = [sentence.text for sentence in self.sentences if sentence.text not in self._documents]
        if texts:
            vectors = to_numpy(self.encoder.encode_document(texts)).astype(np.float32)  # (new, D)
            self._documents |= dict(zip(texts, vectors, strict=True))
        rows = [self._documents[sentence.text] for sentence in self.sentences]
        return np.stack(rows) if rows else self.vectors

    def text_of(self, text: str) -> str:
        """The text itself, or for `#3` the sentence of that number. UsageError for an unknown number."""
        match = re.fullmatch(r"#(\d{1,9})", text.strip())
        if not match:
            return text
        return self.sentences[self.row_of(int(match[1]))].text

    def current_or(self, texts: Sequence[str], otherwise: str = "write one behind the command") -> str:
        """The text given, or else the current one. Raises UsageError if there is neither.

        `otherwise` is what else one can do then, if anything.
        """
        if texts:
            return self.text_of(texts[0])
        if self.current is None:
            ways = ["type a sentence first", *filter(None, [otherwise])]
            if self.sentences:
                number = self.sentences[0].number
                ways.append(f"make a kept one the current one: #{number}")
            raise UsageError(", or ".join(ways))
        return self.current

    def put_before(self, prompt_name: str) -> None:
        """Put a prompt of the model before every text from now on. UsageError if it has none of that name."""
        settings = self.encoder.settings
        if prompt_name not in settings.prompts:
            known = ", ".join(settings.prompts) or "none"
            raise UsageError(f"this model has no prompt called {prompt_name!r} (it has: {known})")
        self._chosen_prompt = ChosenPrompt(prompt_name, settings.default_prompt_name, settings.prompts)
        self.encoder = _with_default_prompt(self.encoder, prompt_name)

    def encoder_to_save(self) -> Encoder:
        """The encoder with the model's own default prompt: that of this conversation is not for others."""
        settings, chosen = self.encoder.settings, self._chosen_prompt
        if chosen is None or (settings.default_prompt_name, settings.prompts) != (
            chosen.name,
            chosen.prompts,
        ):
            return self.encoder
        return _with_default_prompt(self.encoder, chosen.own)

    def use(self, encoder: Encoder, undo: str | None = None) -> None:
        """Go on with another encoder; the sentences kept are embedded anew.

        `undo` says in words what `/undo` would take back; None: there is nothing to take back.
        """
        texts = [sentence.text for sentence in self.sentences]
        vectors = to_numpy(encoder.encode(texts))  # (M, D)
        undos = self.undos
        if undo is not None:
            undos = [*undos, Undo(self.encoder, self.sentences, self.vectors, undo)][-UNDOS_KEPT:]
        vectors = vectors.astype(np.float32)
        self.encoder, self.vectors, self.undos = encoder, vectors, undos
        self._looks.clear()
        self._documents.clear()

    def undo(self) -> Undo:
        """Take back the last change of the model, and give it. UsageError if there is none.

        Sentences that were kept at that time get the vectors that they had, bit for bit: embedding them anew
        in other batches would round differently. Those that have come since are embedded.
        """
        if not self.undos:
            raise UsageError(
                "nothing to undo: the model is as it was at the start, or longer ago than is kept"
            )
        last = self.undos[-1]
        rows = {sentence: row for row, sentence in enumerate(last.sentences)}
        new = [row for row, sentence in enumerate(self.sentences) if sentence not in rows]
        embedded = to_numpy(last.encoder.encode([self.sentences[row].text for row in new]))  # (new, D)
        vectors = np.empty((len(self.sentences), last.encoder.dimension), dtype=np.float32)  # (M, D)
        for row, sentence in enumerate(self.sentences):
            if sentence in rows:
                vectors[row] = last.vectors[rows[sentence]]
        vectors[new] = embedded
        self.encoder, self.vectors, self.undos = last.encoder, vectors, self.undos[:-1]
        self._looks.clear()
        self._documents.clear()
        return last


def _with_default_prompt(encoder: Encoder, name: str | None) -> Encoder:
    settings = dataclasses.replace(encoder.settings, default_prompt_name=name)
    return Encoder(encoder.model, encoder.tokenizer, settings, encoder.backend, encoder.path)
