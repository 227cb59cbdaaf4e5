# expect: the biases of the four linear layers of a block are missing
def count(V: int, P: int, D: int, L: int) -> int:
    """Vocabulary, positions, width, layers -> numbers that are learned"""
    attention = D * 3 * D + D * D
    mlp = D * 4 * D + 4 * D * D
    return V * D + P * D + L * (4 * D + attention + mlp) + 2 * D
