"""A map of texts to wander about in: a page that pans, zooms, tells what lies under the pointer and searches.

The page is one file and needs no network: its script is `map_page.js`, its style `map_page.css`, both set
into it. Texts reach the script as JSON, in which no `<` stands, so that none of them can end it.
"""

import json
from collections.abc import Collection, Sequence
from importlib.resources import files

import numpy as np

from . import markup, palette
from .html_page import document
from .view import shown

KEYS = "arrow keys move, + and - zoom, 0 shows the whole map, n and p go from text to text, / searches"
MOST_IN_LIST = 5000  # texts for readers of the page that see no canvas


def interactive_map(
    points: np.ndarray,
    labels: Sequence[str],
    groups: Sequence[str] | None = None,
    *,
    marked: Collection[int] = (),
    title: str = "Map",
    subtitle: str = "",
) -> str:
    """`points` (n, 2) with their labels and groups -> a page. Points that are not finite are left out."""
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    finite = np.isfinite(points).all(axis=1)
    names = [shown(group) for group in groups] if groups is not None else []
    order = {name: i for i, name in enumerate(dict.fromkeys(names))}
    texts = [shown(text) for text in labels]
    items = [
        {
            "x": float(f"{points[i, 0]:.6g}"),
            "y": float(f"{points[i, 1]:.6g}"),
            "t": text,
            "g": order[names[i]] if names else 0,
            "m": i in marked,
        }
        for i, text in enumerate(texts)
        if finite[i]
    ]
    colours = [palette.css(rgb) for rgb in palette.inks()]
    data = json.dumps({"points": items, "groups": list(order), "colours": colours}, ensure_ascii=False)
    folder = files(__package__)
    style, script = ((folder / f"map_page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return document(title, style, _header(title, subtitle) + _map(texts) + _scripts(data, script))


def _header(title: str, subtitle: str) -> str:
    search = "Search " + '<input id="search" type="search" autocomplete="off">'
    content = markup.tag("h1", markup.text(title)) + markup.tag("p", markup.text(subtitle))
    content += markup.tag("label", search) + markup.tag("output", id="found")
    return markup.tag("header", content + markup.tag("button", "Whole map", id="whole", type="button"))


def _map(texts: list[str]) -> str:
    """The canvas with the texts inside it, for those who do not see it."""
    items = "".join(markup.tag("li", markup.text(text)) for text in texts[:MOST_IN_LIST])
    inside = markup.tag("ul", items)
    canvas = markup.tag("canvas", inside, id="map", tabindex=0, role="application", aria_label=f"map: {KEYS}")
    canvas += markup.tag("div", id="hint", role="status", aria_live="polite", dir="auto")
    return markup.tag("main", canvas + markup.tag("ul", id="legend") + markup.tag("p", KEYS, id="help"))


def _scripts(data: str, script: str) -> str:
    safe = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f'<script id="data" type="application/json">{safe}</script>\n<script>\n{script}</script>'
