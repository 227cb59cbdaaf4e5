"""The commands of the REPL, one module each, imported when a command is used.

A module declares

    NAME      as it is typed, without the slash
    USAGE     "/sim A | B"
    SUMMARY   one line for the list of commands
    DETAILS   a few sentences for `/help sim`: what is shown and how to read it
    EXAMPLES  lines that work in a new conversation, from top to bottom
    FORM      how its arguments are written: see `line.py`
    OPTIONS   a tuple of `line.Option`
    COMPLETES what Tab offers for its arguments: "sentence", "file", …, a tuple of such kinds, or None: see
              `completion.py`
    run(session, arguments) -> Reply

`run` raises MiniGPT2Error, before it has changed anything, for what cannot be done.
"""

import difflib
import importlib
from types import ModuleType

from ...errors import UsageError

# In the order in which `/help` lists them. `embed` is what a line without a slash does.
GROUPS = {
    "sentences": ("embed", "sim", "matrix", "search", "load", "list", "forget", "map"),
    "inside the model": ("tokens", "attn", "layers", "neurons", "pool", "logits", "grad", "ablate", "trace"),
    "the model": ("train", "undo", "save", "model", "device", "dtype", "time"),
    "the conversation": ("export", "history", "help", "quit"),
}
NAMES = tuple(name for names in GROUPS.values() for name in names)
LONGEST_NAME = 40  # characters of an unknown one that are repeated
ALIASES = {"exit": "quit", "q": "quit", "similarity": "sim", "attention": "attn", "?": "help"}


def find(name: str) -> ModuleType:
    """The module of a command. Raises UsageError, which names the nearest one, for an unknown name."""
    name = ALIASES.get(name, name)
    if name not in NAMES:
        similar = difflib.get_close_matches(name[:LONGEST_NAME], (*NAMES, *ALIASES), n=1)
        hint = f"did you mean /{similar[0]}?" if similar else "/help lists all commands"
        if "/" in name:
            hint = "// begins a sentence that starts with a slash"
        raise UsageError(f"unknown command /{name[:LONGEST_NAME]}{'…' * (len(name) > LONGEST_NAME)}: {hint}")
    return importlib.import_module(f".{name}", __name__)
