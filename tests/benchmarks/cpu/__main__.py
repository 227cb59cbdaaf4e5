"""minigpt2 against its rivals on the CPU: every line of the acceptance table, measured.

    pip install -e '.[bench]'
    python tests/benchmarks/cpu [--rounds 5] [--only FIGURE …] [--haswell] [--cache FOLDER] [--json FILE]
                                [--sentences 512] [--gpt2 FOLDER]

Each competitor is loaded in a process of its own with two cores, float32 and two threads, and they take
turns, in --rounds sets with new processes each: see schedule.py. What they compute is compared first. The
variables OPENBLAS_* are taken away from the processes; with --haswell they get OPENBLAS_CORETYPE=Haswell and
OPENBLAS_L2_SIZE=512 instead. The first run makes a GPT-2 124M with random weights, its ONNX export and those
of all-MiniLM-L6-v2 in the cache folder (1.2 GB, a minute).

The table goes to stdout, progress to stderr. Exit code 1 if a competitor computes something else; bounds that
are not kept do not change it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cpu import figures, table
from cpu.checks import Wrong, check_first_steps, check_ids, check_vectors
from cpu.peak import beginnings
from cpu.schedule import Failed, Machine, environment, start, take_turns

QUIET = 0.5  # load average above which a measurement deserves a warning
NOISE = 0.1  # cores busy with something else during the turns, likewise


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python tests/benchmarks/cpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="sets of one to three rounds, by group; each set with new processes",
    )
    parser.add_argument("--only", nargs="+", metavar="FIGURE", help=f"some of: {', '.join(figures.SLUGS)}")
    parser.add_argument("--haswell", action="store_true", help="with OpenBLAS's AVX2 kernels")
    parser.add_argument("--sentences", type=int, default=512, help="fewer of the same mix, for a trial")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "minigpt2-benchmarks")
    parser.add_argument("--gpt2", default="random", help="a model directory of GPT-2 124M with real weights")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single measurement there")
    args = parser.parse_args()
    unknown = sorted(set(args.only or ()) - set(figures.SLUGS))
    if unknown:
        parser.error(f"unknown figure {', '.join(unknown)}: use some of {', '.join(figures.SLUGS)}")
    if args.rounds < 1:
        parser.error(f"--rounds must be at least 1, not {args.rounds}")
    if args.sentences < 64:
        parser.error(f"--sentences must be at least 64, not {args.sentences}")
    return args


def main() -> int:
    args = arguments()
    began = time.perf_counter()
    slugs = args.only or figures.SLUGS
    keys = figures.series_of(slugs)
    env = environment(args.haswell)
    args.cache.mkdir(parents=True, exist_ok=True)
    log = args.cache / "log.txt"
    log.write_text("")
    progress("preparing models and texts")
    files = prepare(args, [name for name, _ in keys], env, log)
    specs = figures.specifications(files)

    load = os.getloadavg()[0]
    report = {"machine": processor(), "commit": commit(), "haswell": args.haswell, "load": load}
    report |= {"sentences": args.sentences, "groups": {}}
    head(args, load, files)
    series = {}
    for group, factor in figures.GROUPS.items():
        tasks = [key for key in keys if figures.group_of(key[0]) == group]
        if not tasks:
            continue
        try:
            rounds = run_group(group, tasks, args.rounds, factor, specs, env, args.cache, log)
        except Wrong as wrong:
            print(f"wrong: {wrong}")
            return 1
        series |= rounds.series
        report["groups"][group] = {"loaded": rounds.loaded, "failures": rounds.failures}
        report["groups"][group]["busy_elsewhere"] = rounds.share_elsewhere
        report["groups"][group]["dropped"] = as_lists(rounds.dropped)

    print("\n" + "\n".join(table.acceptance(slugs, series)))
    print("\n" + "\n".join(table.measurements(series)))
    for line in table.extras(slugs, series):
        print(f"- {line}")
    print(f"\n{time.perf_counter() - began:.0f} s in all; load average at the end {os.getloadavg()[0]:.2f}")
    if args.json:
        report["series"] = as_lists(series)
        report["figures"] = {f.slug: table.measured(f, series) for f in figures.FIGURES if f.slug in slugs}
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def as_lists(series: dict) -> list[dict]:
    """Every single measurement, for --json"""
    return [
        {"competitor": name, "task": task, "label": one.label, "values": one.values}
        for (name, task), one in series.items()
    ]


def prepare(args, names, env, log) -> dict[str, str]:
    """The paths that prepare.py prints; SystemExit with its own words if it cannot."""
    command = [sys.executable, "-m", "cpu.prepare", str(args.cache), args.gpt2, str(args.sentences), *names]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    with open(log, "a") as file:
        file.write(done.stderr)
    if done.returncode:
        raise SystemExit(f"cannot prepare: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return json.loads(done.stdout)


def run_group(group, tasks, sets, of_set, specs, env, cache, log):
    """Load, compare, take turns, close; prints what was loaded and what the checks found."""
    names = list(dict.fromkeys(name for name, _ in tasks))
    progress(f"loading {', '.join(names)}")
    competitors, rounds = start({name: specs[name] for name in names}, env, log)
    try:
        running = {name: one for name, one in competitors.items() if name not in rounds.failures}
        print(f"\n{group}:")
        for name, loaded in rounds.loaded.items():
            print(f"- {name}: {describe(loaded)}")
        lines = check_vectors(running, cache) if group in ("124M", "nano") else []
        lines += check_first_steps(running) if group == "training" else []
        lines += check_ids(running, cache) if group == "tokenizer" else []
        for line in lines:
            print(f"- same: {line}")
        take_turns(running, rounds, [key for key in tasks if key[0] in running], sets, of_set, progress)
    finally:
        for competitor in competitors.values():
            competitor.close()
    for name, why in rounds.failures.items():
        print(f"- {name} could not run: {why}")
    if rounds.share_elsewhere > NOISE:
        print(f"- warning: others kept {rounds.share_elsewhere:.2f} cores busy during the turns")
    return rounds


def describe(loaded: dict) -> str:
    """One competitor's label, versions and thread pools."""
    if "pools" not in loaded:
        return loaded["label"]
    parts = [
        loaded["label"],
        f"loaded in {loaded['seconds']:.1f} s, warm after {loaded['warm_up']:.1f} s more",
    ]
    parts += [f"{name} {version}" for name, version in loaded["versions"].items()]
    for pool in loaded["pools"]:
        architecture = f" {pool['architecture']}" if "architecture" in pool else ""
        parts.append(f"{pool['internal_api']}{architecture} {pool['num_threads']} thread(s)")
    return ", ".join(parts)


def head(args, load, files) -> None:
    setting = "OPENBLAS_CORETYPE=Haswell OPENBLAS_L2_SIZE=512" if args.haswell else "OPENBLAS_* unset"
    print(f"python {' '.join(sys.argv)}")
    print(f"- {time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} cores, {platform.platform()}")
    print(f"- Python {platform.python_version()}, commit {commit()}, {setting}, float32, 2 cores a process")
    weights = "seeded random weights and GPT-2's tokenizer" if args.gpt2 == "random" else args.gpt2
    print(f"- GPT-2 124M: {weights}; nano and all-MiniLM-L6-v2: their own")
    for name in ("124M", "nano"):
        sentences = json.loads(Path(files[f"{name}_data"]).read_text())["ids"]
        lengths = [len(ids) for ids in sentences]
        shared = 1 - len(beginnings(sentences)) / sum(lengths)
        print(f"- {len(lengths)} sentences, {name} tokens: mean {sum(lengths) / len(lengths):.1f}, ", end="")
        ordered = sorted(lengths)
        marks = [ordered[round(q * (len(ordered) - 1))] for q in (0, 0.25, 0.5, 0.75, 0.95, 1)]
        print("least, quartiles, 95 %, most " + " ".join(map(str, marks)), end="")
        print(f"; {100 * shared:.1f} % of the tokens stand in beginnings that two sentences have")
    busy = idle_check()
    print(f"- load average {load:.2f}; over the last half second {busy:.2f} cores were busy")
    if load > QUIET or busy > QUIET:
        print(f"- warning: the machine is not idle (more than {QUIET}); expect wide spreads")


def idle_check() -> float:
    """Cores that are busy now, while this program waits."""
    before = Machine.now()
    time.sleep(0.5)
    after = Machine.now()
    return (after.busy - before.busy) / max(after.wall - before.wall, 0.1)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"


def progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"failed: {failure}")
