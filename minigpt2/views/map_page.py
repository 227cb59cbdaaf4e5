"""A map of texts to wander about in: a page that pans, zooms, tells what lies under the pointer and searches.

The page is one file and needs no network: its script is `map_page.js`, its style `map_page.css`, both set into it.
"""

import json
from collections.abc import Collection, Sequence
from importlib.resources import files

import numpy as np

from . import markup, palette
from .html_page import document
from .view import shown


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
    names = list(dict.fromkeys(map(str, groups))) if groups is not None else []
    order = {name: i for i, name in enumerate(names)}
    items = [
        {
            "x": float(f"{points[i, 0]:.6g}"),
            "y": float(f"{points[i, 1]:.6g}"),
            "t": shown(labels[i]),
            "g": order[str(groups[i])] if groups is not None else 0,
            "m": i in marked,
        }
        for i in range(len(labels))
        if finite[i]
    ]
    data = {
        "points": items,
        "groups": [shown(name) for name in names],
        "colours": [palette.css(rgb) for rgb in palette.inks()],
    }
    # "<" never stands in the data as it is, so that no text can end the script
    encoded = (
        json.dumps(data, ensure_ascii=False)
        .replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
    here = files(__package__)
    style, script = ((here / name).read_text(encoding="utf-8") for name in ("map_page.css", "map_page.js"))
    below = f"<p>{markup.text(subtitle)}</p>" if subtitle else ""
    body = (
        f"<header><h1>{markup.text(title)}</h1>{below}"
        '<label>Search <input id="search" type="search" autocomplete="off"></label> <output id="found"></output>'
        '<button id="whole" type="button">Whole map</button></header>'
        '<canvas id="map" tabindex="0" role="application" aria-label="map of texts; arrow keys move, plus and minus zoom, '
        'n and p go from text to text"></canvas><div id="hint" role="status" aria-live="polite"></div><ul id="legend"></ul>'
        f'<script id="data" type="application/json">{encoded}</script><script>{script}</script>'
    )
    return document(title, style, body)
