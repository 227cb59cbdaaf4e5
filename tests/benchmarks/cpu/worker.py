"""A process that holds one competitor and measures a round when it is asked to: `python -m cpu.worker SPEC`.

SPEC and every message is one line of JSON. Between rounds the process waits for its standard input and does
nothing. What libraries print goes to stderr.

    {"do": "load"}                             -> {"seconds", "label", "pools", "versions"}
    {"do": "measure", "task": "ids"}           -> {"value": seconds a sentence, or the competitor's own}
    {"do": "vectors", "task": …, "to": FILE}   -> {}, and the vectors as an .npy
    {"do": "first_step"}                       -> {"value": [loss, gradient norm]}
"""

import importlib
import json
import os
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CALLS_OF_ONE = 20  # at least so many calls, and at least ONE_SECONDS, for the time of one sentence
ONE_SECONDS = 0.5
CHECKED_EVERY = 8  # of all sentences, one in so many is compared
VERSIONS = (
    "numpy",
    "torch",
    "transformers",
    "sentence-transformers",
    "onnxruntime",
    "tokenizers",
    "tiktoken",
)


class Worker:
    """The competitor of a specification, and its data."""

    def __init__(self, spec):
        self.spec = spec
        data = json.loads(Path(spec["data"]).read_text(encoding="utf-8"))
        self.all_ids, self.all_texts = data["ids"], data["texts"]
        self.ids = data["ids"][:: spec.get("every", 1)]
        self.texts = data["texts"][:: spec.get("every", 1)]
        module, _, name = spec["kind"].partition(":")
        make = getattr(importlib.import_module(f".{module}", __package__), name)
        given = {name: getattr(self, name) for name in spec.get("gives", ())}
        self.engine = make(**spec["arguments"], **given)

    def load(self):
        started = time.perf_counter()
        self.engine.load()
        loaded = time.perf_counter() - started
        for task in self.spec["warm_up"]:
            self.measure(task, every=8)
        self.warm_up = time.perf_counter() - started - loaded
        return {"seconds": loaded, "warm_up": self.warm_up, "label": self.engine.label, **surroundings()}

    def measure(self, task, every=1):
        """The value of one turn; `every` leaves sentences out, for warming up."""
        if hasattr(self.engine, "measure"):
            return self.engine.measure(task)
        if task == "one":
            return self.one()
        inputs, encode = self.inputs(task)
        inputs = inputs[::every]
        started = time.perf_counter()
        encode(inputs)
        return (time.perf_counter() - started) / len(inputs)

    def inputs(self, task):
        return (self.texts, self.engine.encode_text) if task == "text" else (self.ids, self.engine.encode_ids)

    def one(self):
        """The median time of one sentence of `one_tokens` ids, over several sentences in turn."""
        length = self.spec["one_tokens"]
        sentences = [ids[:length] for ids in self.ids if len(ids) >= length][:16]
        times = []
        while len(times) < CALLS_OF_ONE or sum(times) < ONE_SECONDS:
            ids = sentences[len(times) % len(sentences)]
            started = time.perf_counter()
            self.engine.one(ids)
            times.append(time.perf_counter() - started)
        return sorted(times)[len(times) // 2]

    def save_vectors(self, task, to):
        """The vectors of the same sentences for every competitor, whichever it is timed on."""
        import numpy as np

        if hasattr(self.engine, "vectors"):
            vectors = self.engine.vectors()
        elif task == "one":
            length = self.spec["one_tokens"]
            vectors = [self.engine.one(ids[:length]) for ids in self.all_ids[::CHECKED_EVERY]]
        elif task == "text":
            vectors = self.engine.encode_text(self.all_texts[::CHECKED_EVERY])
        else:
            vectors = self.engine.encode_ids(self.all_ids[::CHECKED_EVERY])
        np.save(to, np.asarray(vectors))


def surroundings():
    """The thread pools of this process with their architecture, and the versions of what it has imported."""
    from threadpoolctl import threadpool_info

    keys = ("internal_api", "num_threads", "architecture", "version")
    pools = [{key: pool[key] for key in keys if key in pool} for pool in threadpool_info()]
    versions = {}
    for name in VERSIONS:
        if name.replace("-", "_") in sys.modules:
            try:
                versions[name] = version(name)
            except PackageNotFoundError:
                versions[name] = "unknown"
    return {"pools": pools, "versions": versions}


def main():
    spec = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = None
    for line in sys.stdin:
        message = json.loads(line)
        try:
            if message["do"] == "load":
                worker = Worker(spec)
                answer = worker.load()
            elif message["do"] == "measure":
                answer = {"value": worker.measure(message["task"])}
            elif message["do"] == "vectors":
                worker.save_vectors(message["task"], message["to"])
                answer = {}
            else:
                answer = {"value": worker.engine.first_step()}
        except Exception as error:
            first_line = (str(error).splitlines() or [""])[0]
            answer = {"error": f"{type(error).__name__}: {first_line}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
