"""The map to wander about in: what the page holds, and what its script computes."""

import json
import re
import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pytest
from drawn import NASTY, parsed

from minigpt2.views import interactive_map

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node, which runs the script of the page, is not here")


def data_of(html):
    """What the script is given."""
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', html)[1])


def run(code):
    """What `code` gives with the functions of the script around it; document is not there."""
    script = (files("minigpt2.views") / "map_page.js").read_text(encoding="utf-8")
    whole = f"{script}\nconsole.log(JSON.stringify({code}));"
    done = subprocess.run([NODE, "-e", whole], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_page_has_every_finite_point():
    points = np.array([[0.5, -1.25], [np.nan, 0.0], [3.0, 4.0]])
    html = interactive_map(points, ["a", "b", "c"], ["x", "y", "z"], marked=[2], title="T", subtitle="S")
    data = data_of(html)
    assert data["points"] == [
        {"x": 0.5, "y": -1.25, "t": "a", "g": 0, "m": False},
        {"x": 3.0, "y": 4.0, "t": "c", "g": 2, "m": True},
    ]
    assert data["groups"] == ["x", "y", "z"]
    assert len(set(data["colours"])) == len(data["colours"]) >= 6


def test_no_text_can_leave_its_place():
    html = interactive_map([[0, 0], [1, 1]], [NASTY, "</script><script>alert(1)</script>"], [NASTY, "<!--"])
    assert html.count("<script") == 2
    assert html.count("</script>") == 2
    data = data_of(html)
    assert data["points"][1]["t"] == "</script><script>alert(1)</script>"
    assert all(c.isprintable() or c == "\n" for c in html)
    _, tags = parsed(html)
    assert [tag for tag, _ in tags].count("script") == 2


def test_the_page_stands_alone_and_can_be_used_without_a_mouse():
    html = interactive_map(np.zeros((3, 2)), ["a", "b", "c"], title="My map")
    text, tags = parsed(html)
    assert "http" not in html
    assert not {"link", "iframe"} & {tag for tag, _ in tags}
    assert "prefers-color-scheme:dark" in html
    named = {attributes.get("id"): (tag, attributes) for tag, attributes in tags}
    assert named["map"][1]["tabindex"] == "0"
    assert "arrow keys" in named["map"][1]["aria-label"]
    assert named["hint"][1]["aria-live"] == "polite"
    assert named["search"][0] == "input"
    assert "My map" in text
    script = (files("minigpt2.views") / "map_page.js").read_text(encoding="utf-8")
    for wanted in re.findall(r'get\("(\w+)"\)', script):
        assert wanted in named  # every element that the script asks for is there
    assert "innerHTML" not in script


def test_no_points():
    assert data_of(interactive_map(np.zeros((0, 2)), []))["points"] == []


@needs_node
def test_the_whole_map_is_inside_the_screen(rng):
    points = [{"x": float(x), "y": float(y)} for x, y in rng.normal(3, 10, (50, 2))]
    code = f"((p) => p.map((q) => toScreen(wholeView(p, 800, 300, 40), q)))({json.dumps(points)})"
    places = np.array([[p["x"], p["y"]] for p in run(code)])
    assert (places >= 40 - 1e-6).all()
    assert (places <= np.array([760, 260]) + 1e-6).all()
    assert np.ptp(places[:, 1]) == pytest.approx(220) or np.ptp(places[:, 0]) == pytest.approx(720)
    given = np.array([[p["x"], p["y"]] for p in points])
    scale = np.ptp(places[:, 0]) / np.ptp(given[:, 0])  # one scale for both axes: distances stay true
    np.testing.assert_allclose(np.diff(places, axis=0), np.diff(given, axis=0) * [scale, -scale], atol=1e-6)


@needs_node
def test_one_point_and_none_have_a_view():
    assert run("toScreen(wholeView([{x: 7, y: 9}], 100, 50, 10), {x: 7, y: 9})") == {"x": 50, "y": 25}
    assert run("wholeView([], 100, 50, 10).scale") == 1


@needs_node
def test_zooming_keeps_what_is_under_the_pointer():
    code = """(() => { const view = {scale: 2, x: 10, y: 20}, at = {x: 70, y: 35}, near = zoomAt(view, at, 3);
        const under = {x: (at.x - view.x) / view.scale, y: (view.y - at.y) / view.scale};
        return [near.scale, toScreen(near, under), toScreen(zoomAt(near, at, 1 / 3), {x: 1, y: 1})]; })()"""
    scale, under, back = run(code)
    assert scale == 6
    assert under == pytest.approx({"x": 70, "y": 35})
    assert back == pytest.approx({"x": 12, "y": 18})


@needs_node
def test_the_nearest_shown_point_is_found():
    points = [{"x": 0, "y": 0, "g": 0}, {"x": 5, "y": 0, "g": 1}, {"x": 100, "y": 0, "g": 0}]
    call = "nearest({}, {{scale: 1, x: 0, y: 0}}, {{x: {}, y: 1}}, 14, (p) => {})"
    assert run(call.format(json.dumps(points), 4, "true")) == 1
    assert run(call.format(json.dumps(points), 4, "p.g === 0")) == 0
    assert run(call.format(json.dumps(points), 50, "true")) == -1


@needs_node
def test_search_takes_every_word_in_any_case():
    points = json.dumps([{"t": "A Cat sleeps"}, {"t": "the cat runs"}, {"t": "ÜBER cats"}])
    assert run(f"matching({points}, 'cat')") == [0, 1, 2]
    assert run(f"matching({points}, ' SLEEPS cat ')") == [0]
    assert run(f"matching({points}, 'über')") == [2]
    assert run(f"matching({points}, '  ')") == []


@needs_node
def test_labels_do_not_overlap(rng):
    boxes = [{"x": x, "y": y, "width": 90, "height": 16} for x, y in rng.uniform(0, 500, (120, 2)).tolist()]
    dots = [{"x": x, "y": y, "width": 10, "height": 10} for x, y in rng.uniform(0, 500, (10, 2)).tolist()]
    kept = run(f"withoutOverlap({json.dumps(boxes)}, {json.dumps(dots)})")

    def touch(a, b):
        return all(a[k] < b[k] + b[s] and b[k] < a[k] + a[s] for k, s in (("x", "width"), ("y", "height")))

    expected = []
    for i, box in enumerate(boxes):
        if not any(touch(box, other) for other in [*dots, *(boxes[k] for k in expected)]):
            expected.append(i)
    assert kept == expected
    assert 20 < len(kept) < 120


@needs_node
def test_long_labels_are_cut_between_characters():
    assert run('shortened("short", 8)') == "short"
    assert run('shortened("😀😀😀😀😀", 4)') == "😀😀😀…"
