"""The merges that the package's own training finds."""

from types import ModuleType

from minigpt2.learn.checking import same_value
from minigpt2.tokenizer.train import train_bpe

TEXT = (
    "low low low low low lower lower newest newest newest newest newest newest widest widest widest".split()
)


def check(exercise: ModuleType) -> None:
    words: dict[tuple[int, ...], int] = {}
    for word in TEXT:
        spelled = tuple(word.encode())
        words[spelled] = words.get(spelled, 0) + 1
    # The package counts words with the blank before them: each text is one word here, without a blank.
    tokenizer = train_bpe(TEXT, 256 + 9, special_tokens=())
    id_of = {bytes([b]): b for b in range(256)}
    right = []
    for n, (left, second) in enumerate(tokenizer.merges):
        right.append(((id_of[left], id_of[second]), 256 + n))
        id_of[left + second] = 256 + n

    yours = exercise.train(dict(words), 9)
    first = right[0][0]
    same_value(
        right,
        yours,
        "train(words, 9)",
        [
            (
                lambda yours: len(yours) == 9 and all(pair == first for pair, _ in yours),
                "the same pair is found again and again: replace it in every word before counting again",
            ),
            (
                lambda yours: all(max(pair) < 256 for pair, _ in yours),
                "merged tokens never merge again: count the new words",
            ),
            (
                lambda yours: [pair for pair, _ in yours] == [pair for pair, _ in right],
                "new ids go up from 256, one by one",
            ),
            (lambda yours: yours[: len(right)] == right, "there are merges too many"),
            (
                lambda yours: same_count(words, right, yours),
                "where you part two pairs are equally common: the smallest of them is merged, whatever the "
                "order of the dictionary",
            ),
        ],
    )
    two = exercise.train({(1, 2, 3): 1, (4, 5): 2}, 5)
    same_value(
        [((4, 5), 256)],
        two,
        "train({(1, 2, 3): 1, (4, 5): 2}, 5)",
        [
            (
                lambda yours: len(yours) > 1,
                "a pair that occurs once is no pattern: stop where the commonest occurs less than twice",
            )
        ],
    )
    same_value([], exercise.train({(7,): 3}, 4), "train({(7,): 3}, 4), where there is no pair")


def same_count(words, right, yours):
    """Is the first pair that differs as common as the right one?"""
    texts = [(list(word), times) for word, times in words.items()]
    for (pair, new), (other, _) in zip(right, yours, strict=False):
        if pair != other:
            return count(texts, pair) == count(texts, other)
        for ids, _ in texts:
            places = [i for i in range(len(ids) - 1) if tuple(ids[i : i + 2]) == pair]
            for i in places[::-1]:  # no pair of these words is of one token twice
                ids[i : i + 2] = [new]
    return False


def count(texts, pair):
    return sum(times * list(zip(ids, ids[1:], strict=False)).count(pair) for ids, times in texts)
