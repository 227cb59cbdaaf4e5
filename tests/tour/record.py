"""Record the tour anew: what every command of tour.txt shows, on two terminals, through a pipe, and as JSON.

    python tests/tour/record.py

writes into `screens/` beside this file. Run it where what the REPL shows is meant to have changed, and read
the difference (`git diff`): what stands there afterwards is what the test takes for right.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from player import FILES, ROOT, Player, environment, read_script
from screens import FOLDER, answer_of, write_answer

SCRIPT = Path(__file__).parent / "tour.txt"
SIZES = ((80, 24), (200, 60))
COLOURED = (80, 24)  # of one size the colours are stored too


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


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.rmtree(FOLDER, ignore_errors=True)
        for width, height in SIZES:
            size = f"{width}x{height}"
            (FOLDER / size).mkdir(parents=True)
            with Player(prepare(folder / size), width, height) as player:
                answers = play_all(player, SCRIPT)
                player.end()
            for name, rows in answers:
                write_answer(FOLDER / size / name, answer_of(rows, (width, height) == COLOURED))
            print(f"{size}: {len(answers)} screens")
        done = through_a_pipe(folder / "pipe", SCRIPT)
        (FOLDER / "pipe.txt").write_bytes(done.stdout)
        (FOLDER / "pipe-errors.txt").write_bytes(done.stderr)
        done = through_a_pipe(folder / "json", SCRIPT, "--json")
        (FOLDER / "json-shapes.txt").write_text(shapes_of(done.stdout.decode("utf-8")), encoding="utf-8")
        print(f"in {FOLDER.relative_to(ROOT)}; look at what has changed before you commit it")


if __name__ == "__main__":
    main()
