"""Which examples go together in which batch: a pure function of the data, the seed and the epoch.

1. Shuffle all examples and cut them into POOLS pools, or fewer where a pool would have less than SMALLEST
   batches.
2. Sort each pool by length, every other one downwards, and cut the run into batches. A batch then holds texts
   of few different lengths, and its neighbours hold similar ones. Attention takes texts of one length
   together: on a GPU, where a group of a few texts costs as much as one of hundreds, this decides the speed.
   There are at least as many batches as examples of the most frequent text, so all are smaller where one is
   very frequent; else most of its examples would be left over, for batches of hardly anything else.
3. Where a text stands in two examples of a batch, exchange one of them with an example of a batch near by,
   until no text stands in a batch twice: to a contrastive loss it would be its own negative.
4. Shuffle the batches.

Every example stands in exactly one batch of an epoch. Pools are drawn anew in every epoch, so a batch never
comes back. All of it is array arithmetic over the whole epoch: seconds for millions of examples. Nothing has
to be remembered to resume but the epoch and the number of the batch.
"""

import numpy as np

from ..errors import DataError, UsageError

# A larger pool has batches of more equal length, a smaller one more chance in them.
POOLS = 8
SMALLEST = 32

# One batch more for every so many examples of the most frequent text, or exchanges would hardly find the last
# batches that lack it.
SPARE = 10

# Exchanges are tried so often, every second time twice as far away; then an example gets a place made for it.
ROUNDS = 24


def batches_of_epoch(
    columns: np.ndarray,
    lengths: np.ndarray,
    batch_size: int,
    batch_tokens: int | None,
    seed: int,
    epoch: int,
    at_least: int = 1,
) -> list[np.ndarray]:
    """The batches of an epoch in their order, each an array of example numbers.

    columns        (M, C) the texts of each example; −1 is none
    lengths        (M, C) tokens of these texts, 0 for none
    batch_size     examples in a batch at most; fewer where a text stands in more than M / batch_size examples
    batch_tokens   tokens in a batch at most; an example with more is a batch of its own; None: no bound
    at_least       1 or 2, examples in a batch at least: a loss that compares examples needs 2

    Raises UsageError for bounds that `at_least` examples do not fit into, and DataError for data where a text
    stands in so many examples that they cannot be kept apart.
    """
    tokens = lengths.sum(axis=1)  # (M,)
    _check_bounds(columns, tokens, batch_size, batch_tokens, at_least)
    batch_size, _ = size_for_the_most_frequent(columns, batch_size, at_least)
    rng = np.random.default_rng([seed, epoch])
    order = _by_length_in_pools(tokens, lengths.max(axis=1), batch_size, batch_tokens, rng)  # (M,)
    offsets = _cut(tokens[order], batch_size, batch_tokens)  # (batches + 1,)
    order, misplaced = _part_equal_texts(order, offsets, columns, tokens, batch_tokens, rng)  # (M,), (k,)
    batches = np.split(order, offsets[1:-1])
    if len(misplaced):
        batches = _make_places(batches, order, offsets, misplaced, columns, at_least)
    if batch_tokens is not None:
        batches = _cut_by_tokens(batches, tokens, batch_tokens, at_least)
    return [batches[i] for i in rng.permutation(len(batches))]


def _check_bounds(
    columns: np.ndarray, tokens: np.ndarray, batch_size: int, batch_tokens: int | None, at_least: int
) -> None:
    M = len(columns)
    if at_least == 1:
        return
    if M < 2:
        raise DataError(f"this objective compares the examples of a batch: give at least 2, not {M}")
    if batch_size < 3:
        raise UsageError(
            f"batch_size {batch_size} is too small for an objective that compares the examples of a batch: "
            f"give at least 3, better 32 or more"
        )
    # Where three fit, a batch can always be cut into parts of two or more.
    needed = int(np.partition(tokens, M - min(M, 3))[-3:].sum())
    if batch_tokens is not None and needed > batch_tokens:
        raise UsageError(
            f"batch_tokens {batch_tokens} is too small: the three longest examples have {needed} tokens, and "
            f"this objective compares the examples of a batch"
        )


def size_for_the_most_frequent(columns: np.ndarray, batch_size: int, at_least: int = 1) -> tuple[int, int]:
    """The batch size at which each example of the most frequent text has a batch, and how many these are"""
    texts, _ = _texts_that_repeat(columns)  # (n,)
    if len(texts) == 0:
        return batch_size, 1
    most = int(np.bincount(texts).max())
    least = 2 * at_least - 1  # what fills whole batches of two or more: see _check_bounds
    return min(batch_size, max(least, len(columns) // (most + most // SPARE))), most


def _by_length_in_pools(
    tokens: np.ndarray,
    longest: np.ndarray,
    batch_size: int,
    batch_tokens: int | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """(M,) all examples, neighbours alike in their longest text, and among those in all their tokens"""
    M = len(tokens)
    usual = batch_size if batch_tokens is None else min(batch_size, batch_tokens / tokens.mean())
    n_pools = min(POOLS, max(1, round(M / (SMALLEST * usual))))
    shuffled = rng.permutation(M)  # (M,)
    pool = np.arange(M) * n_pools // M  # (M,) of each place
    sign = np.where(pool % 2 == 0, 1, -1)  # (M,) upwards or downwards
    return shuffled[np.lexsort((sign * tokens[shuffled], sign * longest[shuffled], pool))]


def _cut(tokens: np.ndarray, batch_size: int, batch_tokens: int | None) -> np.ndarray:
    """Tokens (M,) of the examples in their order -> (batches + 1,) where each batch begins"""
    M = len(tokens)
    if batch_tokens is None:
        return np.linspace(0, M, -(-M // batch_size) + 1).round().astype(np.int64)  # equal sizes
    sums = np.cumsum(tokens)  # (M,)
    offsets = [0]
    while offsets[-1] < M:
        start = offsets[-1]
        before = sums[start - 1] if start else 0
        stop = int(np.searchsorted(sums, before + batch_tokens, side="right"))
        offsets.append(min(max(stop, start + 1), start + batch_size))
    if len(offsets) > 2:  # the last batch is what was left: share with the one before
        offsets[-2] = (offsets[-3] + M + 1) // 2
    return np.array(offsets)


def _part_equal_texts(
    order: np.ndarray,
    offsets: np.ndarray,
    columns: np.ndarray,
    tokens: np.ndarray,
    batch_tokens: int | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The order with examples exchanged, and (k,) the places that still repeat a text of their batch"""
    M, n_batches = len(order), len(offsets) - 1
    texts, place_of_entry = _texts_that_repeat(columns)  # (n,), (n,) text and example of each entry
    if len(texts) == 0:
        return order, np.zeros(0, np.int64)
    batch_of_place = np.repeat(np.arange(n_batches), np.diff(offsets))  # (M,)
    order = order.copy()
    place_of_example = np.empty(M, np.int64)  # (M,)
    place_of_example[order] = np.arange(M)

    for round in range(ROUNDS + 1):
        places = place_of_example[place_of_entry]  # (n,)
        key = batch_of_place[places] * (int(texts.max()) + 1) + texts  # (n,) equal where a text repeats
        by_key = np.lexsort((places, key))  # (n,)
        again = key[by_key[1:]] == key[by_key[:-1]]  # (n − 1,)
        wrong = np.unique(places[by_key[1:]][again])  # (k,) the first of equals may stay
        if len(wrong) == 0 or round == ROUNDS or n_batches == 1:
            return order, wrong
        reach = min(n_batches - 1, 2 ** (round // 2 + 2))  # batches
        step = rng.integers(1, reach + 1, len(wrong)) * rng.choice([-1, 1], len(wrong))  # (k,)
        other = (batch_of_place[wrong] + step) % n_batches  # (k,) the batch to exchange with
        sizes = np.diff(offsets)[other]  # (k,)
        partner = offsets[other] + (rng.random(len(wrong)) * sizes).astype(np.int64)  # (k,)
        # Each place at most once, or an exchange would undo another; and only where both batches have room.
        partner, first = np.unique(partner, return_index=True)
        free = ~np.isin(partner, wrong)
        a, b = wrong[first][free], partner[free]
        if batch_tokens is not None:
            room = batch_tokens - np.add.reduceat(tokens[order], offsets[:-1])  # (batches,)
            growth = tokens[order[b]] - tokens[order[a]]  # of the batch of a
            fits = (growth <= room[batch_of_place[a]]) & (-growth <= room[batch_of_place[b]])
            a, b = a[fits], b[fits]
        order[a], order[b] = order[b], order[a]
        place_of_example[order[a]], place_of_example[order[b]] = a, b
    raise AssertionError("the last round returns")


def _texts_that_repeat(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) texts that stand in several examples, and (n,) those examples, each pair once"""
    M, C = columns.shape
    entries = columns.astype(np.int64).ravel()  # (M·C,)
    example = np.repeat(np.arange(M), C)  # (M·C,)
    once = np.ones(M * C, bool)
    once[entries < 0] = False
    for c in range(1, C):  # a text twice within an example counts once
        for earlier in range(c):
            once[c::C] &= columns[:, c] != columns[:, earlier]
    entries, example = entries[once], example[once]
    repeats = np.bincount(entries)[entries] > 1  # (n,)
    return entries[repeats], example[repeats]


def _make_places(
    batches: list[np.ndarray],
    order: np.ndarray,
    offsets: np.ndarray,
    misplaced: np.ndarray,
    columns: np.ndarray,
    at_least: int,
) -> list[np.ndarray]:
    """Take the misplaced examples out of their batches and put them into new ones.

    Some texts stand in more examples than there are batches. Each new batch takes what does not repeat a text
    of it; where a batch must have two examples, one comes over from a batch that has more.
    """
    is_misplaced = np.zeros(len(order), bool)  # (M,)
    is_misplaced[misplaced] = True
    kept = [
        batch[~is_misplaced[start:stop]]
        for batch, start, stop in zip(batches, offsets[:-1], offsets[1:], strict=True)
    ]
    most = max(len(batch) for batch in batches)
    new: list[list[int]] = []
    held: list[set[int]] = []
    after: dict[int, int] = {}  # text -> the number after that of the last new batch that holds it
    for example in order[misplaced].tolist():
        texts = _texts_of(columns, example)
        place = max(after.get(text, 0) for text in texts)
        while place < len(new) and len(new[place]) >= most:
            place += 1
        if place == len(new):
            new.append([])
            held.append(set())
        new[place].append(example)
        held[place] |= texts
        after |= dict.fromkeys(texts, place + 1)

    if at_least > 1:
        for batch in kept:
            if len(batch) < at_least:
                new += [[int(example)] for example in batch]
                held += [_texts_of(columns, int(example)) for example in batch]
        kept = [batch for batch in kept if len(batch) >= at_least]
        sizes = np.array([len(batch) for batch in kept], np.int64)
        for batch, in_batch in zip(new, held, strict=True):
            if len(batch) < at_least:
                batch.append(_take_over(kept, sizes, in_batch, columns, at_least))
    return [batch for batch in kept if len(batch)] + [np.array(batch, order.dtype) for batch in new]


def _take_over(
    kept: list[np.ndarray], sizes: np.ndarray, texts: set[int], columns: np.ndarray, at_least: int
) -> int:
    """Remove from the largest batch that has one an example that shares none of `texts`, and return it"""
    left = sizes.copy()
    while len(left) and left.max() > at_least:
        i = int(left.argmax())
        for place, example in enumerate(kept[i].tolist()):
            if not texts & _texts_of(columns, example):
                kept[i] = np.delete(kept[i], place)
                sizes[i] -= 1
                return example
        left[i] = 0
    counts = np.bincount(columns[columns >= 0])
    raise DataError(
        f"one text stands in {counts.max()} of {len(columns)} examples, too many for it to stand only once "
        f"in a batch of two or more: leave some of them out"
    )


def _texts_of(columns: np.ndarray, example: int) -> set[int]:
    return set(columns[example][columns[example] >= 0].tolist())


def _cut_by_tokens(
    batches: list[np.ndarray], tokens: np.ndarray, batch_tokens: int, at_least: int
) -> list[np.ndarray]:
    """Cut every batch that exchanges have made too large into parts of about equal tokens"""
    cut: list[np.ndarray] = []
    for batch in batches:
        sums = np.cumsum(tokens[batch])  # (n,)
        if sums[-1] <= batch_tokens:
            cut.append(batch)
            continue
        parts = _even_parts(batch, sums, batch_tokens)
        if min(map(len, parts)) < at_least:
            parts = _full_parts(batch, tokens, batch_tokens, at_least)
        cut += parts
    return cut


def _even_parts(batch: np.ndarray, sums: np.ndarray, batch_tokens: int) -> list[np.ndarray]:
    """The fewest parts of about equal tokens that keep the bound; single examples may break it"""
    for n in range(int(-(-sums[-1] // batch_tokens)), len(batch) + 1):
        goals = sums[-1] * np.arange(1, n) / n  # (n − 1,)
        ends = np.unique(np.concatenate([[0], np.searchsorted(sums, goals, side="right"), [len(batch)]]))
        before = np.concatenate([[0], sums])[ends]  # tokens before each end
        too_many = (np.diff(before) > batch_tokens) & (np.diff(ends) > 1)
        if not too_many.any():
            return np.split(batch, ends[1:-1])
    return [batch[i : i + 1] for i in range(len(batch))]


def _full_parts(batch: np.ndarray, tokens: np.ndarray, batch_tokens: int, at_least: int) -> list[np.ndarray]:
    """Parts filled one after the other; the last takes from the one before what it lacks"""
    parts: list[list[int]] = [[]]
    held = 0
    for example in batch.tolist():
        if parts[-1] and held + tokens[example] > batch_tokens:
            parts.append([])
            held = 0
        parts[-1].append(example)
        held += tokens[example]
    while len(parts) > 1 and len(parts[-1]) < at_least:
        parts[-1].append(parts[-2].pop())
    return [np.array(part, batch.dtype) for part in parts]
