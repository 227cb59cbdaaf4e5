# expect: these are the matrices alone


def count(V: int, P: int, D: int, L: int) -> int:
    return V * D + P * D + L * 12 * D * D
