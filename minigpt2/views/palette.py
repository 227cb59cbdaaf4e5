"""Colours that mean numbers: a sequential and a diverging scale, and a few hues that differ.

A scale is a path through OKLab, a space in which equal distances look equally large, cut into LEVELS equal
steps. The sequential one climbs in lightness from indigo over green to yellow, so that it also reads in grey
and for eyes that do not tell red from green. The diverging one is dark at 0 and climbs to blue below it and
to orange above it, a pair that all eyes tell apart. Text on a colour is black or white, whichever contrasts
more: of any colour one of them has a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3).

Each scale exists for 2²⁴, 256 and 16 colours; of the 16 only the names are known, so those are chosen by
hand, in the order of their lightness in the usual themes.

OKLab: Ottosson 2020, https://bottosson.github.io/posts/oklab.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from rich.color import Color
from rich.style import Style

LEVELS = 33  # of a scale; odd, so that the diverging one has a middle
EMPTY = -1  # the level of NaN

# Ends and bends of the paths: lightness, chroma, hue in degrees.
SEQUENTIAL_PATH = (
    (0.24, 0.10, 290.0),
    (0.42, 0.13, 262.0),
    (0.60, 0.12, 215.0),
    (0.78, 0.16, 150.0),
    (0.95, 0.16, 105.0),
)
BELOW_PATH = ((0.87, 0.10, 225.0), (0.62, 0.16, 248.0), (0.42, 0.12, 262.0), (0.25, 0.01, 265.0))
ABOVE_PATH = ((0.25, 0.01, 60.0), (0.42, 0.10, 45.0), (0.64, 0.17, 50.0), (0.87, 0.13, 85.0))

# Colours of the 16 as numbers 0 … 15, dark to light, and what is written on them.
SEQUENTIAL_16 = ((0, 15), (4, 15), (6, 0), (10, 0), (11, 0))
DIVERGING_16 = ((14, 0), (6, 0), (4, 15), (0, 15), (1, 15), (3, 0), (11, 0))

LAB_TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
CONES_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)

INK_HUES = (255.0, 40.0, 150.0, 330.0, 200.0, 90.0)
INKS_16 = (4, 1, 2, 5, 6, 3)
INK_LUMINANCE = 0.18  # of it, text has a contrast of 4.5:1 to black and to white


CHIP_HUES = (262.0, 150.0, 20.0, 215.0, 320.0, 75.0)
CHIP_LIGHTNESS, CHIP_CHROMA = 0.42, 0.085
CHIPS_16 = (4, 6, 5, 2)


class Shade(NamedTuple):
    """A colour and the colour of text on it, each 0 … 255 per channel."""

    ground: tuple[int, int, int]
    text: tuple[int, int, int]


def oklab_to_linear(lab: np.ndarray) -> np.ndarray:
    """(…, 3) OKLab -> (…, 3) linear sRGB, outside 0 … 1 where a screen cannot show the colour"""
    cones = lab @ LAB_TO_CONES.T  # (…, 3) cube roots of what the cones of the eye take in
    return (cones * cones * cones) @ CONES_TO_RGB.T


def linear_to_oklab(rgb: np.ndarray) -> np.ndarray:
    """(…, 3) linear sRGB -> (…, 3) OKLab"""
    return np.cbrt(rgb @ np.linalg.inv(CONES_TO_RGB).T) @ np.linalg.inv(LAB_TO_CONES).T


def linear(rgb: np.ndarray) -> np.ndarray:
    """(…, 3) of 0 … 255 as screens count -> (…, 3) linear 0 … 1"""
    share = np.asarray(rgb, dtype=np.float64) / 255.0
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def bytes_of(rgb: np.ndarray) -> np.ndarray:
    """(…, 3) linear 0 … 1 -> (…, 3) of 0 … 255"""
    rgb = np.clip(rgb, 0.0, 1.0)
    share = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return np.round(share * 255.0).astype(int)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """(…, 3) of 0 … 255 -> (…) 0 … 1 as WCAG defines it"""
    return linear(rgb) @ np.array([0.2126, 0.7152, 0.0722])


def contrast(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(…, 3), (…, 3) of 0 … 255 -> (…) 1 … 21 as WCAG defines it"""
    first, second = luminance(a), luminance(b)
    return (np.maximum(first, second) + 0.05) / (np.minimum(first, second) + 0.05)


def _lch(path: np.ndarray) -> np.ndarray:
    """(n, 3) lightness, chroma, hue -> (n, 3) OKLab, of less chroma where a screen cannot show so much."""
    lightness, chroma, hue = path[:, 0], path[:, 1], np.radians(path[:, 2])

    def lab(share: np.ndarray) -> np.ndarray:
        return np.stack([lightness, share * chroma * np.cos(hue), share * chroma * np.sin(hue)], axis=1)

    low, high = np.zeros(len(path)), np.ones(len(path))
    for _ in range(14):  # halve the interval that holds the largest share that can be shown
        middle = 0.5 * (low + high)
        rgb = oklab_to_linear(lab(middle))
        fits = ((rgb > -1e-3) & (rgb < 1.0 + 1e-3)).all(axis=1)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return lab(low)


def _steps(bends: tuple[tuple[float, float, float], ...], n: int) -> np.ndarray:
    """(n, 3) of 0 … 255: the path through the bends in n colours at equal distances in OKLab."""
    bends = np.array(bends)
    at = np.linspace(0, len(bends) - 1, 256)
    path = _lch(np.stack([np.interp(at, np.arange(len(bends)), bends[:, i]) for i in range(3)], axis=1))
    length = np.concatenate([[0.0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])  # (256,)
    wanted = np.linspace(0, length[-1], n)
    even = np.stack([np.interp(wanted, length, path[:, i]) for i in range(3)], axis=1)  # (n, 3)
    return bytes_of(oklab_to_linear(even))


def on(ground: tuple[int, int, int]) -> tuple[int, int, int]:
    """Black or white, whichever reads better on a colour."""
    return (0, 0, 0) if luminance(np.array(ground)) > 0.1791 else (255, 255, 255)


@cache
def scale(diverging: bool) -> tuple[Shade, ...]:
    """LEVELS shades from the low end to the high one."""
    if diverging:
        half = LEVELS // 2 + 1
        colours = np.concatenate([_steps(BELOW_PATH, half)[:-1], _steps(ABOVE_PATH, half)])
    else:
        colours = _steps(SEQUENTIAL_PATH, LEVELS)
    return _shades(colours)


def _shades(colours: np.ndarray) -> tuple[Shade, ...]:
    """(n, 3) -> n grounds with the colour of text on them"""
    return tuple(Shade(ground, on(ground)) for ground in (tuple(map(int, colour)) for colour in colours))


@cache
def inks() -> tuple[tuple[int, int, int], ...]:
    """Hues of equal luminance for lines, marks and words on whatever ground the terminal has."""
    found = []
    for hue in INK_HUES:
        lightness = np.linspace(0.3, 0.8, 101)
        path = np.stack([lightness, np.full(101, 0.16), np.full(101, hue)], axis=1)
        colours = bytes_of(oklab_to_linear(_lch(path)))
        best = colours[np.abs(luminance(colours) - INK_LUMINANCE).argmin()]
        found.append(tuple(map(int, best)))
    return tuple(found)


def levels(share: np.ndarray) -> np.ndarray:
    """Shares of 0 … 1 -> levels of a scale; EMPTY for NaN."""
    return np.where(np.isnan(share), EMPTY, np.round(np.nan_to_num(share) * (LEVELS - 1))).astype(int)


@cache
def _grounds(diverging: bool, depth: int) -> tuple[tuple[Color, Color], ...]:
    """For each level the colour and that of text on it, as a terminal of `depth` colours names them."""
    if depth == 16:
        few = DIVERGING_16 if diverging else SEQUENTIAL_16
        picked = [few[min(len(few) - 1, level * len(few) // LEVELS)] for level in range(LEVELS)]
        return tuple((Color.from_ansi(ground), Color.from_ansi(text)) for ground, text in picked)
    shades = scale(diverging)
    grounds = named([shade.ground for shade in shades], depth)
    if depth == 256:
        shades = [Shade((), on(xterm_colour(ground.number))) for ground in grounds]
    texts = {rgb: named([rgb], depth)[0] for rgb in ((0, 0, 0), (255, 255, 255))}
    return tuple((ground, texts[shade.text]) for ground, shade in zip(grounds, shades, strict=True))


def named(colours: Sequence[tuple[int, int, int]], depth: int) -> list[Color]:
    """Colours as a terminal of 256 or more names them: of 256 the nearest in OKLab."""
    if depth > 256:
        return [Color.from_rgb(*rgb) for rgb in colours]
    table = np.array([xterm_colour(i) for i in range(16, 256)])  # (240, 3)
    far = linear_to_oklab(linear(np.array(colours)))[:, None] - linear_to_oklab(linear(table))  # (n, 240, 3)
    return [Color.from_ansi(i + 16) for i in (far * far).sum(axis=2).argmin(axis=1).tolist()]


def xterm_colour(number: int) -> tuple[int, int, int]:
    """The colours 16 … 255 of a terminal with 256: a cube of 6³, then 24 greys."""
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    return steps[number // 36], steps[number // 6 % 6], steps[number % 6]


@cache
def cell(diverging: bool, level: int, depth: int, bold: bool = False) -> Style:
    """Text on the colour of a level; no style for EMPTY or where there are no colours."""
    if level == EMPTY or not depth:
        return Style.null()
    ground, text = _grounds(diverging, depth)[level]
    return Style(color=text, bgcolor=ground, bold=bold or None)


@cache
def halves(diverging: bool, upper: int, lower: int, depth: int) -> tuple[str, Style]:
    """The character and style that show one level above another in one cell."""
    grounds = _grounds(diverging, depth)
    if upper == EMPTY and lower == EMPTY:
        return " ", Style.null()
    if upper == EMPTY:
        return "▄", Style(color=grounds[lower][0])
    if lower == EMPTY:
        return "▀", Style(color=grounds[upper][0])
    return "▀", Style(color=grounds[upper][0], bgcolor=grounds[lower][0])


@cache
def ink(number: int, depth: int, bold: bool = False) -> Style:
    """The style of the number-th hue for text and lines without a ground."""
    if not depth:
        return Style(bold=bold or None)
    number %= len(INK_HUES)
    colour = Color.from_ansi(INKS_16[number]) if depth == 16 else named([inks()[number]], depth)[0]
    return Style(color=colour, bold=bold or None)


@cache
def chip_shades() -> tuple[Shade, ...]:
    """Calm grounds that differ from their neighbours, for texts."""
    path = np.array([(CHIP_LIGHTNESS, CHIP_CHROMA, hue) for hue in CHIP_HUES])
    return _shades(bytes_of(oklab_to_linear(_lch(path))))


@cache
def chip(number: int, depth: int) -> Style:
    """Text on the number-th calm ground."""
    if not depth:
        return Style.null()
    if depth == 16:
        ground = CHIPS_16[number % len(CHIPS_16)]
        return Style(color=Color.from_ansi(15 if ground in (4, 5) else 0), bgcolor=Color.from_ansi(ground))
    shade = chip_shades()[number % len(CHIP_HUES)]
    ground = named([shade.ground], depth)[0]
    text = on(xterm_colour(ground.number)) if depth == 256 else shade.text
    return Style(color=named([text], depth)[0], bgcolor=ground)


def css(rgb: tuple[int, int, int]) -> str:
    """#rrggbb"""
    return "#{:02x}{:02x}{:02x}".format(*rgb)
