"""Which competitors there are, and which figure compares whose measurements, with the bounds it should keep.

A series is (competitor, task). A ratio is the median of the rival's time over the median of ours; a plain
figure is our own median. Bounds: at least, and the aim; for `at_most` figures the other way round.
"""

from typing import NamedTuple

OURS_124M, OURS_NANO = "124M minigpt2", "nano minigpt2"
SIMILARITY = (
    "The children are playing football in the garden.",
    "Kids play soccer in the yard behind the house.",
)
MINILM_SIMILARITY = """
import sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
print(float(model.similarity(*[model.encode([text]) for text in sys.argv[2:]])[0, 0]))
"""

MINILM = "all-MiniLM-L6-v2 (a bigger model) in ONNX Runtime"

Key = tuple[str, str]


class Figure(NamedTuple):
    """One line of the acceptance table."""

    slug: str  # for --only
    text: str
    ours: Key
    rival: Key | None  # None: the figure is our own value
    least: float
    aim: float
    unit: str = "x"  # "x", "%", "s", "MB"
    at_most: bool = False


FIGURES = (
    Figure("124M-transformers", "124M throughput / transformers sorted", (OURS_124M, "ids"),
           ("124M transformers", "ids"), 2.4, 3.0),
    Figure("124M-onnx", "124M throughput / ONNX Runtime float32 sorted", (OURS_124M, "ids"),
           ("124M onnx", "ids"), 1.4, 1.7),
    Figure("124M-text", "124M text to vector / sentence-transformers", (OURS_124M, "text"),
           ("124M sentence-transformers", "text"), 3.2, 4.0),
    Figure("nano-minilm", f"nano text to vector / {MINILM} float32, sorted batches of 32",
           (OURS_NANO, "text"), ("minilm float32", "text"), 3.0, 4.0),
    Figure("nano-minilm-int8", f"nano text to vector / {MINILM} int8, sorted batches of 32",
           (OURS_NANO, "text"), ("minilm int8", "text"), 1.7, 2.3),
    Figure("nano-fastembed", f"nano text to vector / {MINILM} float32, batches as fastembed makes them",
           (OURS_NANO, "text"), ("minilm float32 as fastembed", "text"), 3.0, 4.0),
    Figure("nano-fastembed-int8", f"nano text to vector / {MINILM} int8, batches as fastembed makes them",
           (OURS_NANO, "text"), ("minilm int8 as fastembed", "text"), 1.7, 2.3),
    Figure("nano-transformers", "nano throughput / transformers nano sorted", (OURS_NANO, "ids"),
           ("nano transformers", "ids"), 2.7, 3.5),
    Figure("nano-text", "nano text to vector / sentence-transformers nano", (OURS_NANO, "text"),
           ("nano sentence-transformers", "text"), 3.3, 4.5),
    Figure("one-124M", "one sentence of 12 tokens, 124M / transformers", (OURS_124M, "one"),
           ("124M transformers", "one"), 2.0, 3.0),
    Figure("one-nano", "one sentence of 12 tokens, nano / transformers", (OURS_NANO, "one"),
           ("nano transformers", "one"), 2.5, 4.0),
    Figure("one-124M-onnx", "one sentence of 12 tokens, 124M / ONNX Runtime", (OURS_124M, "one"),
           ("124M onnx", "one"), 0.85, 1.2),
    Figure("training-sorted", "training step, nano, 64 pairs / PyTorch in length-sorted sub-batches",
           ("training minigpt2", "step"), ("training torch", "sorted"), 2.4, 3.0),
    Figure("training-padded", "training step, nano, 64 pairs / PyTorch padded",
           ("training minigpt2", "step"), ("training torch", "padded"), 6.0, 9.0),
    Figure("peak-124M", "share of the one-thread matrix-product peak, 124M", ("peak 124M", "share"), None,
           88.0, 93.0, "%"),
    Figure("peak-nano", "share of the one-thread matrix-product peak, nano", ("peak nano", "share"), None,
           78.0, 88.0, "%"),
    Figure("similarity", "`minigpt2 similarity A B`, CPU seconds of the process",
           ("similarity minigpt2", "cpu"), None, 0.45, 0.30, "s", at_most=True),
    Figure("similarity-minilm", "`minigpt2 similarity A B`, CPU / sentence-transformers with MiniLM",
           ("similarity minigpt2", "cpu"), ("similarity minilm", "cpu"), 13.0, 20.0),
    Figure("memory-nano", "peak memory, nano", ("memory nano", "memory"), None,
           120.0, 90.0, "MB", at_most=True),
    Figure("memory-124M", "peak memory, 124M", ("memory 124M", "memory"), None,
           720.0, 560.0, "MB", at_most=True),
    Figure("tokenizer-tiktoken", "tokenizer warm / tiktoken one thread", ("tokenizer minigpt2", "batch"),
           ("tokenizer tiktoken", "batch"), 0.9, 1.5),
    Figure("tokenizer-hf", "tokenizer warm / HF tokenizers one thread", ("tokenizer minigpt2", "batch"),
           ("tokenizer hf", "batch"), 3.0, 5.0),
)  # fmt: skip

# Shown beside the figures, without bounds.
EXTRAS: dict[str, tuple[Key, ...]] = {
    "unshared": (
        (OURS_124M, "ids"),
        ("124M minigpt2 without sharing", "ids"),
        (OURS_NANO, "ids"),
        ("nano minigpt2 without sharing", "ids"),
    ),
    "picogpt": ((OURS_124M, "ids"), ("124M picogpt", "ids")),
    "compiled": (
        (OURS_124M, "ids"),
        ("124M transformers", "ids"),
        ("124M compiled", "ids"),
        (OURS_NANO, "ids"),
        ("nano transformers", "ids"),
        ("nano compiled", "ids"),
    ),
    "minilm-one": (("minilm float32", "one"), ("minilm int8", "one"), (OURS_NANO, "one")),
    "tokenizer-hf-fast": (("tokenizer minigpt2", "batch"), ("tokenizer hf", "batch_fast")),
}

SLUGS = [figure.slug for figure in FIGURES] + list(EXTRAS)

# Groups run one after the other; the competitors of a group take turns. So many rounds with each process.
GROUPS = {"124M": 1, "nano": 3, "training": 2, "peak": 1, "similarity": 1, "memory": 1, "tokenizer": 3}


def group_of(competitor: str) -> str:
    """The group whose name the competitor's begins with; MiniLM takes turns with nano."""
    return "nano" if competitor.startswith("minilm") else competitor.split()[0]


def series_of(slugs: list[str]) -> list[Key]:
    """Every series that these figures need, once, in the order of the figures."""
    keys: dict[Key, None] = {}
    for figure in FIGURES:
        if figure.slug in slugs:
            keys |= dict.fromkeys(key for key in (figure.ours, figure.rival) if key)
    for slug, extra in EXTRAS.items():
        if slug in slugs:
            keys |= dict.fromkeys(extra)
    return list(keys)


def specifications(files: dict[str, str]) -> dict[str, dict]:
    """Every competitor by name, as schedule.py starts it; `files` is what prepare.py made."""
    big, small = files["124M"], files["nano"]

    def engine(kind, data, path, **more):
        arguments = {"path": path} | more.pop("arguments", {})
        spec = {"kind": kind, "data": files[data], "arguments": arguments, "warm_up": ["ids"]}
        return spec | {"one_tokens": 12} | more

    def given(kind, data, path, task):
        return engine(kind, data, path, gives=["ids"], warm_up=[task])

    def tokenizer(kind, folder):
        spec = {"kind": "tokenizing:Timed", "data": files["lines"], "gives": ["texts"], "warm_up": ["batch"]}
        spec |= {"arguments": {"kind": kind, "folder": folder}, "cores": 1}
        return spec | {"env": {"TOKENIZERS_PARALLELISM": "false"}}

    def program(label, task, *command):
        return {"label": label, "command": list(command), "warm_up": [task]}

    torch_step = given("training_step:TorchStep", "pairs", small, "sorted")
    torch_step["warm_up"] = ["sorted", "padded"]
    minilm = {"arguments": {"tokenizer": files["minilm_tokenizer"]}, "warm_up": ["text"]}
    probe = ("-m", "cpu.memory_probe")
    similarity = ("-m", "minigpt2", "similarity", *SIMILARITY)
    onnx, int8 = files.get("minilm_onnx", ""), files.get("minilm_int8", "")
    return {
        OURS_124M: engine("rivals:MiniGPT2", "124M_data", big, warm_up=["ids", "text", "one"]),
        "124M transformers": engine("rivals:Transformers", "124M_data", big),
        "124M onnx": engine("rivals:OnnxRuntime", "124M_data", files.get("124M_onnx", "")),
        "124M sentence-transformers": engine(
            "rivals:SentenceTransformers", "124M_data", big, warm_up=["text"]
        ),
        "124M picogpt": engine("rivals:PicoGPT", "124M_data", big, every=8),
        "124M compiled": engine("rivals:CompiledTransformers", "124M_data", big, every=2),
        OURS_NANO: engine("rivals:MiniGPT2", "nano_data", small, warm_up=["ids", "text", "one"]),
        "124M minigpt2 without sharing": engine("rivals:MiniGPT2Unshared", "124M_data", big),
        "nano minigpt2 without sharing": engine("rivals:MiniGPT2Unshared", "nano_data", small),
        "nano transformers": engine("rivals:Transformers", "nano_data", small),
        "nano sentence-transformers": engine(
            "rivals:SentenceTransformers", "nano_data", small, warm_up=["text"]
        ),
        "nano compiled": engine("rivals:CompiledTransformers", "nano_data", small),
        "minilm float32": engine("rivals:OnnxText", "minilm_data", onnx, **minilm),
        "minilm int8": engine("rivals:OnnxText", "minilm_data", int8, **minilm),
        "minilm float32 as fastembed": engine("rivals:FastEmbed", "minilm_data", onnx, **minilm),
        "minilm int8 as fastembed": engine("rivals:FastEmbed", "minilm_data", int8, **minilm),
        "training minigpt2": given("training_step:MiniGPT2Step", "pairs", small, "step"),
        "training torch": torch_step,
        "peak 124M": given("peak:PeakShare", "124M_data", big, "share") | {"cores": 1},
        "peak nano": given("peak:PeakShare", "nano_data", small, "share") | {"cores": 1},
        "similarity minigpt2": program("minigpt2 similarity", "cpu", *similarity),
        "similarity minilm": program(
            "sentence-transformers with MiniLM", "cpu", "-c", MINILM_SIMILARITY, files["minilm"], *SIMILARITY
        ),
        "memory nano": program("minigpt2 nano", "memory", *probe, small, files["sentences"]),
        "memory 124M": program("minigpt2 124M", "memory", *probe, big, files["sentences"]),
        "tokenizer minigpt2": tokenizer("MiniGPT2Tokenizer", big),
        "tokenizer tiktoken": tokenizer("Tiktoken", files["vocabulary"]),
        "tokenizer hf": tokenizer("HFTokenizer", big),
    }
