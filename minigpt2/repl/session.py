"""What a conversation holds: the model, the sentences kept, what was asked and answered.

A command computes first and changes the session last, by one of the methods here, so that Ctrl-C in the
middle of it leaves the session as it was.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..backend import to_numpy
from ..encoder import Encoder
from ..errors import UsageError
from .history import History

if TYPE_CHECKING:
    from rich.console import Console

    from ..interpret import Look
    from .exchange import Exchange

LOOKS_KEPT = 8  # sentences whose every intermediate is remembered


class Sentence(NamedTuple):
    """A sentence that is kept: people call it by its number, `#3`."""

    number: int
    text: str
    source: str  # "typed", or the file that it came from


class Undo(NamedTuple):
    """What `/undo` goes back to."""

    encoder: Encoder
    vectors: np.ndarray  # (M, D)
    what: str  # what is undone, in words


class State(NamedTuple):
    """What a command may change: a failed or interrupted one leaves it as it was."""

    encoder: Encoder
    sentences: list[Sentence]
    vectors: np.ndarray  # (M, D)
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
        self.exchanges: list[Exchange] = []  # what was typed, and what came back: see `record`
        self.exchanges_dropped = 0  # older ones, which are no longer in the list
        self.history = History()  # the lines that were typed, of earlier conversations too
        self.undos: list[Undo] = []
        self._looks: OrderedDict[str, Look] = OrderedDict()
        self._next_number = 1

    def record(self, exchange: "Exchange") -> None:
        """Remember what was typed and what came back, for `/time` and `/export`."""
        self.exchanges.append(exchange)

    def state(self) -> "State":
        """What `restore` goes back to."""
        return State(self.encoder, self.sentences, self.vectors, self.current, tuple(self.undos))

    def restore(self, state: "State") -> None:
        """Be as the session was when `state` was taken."""
        self.encoder, self.sentences, self.vectors, self.current, undos = state
        self.undos = list(undos)
        self._looks.clear()

    def embed(self, texts: Sequence[str], *, show_progress_bar: bool = False) -> np.ndarray:
        """B texts -> (B, D) on the host, normalised as the model does."""
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

    def keep(self, text: str, vector: np.ndarray, source: str = "typed") -> Sentence:
        """Keep a sentence with its vector (D,). One that is there already keeps its number."""
        for sentence in self.sentences:
            if sentence.text == text:
                return sentence
        self.keep_all([text], vector[None], source)
        return self.sentences[-1]

    def keep_all(self, texts: Sequence[str], vectors: np.ndarray, source: str) -> list[Sentence]:
        """Keep new sentences with their vectors (B, D), numbered on from the last."""
        new = [Sentence(self._next_number + i, text, source) for i, text in enumerate(texts)]
        self._next_number += len(new)
        self.vectors = np.concatenate([self.vectors, vectors.astype(np.float32)])
        self.sentences = [*self.sentences, *new]
        return new

    def forget(self, numbers: Sequence[int]) -> None:
        """Drop the sentences with these numbers; the others keep theirs."""
        gone = set(numbers)
        stays = [i for i, sentence in enumerate(self.sentences) if sentence.number not in gone]
        self.vectors, self.sentences = self.vectors[stays], [self.sentences[i] for i in stays]

    def text_of(self, text: str) -> str:
        """The text itself, or for `#3` the sentence of that number. UsageError for an unknown number."""
        match = re.fullmatch(r"#(\d{1,9})", text.strip())
        if not match:
            return text
        for sentence in self.sentences:
            if sentence.number == int(match[1]):
                return sentence.text
        known = (
            f"#{self.sentences[0].number} to #{self.sentences[-1].number}" if self.sentences else "none yet"
        )
        raise UsageError(f"no sentence is numbered {text.strip()}: there are {known}")

    def current_or(self, texts: Sequence[str]) -> str:
        """The text given, or else the current one. Raises UsageError if there is neither."""
        if texts:
            return self.text_of(texts[0])
        if self.current is None:
            raise UsageError("type a sentence first, or write one behind the command")
        return self.current

    def use(self, encoder: Encoder, undo: str | None = None) -> None:
        """Go on with another encoder; the sentences kept are embedded anew.

        `undo` says in words what `/undo` would take back; None: there is nothing to take back.
        """
        texts = [sentence.text for sentence in self.sentences]
        vectors = to_numpy(encoder.encode(texts))  # (M, D)
        if undo is not None:
            self.undos.append(Undo(self.encoder, self.vectors, undo))
        self.encoder, self.vectors = encoder, vectors.astype(np.float32)
        self._looks.clear()
