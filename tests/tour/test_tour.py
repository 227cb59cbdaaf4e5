"""The tour: a whole conversation on two terminals, through a pipe and as JSON, against the screens recorded.

Where a change of what is shown is meant: `python tests/tour/record.py`, and read the difference.
"""

import json
import math

import numpy as np
import pytest
from compare import differences, side_by_side
from player import Player, read_script
from record import (
    COLOURED,
    SCRIPT,
    SIZES,
    different_answers,
    different_output,
    play_all,
    prepare,
    shapes_of,
    through_a_pipe,
    without_times,
)
from screens import FOLDER, answer_of, read_answer

from minigpt2.repl.commands import NAMES
from minigpt2.repl.exchange import name_of_command

SHOWN = 3  # screens that a failure shows
AGAIN = "if this is meant: python tests/tour/record.py"


def check(answers, folder, with_colours):
    """Compare answers, as (file name, rows of cells), with the files of a folder."""
    stored_names = sorted(path.name for path in folder.iterdir())
    assert [name for name, _ in answers] == stored_names, AGAIN
    wrong = []
    for name, rows in answers:
        stored, now = read_answer(folder / name), answer_of(rows, with_colours)
        found = different_answers(name, stored, now)
        if found:
            wrong.append(f"{name}\n{side_by_side(stored.text, now.text, found)}")
    if wrong:
        shown = "\n\n".join(wrong[:SHOWN])
        pytest.fail(f"{len(wrong)} of {len(answers)} screens differ; {AGAIN}\n\n{shown}", pytrace=False)


def test_the_script_is_long_enough_and_has_every_command():
    steps = read_script(SCRIPT)
    assert len(steps) >= 45
    assert {name_of_command("\n".join(step.lines)) for step in steps} >= set(NAMES)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_on_a_terminal(tmp_path, width, height):
    size = (width, height)
    with Player(prepare(tmp_path), width, height) as player:
        answers = play_all(player, SCRIPT)
        assert player.end() == 0
        assert player.is_as_before()
    check(answers, FOLDER / f"{width}x{height}", size == COLOURED)


def test_through_a_pipe(tmp_path):
    done = through_a_pipe(tmp_path, SCRIPT)
    assert done.returncode == 1  # for the mistakes in it
    output, errors = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    assert "\x1b" not in output + errors
    for name, now in (("pipe.txt", output), ("pipe-errors.txt", errors)):
        stored = (FOLDER / name).read_text(encoding="utf-8")
        if found := different_output(stored, now):
            stored, now = without_times(stored), without_times(now)
            pytest.fail(f"{name}: {AGAIN}\n{excerpt(stored, now, found)}", pytrace=False)


def excerpt(stored, now, found):
    """Both texts side by side around the first differences: these files are long."""
    first = max(0, found[0].row - 8)
    texts = ("\n".join(text.splitlines()[first : first + 24]) for text in (stored, now))
    near = [difference._replace(row=difference.row - first) for difference in found[:SHOWN]]
    return side_by_side(*texts, near)


def test_the_first_mistake_ends_a_script(tmp_path):
    first = next(step for step in read_script(SCRIPT) if step.lines[0].startswith("/smi"))
    done = through_a_pipe(tmp_path, SCRIPT, "--json", keep_going=False)
    assert done.returncode == 1
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["line"], last["command"]) == (first.number, "smi")
    assert done.stderr.decode("utf-8") == f"line {first.number}: error: {last['error']}\n"


@pytest.fixture(scope="module")
def as_json(tmp_path_factory):
    """The script's JSON objects, and the text that they were."""
    done = through_a_pipe(tmp_path_factory.mktemp("json"), SCRIPT, "--json")
    assert done.returncode == 1
    output = done.stdout.decode("utf-8")
    assert output.replace("\n", "").isprintable()
    return [json.loads(line) for line in output.splitlines()], output


def test_json_has_an_object_for_every_command(as_json):
    objects, _ = as_json
    steps = [step for step in read_script(SCRIPT) if step.keys != ("^C",)]
    assert [each["line"] for each in objects] == [step.number for step in steps]
    for each in objects:
        assert set(each) >= {"line", "input", "command"}
        assert ("error" in each) != ("milliseconds" in each)
        assert each["command"] in NAMES or "error" in each


def test_json_has_the_same_fields_as_before(as_json):
    _, output = as_json
    stored, now = (FOLDER / "json-shapes.txt").read_text(encoding="utf-8").splitlines(), shapes_of(output)
    for line, (first, second) in enumerate(zip(stored, now.splitlines(), strict=True), start=1):
        assert first == second, f"json-shapes.txt, line {line}: {AGAIN}"


def test_json_tells_what_the_model_gives(as_json):
    """A few numbers against direct computation: the screens show them rounded."""
    import minigpt2

    objects, _ = as_json
    encoder = minigpt2.load()
    embedded = [each for each in objects if each["command"] == "embed" and "vector" in each][:5]
    for each in embedded:
        np.testing.assert_allclose(each["vector"], encoder.encode(each["text"]), atol=1e-5)
    sim = next(each for each in objects if each["command"] == "sim" and "pairs" in each)
    a, b = encoder.encode(sim["texts"][:2])
    assert math.isclose(sim["pairs"][0]["scores"]["cosine"], float(a @ b), abs_tol=1e-5)
    assert math.dist(*(each["vector"] for each in embedded[:2])) > 0.5


def test_with_prompt_toolkit(tmp_path):
    """Another line editor shows the same answers, below what was typed."""
    pytest.importorskip("prompt_toolkit")
    steps = read_script(SCRIPT)[:12]
    with Player(prepare(tmp_path), 80, 24, MINIGPT2_REPL_INPUT="prompt_toolkit") as player:
        player.wait_for_prompt()
        wrong = []
        for step, path in zip(steps, sorted((FOLDER / "80x24").iterdir()), strict=False):
            stored, now = (
                "\n".join(answer.text.splitlines()[1:])
                for answer in (read_answer(path), answer_of(player.play(step), False))
            )
            if found := differences(stored, now):
                wrong.append(f"{path.name}\n{side_by_side(stored, now, found)}")
        if wrong:
            pytest.fail("\n\n".join(wrong[:SHOWN]), pytrace=False)
        player.play(steps[0]._replace(lines=("/quit",)))
        assert player.end() == 0
        assert player.is_as_before()
