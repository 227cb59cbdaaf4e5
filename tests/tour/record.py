"""Record the tour anew: what every command of tour.txt shows, on two terminals, through a pipe, and as JSON.

    python tests/tour/record.py

writes into `screens/` beside this file; a screen that is the same up to rounding and times stays as it is.
Run it where what the REPL shows is meant to have changed, and read the difference (`git diff`): what stands
there afterwards is what the test takes for right.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from compare import differences, different_colours
from player import FILES, ROOT, Player, environment, read_script
from screens import FOLDER, answer_of, read_answer, write_answer

SCRIPT = Path(__file__).parent / "tour.txt"
SIZES = ((80, 24), (200, 60))
COLOURED = (80, 24)  # of one size the colours are stored too
VARIES = ("time",)  # commands whose every number is a time


def prepare(folder):
    """Put the files that the script reads into a new folder; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES.iterdir():
        shutil.copy(file, folder)
    return folder


def play_all(player, script):
    """Play a script to its end: a list of (name of the step's file, its rows of cells)."""
    player.wait_for_prompt()
    answers = []
    for place, step in enumerate(read_script(script), start=1):
        rows = player.play(step)
        if rows is not None:
            answers.append((f"{place:02}-{step.name}.txt", rows))
    return answers


def through_a_pipe(folder, script, *options, keep_going=True):
    """The script through a pipe: the finished process, with its stdout and stderr."""
    return subprocess.run(
        [sys.executable, "-m", "minigpt2", "repl", *["--keep-going"] * keep_going, *options],
        input=script.read_bytes(),
        capture_output=True,
        cwd=prepare(folder),
        env=environment(folder, TERM=None, COLORTERM=None, MINIGPT2_REPL_INPUT=None),
        check=False,
    )


def different_answers(name, stored, now):
    """Where an answer differs from the stored one of that file name by more than rounding and times."""
    command = name.split("-", 1)[1].removesuffix(".txt").split("-")[0]
    found = differences(stored.text, now.text, varies=command in VARIES)
    if found or command in VARIES or stored.colours is None or now.colours is None:
        return found
    return different_colours(stored, now)


def different_output(stored, now):
    """The same for the output of the whole script, in which the answer of /time is left out."""
    return differences(without_times(stored), without_times(now))


def without_times(text):
    """The answers without that of /time."""
    return re.sub(r"^line +answer +drawing.*?a\s+second$", "‹/time›", text, flags=re.DOTALL | re.MULTILINE)


def shape_of(value):
    """What a JSON value is made of: names, kinds and lengths, without the numbers and texts."""
    if isinstance(value, dict):
        return {name: shape_of(item) for name, item in value.items()}
    if isinstance(value, list):
        shapes = [shape_of(item) for item in value]
        alike = all(shape == shapes[0] for shape in shapes)
        return [f"{len(value)} of", shapes[0]] if shapes and alike else shapes
    return {"bool": "bool", "int": "number", "float": "number", "str": "text", "NoneType": "null"}[
        type(value).__name__
    ]


def shapes_of(output):
    """Every line of `--json` as its command and its shape, one line each."""
    lines = []
    for each in map(json.loads, output.splitlines()):
        lines.append(json.dumps({"command": each.pop("command"), **shape_of(each)}))
    return "\n".join(lines) + "\n"


def record_terminal(folder, width, height):
    """Play the script on a terminal of this size and store its answers; how many are new or differ."""
    stored_in = FOLDER / f"{width}x{height}"
    stored_in.mkdir(parents=True, exist_ok=True)
    with Player(prepare(folder), width, height) as player:
        answers = play_all(player, SCRIPT)
        player.end()
    for path in {*stored_in.iterdir()} - {stored_in / name for name, _ in answers}:
        path.unlink()
    changed = 0
    for name, rows in answers:
        path, now = stored_in / name, answer_of(rows, (width, height) == COLOURED)
        if not path.exists() or different_answers(name, read_answer(path), now):
            write_answer(path, now)
            changed += 1
    return changed


def record_text(path, text):
    """Store an output; 1 where it differs."""
    if path.exists() and not different_output(path.read_text(encoding="utf-8"), text):
        return 0
    path.write_text(text, encoding="utf-8")
    return 1


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        changed = sum(record_terminal(folder / f"{size[0]}x{size[1]}", *size) for size in SIZES)
        done = through_a_pipe(folder / "pipe", SCRIPT)
        changed += record_text(FOLDER / "pipe.txt", done.stdout.decode("utf-8"))
        changed += record_text(FOLDER / "pipe-errors.txt", done.stderr.decode("utf-8"))
        done = through_a_pipe(folder / "json", SCRIPT, "--json")
        changed += record_text(FOLDER / "json-shapes.txt", shapes_of(done.stdout.decode("utf-8")))
    print(f"{changed} files in {FOLDER.relative_to(ROOT)} differ: read what has changed before you commit it")


if __name__ == "__main__":
    main()
