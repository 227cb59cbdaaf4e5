"""How fast is `minigpt2 repl`: from Enter to the finished picture, and from the command to the prompt?

    python tests/benchmarks/bench_repl.py [--rounds 5]

on a pseudo-terminal of 80×24, with the bundled model. Measured are

- sentences of 12 tokens and the lines of `tests/tour/tour.txt`, from the Enter that the terminal sends to the
  last byte of the prompt below the answer, by the clock;
- the same sentences as `/time` shows them: to the answer, and the drawing of it;
- the CPU time that the program took, which a busy machine changes less: Linux counts it in ticks of 10 ms, so
  it is given as the mean over many lines;
- start-up, by the clock and in CPU time, when the first prompt stands there.
"""

import argparse
import itertools
import os
import platform
import re
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tour"))

from emulator import text_of
from player import PROMPT, Player, Step, read_script
from record import SCRIPT, prepare

SENTENCES = (  # of 12 tokens each
    "The old man bought a new car for his daughter yesterday.",
    "We will visit the museum in the city centre next week.",
    "The children are playing football in the garden with their dog.",
    "My sister is cooking dinner for the family in the kitchen.",
    "The doctor told him to rest for a few more days.",
)
EDITORS = ("readline", "prompt_toolkit")


def cpu_seconds(pid):
    """User and system time that a process has taken until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_conversation(folder, editor="readline"):
    """A conversation at its first prompt, with the seconds and CPU seconds until there."""
    began = time.perf_counter()
    player = Player(prepare(folder), 80, 24, MINIGPT2_REPL_INPUT=editor)
    player.wait_for_prompt()
    return player, time.perf_counter() - began, cpu_seconds(player.child.pid)


def quit_conversation(player):
    """Leave, and wait for the end."""
    player.play(Step(0, ("/quit",)))
    player.end()


def seconds_of(player, step):
    """From Enter to the next prompt; the emulator follows when the clock has stopped."""
    row, data = player.screen.row, b""
    began = time.perf_counter()
    os.write(player.ours, f"{step.lines[0]}\r".encode())
    while not data.endswith(PROMPT.encode()):
        data += os.read(player.ours, 65536)
    seconds = time.perf_counter() - began
    player.follow(data)
    player.wait_for_prompt(below=row)
    return seconds


def as_time_says(player):
    """What `/time` says of the last line: seconds to the answer, of drawing, together."""
    rows = [text_of(row) for row in player.play(Step(0, ("/time",)))]
    row = next(row for row in rows if row.startswith("the last:"))
    return [float(number.replace(",", "")) / 1e3 for number in re.findall(r"[\d.,]+", row)[-3:]]


def measure_sentences(folder, rounds):
    """Sentences in `rounds` conversations: seconds by the clock, `/time`'s three, and mean CPU seconds."""
    outside, inside, cpu = [], [], []
    for number in range(rounds):
        player, _, before = open_conversation(folder / str(number))
        with player:
            outside += [seconds_of(player, Step(0, (sentence,))) for sentence in SENTENCES]
            cpu.append((cpu_seconds(player.child.pid) - before) / len(SENTENCES))
            for sentence in SENTENCES:
                player.play(Step(0, (f"{sentence[:-1]}!",)))  # another text of 12 tokens
                inside.append(as_time_says(player))
            quit_conversation(player)
    return outside, list(zip(*inside, strict=True)), cpu


def measure_tour(folder, rounds):
    """The seconds of the tour's lines: bare sentences, and commands that do not train or wait for keys."""
    sentences, commands = [], []
    for number in range(rounds):
        player, _, _ = open_conversation(folder / str(number))
        with player:
            for step in itertools.takewhile(lambda step: step.lines != ("/quit",), read_script(SCRIPT)):
                if step.keys or len(step.lines) > 1 or step.lines[0].startswith("/train"):
                    player.play(step)
                elif step.lines[0].startswith("/"):
                    commands.append(seconds_of(player, step))
                else:
                    sentences.append(seconds_of(player, step))
            quit_conversation(player)
    return sentences, commands


def measure_start(folder, editor, rounds):
    """Seconds and CPU seconds from the command to the first prompt."""
    clock, cpu = [], []
    for number in range(rounds):
        player, seconds, taken = open_conversation(folder / str(number), editor)
        with player:
            clock.append(seconds)
            cpu.append(taken)
            quit_conversation(player)
    return clock, cpu


def row(label, seconds):
    """One row of the table, in milliseconds."""
    values = sorted(1e3 * value for value in seconds)
    low, middle, high = np.percentile(values, (25, 50, 75))
    print(
        f"| {label} | {len(values)} | {middle:.1f} | {low:.1f} to {high:.1f} | {values[-1]:.1f} |", flush=True
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="conversations for each measurement")
    rounds = parser.parse_args().rounds
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python "
        f"{platform.python_version()}, NumPy {np.__version__}\n"
    )
    print("| milliseconds | n | median | middle half | most |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        outside, inside, cpu = measure_sentences(folder / "sentences", rounds)
        row("12 tokens, Enter to prompt, by the clock", outside)
        for label, seconds in zip(("to the answer", "drawing", "together"), inside, strict=True):
            row(f"12 tokens, `/time`: {label}", seconds)
        row("12 tokens, CPU time, mean of a conversation", cpu)
        sentences, commands = measure_tour(folder / "tour", rounds)
        row("the tour's sentences, Enter to prompt", sentences)
        row("the tour's commands", commands)
        for editor in EDITORS:
            if find_spec(editor):
                clock, cpu = measure_start(folder / editor, editor, 2 * rounds)
                row(f"start-up, {editor}, by the clock", clock)
                row(f"start-up, {editor}, CPU time", cpu)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
