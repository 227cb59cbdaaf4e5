"""Another right way."""

import math


def cosent(cosines, labels, temperature):
    t = [0.0]
    for i in range(len(labels)):
        for j in range(len(labels)):
            if labels[i] > labels[j]:
                t.append((cosines[j] - cosines[i]) / temperature)
    m = max(t)
    return m + math.log(math.fsum(math.exp(x - m) for x in t))
