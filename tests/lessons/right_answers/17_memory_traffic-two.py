"""Another right way."""


def standardise(x, mean, std, gain, bias):
    a = gain / std
    return x * a + (bias - mean * a)


def seconds(launches, moved):
    return launches * 8e-6 if launches * 8e-6 > moved / 3e12 else moved / 3e12
