"""Another right way."""

import numpy as np


def to_bytes(text):
    return tuple(text.encode())


def character_lengths(data):
    out = []
    for b in data:
        if (b & 0xC0) == 0x80:
            out[-1] += 1
        else:
            out += [1]
    return np.array(out, dtype=int)
