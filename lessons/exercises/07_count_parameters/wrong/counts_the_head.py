# expect: the head is counted as a second V × D table
def count(V: int, P: int, D: int, L: int) -> int:
    """Vocabulary, positions, width, layers -> numbers that are learned"""
    attention = D * 3 * D + 3 * D + D * D + D
    mlp = D * 4 * D + 4 * D + 4 * D * D + D
    return 2 * V * D + P * D + L * (4 * D + attention + mlp) + 2 * D
