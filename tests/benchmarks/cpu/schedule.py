"""Rounds in which the competitors take turns, each in a process of its own.

One turn is one measurement of one competitor; while it runs, all others wait for a message. A round gives
every competitor one turn, each in another order. Every few rounds all processes are started anew: where a
process happens to lie in memory may make it faster or slower for as long as it lives, which no number of
rounds with one process would show. How much of the machine others used during the turns is measured too: a
library whose idle threads spin, or another program, would show there. Before each turn there is a pause,
because some do: ONNX Runtime's threads spin on after its last product, and who comes next would be slower by
that.
"""

import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TICK = os.sysconf("SC_CLK_TCK")
CORES = 2
PAUSE = 0.2  # seconds


def environment(haswell: bool) -> dict[str, str]:
    """What every measured process sees: no OPENBLAS_* of ours, or those of the Haswell setting."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    keep |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true", "PYTHONWARNINGS": "ignore"}
    keep["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(HERE.parent)])
    if haswell:
        keep |= {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"}
    return keep


def hold_on(cores: int) -> None:
    """Let this process run on so many cores, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:cores]))


class Failed(Exception):
    """A competitor that cannot run here, and why."""


class Process:
    """A competitor that stays loaded: see worker.py."""

    def __init__(self, spec: dict, env: dict[str, str], log: Path) -> None:
        self.spec, self.env, self.log = spec, env | spec.get("env", {}), log
        self.begin()

    def begin(self) -> None:
        """Start the process, which has nothing loaded."""
        cores = self.spec.get("cores", CORES)
        with open(self.log, "a") as stderr:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "cpu.worker", json.dumps(self.spec)],
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                preexec_fn=lambda: hold_on(cores),
            )

    def ask(self, **message):
        """The answer to a message; Failed if the competitor has failed."""
        try:
            self.child.stdin.write(json.dumps(message) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"the process ended with code {self.child.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def load(self) -> dict:
        return self.ask(do="load")

    def renew(self) -> None:
        """The same in a new process, loaded."""
        self.close()
        self.begin()
        self.load()

    def measure(self, task: str) -> float:
        return self.ask(do="measure", task=task)["value"]

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.child.stdin.close()
        self.child.wait()


class Program:
    """A command that is started anew for every turn; its value is `read(stdout, CPU seconds)`."""

    def __init__(self, spec: dict, env: dict[str, str], log: Path) -> None:
        self.spec, self.env, self.log = spec, env, log
        self.used = 0.0

    def load(self) -> dict:
        self.measure(self.spec["warm_up"][0])  # reads the files from disk once
        return {"label": self.spec["label"]}

    def measure(self, task: str) -> float:
        with open(self.log, "a") as stderr:
            child = subprocess.Popen(
                [sys.executable, *self.spec["command"]],
                env=self.env,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                preexec_fn=lambda: hold_on(CORES),
            )
            printed = child.stdout.read()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            child.stdout.close()
        cpu = usage.ru_utime + usage.ru_stime
        self.used += cpu
        if child.returncode:
            raise Failed(f"the program ended with code {child.returncode}")
        return cpu if task == "cpu" else float(printed.split()[-1])

    def cpu_seconds(self) -> float:
        return self.used

    def renew(self) -> None:
        """Every turn has a process of its own anyway."""

    def close(self) -> None:
        pass


class Machine(NamedTuple):
    """Seconds since the start of the system: busy, of all cores together, and by the clock."""

    busy: float
    wall: float

    @classmethod
    def now(cls) -> "Machine":
        fields = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        idle = fields[3] + fields[4]
        return cls((sum(fields) - idle) / TICK, float(Path("/proc/uptime").read_text().split()[0]))


class Series(NamedTuple):
    """What one competitor measured in one task, round after round."""

    label: str
    values: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


class Rounds:
    """The measurements of a group: series by (competitor, task), failures, and what others used meanwhile."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        self.dropped: dict[tuple[str, str], Series] = {}  # what a competitor measured before it failed
        self.failures: dict[str, str] = {}
        self.loaded: dict[str, dict] = {}
        self.busy_elsewhere = 0.0
        self.wall = 0.0

    @property
    def share_elsewhere(self) -> float:
        """Cores that were busy with something else during the turns, on average"""
        return self.busy_elsewhere / self.wall if self.wall else 0.0

    def renew(self, competitors: dict) -> None:
        """New processes for all that have not failed."""
        for name, competitor in competitors.items():
            if name not in self.failures:
                try:
                    competitor.renew()
                except (Failed, OSError) as failure:
                    self.drop(name, f"in a new process: {failure}")

    def drop(self, name: str, why: str) -> None:
        """A competitor that fails halfway has no figures: its rounds would not be those of the others."""
        self.failures[name] = why
        for key in [key for key in self.series if key[0] == name]:
            self.dropped[key] = self.series.pop(key)

    def turn(self, name: str, competitor: Process | Program, task: str, kept: bool = True) -> None:
        """One measurement; with `kept` false it is forgotten."""
        if name in self.failures:
            return
        time.sleep(PAUSE)
        own, before = competitor.cpu_seconds(), Machine.now()
        try:
            value = competitor.measure(task)
        except (Failed, OSError) as failure:
            self.drop(name, str(failure))
            return
        if not kept:
            return
        after = Machine.now()
        used = competitor.cpu_seconds() - own
        self.wall += after.wall - before.wall
        self.busy_elsewhere += max(0.0, after.busy - before.busy - used)
        label = self.loaded[name]["label"]
        self.series.setdefault((name, task), Series(label, [])).values.append(value)


def start(specs: dict[str, dict], env: dict[str, str], log: Path) -> tuple[dict, Rounds]:
    """The competitors, loaded and warm, by name; those that fail stand in `Rounds.failures`."""
    competitors, rounds = {}, Rounds()
    for name, spec in specs.items():
        competitors[name] = (Program if "command" in spec else Process)(spec, env, log)
        try:
            rounds.loaded[name] = competitors[name].load()
        except (Failed, OSError) as failure:
            rounds.failures[name] = str(failure)
    return competitors, rounds


def take_turns(
    competitors: dict, rounds: Rounds, tasks: list[tuple[str, str]], sets: int, of_set: int, progress
) -> None:
    """`sets` times `of_set` rounds over the (competitor, task) in `tasks`, each in another order.

    Each set has processes of its own; the first has those that are there. A first round of each set is not
    kept: in a new process it is slower.
    """
    if not tasks:
        return
    for number in range(sets):
        if number:
            progress("new processes")
            rounds.renew(competitors)
        for turn in range(of_set + 1):
            order = random.Random(number * (of_set + 1) + turn).sample(tasks, len(tasks))
            for name, task in order:
                if turn == 0 and isinstance(competitors[name], Program):
                    continue
                progress(f"set {number + 1} of {sets}, round {turn} of {of_set}: {name} {task}")
                rounds.turn(name, competitors[name], task, kept=turn > 0)
