"""Pictures of tokens, vectors, attention and similarity: for a terminal, for a notebook, and as HTML.

Every picture is a `View`: Rich prints it as wide as the terminal allows, `html()` gives a fragment that
stands alone, a notebook shows it by itself. `page` puts several onto one page, `interactive_map` makes a map
to wander about in. They take texts and host arrays, and compute nothing but what they show.

    view.py             what a picture is: View, Canvas
    prose.py            Paragraph, Heading, Stack
    table.py            Table;  definitions.py  Definitions, terms with their meanings
    chips.py            TokenChips
    merges.py           MergeSteps
    strip.py            VectorStrip
    heatmap.py          HeatMap; heatgrid.py: HeatGrid, many small ones
    bars.py             Bars
    lines.py            Lines
    scatter.py          Scatter
    html_page.py        page; map_page.py, .js, .css: interactive_map
    palette.py          colours;  legend.py  scales;  numbers.py  numbers as text;  markup.py  pieces of HTML
    charts.py           curves and bars out of characters;  frame.py  rows of text put together
"""

import importlib
from typing import Any

from .bars import Bars
from .chips import TokenChips
from .definitions import Definitions
from .heatgrid import HeatGrid
from .heatmap import HeatMap
from .lines import Lines
from .merges import MergeSteps
from .prose import Heading, Paragraph, Stack
from .strip import VectorStrip
from .table import Table
from .view import Canvas, View

_LATER = {"Scatter": "scatter", "page": "html_page", "interactive_map": "map_page"}  # imported when used

__all__ = [
    "View",
    "Canvas",
    "Paragraph",
    "Heading",
    "Stack",
    "Table",
    "Definitions",
    "TokenChips",
    "MergeSteps",
    "VectorStrip",
    "HeatMap",
    "HeatGrid",
    "Bars",
    "Lines",
    *_LATER,
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
    globals()[name] = value
    return value
