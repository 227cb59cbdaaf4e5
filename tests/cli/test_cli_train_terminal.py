"""`minigpt2 train` on a terminal: the dashboard at two sizes, resized and stopped, and what it leaves."""

import json
import os
import re
import signal

import pytest
from programs import environment
from terminal import Terminal

WORDS = (
    "red",
    "green",
    "old",
    "new",
    "dog",
    "cat",
    "bird",
    "tree",
    "road",
    "river",
    "sleeps",
    "runs",
    "sings",
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
TINY = ("--n-layers", 1, "--n-heads", 2, "--d-model", 8, "--vocab-size", 270, "--batch-size", 15)
ENDLESS = ("--epochs", 10000, "--validate-every", 5, "--log-every", 1)


@pytest.fixture
def pairs(tmp_path):
    """A file of 0/1 pairs."""
    path = tmp_path / "pairs.tsv"
    lines = ["id\tsentence1\tsentence2\tlabel"]
    for i in range(90):
        first = " ".join(WORDS[(i * k + k) % len(WORDS)] for k in (1, 2, 3, 5))
        second = first[::-1] if i % 2 else f"the {first}"
        lines.append(f"{i}\t{first} {i}\t{second}\t{1 - i % 2}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def terminal(tmp_path, pairs):
    """Start a training run of a tiny model that would take minutes."""
    started = []

    def start(width, height, *options, stdout=None, **changes):
        files = ("--train-data", pairs, "--validation-data", pairs, "--output-dir", tmp_path / "out")
        variables = environment(**({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | changes))
        started.append(
            Terminal(("train", *files, *TINY, *ENDLESS, *options), variables, width, height, stdout)
        )
        return started[-1]

    yield start
    for one in started:
        one.close()


def draws(*texts):
    return lambda screen: screen.alternate and all(text in screen.text for text in texts)


SMALL = ("minigpt2 train", "── loss", "── validation", "── cosines", "── collapse?", "Ctrl-C saves and stops")
LARGE = (*SMALL, "── learning rate", "── tokens a second", "── run", "── warnings")


def test_both_sizes_resizing_and_ctrl_c(terminal, tmp_path):
    run = terminal(80, 24)
    run.wait_for(draws(*SMALL, "AUC so far", "checkpoint:"))
    assert "── run" not in run.screen.text
    assert "┤" in run.screen.text
    run.resize(160, 50)
    run.wait_for(draws(*LARGE, "── learning rate"))
    assert len(run.screen.rows[-1]) > 150  # to the last column of the last row
    run.resize(48, 14)
    run.wait_for(draws("minigpt2 train", "Ctrl-C", "embeddings:"))
    run.resize(80, 24)
    run.wait_for(draws(*SMALL))
    assert run.screen.unknown == []

    os.write(run.ours, b"\x03")
    assert run.wait() == 130
    assert run.is_as_before()
    after = COLOURS.sub("", run.all.rpartition("\x1b[?1049l")[2])
    assert "── loss" in after  # the last picture stays
    assert "best AUC on the validation data" in after
    assert "interrupted; to go on where it stopped:" in after
    assert "--resume" in after
    assert (tmp_path / "out" / "last" / "config.json").exists()


def test_the_large_size_from_the_start(terminal):
    run = terminal(160, 50)
    run.wait_for(draws(*LARGE, "together, mean", "apart, mean", "healthy → collapsed"))
    run.child.send_signal(signal.SIGTERM)
    assert run.wait() == 130
    assert run.is_as_before()


def test_an_error_leaves_the_terminal_sane_and_its_line_readable(terminal):
    run = terminal(80, 24, "--initial-lr", "1e30", "--clip", "none", "--warmup", "0")
    assert run.wait() == 1
    assert run.is_as_before()
    assert "\x1b[?1049h" in run.all
    after = run.all.rpartition("\x1b[?1049l")[2].replace("\r\n", "\n")
    assert "minigpt2: error: step " in after, repr(after)
    assert "the first tensor that is not finite is" in after


def test_ctrl_z_gives_the_terminal_back_until_the_program_continues(terminal):
    """Without a shell above it the program is not stopped, so it continues at once."""
    run = terminal(80, 24)
    run.wait_for(draws("step"))
    os.write(run.ours, b"\x1a")
    run.wait_for(lambda screen: run.all.count("\x1b[?1049h") == 2)
    assert run.all.count("\x1b[?1049l") == 1
    run.wait_for(draws(*SMALL))
    os.write(run.ours, b"\x03")
    assert run.wait() == 130
    assert run.is_as_before()


def test_a_second_ctrl_c_stops_at_once_with_a_sane_terminal(terminal):
    run = terminal(80, 24)
    run.wait_for(draws("step"))
    os.write(run.ours, b"\x03")
    os.write(run.ours, b"\x03")
    assert run.wait() == 130
    assert run.is_as_before()


@pytest.mark.parametrize(
    ("options", "changes"), [(["--no-tui"], {}), ([], {"TERM": "dumb"}), (["--no-tui"], {"NO_COLOR": "1"})]
)
def test_lines_where_no_dashboard_is_wanted(terminal, options, changes):
    run = terminal(80, 24, "--max-steps", 6, *options, **changes)
    assert run.wait() == 0
    assert "\x1b[?1049h" not in run.all
    assert "step 6/6  epoch" in run.all
    assert bool(COLOURS.search(run.all)) == (changes == {})


def test_no_color_draws_without_colours(terminal):
    run = terminal(80, 24, "--max-steps", 60, NO_COLOR="1")
    run.wait_for(draws(*SMALL))
    assert run.wait() == 0
    assert not COLOURS.search(run.all)
    assert run.is_as_before()


def test_ascii_where_the_locale_has_no_more(terminal):
    run = terminal(80, 24, LC_ALL="C")
    run.wait_for(
        lambda screen: screen.alternate and "-- collapse? --" in screen.text and "AUC" in screen.text
    )
    run.wait_for(lambda screen: "*" in screen.text and screen.text.isascii())
    run.child.send_signal(signal.SIGINT)
    assert run.wait() == 130
    assert run.is_as_before()


def test_the_dashboard_beside_json_in_a_file(terminal, tmp_path):
    """stdout in a file and stderr on the terminal: each gets its own."""
    with open(tmp_path / "events.jsonl", "wb") as file:
        run = terminal(80, 24, "--max-steps", 9, "--json", stdout=file)
        assert run.wait() == 0
    assert "\x1b[?1049h" in run.all
    assert run.is_as_before()
    records = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    kinds = [record["event"] for record in records]
    assert (kinds[0], kinds[-1], kinds.count("step")) == ("started", "ended", 9)
