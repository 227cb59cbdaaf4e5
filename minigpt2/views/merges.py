"""A word on its way to tokens: its bytes, and every merge of two neighbours until none is left."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment

from ..visible import visible_bytes
from . import markup, palette
from .view import BOLD, DIM, Block, Canvas, View, cut, inside, note

if TYPE_CHECKING:
    from ..tokenizer.trace import MergeStep

MOST_STEPS = 100


class MergeSteps(View):
    """`word` and its merges, as `tokenizer.trace_merges` gives them; the piece just made stands out."""

    def __init__(self, word: str, steps: "Sequence[MergeStep]") -> None:
        self.word, self.steps = word, list(steps)

    def _lines(self) -> list[tuple[str, list[str], int, str]]:
        """What stands left, the pieces, which of them is new, and how it was made."""
        encoded = self.word.encode("utf-8", "surrogatepass")
        lines = [("bytes", [visible_bytes(bytes([byte])) for byte in encoded], -1, "")]
        for step in self.steps[:MOST_STEPS]:
            made = f"{visible_bytes(step.left)} + {visible_bytes(step.right)} = {step.token}"
            pieces = [visible_bytes(piece) for piece in step.pieces]
            lines.append((f"rank {step.rank}", pieces, step.position, made))
        return lines

    def draw(self, canvas: Canvas) -> Block:
        lines = self._lines()
        block: Block = [
            [Segment(cut(visible_bytes(self.word.encode("utf-8", "surrogatepass")), canvas.width), BOLD)]
        ]
        gutter = max(len(head) for head, *_ in lines) + 4 if canvas.width >= 40 else 0
        for head, pieces, new, made in lines:
            row = [Segment(f"  {head:<{gutter - 2}}", DIM)] if gutter else []
            for at, piece in enumerate(pieces):
                style = palette.ink(2, canvas.depth, bold=True) if at == new else None
                text = f"[{piece}]" if at == new and not canvas.depth else piece
                row += [Segment(" " if at else ""), Segment(text, style)]
            used = sum(segment.cell_length for segment in row)
            if made and used + 3 + cell_len(made) <= canvas.width:
                row.append(Segment("   " + made, DIM))
            if used > canvas.width:
                row = [*inside(row, canvas.width - 1), Segment("…")]
            block.append(row)
        if len(self.steps) > MOST_STEPS:
            block += note(f"… {len(self.steps) - MOST_STEPS:,} more merges", canvas.width)
        return block

    def html(self) -> str:
        rows = ""
        box = "padding:0 4px;margin-right:3px;border:1px solid rgba(128,128,128,.5);border-radius:4px"
        fresh = f"{box};{markup.shade_style(palette.Shade(palette.inks()[2], (255, 255, 255)))}"
        for head, pieces, new, made in self._lines():
            cells = ""
            for at, piece in enumerate(pieces):
                cells += markup.tag("span", markup.text(piece), fresh if at == new else box)
            name = "text-align:left;font-weight:normal;padding-right:12px"
            row = markup.tag("th", head, name, scope="row") + markup.tag("td", cells)
            row += markup.tag("td", markup.text(made), f"{markup.QUIET};padding-left:12px")
            rows += f"<tr>{row}</tr>"
        table = markup.tag("table", rows, "border-collapse:separate;border-spacing:0 3px")
        word = markup.tag("strong", markup.text(self.word.replace(" ", "␣")))
        return markup.figure(word + table + markup.more(len(self.steps) - MOST_STEPS, "more merges"))
