"""Terms, and beside each what it means, wrapped between words: a list of commands or options."""

from collections.abc import Sequence

from rich.cells import cell_len

from . import markup
from .frame import fit, row_of, wrapped
from .view import BOLD, Block, Canvas, View, cut, shown

GAP = 2
LEAST_MEANING = 24  # cells; with fewer the meaning stands below its term


class Definitions(View):
    """`pairs` of a term and its meaning; terms take `terms_width` cells (None: the longest), at most half."""

    def __init__(self, pairs: Sequence[tuple[str, str]], *, terms_width: int | None = None) -> None:
        self.pairs, self.terms_width = list(pairs), terms_width

    def draw(self, canvas: Canvas) -> Block:
        terms = [shown(term) for term, _ in self.pairs]
        left = min(self.terms_width or max(map(cell_len, terms), default=0), canvas.width // 2)
        right = canvas.width - left - GAP
        rows: Block = []
        for term, (_, meaning) in zip(terms, self.pairs, strict=True):
            head = row_of((term, BOLD))
            if right < LEAST_MEANING:
                rows += [row_of((cut(term, canvas.width), BOLD))]
                rows += [[*row_of("  "), *row] for row in wrapped(shown(meaning), max(1, canvas.width - 2))]
                continue
            block = wrapped(shown(meaning), right) or [[]]
            if cell_len(term) > left:
                rows.append(row_of((cut(term, canvas.width), BOLD)))
                head = []
            for number, row in enumerate(block):
                rows.append([*fit(head if number == 0 else [], left + GAP), *row])
        return rows

    def html(self) -> str:
        cell = "padding:2px 16px 2px 0;vertical-align:top;text-align:left"
        rows = ""
        for term, meaning in self.pairs:
            head = markup.tag("th", markup.text(term), f"{cell};white-space:nowrap", scope="row")
            rows += f"<tr>{head}{markup.tag('td', markup.text(meaning), cell)}</tr>"
        return markup.figure(markup.tag("table", rows, "border-collapse:collapse"))
