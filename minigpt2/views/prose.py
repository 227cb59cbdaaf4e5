"""Words around pictures, and pictures one below the other."""

from rich.style import Style

from . import markup
from .frame import wrapped
from .view import BOLD, DIM, Block, Canvas, View, cut, row_of, shown


class Paragraph(View):
    """Prose, wrapped between words; a line break of the text begins a new line."""

    def __init__(self, text: str, style: str = "") -> None:
        self.text, self.style = text, style

    def draw(self, canvas: Canvas) -> Block:
        style = Style.parse(self.style) if self.style else Style.null()
        rows: Block = []
        for line in self.text.splitlines():
            rows += wrapped(shown(line), canvas.width, style) or [[]]
        return rows

    def html(self) -> str:
        weight = ";font-weight:bold" if "bold" in self.style else ""
        quiet = f";{markup.QUIET}" if "dim" in self.style else ""
        lines = "<br>".join(map(markup.text, self.text.splitlines()))
        return f'<p style="margin:8px 0{weight}{quiet}">{lines}</p>'


class Heading(View):
    """One line above a picture, and at its right something that belongs to it."""

    def __init__(self, text: str, detail: str = "") -> None:
        self.text, self.detail = text, detail

    def draw(self, canvas: Canvas) -> Block:
        text = cut(shown(self.text), canvas.width)
        rows = [row_of((text, BOLD))]
        if self.detail:
            room = canvas.width - len(text) - 2
            rows[0] += row_of("  ", (cut(shown(self.detail), max(0, room)), DIM)) if room > 3 else []
        return rows

    def html(self) -> str:
        detail = (
            f' <small style="{markup.QUIET};font-weight:normal">{markup.text(self.detail)}</small>'
            if self.detail
            else ""
        )
        return f'<h3 style="margin:16px 0 4px;font-size:1.05em">{markup.text(self.text)}{detail}</h3>'


class Stack(View):
    """Pictures one below the other with an empty line between them; a heading stays with what follows it."""

    def __init__(self, *views: View) -> None:
        self.views = views

    def draw(self, canvas: Canvas) -> Block:
        rows: Block = []
        after_heading = True
        for view in self.views:
            block = view.draw(canvas)
            if not block:
                continue
            rows += block if after_heading else [[], *block]
            after_heading = isinstance(view, Heading)
        return rows

    def html(self) -> str:
        return "<div>" + "".join(view.html() for view in self.views) + "</div>"
