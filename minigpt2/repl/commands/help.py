"""`/help [COMMAND]`: what there is, or all about one command."""

import re

from ...errors import UsageError
from ...views import Heading, Paragraph, Stack
from ...views.definitions import Definitions
from ..line import Arguments
from ..reply import Reply
from ..session import Session
from . import ALIASES, GROUPS, find

NAME = "help"
USAGE = "/help [COMMAND]"
SUMMARY = "the commands, or all about one of them"
DETAILS = """\
Without a command it lists them all. With one it says how that is written, what it shows and how to read it,
its options, and lines to try, which work in a new conversation from top to bottom."""
EXAMPLES = ("/help", "/help sim")
FORM = "words"
OPTIONS = ()
COMPLETES = "command"

WAYS_TO_WRITE = """\
A line without a slash is a sentence, which is embedded and kept under a number; #3 stands for sentence 3 \
where a text is asked for. A bar parts two texts, and \\| is a bar inside one. // begins a sentence that \
starts with a slash. A line that ends in a backslash goes on in the next; three quotation marks open a text \
of several lines, and three close it. -- ends the options of a command."""


def run(session: Session, arguments: Arguments) -> Reply:
    """List the commands, or explain one."""
    if len(arguments.words) > 1:
        raise UsageError(f"/help takes one command, not {len(arguments.words)} words: {USAGE}")
    if arguments.words:
        return _one(arguments.words[0].removeprefix("/").lower())
    groups = {
        group: {name: {"usage": find(name).USAGE, "summary": find(name).SUMMARY} for name in names}
        for group, names in GROUPS.items()
    }
    lists = {
        group: [(_without_options(about["usage"]), about["summary"]) for about in of_group.values()]
        for group, of_group in groups.items()
    }
    widest = max(len(usage) for pairs in lists.values() for usage, _ in pairs)
    views = [Stack(Heading(group), Definitions(pairs, terms_width=widest)) for group, pairs in lists.items()]
    views.append(Paragraph(WAYS_TO_WRITE))
    return Reply((Stack(*views),), {"groups": groups})


def _without_options(usage: str) -> str:
    """`/load FILE [--limit N]` -> `/load FILE`, for a list in which there is no room for more."""
    return re.sub(r"\s*\[--[^\[\]]*(\[[^\]]*\])?\]", "", usage)


def _one(name: str) -> Reply:
    module = find(name)
    aliases = [alias for alias, of in ALIASES.items() if of == module.NAME]
    data = {
        "name": module.NAME,
        "usage": module.USAGE,
        "summary": module.SUMMARY,
        "details": module.DETAILS,
        "aliases": aliases,
        "options": [
            {"name": option.name, "metavar": option.metavar, "help": option.help} for option in module.OPTIONS
        ],
        "examples": list(module.EXAMPLES),
    }
    views = [
        Paragraph(module.USAGE, "bold"),
        Paragraph(f"{module.SUMMARY}.\n{' '.join(module.DETAILS.split())}"),
    ]
    if module.OPTIONS:
        rows = [(f"{option.name} {option.metavar or ''}".strip(), option.help) for option in module.OPTIONS]
        views += [Heading("options"), Definitions(rows)]
    if aliases:
        views.append(Paragraph("also " + ", ".join(f"/{alias}" for alias in aliases), "dim"))
    views += [Heading("try"), Paragraph("\n".join(module.EXAMPLES))]
    return Reply((Stack(*views),), data)
