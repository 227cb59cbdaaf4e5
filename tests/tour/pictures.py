"""The pictures in README: real answers of the REPL, as SVG.

    python tests/tour/pictures.py

plays the lines below and writes those of `pictures/*.svg` beside this file that differ by more than rounding.
"""

import tempfile
from pathlib import Path

from compare import differences
from emulator import text_of
from player import Player, Step
from record import prepare
from svg import picture

FOLDER = Path(__file__).parent / "pictures"
WIDTH, HEIGHT = 96, 40
CAT, FELINE = "The cat is sleeping on the warm sofa.", "A feline is resting on the couch."

# What is typed, and the name of the picture of the answer; without a name there is none.
LINES = (
    (FELINE, None),
    ("My kitten naps beside the fire.", None),
    ("The stock market fell sharply today.", None),
    ("Shares lost a tenth of their value.", None),
    (CAT, "sentence"),
    ("/attn", "heads"),
    ("/attn 3 1", "head"),
    (f"/layers {CAT} | {FELINE}", "layers"),
    ("/grad The bank raised its interest rate | The river bank was flooded", "gradient"),
    ("/ablate", "ablation"),
    ("/matrix", "matrix"),
    ("/load texts.txt", None),
    ("/map", "map"),
)


def rows_of_pictures(folder):
    """Play the lines: name -> rows of cells, without blank ones at the end."""
    shown = {}
    with Player(prepare(folder), WIDTH, HEIGHT) as player:
        player.wait_for_prompt()
        for number, (line, name) in enumerate(LINES, start=1):
            rows = player.play(Step(number, (line,)))
            while not text_of(rows[-1]):
                rows.pop()
            if name:
                shown[name] = rows
        player.play(Step(0, ("/quit",)))
        player.end()
    return shown


def main():
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        shown = rows_of_pictures(Path(temporary) / "pictures")
    for path in FOLDER.glob("*.svg"):
        if path.stem not in shown:
            path.unlink()
    for name, rows in shown.items():
        path = FOLDER / f"{name}.svg"
        svg = picture(rows, "minigpt2 repl")
        if path.exists() and not differences(path.read_text(encoding="utf-8"), svg):
            continue
        path.write_text(svg, encoding="utf-8")
        print(f"{path.name}: {len(svg) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
