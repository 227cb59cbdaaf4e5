"""Load a model, encode the lines of a file, print the highest resident memory in MB.

    python -m cpu.memory_probe MODEL TEXTS

Reads VmHWM, in units of 10⁶ bytes; memory-mapped pages that were touched count.
"""

import sys


def main():
    import minigpt2

    path, file = sys.argv[1:]
    with open(file, encoding="utf-8") as lines:
        texts = lines.read().splitlines()
    vectors = minigpt2.load(path).encode(texts)
    if vectors.shape[0] != len(texts):
        raise SystemExit("some texts have no vector")
    with open("/proc/self/status") as status:
        kibibytes = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(kibibytes * 1024 / 1e6)


if __name__ == "__main__":
    main()
