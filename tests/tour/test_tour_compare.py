"""The comparison of screens: what it lets pass, and what it must catch."""

import pytest
from compare import differences, different_colours, side_by_side
from emulator import Screen, text_of
from screens import Answer, answer_of, read_answer, write_answer

TABLE = """\
› /sim #1 | #2
measure     value  range
─────────  ──────  ───────
cosine     0.5817  -1 to 1
manhattan  9.9999  0 to 32

#2 · 9 tokens · 3.9 ms to embed"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.5817", "0.5818"),  # one unit of the last digit
        ("0.5817", "0.5816"),
        (" 9.9999", "10.0000"),  # a digit more, a blank less
        ("3.9 ms", "12.4 ms"),
    ],
)
def test_rounding_passes(old, new):
    changed = TABLE.replace(old, new)
    assert changed != TABLE
    assert differences(TABLE, changed) == differences(changed, TABLE) == []


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        ("0.5817", "0.5819", 3),  # two units
        ("0.5817", "0.5917", 3),
        ("0.5817", "-0.5817", 3),
        ("0.5817", "0.581", 3),
        ("#2 ·", "#3 ·", 6),  # the number of a sentence
        ("9 tokens", "8 tokens", 6),  # a count
        ("-1 to 1", "-1 to 2", 3),
        ("cosine", "euclid", 3),  # a label of the same length
        ("cosine   ", "manhattan", 3),
        ("cosine     0", "cosine    0", 3),  # a column out of line
        ("─────────  ──────  ───────\n", "", 2),
        ("manhattan  9.9999  0 to 32\n", "", 4),
        ("\n#2 ·", "\n\n#2 ·", 6),  # a blank row more
        ("tokens ·", "tokens;", 6),
        ("ms to embed", "ms", 6),
    ],
)
def test_everything_else_is_caught(old, new, row):
    changed = TABLE.replace(old, new)
    assert changed != TABLE
    assert differences(TABLE, changed), f"{old!r} -> {new!r} passed"
    assert differences(changed, TABLE)
    assert differences(TABLE, changed)[0].row == row


def test_two_labels_swapped_are_caught():
    changed = TABLE.replace("cosine   ", "manhattan", 1).replace("manhattan  9", "cosine     9")
    assert [difference.row for difference in differences(TABLE, changed)] == [3, 4]


@pytest.mark.parametrize(
    ("stored", "now", "same"),
    [
        ("░▒▓█", "▒▒▓█", True),
        ("░▒▓█", "▓▒▓█", False),
        (" ▒▓█", "░▒▓█", True),
        ("a ███▏ b", "a ███▎ b", True),
        ("a ███▏ b", "a ███  b", True),
        ("a ███▏ b", "a ███▌ b", False),
        ("a ███▏ b", "a ████ b", False),
        ("▁▅█", "▁▆█", True),
        ("▁▅█", "▂▅▆", False),
        ("pooled.", "pooled", False),  # signs of a text are no shades
        ("cosine:", "cosine-", False),
        ("90 %", "91 %", True),
        ("90 %", "92 %", False),
        ("90%", "90", False),
        ("0.00", "-0.00", True),
        ("1.2e-05", "1.3e-05", True),
        ("1.2e-05", "1.2e-04", False),
        ("0.0001799", "0.00018", True),  # a zero at the end left out
        ("0.0001799", "0.00019", False),
        ("0.9999", "1", True),
        ("h.0.ln_1", "h.1.ln_1", False),
        ("#1 to #19", "#1 to #18", False),
    ],
)
def test_steps_and_numbers(stored, now, same):
    assert (differences(stored, now) == []) is same
    assert (differences(now, stored) == []) is same


@pytest.mark.parametrize(
    ("stored", "now"),
    [
        ("Most by 5.3 (0.0800), 0.0 (0.0580).", "Most by 5.2 (0.0800), 0.0 (0.0580)."),
        ("the token itself: 0.2 (79%), 0.0 (69%)", "the token itself: 0.3 (79%), 0.0 (69%)"),
        ("0.0         0.1         0.2", "0.0         0.1         0.3"),
        ("› /ablate 3.1 #1 | #2", "› /ablate 3.2 #1 | #2"),
        ("5.534              12.62  ‘the’ at 5", "5.535              12.62  ‘the’ at 5"),
    ],
)
def test_names_of_heads_and_neurons_are_no_rounded_numbers(stored, now):
    assert differences(stored, now) != []
    assert (
        differences(stored, stored.replace("12.62", "12.63").replace("79%", "80%").replace("580", "581"))
        == []
    )


def test_braille_may_move_by_one_dot():
    line = "0.5 ┤⠉⠉⠒⠤⣀  ⡇"
    assert differences(line, line.replace("⠒", "⠤")) == []
    assert differences("┤⠈  ", "┤ ⠁ ") == []  # into the next cell
    assert differences(line, line.replace("⡇", " ")) != []
    assert differences(line, line.replace("⡇", "⢸")) == []
    assert differences(line, line.replace("⣀  ", "  ⣀")) != []
    assert differences("⠁\n ", "⢀\n ") != []


def test_a_paragraph_with_a_time_may_break_elsewhere():
    stored = "embedded in 0.02 s (674 a\nsecond), kept as #8\n\nname  a"
    assert differences(stored, "embedded in 10.02 s\n(67 a second), kept as #8\n\nname  a") == []
    assert differences(stored, "embedded in 10.02 s\n(67 a second), kept as #9\n\nname  a") != []
    assert differences(stored, stored.replace("name  a", "name a")) != []
    stored = "wrote vectors.npy, 23,128\nbytes"  # which depends on the folder of the model
    assert differences(stored, stored.replace("23,128", "23,136")) == []


def test_what_the_machine_decides_may_differ():
    stored = "from      /home/me/minigpt2/pretrained/nano\nsize      6 blocks, numpy 2.4.6 on cpu\n────  ──"
    now = "from      /x/minigpt2/pretrained/nano\nsize  6 blocks, numpy 2.10.0\non cpu\n────  ─────"
    assert differences(stored, now) == []
    assert differences(stored, now.replace("6 blocks", "7 blocks")) != []
    assert differences(stored, now.replace("nano", "mini")) != []
    stored = "on cpu.\nNo GPU is usable: there is no\nCUDA"
    assert differences(stored, "on cpu.\nNo GPU is usable: it is broken") == []
    assert differences(stored, "on cpu.\nA GPU is usable") != []


def test_a_screen_that_varies_has_the_same_words():
    stored = "attention   1.20  ████▌   40 %\nmlp         1.80  ██████  60 %"
    now = "attention  11.20          30 %\nmlp        11.80  ███     70 %"
    assert differences(stored, now, varies=True) == []
    assert differences(stored, now.replace("mlp", "mpl"), varies=True) != []
    assert differences(stored, now.splitlines()[0], varies=True) != []


def screen_of(output, width=20, height=3):
    import pyte

    screen = Screen(width, height)
    pyte.Stream(screen).feed(output.replace("\n", "\r\n"))
    return [screen.cells(row) for row in range(screen.row + 1)]


COLOURED = (
    "\x1b[38;2;255;255;255;48;2;160;48;16m 0.5 \x1b[0m \x1b[2mdim\x1b[0m \x1b[1mbold\x1b[0m\nplain\n3 ms"
)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("160;48;16", "168;40;20", True),  # within a sixteenth
        ("160;48;16", "16;48;160", False),
        ("160;48;16", "200;48;16", False),
        ("255;255;255;48", "0;0;0;48", True),  # black text instead of white where the ground is in between
        ("255;255;255;48", "255;0;0;48", False),
        ("\x1b[2mdim", "dim", False),
        ("\x1b[1mbold", "\x1b[2mbold", False),
        ("plain", "\x1b[31mplain", False),
        ("3 ms", "\x1b[31m14 ms", True),  # rows of which more than digits differ are left out
    ],
)
def test_colours(tmp_path, old, new, same):
    stored = answer_of(screen_of(COLOURED), with_colours=True)
    now = answer_of(screen_of(COLOURED.replace(old, new)), with_colours=True)
    write_answer(tmp_path / "one.txt", stored)
    assert read_answer(tmp_path / "one.txt") == stored
    assert stored.text == " 0.5  dim bold\nplain\n3 ms"
    assert (different_colours(stored, now) == []) is same


def test_answers_without_colours_are_read_as_written(tmp_path):
    for answer in (Answer("› a\n\nb", None), Answer("› a", [[]]), Answer("", None)):
        write_answer(tmp_path / "one.txt", answer)
        assert read_answer(tmp_path / "one.txt") == answer


def test_the_emulator_keeps_what_scrolls_away_and_what_an_alternate_screen_hides():
    screen_rows = screen_of("1\n2\n3\n4\n\x1b[?1049hhidden\n\n\n\n\n\x1b[?1049l5\n6")
    assert [text_of(row) for row in screen_rows] == ["1", "2", "3", "4", "5", "6"]


def test_side_by_side_marks_what_differs():
    changed = TABLE.replace("0.5817", "0.9")
    shown = side_by_side(TABLE, changed, differences(TABLE, changed)).splitlines()
    assert shown[4].startswith("→ 3 cosine     0.5817")
    assert shown[4].endswith("│ cosine     0.9  -1 to 1")
    assert "0.9, not 0.5817" in shown[5]
