"""One complete page of pictures, which needs no network and follows the reader's light or dark setting."""

from collections.abc import Iterable
from html import escape

from . import markup
from .view import View, shown

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--text:#1b1f24;--quiet:#5a636e}
@media (prefers-color-scheme:dark){:root{--ground:#14171c;--text:#e6e9ee;--quiet:#9aa4b2}}
body{margin:0 auto;max-width:70rem;padding:2rem 1rem 4rem;background:var(--ground);color:var(--text);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
h1{font-size:1.6rem;margin:0}
.subtitle{color:var(--quiet);margin:.25rem 0 1.5rem}
@media print{body{max-width:none;padding:0;print-color-adjust:exact;-webkit-print-color-adjust:exact}
figure,tr{break-inside:avoid}h3{break-after:avoid}}
"""


def page(title: str, views: Iterable[View], *, subtitle: str = "") -> str:
    """A page in UTF-8 with the views one below the other."""
    below = f'<p class="subtitle">{markup.text(subtitle)}</p>' if subtitle else ""
    body = f"<header><h1>{markup.text(title)}</h1>{below}</header><main>" + "\n".join(v.html() for v in views)
    return document(title, STYLE, body + "</main>")


def document(title: str, style: str, body: str) -> str:
    """The frame of a page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(shown(title))}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
