# expect: is the causal mask
Shapes = dict[str, tuple[int, ...]]


def sizes(shapes: Shapes) -> dict[str, int]:
    """V, P, D, F and L of the model."""
    shapes = _plain(shapes)
    V, D = shapes["wte.weight"]
    layers = {int(name.split(".")[1]) for name in shapes if name.startswith("h.")}
    return {
        "V": V,
        "P": shapes["wpe.weight"][0],
        "D": D,
        "F": shapes["h.0.mlp.c_fc.weight"][1],
        "L": len(layers),
    }


def parameters(shapes: Shapes) -> int:
    """How many numbers are learned."""
    total = 0
    for name, shape in _plain(shapes).items():
        product = 1
        for n in shape:
            product *= n
        total += product
    return total


def _plain(shapes: Shapes) -> Shapes:
    return {name.removeprefix("transformer."): shape for name, shape in shapes.items()}
