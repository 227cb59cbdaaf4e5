"""How many numbers does a GPT-2 learn?

    token table         V × D          also serves as the head, so the head adds nothing
    position table      P × D
    each of L blocks    two layernorms: gain and bias each, D numbers
                        attention: D → 3·D and D → D, each with a bias
                        mlp: D → 4·D and 4·D → D, each with a bias
    last layernorm      gain and bias

`count(50257, 1024, 768, 12)` is 124 439 808: the "124M" model. Heads do not change the number. Return a
whole number. The package: `parameter_shapes` in `minigpt2/parameters.py`.
"""


def count(V: int, P: int, D: int, L: int) -> int:
    """Vocabulary, positions, width, layers -> numbers that are learned"""
    raise NotImplementedError("your turn")
