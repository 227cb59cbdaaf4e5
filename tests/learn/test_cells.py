"""The percent format, read strictly."""

import pytest

from minigpt2.errors import DataError
from minigpt2.learn.cells import CODE, MARKDOWN, read_lesson, split_cells

HEADER = """# %% [markdown]
# # 07 · A title
#
# Intermediate · 25 minutes
#
# **After this lesson you can**
#
# - do one thing
#   that is long
# - do another
# - do a third
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="07_title.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_lesson(write):
    path = write(
        HEADER + "# %%\n\nx = 1\n\n\n# %% [markdown]\n# Text with `x`.\n#\n#     indented\n# %%\nprint(x)\n"
    )
    lesson = read_lesson(path)
    assert (lesson.number, lesson.title, lesson.name) == (7, "A title", "07 · A title")
    assert (lesson.level, lesson.minutes) == ("intermediate", 25)
    assert lesson.goals == ("do one thing that is long", "do another", "do a third")
    assert [cell.kind for cell in lesson.cells] == [MARKDOWN, CODE, MARKDOWN, CODE]
    assert [cell.source for cell in lesson.cells[1:]] == [
        "x = 1",
        "Text with `x`.\n\n    indented",
        "print(x)",
    ]
    lines = path.read_text(encoding="utf-8").splitlines()
    for cell in lesson.cells:  # the line of a cell is where its source begins in the file
        first = cell.source.splitlines()[0]
        assert lines[cell.line - 1] == (first if cell.kind == CODE else f"# {first}")


def test_a_list_below_the_goals_is_none_of_them(write):
    lesson = read_lesson(write(HEADER + "#\n# And then:\n#\n# - a list\n# - of two\n# %%\nx = 1\n"))
    assert lesson.goals[-1] == "do a third"
    assert len(lesson.goals) == 3


@pytest.mark.parametrize("below", ["# <!-- given: 3 -->\n", "# and - by the way - more\n"])
def test_what_stands_right_below_the_goals_is_none_of_them(write, below):
    lesson = read_lesson(write(HEADER + below + "# %%\nx = 1\n"))
    assert lesson.goals[0] == "do one thing that is long"
    assert len(lesson.goals) == 3
    with pytest.raises(DataError, match="with 3 items"):
        read_lesson(write(HEADER.replace("# - do a third\n", below) + "# %%\nx = 1\n"))


def test_the_digest_follows_the_text(write):
    before = read_lesson(write(HEADER + "# %%\nx = 1\n")).digest
    assert read_lesson(write(HEADER + "# %%\nx = 1\n")).digest == before
    assert read_lesson(write(HEADER + "# %%\nx = 2\n")).digest != before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1"),
        ("x = 1\n# %%\n", "line 1"),
        ("# %% [md]\n# a\n", "line 1"),
        ("# %%\nx = 1\n# %% title\nx = 2\n", "line 3"),
        ("# %%\nx = 1\n# %% [markdown] \n# a\n", "line 3"),
        ("# %%\nx = 1\n# %% [markdown]\n# a\nb\n", "line 5"),
        ("# %%\nx = 1\n# %% [markdown]\n#ab c\n", "line 4: every line"),
        ("# %%\nx = 1\n# %% [markdown]\n# a\n\n# b\n", "line 5"),
        ("# %%\n\n# %%\nx = 1\n", "line 2"),
        ("# %% [markdown]\n#\n# %%\nx = 1\n", "line 2"),
        ("# %%\nx = 1\n# %%\ny = 1\nif x\n", "line 5: this is not Python"),
    ],
)
def test_what_is_refused_and_where(text, message):
    with pytest.raises(DataError, match=f"a.py: {message}"):
        split_cells(text.splitlines(), "a.py")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# 07 · A", "# 7 · A"),
        ("# 07 · A", "# 08 · A"),
        ("# 07 · A title", "# A title"),
        ("Intermediate ·", "Expert ·"),
        ("25 minutes", "25 hours"),
        ("**After this lesson you can**", "You can"),
        ("# - do a third\n", ""),
        ("# - do a third\n", "# - do a third\n# - do a fourth\n"),
    ],
)
def test_the_header_is_complete(write, before, after):
    assert before in HEADER
    with pytest.raises(DataError, match=r"07_title\.py"):
        read_lesson(write(HEADER.replace(before, after)))


def test_the_header_is_text(write):
    with pytest.raises(DataError, match="header"):
        read_lesson(write("# %%\nx = 1\n"))


def test_not_utf8(tmp_path):
    path = tmp_path / "07_title.py"
    path.write_bytes(HEADER.encode("latin-1", "replace") + b"# %%\nx = '\xff'\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_lesson(path)
