"""Colours: text on them can be read, steps look equal, and all eyes tell the ends apart."""

import itertools

import numpy as np
import pytest

from minigpt2.views import palette

# What is left of linear red, green and blue without one kind of cone: Machado, Oliveira, Fernandes 2009,
# doi:10.1109/TVCG.2009.113, severity 1.
BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
USUAL_16 = {0: 0, 4: 36, 1: 70, 5: 90, 6: 130, 2: 120, 3: 190, 10: 160, 14: 190, 11: 230, 7: 220, 15: 255}


def linear(channel):
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def luminance(rgb):
    return sum(weight * linear(c) for weight, c in zip((0.2126, 0.7152, 0.0722), rgb, strict=True))


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def oklab(rgb):
    """Of linear red, green, blue: the matrices of the definition, in its direction."""
    r, g, b = (max(0.0, float(c)) for c in rgb)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return np.array(
        [
            0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
            1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
            0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
        ]
    )


def seen(rgb, blindness=None):
    colour = np.array([linear(c) for c in rgb])
    return oklab(colour if blindness is None else np.array(BLINDNESS[blindness]) @ colour)


@pytest.mark.parametrize("diverging", [False, True])
def test_text_on_every_shade_can_be_read(diverging):
    shades = palette.scale(diverging)
    assert len(shades) == palette.LEVELS
    for shade in (*shades, *palette.chip_shades()):
        assert contrast(shade.ground, shade.text) >= 4.5


@pytest.mark.parametrize("diverging", [False, True])
def test_text_on_every_colour_of_256_can_be_read(diverging):
    for level in range(palette.LEVELS):
        style = palette.cell(diverging, level, 256)
        ground, text = (palette.xterm_colour(c.number) for c in (style.bgcolor, style.color))
        assert text in (BLACK, WHITE)
        assert contrast(ground, text) >= 4.5
    for number in range(7):
        style = palette.chip(number, 256)
        ground, text = (palette.xterm_colour(c.number) for c in (style.bgcolor, style.color))
        assert contrast(ground, text) >= 4.5


def test_inks_can_be_read_on_dark_and_on_light():
    for rgb in palette.inks():
        assert contrast(rgb, BLACK) >= 4.5
        assert contrast(rgb, WHITE) >= 4.5


@pytest.mark.parametrize("diverging", [False, True])
def test_steps_look_equal(diverging):
    path = [seen(shade.ground) for shade in palette.scale(diverging)]
    steps = np.array([np.linalg.norm(b - a) for a, b in itertools.pairwise(path)])
    halves = np.split(steps, 2) if diverging else [steps]
    for half in halves:
        assert half.max() / half.min() < 1.5
    assert np.mean(halves[0]) == pytest.approx(np.mean(halves[-1]), rel=0.25)


def test_lightness_alone_gives_the_order():
    climbing = [luminance(shade.ground) for shade in palette.scale(False)]
    assert all(a < b for a, b in itertools.pairwise(climbing))
    both = [luminance(shade.ground) for shade in palette.scale(True)]
    middle = palette.LEVELS // 2
    assert all(a > b for a, b in itertools.pairwise(both[: middle + 1]))
    assert all(a < b for a, b in itertools.pairwise(both[middle:]))
    assert contrast(palette.scale(True)[middle].ground, WHITE) > 12


@pytest.mark.parametrize("blindness", [None, *BLINDNESS])
def test_every_eye_tells_negative_from_positive(blindness):
    shades = palette.scale(True)
    for level in range(palette.LEVELS // 2 - 5):
        below, above = shades[level].ground, shades[palette.LEVELS - 1 - level].ground
        assert np.linalg.norm(seen(below, blindness) - seen(above, blindness)) > 0.1


@pytest.mark.parametrize("blindness", [None, *BLINDNESS])
def test_every_eye_sees_the_sequential_scale_climb(blindness):
    lightness = [seen(shade.ground, blindness)[0] for shade in palette.scale(False)]
    assert all(a < b + 0.005 for a, b in itertools.pairwise(lightness))
    assert lightness[-1] - lightness[0] > 0.6


@pytest.mark.parametrize("diverging", [False, True])
def test_fewer_colours_keep_the_order(diverging):
    def order(values):
        middle = palette.LEVELS // 2 if diverging else 0
        assert all(a >= b - 0.02 for a, b in itertools.pairwise(values[: middle + 1]))
        assert all(a <= b + 0.02 for a, b in itertools.pairwise(values[middle:]))

    of_256 = [palette.cell(diverging, level, 256).bgcolor.number for level in range(palette.LEVELS)]
    assert len(set(of_256)) >= 12
    order([luminance(palette.xterm_colour(number)) for number in of_256])
    of_16 = [palette.cell(diverging, level, 16).bgcolor.number for level in range(palette.LEVELS)]
    assert len(set(of_16)) >= 5
    order([USUAL_16[number] / 255 for number in of_16])


def test_levels_are_rounded_shares():
    assert palette.levels(np.array([0.0, 1.0, 0.5, np.nan])).tolist() == [0, 32, 16, palette.EMPTY]


def test_the_way_to_oklab_is_the_way_back():
    rgb = np.random.default_rng(0).random((50, 3))
    lab = palette.linear_to_oklab(rgb)
    np.testing.assert_allclose(palette.oklab_to_linear(lab), rgb, atol=1e-9)
    np.testing.assert_allclose(lab, [oklab(c) for c in rgb], atol=1e-5)
