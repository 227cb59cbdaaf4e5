"""Another right way."""


def frozen_names(names, patterns):
    return [n for n in names if any((n + ".").startswith(p + ".") for p in patterns)]


def step(gradients, optimizer, lr, frozen):
    before = optimizer.parameters.flat.copy()
    optimizer.step(gradients, lr)
    from minigpt2.parameters import Parameters

    old = Parameters(before, optimizer.parameters.shapes)
    for n in frozen:
        optimizer.parameters[n][:] = old[n]
