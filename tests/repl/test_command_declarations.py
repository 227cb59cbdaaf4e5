"""What commands declare of their arguments: each kind that Tab is to offer is offered."""

import io
from itertools import chain

import pytest
from models import random_model
from rich.console import Console

from minigpt2.backend import choose_backend
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.repl import commands
from minigpt2.repl.completion import complete
from minigpt2.repl.session import Session
from minigpt2.tokenizer import ByteTokenizer

MODULES = [commands.find(name) for name in commands.NAMES]
CONFIG = GPT2Config(vocab_size=258, n_positions=16, n_embd=6, n_layer=2, n_head=3)


def kinds_of(module):
    """The kinds of its arguments, in their order, and those of its options by name"""
    arguments = module.COMPLETES if isinstance(module.COMPLETES, tuple) else (module.COMPLETES,)
    return [kind for kind in arguments if kind], {o.name: o.completes for o in module.OPTIONS if o.completes}


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A conversation with two sentences in a folder with a file and a folder."""
    (tmp_path / "texts.txt").write_text("a\n")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    encoder = Encoder(
        random_model(CONFIG), ByteTokenizer(), EmbeddingSettings(), choose_backend(dtype="float64")
    )
    session = Session(encoder, Console(file=io.StringIO()))
    texts = ["a cat", "a dog"]
    session.keep_all(texts, session.embed(texts), "typed")
    return session


@pytest.mark.parametrize("module", MODULES, ids=commands.NAMES)
def test_every_kind_of_value_that_a_command_names_is_offered(module, session):
    arguments, options = kinds_of(module)
    words = ""
    for kind in arguments:
        offered = complete(session, f"/{module.NAME} {words}")
        assert offered, (module.NAME, kind)
        if module.FORM == "words":
            words += offered[0].text
    for name, kind in options.items():
        mark = '"a' if kind == "sentence" else ""
        assert complete(session, f"/{module.NAME} {name} {mark}"), (module.NAME, name, kind)
        assert complete(session, f"/{module.NAME} {name}={mark}"), (module.NAME, name, kind)


def test_an_unknown_kind_is_not_offered_by_accident(session, monkeypatch):
    monkeypatch.setattr(commands.find("pool"), "COMPLETES", "pooolings")
    assert complete(session, "/pool ") == []


def test_options_stand_in_the_usage_and_can_be_read():
    for module, option in chain.from_iterable(((m, o) for o in m.OPTIONS) for m in MODULES):
        assert f"[{option.name}" in module.USAGE, (module.NAME, option.name)
        if option.metavar:
            written = module.USAGE.replace('"', "")
            assert f"{option.name} {option.metavar}" in written, (module.NAME, option.name)
        else:
            assert option.completes is None
