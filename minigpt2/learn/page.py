"""Cells as a terminal shows them: text by Rich's Markdown, and code with its colours.

Only those of the terminal's own colours are used that can be read on a dark and on a light ground.
"""

from collections.abc import Iterable

from pygments.token import Comment, Keyword, Name, Operator, String
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown
from rich.padding import Padding
from rich.segment import Segment
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.text import Text
from rich.theme import Theme

from ..views.frame import in_ascii
from ..views.view import trimmed
from .claims import without_comments

WIDEST = 100  # columns of text; longer lines are hard to read

COLOURS = ANSISyntaxTheme(
    {
        Comment: Style(dim=True, italic=True),
        Keyword: Style(color="magenta"),
        Operator.Word: Style(color="magenta"),
        Name.Builtin: Style(color="cyan"),
        Name.Function: Style(bold=True),
        Name.Class: Style(bold=True),
        String: Style(color="green"),
    }
)
STYLES = Theme(
    {
        "markdown.code": "magenta",
        "markdown.h1": "bold",
        "markdown.h2": "bold",
        "markdown.h3": "bold",
        "markdown.item.bullet": "bold",
        "markdown.item.number": "bold",
    }
)
BAR, BAR_ASCII = "│ ", "| "


class _Heading(Heading):
    """At the left, without a box."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Formula(CodeBlock):
    """Indented, without rows of its own above and below."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = str(self.text).rstrip()
        yield Padding(
            Syntax(text, self.lexer_name, theme=COLOURS, background_color="default", word_wrap=True),
            (0, 0, 0, 4),
        )


class _Markdown(Markdown):
    elements = {  # noqa: RUF012  as the parent has it
        **Markdown.elements,
        "heading_open": _Heading,
        "code_block": _Formula,
        "fence": _Formula,
    }


class Page:
    """A cell, or several things one below the other, drawn in ASCII where the terminal has nothing else."""

    def __init__(self, content: RenderableType, bar: bool = False) -> None:
        self.content, self.bar = content, bar

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        edge = (BAR_ASCII if options.ascii_only else BAR) if self.bar and width > 12 else ""
        with console.use_theme(STYLES):
            inner = options.update(width=width - len(edge))
            lines = console.render_lines(self.content, inner, pad=False)
        if options.ascii_only:
            lines = in_ascii(lines)
        for line in lines:
            if edge:
                yield Segment(edge, Style(dim=True))
            yield from trimmed(line)
            yield Segment.line()


def text_page(markdown: str) -> Page:
    """A markdown cell, without its comments."""
    return Page(_Markdown(without_comments(markdown), code_theme=COLOURS, hyperlinks=False))


def code_page(source: str) -> Page:
    """A code cell behind a bar."""
    return Page(Syntax(source, "python", theme=COLOURS, background_color="default", word_wrap=True), bar=True)


def rule(left: str, right: str, width: int, ascii_only: bool = False) -> Text:
    """`── left ─────── right ──`, the left one cut where it is too long, the right one gone first."""
    width = min(width, WIDEST)
    line = "-" if ascii_only else "─"
    if len(left) + len(right) + 10 > width:
        right = ""
    tail = f" {right} {line}{line}" if right else ""
    text = Text(f"{line}{line} ", style="dim", no_wrap=True, overflow="crop")
    text.append(left[: max(0, width - 6)], style="not dim bold")
    text.append(" " + line * max(0, width - 4 - len(left) - len(tail)) + tail)
    text.truncate(width)
    return text


def height_of(pages: Iterable[RenderableType], console: Console) -> int:
    """Rows that these take on the console."""
    return len(console.render_lines(Group(*pages), pad=False))


def indented(text: str, style: str = "") -> Padding:
    """Words of the program itself, apart from what the lesson prints."""
    return Padding(Text(text, style=style), (0, 0, 0, 2))
