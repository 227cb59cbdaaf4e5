"""Two pictures side by side where there is room, one below the other where there is not."""

from . import markup
from .frame import GAP, beside, filled
from .prose import Heading
from .view import Block, Canvas, View

LEAST = 26  # cells of a half: two labels and three columns of numbers


class Beside(View):
    """`left` and `right` under their titles."""

    def __init__(self, left: View, right: View, *, titles: tuple[str, str]) -> None:
        self.left, self.right, self.titles = left, right, titles

    def draw(self, canvas: Canvas) -> Block:
        half = (canvas.width - GAP) // 2
        if half < LEAST:
            above, below = (self._half(i, canvas) for i in (0, 1))
            return [*above, [], *below]
        blocks = [self._half(i, canvas._replace(width=half)) for i in (0, 1)]
        height = max(map(len, blocks))
        return beside(*(filled(block, half, height) for block in blocks))

    def _half(self, side: int, canvas: Canvas) -> Block:
        return Heading(self.titles[side]).draw(canvas) + (self.left, self.right)[side].draw(canvas)

    def html(self) -> str:
        halves = zip(self.titles, (self.left, self.right), strict=True)
        cells = [markup.tag("div", Heading(title).html() + view.html()) for title, view in halves]
        return markup.tag("div", "".join(cells), "display:flex;flex-wrap:wrap;gap:0 32px")
