"""How fast a model embeds text on this machine, and how near that is to what its products could do.

    operations of a pass   2 · rows · (numbers in the blocks' matrices)  +  those of attention's two products
    rows                   tokens; on a CPU a beginning that texts of a chunk share counts once, and for the
                           first block's q, k and v a chunk's different tokens and its positions count instead
    attention              4 · D · (pairs of a query and a key it sees), in each block
    share of the peak      operations / seconds / the fastest product measured here

The peak is that of the same array library, in the same precision, on the same threads, so the share says how
much of the time goes into anything but products.
"""

import statistics
import sys
import warnings
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

from .config import GPT2Config
from .encoder import Encoder, TruncationWarning
from .errors import UsageError
from .inference import Computed
from .kernels import blas
from .ragged import FlatSentences, TokenBatch

# Products (m, k) · (k, n), among them those of narrow and of wide models: the fastest of them is the peak.
PEAK_SHAPES = ((2048, 768, 3072), (2048, 3072, 768), (1024, 1024, 1024), (2048, 2048, 2048))
PEAK_RUNS = 3
ONE_TEXT_RUNS = 9


class Speed(NamedTuple):
    """What was measured. Seconds are one number for each round."""

    texts: int
    tokens: int
    computed: int  # of the tokens; the others stand in a beginning that another text has as well
    longest: int  # tokens of the longest text
    text_seconds: list[float]  # from text to vector
    ids_seconds: list[float]  # from token ids to vector
    tokenize_seconds: list[float]  # from text to token ids, texts that came before
    one_seconds: list[float]  # one text of median length, to vector; the median of a few in each round
    one_tokens: int
    peak: float  # floating-point operations a second of the fastest product
    operations: float  # floating-point operations of one pass over all texts
    kinds: dict[str, float]  # kind of layer -> seconds of one pass, on one thread on the CPU
    threads: int  # 0 on a GPU
    memory: float | None  # bytes that this process had held at most when all of it but the peak was measured

    @property
    def share(self) -> float:
        """The share of the peak that a pass from ids to vectors reaches."""
        return self.operations / statistics.median(self.ids_seconds) / self.peak


def measure(encoder: Encoder, texts: Sequence[str], rounds: int = 5) -> Speed:
    """Embed `texts` again and again; every round measures everything once, so that all see the same machine.

    Raises UsageError for no texts, for texts without tokens and for `rounds` below 1.
    """
    if rounds < 1:
        raise UsageError(f"rounds must be at least 1, not {rounds}")
    texts = list(texts)
    ids = encoder.tokenizer.encode_flat(texts).cut(encoder.max_seq_length)
    if not len(ids.ids):
        raise UsageError("the texts have no tokens: give some lines of text")
    by_length = sorted((b for b in range(len(texts)) if ids.lengths[b]), key=lambda b: ids.lengths[b])
    middle = by_length[len(by_length) // 2]
    wait, plan = _wait_for(encoder), encoder.plan()
    computed = Computed(len(ids.ids), len(ids.ids)) if plan is None else plan.computed(ids)

    def seconds(call: Callable[[], Any]) -> float:
        start = perf_counter()
        call()
        wait()
        return perf_counter() - start

    calls = {
        "text_seconds": lambda: encoder.encode(texts, prompt="", show_progress_bar=False),
        "ids_seconds": lambda: encoder.encode_ids(ids),
        "tokenize_seconds": lambda: encoder.tokenizer.encode_flat(texts),
    }
    times: dict[str, list[float]] = {name: [] for name in (*calls, "one_seconds")}
    peak, kinds, memory = 0.0, [], None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)  # `longest` says it
        for call in calls.values():  # memory and caches, as they are in a program that goes on
            call()
        for _ in range(rounds):
            for name, call in calls.items():
                times[name].append(seconds(call))
            one = [seconds(lambda: encoder.encode(texts[middle], prompt="")) for _ in range(ONE_TEXT_RUNS)]
            times["one_seconds"].append(statistics.median(one))
            kinds.append(_by_kind(encoder, ids))
            memory = memory or _most_memory()
            peak = max(peak, _peak(encoder, seconds))
    return Speed(
        texts=len(texts),
        tokens=len(ids.ids),
        computed=computed.rows,
        longest=int(ids.lengths.max()),
        **times,
        one_tokens=int(ids.lengths[middle]),
        peak=peak,
        operations=operations(encoder.config, ids.lengths.tolist(), computed),
        kinds={kind: statistics.median(of[kind] for of in kinds) for kind in kinds[0]},
        threads=blas.threads() if encoder.backend.device == "cpu" else 0,
        memory=memory,
    )


def operations(config: GPT2Config, lengths: Sequence[int], computed: Computed | None = None) -> float:
    """Floating-point operations of the products of one pass over sentences of these lengths.

    computed   what is multiplied with the weights; None: every token
    """
    D, F, L = config.D, config.F, config.L
    matrices = L * (4 * D * D + 2 * D * F)  # numbers in the weights of all blocks
    pairs = sum(T * (T + 1) // 2 if config.causal else T * T for T in lengths)  # of a query and a key
    rows, first = computed or (sum(lengths), sum(lengths))
    saved = 3 * D * D * (rows - first)
    return 2.0 * (matrices * rows - saved) + 4.0 * D * L * pairs


def _peak(encoder: Encoder, seconds: Callable[[Callable[[], Any]], float]) -> float:
    """Operations a second of the fastest product"""
    xp, dtype = encoder.backend.xp, encoder.backend.dtype
    best = 0.0
    for m, k, n in PEAK_SHAPES:
        a, b = xp.ones((m, k), dtype), xp.ones((k, n), dtype)
        product = xp.empty((m, n), dtype)

        def multiply(a: Any = a, b: Any = b, product: Any = product) -> None:
            xp.matmul(a, b, out=product)

        multiply()
        best = max(best, *(2.0 * m * k * n / seconds(multiply) for _ in range(PEAK_RUNS)))
    return best


def _by_kind(encoder: Encoder, ids: FlatSentences) -> dict[str, float]:
    plan = encoder.plan()
    if plan is not None:
        return plan.seconds_by_kind(ids, encoder.settings.pooling)
    from .interpret import forward_times

    return forward_times(encoder, TokenBatch(ids, encoder.backend.xp), 1)


def _most_memory() -> float | None:
    """The most bytes that this process has held so far; None where the system does not tell"""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB on Linux
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def _wait_for(encoder: Encoder) -> Callable[[], None]:
    """Until a GPU has done what it was told; NumPy has when it returns"""
    if encoder.backend.device == "cpu":
        return lambda: None
    return encoder.backend.xp.cuda.get_current_stream().synchronize
