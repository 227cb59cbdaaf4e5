"""Words around pictures, and pictures one below the other."""

from rich.style import Style

from . import markup
from .frame import row_of, width_of, wrapped
from .view import BOLD, DIM, Block, Canvas, View, cut, shown


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
        bold, dim = "bold" in self.style, "dim" in self.style
        style = "margin:8px 0" + (";font-weight:bold" if bold else "") + (f";{markup.QUIET}" if dim else "")
        return markup.tag("p", "<br>".join(map(markup.text, self.text.splitlines())), style)


class Heading(View):
    """One line above a picture, and at its right something that belongs to it."""

    def __init__(self, text: str, detail: str = "") -> None:
        self.text, self.detail = text, detail

    def draw(self, canvas: Canvas) -> Block:
        row = row_of((cut(shown(self.text), canvas.width), BOLD))
        room = canvas.width - width_of(row) - 2
        if self.detail and room > 3:
            row += row_of("  ", (cut(shown(self.detail), room), DIM))
        return [row]

    def html(self) -> str:
        small = markup.tag("small", markup.text(self.detail), f"{markup.QUIET};font-weight:normal")
        content = markup.text(self.text) + (f" {small}" if self.detail else "")
        return markup.tag("h3", content, "margin:16px 0 4px;font-size:1.05em")


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
