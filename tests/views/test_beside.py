"""Two pictures side by side where there is room."""

import numpy as np
import pytest
from rich.cells import cell_len

from minigpt2.views import Beside, Canvas, HeatMap


def picture(rows=3):
    maps = [HeatMap(np.eye(n), rows=list("abcdef"[:n]), columns=list("abcdef"[:n])) for n in (rows, 3)]
    return Beside(*maps, titles=("expected", "yours <b>"))


def texts(width):
    return ["".join(segment.text for segment in row) for row in picture(5).draw(Canvas(width))]


@pytest.mark.parametrize("width", [10, 40, 54, 80, 200])
def test_no_row_is_too_wide(width):
    assert all(cell_len(text) <= width for text in texts(width))


def test_side_by_side_or_below():
    assert "expected" in texts(80)[0]
    assert "yours" in texts(80)[0]
    assert "yours" not in texts(40)[0]
    assert any("yours" in text for text in texts(40))


def test_html_is_escaped():
    html = picture().html()
    assert "yours &lt;b&gt;" in html
    assert html.count("<table") == 2
