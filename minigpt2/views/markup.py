"""Pieces of HTML that every picture uses. Colours are set on cells alone; text takes those of its page."""

import base64
import struct
import zlib
from html import escape

import numpy as np

from . import palette
from .view import shown

FONT = "font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
QUIET = "opacity:.72"


def text(value: object) -> str:
    """A text from outside, escaped, and kept apart from the direction of what stands around it."""
    return f"<bdi>{plain(value)}</bdi>" if str(value) else ""


def plain(value: object) -> str:
    """A text from outside, escaped, for where elements may not stand."""
    return escape(shown(value), quote=True)


def tag(name: str, content: str = "", style: str = "", **attributes: object) -> str:
    """An element around `content`, which is HTML; its attributes are escaped, `_` in their names is `-`."""
    inside = attributes_of(**({"style": style} if style else {}), **attributes)
    return f"<{name}{' ' if inside else ''}{inside}>{content}</{name}>"


def attributes_of(**values: object) -> str:
    """name="value" and so on, escaped."""
    return " ".join(f'{name.replace("_", "-")}="{plain(value)}"' for name, value in values.items())


def quiet(content: str) -> str:
    """A line in the background."""
    return tag("div", content, f"{QUIET};margin-top:4px") if content else ""


def figure(body: str, caption: str = "") -> str:
    """A picture with the words below it."""
    below = tag("figcaption", text(caption), f"{QUIET};margin-top:4px") if caption else ""
    return tag("figure", body + below, f"margin:12px 0;max-width:100%;overflow-x:auto;{FONT}")


def svg(width: float, height: float, label: str, body: str) -> str:
    """An image of its own size that shrinks with the page; `label` is read aloud."""
    box = {"viewBox": f"0 0 {width:g} {height:g}", "width": f"{width:g}", "font-size": 11}
    style = "max-width:100%;height:auto"
    return tag("svg", body, style, role="img", aria_label=label, fill="currentColor", **box)


def more(count: int, what: str = "more") -> str:
    """What a picture leaves out."""
    return quiet(f"… {count:,} {what}") if count > 0 else ""


def shade_style(shade: palette.Shade) -> str:
    """Ground and text of a cell."""
    return f"background:{palette.css(shade.ground)};color:{palette.css(shade.text)}"


def ramp(diverging: bool, low: str, high: str) -> str:
    """The scale with its ends named."""
    stops = ",".join(palette.css(shade.ground) for shade in palette.scale(diverging)[::4])
    style = f"display:inline-block;width:120px;height:.8em;background:linear-gradient(90deg,{stops})"
    bar = tag("span", "", style, aria_hidden="true")
    return tag("div", f"{low} {bar} {high}", "margin-top:4px")


def pixels(levels: np.ndarray, diverging: bool) -> str:
    """(R, C) levels -> the address of a picture with one dot for each, clear where EMPTY."""
    table = np.array(
        [[*shade.ground, 255] for shade in palette.scale(diverging)] + [[0, 0, 0, 0]], dtype=np.uint8
    )
    rgba = table[levels]  # (R, C, 4); EMPTY is the last row
    rows = b"".join(b"\0" + row.tobytes() for row in rgba)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", levels.shape[1], levels.shape[0], 8, 6, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
