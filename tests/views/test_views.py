"""Every view at every width, with every number of colours, with and without Unicode, and as HTML."""

import re
import subprocess
import sys

import numpy as np
import pytest
from drawn import COLOURS, NASTY, TOKENS, WIDTHS, check_terminal, drawn, every_view, lines, parsed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from work import lines_run

from minigpt2 import views
from minigpt2.views import (
    Bars,
    Definitions,
    Heading,
    HeatGrid,
    HeatMap,
    Lines,
    MergeSteps,
    Paragraph,
    Scatter,
    Stack,
    Table,
    TokenChips,
    VectorStrip,
    page,
)
from minigpt2.views.view import cut

VIEWS = every_view(np.random.default_rng(3))

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30) | st.sampled_from(TOKENS)
TEXTS = st.lists(ANY_TEXT, min_size=1, max_size=7)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
ANY_SCREEN = st.tuples(st.integers(1, 120), st.sampled_from(COLOURS), st.booleans())
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("colours", COLOURS)
@pytest.mark.parametrize("name", VIEWS)
def test_every_view_stays_inside_the_terminal(name, colours, unicode):
    for width in (*WIDTHS, 1, 7, 300):
        check_terminal(VIEWS[name], width, colours, unicode)


@pytest.mark.parametrize("name", VIEWS)
def test_html_is_well_formed_and_holds_no_raw_text(name):
    html = VIEWS[name].html()
    text, tags = parsed(html)
    assert all(c.isprintable() or c == "\n" for c in html)
    assert "script" not in {tag for tag, _ in tags}
    for tag, attributes in tags:
        assert all(re.fullmatch(r"(?!on)[a-z-]+", key) for key in attributes)  # no text has left its quotes
        assert attributes.get("src", "data:").startswith("data:")
        assert tag != "img" or attributes["alt"]
    assert "alert('&\"')" in text or "alert" not in text
    assert VIEWS[name]._repr_html_() == html


def test_colours_are_left_away_where_there_are_none():
    for view in VIEWS.values():
        assert "\x1b" not in drawn(view, 80, None)


def test_a_picture_of_many_is_cut_with_a_note_and_takes_little_work():
    for name in ("long table", "many chips", "long map", "many bars", "many points", "large grid"):
        shown = lines(VIEWS[name])
        assert len(shown) < 500
        assert lines_run(lambda view=VIEWS[name]: lines(view)) < 1_000_000  # about 0.3 s
        assert any("more" in line for line in shown)


def test_a_note_says_how_many_are_left_out():
    assert lines(VIEWS["long table"])[-1] == "… 9,800 more rows"
    assert lines(VIEWS["long map"])[-1] == "… 9,940 more rows"
    shown = lines(TokenChips([" token"] * 10_000))
    drawn_chips = sum(line.count("[␣token]") for line in shown)
    assert shown[-1] == f"… {10_000 - drawn_chips:,} more"


@QUICK
@given(ANY_SCREEN, TEXTS, st.data())
def test_any_texts_and_numbers(screen, texts, data):
    n = len(texts)
    values = np.array(data.draw(st.lists(NUMBERS, min_size=n * n, max_size=n * n))).reshape(n, n)
    for view in (
        Paragraph(texts[0]),
        Heading(texts[0], texts[-1]),
        Definitions(zip(texts, texts, strict=True)),
        TokenChips(texts, ids=range(n), weights=values[0], caption=texts[0]),
        VectorStrip(values[0], caption=texts[0]),
        Table(texts, values.tolist(), caption=texts[0]),
        Table(["a", "b"], [[text, value] for text, value in zip(texts, values[0], strict=True)]),
        HeatMap(values, rows=texts, columns=texts, diverging=n % 2 == 0, caption=texts[0]),
        HeatGrid(values[None], titles=texts[:1], labels=texts),
        Bars(texts, values[0], notes=texts, caption=texts[0]),
        Lines(dict(zip(texts, values, strict=True)), x=texts, y_label=texts[0]),
        Scatter(
            np.stack([values[0], values[-1]], axis=1), labels=texts, names=texts, groups=texts, marked=[0]
        ),
        MergeSteps(texts[0], []),
    ):
        check_terminal(view, *screen)
        text, tags = parsed(view.html())
        assert "script" not in {tag for tag, _ in tags}
        assert all(re.fullmatch(r"(?!on)[a-z-]+", key) for _, attributes in tags for key in attributes)
        text.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "width", "seen"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("東京東京", 5, "東京…"),
        ("東京", 2, "…"),
        ("ab", 0, ""),
    ],
)
def test_texts_are_cut_by_their_cells(text, width, seen):
    assert cut(text, width) == seen


def test_a_stack_separates_blocks_and_keeps_headings_close():
    stack = Stack(Heading("one", "detail"), Paragraph("text"), Stack(), Heading("two"), Paragraph("more"))
    assert lines(stack) == ["one  detail", "text", "", "two", "more"]


def test_a_paragraph_keeps_its_words_and_line_breaks():
    text = "some words that go on\n\nand another line of them"
    shown = lines(Paragraph(text), 20)
    assert " ".join(" ".join(shown).split()) == " ".join(text.split())
    assert "" in shown
    assert parsed(Paragraph("a\nb").html())[1][1][0] in ("br", "bdi")


def test_a_page_is_complete_and_needs_no_network():
    html = page(NASTY, VIEWS.values(), subtitle=NASTY)
    text, tags = parsed(html)
    assert html.startswith("<!DOCTYPE html>")
    assert ("meta", {"charset": "utf-8"}) in tags
    assert [tag for tag, _ in tags].count("h1") == 1
    assert "prefers-color-scheme:dark" in html
    assert not {"script", "link", "iframe"} & {tag for tag, _ in tags}
    assert "http" not in html.replace("http://www.w3.org", "")
    assert "‹1b›" in text
    html.encode("utf-8")


def test_importing_views_loads_no_page_and_no_model():
    code = "import minigpt2.views, sys; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    modules = set(loaded.split())
    assert not {"minigpt2.views.scatter", "minigpt2.views.map_page", "json.tool"} & modules
    assert not {"minigpt2.model", "rich.table", "rich.progress", "regex", "safetensors"} & modules
    for name in views.__all__:
        assert getattr(views, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Chart'"):
        _ = views.Chart
