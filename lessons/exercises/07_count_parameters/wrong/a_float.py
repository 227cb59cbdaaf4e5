# expect: a whole number is asked for


def count(V: int, P: int, D: int, L: int) -> int:
    """Vocabulary, positions, width, layers -> numbers that are learned"""
    return (V + P) * D + L * (12 * D**2 + 13 * D) + 4 * D / 2
