"""Make a tokenizer ten times faster, without changing what it gives.

`encode_words` below is right. It cuts every word into tokens by asking, for every pair of neighbours and
before every merge, which rank the pair has. The check counts these questions on a text of 3000 words, and
asks you for the same tokens with at most a tenth of them: counted, not timed, so a busy computer does not
matter.

Look at what the words of a text have in common, not at the inner loop. Two things to take care of:

    - `encode_words` may be called again with other ranks, and must then give other tokens
    - whoever gets the lists may change them: the lists of two words must not be the same list

The package: `minigpt2/tokenizer/bpe.py`.
"""

Pair = tuple[int, int]
Ranks = dict[Pair, tuple[int, int]]  # pair -> its rank, and the id it merges into


def encode_words(words: list[str], ranks: Ranks) -> list[list[int]]:
    """The tokens of each word."""
    return [_encode_word(word, ranks) for word in words]


def _encode_word(word: str, ranks: Ranks) -> list[int]:
    ids = list(word.encode("utf-8"))
    while True:
        best, place, merged = None, -1, -1
        for i in range(len(ids) - 1):
            found = ranks.get((ids[i], ids[i + 1]))
            if found is not None and (best is None or found[0] < best):
                (best, merged), place = found, i
        if best is None:
            return ids
        ids[place : place + 2] = [merged]
