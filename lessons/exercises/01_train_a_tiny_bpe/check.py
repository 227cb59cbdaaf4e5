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
                tied_by_place(words, 9),
                "of pairs with equal counts the smallest wins, not the one that was counted first",
            ),
            (
                lambda yours: [pair for pair, _ in yours] == [pair for pair, _ in right],
                "new ids go up from 256, one by one",
            ),
            (lambda yours: yours[: len(right)] == right, "there are merges too many"),
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


def tied_by_place(words, merges):
    """The merges if of equal counts the pair wins that is counted first."""
    texts = {"".join(map(chr, word)): times for word, times in words.items()}
    found = []
    for new in range(256, 256 + merges):
        counts = {}
        for text, times in texts.items():
            for pair in zip(text, text[1:], strict=False):
                counts[pair] = counts.get(pair, 0) + times
        left, right = max(counts, key=counts.get)
        found.append(((ord(left), ord(right)), new))
        texts = {text.replace(left + right, chr(new)): times for text, times in texts.items()}
    return found
