"""Count the parameters of GPT-2: one way to do it."""


def count(V: int, P: int, D: int, L: int) -> int:
    """Vocabulary, positions, width, layers -> numbers that are learned"""
    attention = D * 3 * D + 3 * D + D * D + D
    mlp = D * 4 * D + 4 * D + 4 * D * D + D
    return V * D + P * D + L * (4 * D + attention + mlp) + 2 * D
