"""Another right way."""


def merge(ids, pair, new):
    if len(ids) < 2:
        return list(ids)
    if tuple(ids[:2]) == pair:
        return [new, *merge(ids[2:], pair, new)]
    return ids[:1] + merge(ids[1:], pair, new)


def encode(ids, merges):
    from functools import reduce

    return reduce(lambda x, m: merge(x, *m), merges, ids)
