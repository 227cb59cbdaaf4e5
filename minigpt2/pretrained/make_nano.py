"""How `pretrained/nano` is made: commands of which each reads what the ones before have written.

    m=minigpt2.pretrained.make_nano
    python -m $m sample --text FILE --share 0.3 --output FILE     # where one source would outweigh others
    python -m $m tokenizer --text DIR --output TOKENIZER
    python -m $m targets --text DIR --tokenizer TOKENIZER --teacher DIR --output DATA
    python -m $m train --data DATA --tokenizer TOKENIZER --output MODEL --device cuda --steps 5200

The text is plain English, one sentence or passage a line, in `*.txt` or `*.txt.xz`. The teacher is a
sentence-transformers model; `targets` needs torch and transformers (extra `parity`), the others only what
minigpt2 needs. The student learns by `training.losses.distillation`: our forward, our backward, our AdamW.
"""

import argparse
import functools
import json
import lzma
import multiprocessing
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..backend import asarray, choose_backend
from ..config import GPT2Config
from ..datasets import Pairs, read_pairs
from ..encoder import Encoder
from ..errors import DataError
from ..evaluation.pairs import pairs_metrics
from ..layers import normalize, normalize_backward, pooling, pooling_backward
from ..model import GPT2
from ..model_directory import EmbeddingSettings
from ..ragged import TokenBatch
from ..tokenizer import Tokenizer, load_tokenizer, train_bpe
from ..training.losses import distillation, distillation_backward
from ..training.optimizer import AdamW, clip_gradients
from ..training.schedule import warmup_cosine

POOLING = "weighted_mean"
SHORT = 18  # texts of at most so many tokens are seen twice in an epoch: most of what people embed is short


def main(argv: list[str] | None = None) -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m minigpt2.pretrained.make_nano", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("sample", help="write a random share of the lines of a file")
    command.add_argument("--text", type=Path, required=True)
    command.add_argument("--share", type=float, required=True)
    command.add_argument("--output", type=Path, required=True)
    command.set_defaults(run=sample_lines)

    command = commands.add_parser("tokenizer", help="train the lower-cased byte-level BPE")
    command.add_argument("--text", type=Path, nargs="+", required=True)
    command.add_argument("--output", type=Path, required=True)
    command.add_argument("--lines", type=int, default=1_000_000)
    command.set_defaults(run=make_tokenizer)

    command = commands.add_parser("targets", help="tokenize the text and embed it with the teacher")
    command.add_argument("--text", type=Path, nargs="+", required=True)
    command.add_argument("--tokenizer", type=Path, required=True)
    command.add_argument("--teacher", type=Path, required=True)
    command.add_argument("--output", type=Path, required=True)
    command.add_argument("--limit", type=int, help="stop after so many texts")
    command.set_defaults(run=make_targets)

    command = commands.add_parser("train", help="train the student and write a model directory")
    command.add_argument("--data", type=Path, required=True)
    command.add_argument("--tokenizer", type=Path, required=True)
    command.add_argument("--output", type=Path, required=True)
    command.add_argument("--device", default="auto")
    command.add_argument("--steps", type=int, required=True)
    command.add_argument("--batch-size", type=int, default=2048)
    command.add_argument("--batch-tokens", type=int, default=65536)
    command.add_argument("--lr", type=float, default=1e-3)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--dev", type=Path, help="id sentence1 sentence2 label, with scores: printed, never trained on"
    )
    command.add_argument("--every", type=int, default=500, help="steps between two measurements")
    command.add_argument("--seconds", type=float, help="stop the clock here whatever step it is, and save")
    command.set_defaults(run=train)

    args = parser.parse_args(argv)
    args.run(args)
    return 0


def sample_lines(args: argparse.Namespace) -> None:
    """A share of the lines of a file, always the same ones, in random order."""
    lines = list(read_lines([args.text]))
    random.Random(0).shuffle(lines)
    with (lzma.open if args.output.suffix == ".xz" else open)(args.output, "wt", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines[: int(len(lines) * args.share)])


def make_tokenizer(args: argparse.Namespace) -> None:
    """A byte-level BPE over lower-cased text with as many tokens as nano's table has rows."""
    lines = list(read_lines(args.text))
    random.Random(0).shuffle(lines)
    tokenizer = train_bpe(lines[: args.lines], GPT2Config.named("nano").V, lowercase=True)
    args.output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(args.output)
    say(f"{tokenizer.vocab_size} tokens from {min(len(lines), args.lines):,} of {len(lines):,} lines")


def make_targets(args: argparse.Namespace) -> None:
    """Write ids.npy (all tokens in one run), offsets.npy (M+1,) and targets.npy (M, D) of length 1.

    The teacher's vectors are wider than the student's, so they are projected onto their D directions of
    greatest energy (the eigenvectors of Xᵀ·X), which changes their dot products least.
    """
    lines = list(dict.fromkeys(read_lines(args.text)))
    random.Random(1).shuffle(lines)
    lines = lines[: args.limit]
    say(f"{len(lines):,} different texts")

    config = GPT2Config.named("nano")
    load = functools.partial(_load_tokenizer_once, args.tokenizer)
    with multiprocessing.get_context("spawn").Pool(initializer=load) as pool:
        tokens = pool.map(functools.partial(_tokenize, args.tokenizer), lines, chunksize=2000)
    tokens = [ids[: config.n_positions] for ids in tokens]
    say(f"{sum(map(len, tokens)):,} tokens")

    vectors = teacher_vectors(lines, args.teacher)  # (M, D') float16
    energy = np.zeros((vectors.shape[1], vectors.shape[1]))
    for start in range(0, len(vectors), 100_000):
        part = vectors[start : start + 100_000].astype(np.float64)
        energy += part.T @ part  # (D', D')
    values, directions = np.linalg.eigh(energy)  # ascending
    directions = directions[:, ::-1][:, : config.D].astype(np.float32)  # (D', D)
    say(f"{config.D} of {len(values)} directions keep {values[::-1][: config.D].sum() / values.sum():.2%}")

    args.output.mkdir(parents=True, exist_ok=True)
    targets = np.empty((len(vectors), config.D), np.float16)
    for start in range(0, len(vectors), 100_000):
        projected = vectors[start : start + 100_000].astype(np.float32) @ directions  # (m, D)
        targets[start : start + 100_000] = normalize(projected)[0]
    np.save(args.output / "targets.npy", targets)
    np.save(args.output / "ids.npy", np.concatenate([np.asarray(ids, np.uint16) for ids in tokens]))
    np.save(args.output / "offsets.npy", np.concatenate([[0], np.cumsum([len(ids) for ids in tokens])]))


def teacher_vectors(lines: list[str], directory: Path) -> np.ndarray:
    """(M, D') float16: mean-pooled, normalised vectors of a sentence-transformers model, by torch."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
    dtype = torch.float16 if device == "cuda" else torch.float32
    teacher = AutoModel.from_pretrained(directory, local_files_only=True).to(device, dtype).eval()
    order = sorted(range(len(lines)), key=lambda i: -len(lines[i]))
    vectors = np.empty((len(lines), teacher.config.hidden_size), np.float16)
    started, done, chunk = time.perf_counter(), 0, 32768
    with torch.inference_mode():
        for start in range(0, len(order), chunk):
            encoded = tokenizer(
                [lines[i] for i in order[start : start + chunk]], truncation=True, max_length=256
            )["input_ids"]
            rows = sorted(range(len(encoded)), key=lambda row: -len(encoded[row]))
            while rows:
                T = len(encoded[rows[0]])
                batch, rows = rows[: max(1, 131072 // T)], rows[max(1, 131072 // T) :]
                ids = np.zeros((len(batch), T), np.int64)
                mask = np.zeros((len(batch), T), np.int64)
                for b, row in enumerate(batch):
                    ids[b, : len(encoded[row])] = encoded[row]
                    mask[b, : len(encoded[row])] = 1
                mask = torch.from_numpy(mask).to(device)
                hidden = teacher(torch.from_numpy(ids).to(device), attention_mask=mask).last_hidden_state
                weights = mask[:, :, None].float()
                pooled = (hidden.float() * weights).sum(1) / weights.sum(1)
                pooled = torch.nn.functional.normalize(pooled, dim=1).half().cpu().numpy()
                vectors[[order[start + row] for row in batch]] = pooled
            done += len(encoded)
            if start // chunk % 10 == 0:
                say(f"teacher: {done:,} texts, {done / (time.perf_counter() - started):,.0f} a second")
    return vectors


def train(args: argparse.Namespace) -> None:
    """Train nano from random parameters; write the model directory in float16 and log.jsonl beside it."""
    backend = choose_backend(device=args.device)
    xp = backend.xp
    config = GPT2Config.named("nano")
    model = GPT2.initialise(config, args.seed, xp)
    tokenizer = load_tokenizer(args.tokenizer)
    settings = EmbeddingSettings(pooling=POOLING, normalize=True, max_seq_length=config.n_positions)
    encoder = Encoder(model, tokenizer, settings, backend)

    ids, offsets = np.load(args.data / "ids.npy"), np.load(args.data / "offsets.npy")
    targets = xp.asarray(np.load(args.data / "targets.npy"))  # (M, D) float16
    dev = read_pairs(args.dev, kind="score") if args.dev else None
    optimizer = AdamW(model.parameters)
    gradients = model.parameters.zeros_like()
    batches = endless_batches(np.diff(offsets), args.batch_size, args.batch_tokens, args.seed)
    args.output.mkdir(parents=True, exist_ok=True)
    say(f"{backend}; {len(offsets) - 1:,} texts, {len(ids):,} tokens, {config.V} ids, {model.parameters}")

    started, seen, tokens, losses = time.perf_counter(), 0, 0, []
    with (args.output / "log.jsonl").open("w") as log:
        for step in range(args.steps):
            rows = next(batches)  # (B,)
            batch = TokenBatch([ids[offsets[row] : offsets[row + 1]].astype(np.int64) for row in rows], xp)
            wanted, _ = normalize(targets[asarray(rows, xp)].astype(np.float32))  # (B, D)

            hidden, model_ctx = model.forward(batch, keep=True)  # (N, D)
            pooled, pooling_ctx = pooling(hidden, batch, POOLING)  # (B, D)
            vectors, normalize_ctx = normalize(pooled)  # (B, D)
            loss, loss_ctx = distillation(vectors, wanted)  # ()

            dvectors = distillation_backward(1.0, loss_ctx)  # (B, D)
            dpooled = normalize_backward(dvectors, normalize_ctx)  # (B, D)
            dhidden = pooling_backward(dpooled, pooling_ctx)  # (N, D)
            gradients.flat[:] = 0.0
            model.backward(dhidden, model_ctx, gradients)

            clip_gradients(gradients, 1.0)
            optimizer.step(gradients, warmup_cosine(step, args.steps, args.lr, args.steps // 20))
            losses.append(loss)
            seen, tokens = seen + len(rows), tokens + batch.N
            out_of_time = args.seconds is not None and time.perf_counter() - started > args.seconds
            if (step + 1) % args.every == 0 or step + 1 == args.steps or out_of_time:
                seconds = time.perf_counter() - started
                record = {
                    "step": step + 1,
                    "loss": float(sum(losses) / len(losses)),
                    "texts": seen,
                    "seconds": round(seconds, 1),
                    "tokens_per_second": round(tokens / seconds),
                }
                if not np.isfinite(record["loss"]):
                    raise FloatingPointError(f"the loss is not finite by step {step + 1}: lower --lr")
                if dev:
                    record["dev_spearman"] = round(100 * spearman_of(encoder, dev), 2)
                losses = []
                print(json.dumps(record), file=log, flush=True)
                say(json.dumps(record))
            if out_of_time:
                break

    sample = np.random.default_rng(0).choice(len(offsets) - 1, min(20_000, len(offsets) - 1), replace=False)
    encoder.calibrate([tokenizer.decode(ids[offsets[row] : offsets[row + 1]].tolist()) for row in sample])
    encoder.save(args.output / "model", dtype="float16", overwrite=True)
    say(f"written: {args.output / 'model'}")


def endless_batches(lengths: np.ndarray, most: int, most_tokens: int, seed: int) -> Iterator[np.ndarray]:
    """Rows of texts of nearly one length, at most `most` of them and `most_tokens` tokens, epoch by epoch."""
    rng = np.random.default_rng(seed)
    usable = np.flatnonzero(lengths > 0)
    pool = np.concatenate([usable, usable[lengths[usable] <= SHORT]])
    while True:
        shuffled = rng.permutation(pool)
        rows = shuffled[np.argsort(lengths[shuffled], kind="stable")]
        batches, start = [], 0
        while start < len(rows):
            stop = min(start + most, len(rows))
            stop = min(stop, start + max(1, most_tokens // int(lengths[rows[stop - 1]])))
            chosen = np.unique(rows[start:stop])  # a text taken twice must not be its own negative
            if len(chosen) > 1:
                batches.append(chosen)
            start = stop
        if not batches:
            raise DataError("no batch has two different texts: give more texts or larger batches")
        for i in rng.permutation(len(batches)):
            yield batches[i]


def read_lines(paths: list[Path]) -> Iterator[str]:
    """Every non-empty line of every `*.txt` and `*.txt.xz` in the given files and folders."""
    files = [f for path in paths for f in (sorted(path.rglob("*.txt*")) if path.is_dir() else [path])]
    if not files:
        raise SystemExit(f"no *.txt or *.txt.xz in {', '.join(map(str, paths))}")
    for file in files:
        with (lzma.open if file.suffix == ".xz" else open)(file, "rt", encoding="utf-8") as lines:
            yield from filter(None, map(str.strip, lines))


def spearman_of(encoder: Encoder, pairs: Pairs) -> float:
    """Spearman's rank correlation of the cosines with the scores, in −1 … 1"""
    cosines = encoder.similarity_pairwise(encoder.encode(pairs.first), encoder.encode(pairs.second))  # (M,)
    return pairs_metrics(cosines, pairs)["spearman"]


def say(message: str) -> None:
    """Progress, on stderr."""
    print(message, file=sys.stderr, flush=True)


@functools.cache
def _load_tokenizer_once(path: Path) -> Tokenizer:
    return load_tokenizer(path)


def _tokenize(path: Path, line: str) -> list[int]:
    return _load_tokenizer_once(path).encode(line)


if __name__ == "__main__":
    sys.exit(main())
