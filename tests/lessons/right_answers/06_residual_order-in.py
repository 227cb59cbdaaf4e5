"""Another right way."""


def block(x, ln_1, attention, ln_2, mlp):
    y = x.copy()
    y += attention(ln_1(y))
    y += mlp(ln_2(y))
    return y
