"""GPT-2 in plain Python loops over lists of floats: slow, obvious, and independent of any array library.

Every function takes and returns nested lists; a sentence is a run of rows, as `lengths` says.
"""

import math


def linear(x, weight, bias):
    return [
        [sum(row[i] * weight[i][j] for i in range(len(row))) + bias[j] for j in range(len(bias))] for row in x
    ]


def layernorm(x, gain, bias, eps=1e-5):
    y = []
    for row in x:
        mean = sum(row) / len(row)
        variance = sum((value - mean) ** 2 for value in row) / len(row)
        y.append([(row[d] - mean) / math.sqrt(variance + eps) * gain[d] + bias[d] for d in range(len(row))])
    return y


def gelu(x):
    def of_one(value):
        return 0.5 * value * (1 + math.tanh(math.sqrt(2 / math.pi) * (value + 0.044715 * value**3)))

    return [[of_one(value) for value in row] for row in x]


def softmax(row):
    largest = max(row)
    powers = [math.exp(value - largest) for value in row]
    return [power / sum(powers) for power in powers]


def embedding(ids, positions, wte, wpe):
    return [[a + b for a, b in zip(wte[i], wpe[p], strict=True)] for i, p in zip(ids, positions, strict=True)]


def attend(qkv, lengths, heads, causal=True, keep=None, rate=0.0):
    """keep[b][h][t][u] says whether dropout kept the entry of the pattern; None keeps all."""
    D = len(qkv[0]) // 3 if qkv else 0
    K = D // heads
    y = []
    start = 0
    for b, T in enumerate(lengths):
        rows = qkv[start : start + T]
        start += T
        for t in range(T):
            out = []
            for h in range(heads):
                query = rows[t][h * K : (h + 1) * K]
                visible = range(t + 1) if causal else range(T)
                scores = []
                for u in visible:
                    key = rows[u][D + h * K : D + (h + 1) * K]
                    scores.append(sum(a * c for a, c in zip(query, key, strict=True)) / math.sqrt(K))
                weights = softmax(scores)
                if keep is not None:
                    weights = [
                        w * keep[b][h][t][u] / (1 - rate) for u, w in zip(visible, weights, strict=True)
                    ]
                for k in range(K):
                    out.append(
                        sum(w * rows[u][2 * D + h * K + k] for u, w in zip(visible, weights, strict=True))
                    )
            y.append(out)
    return y


def attention(x, weights, lengths, heads, causal=True):
    qkv = linear(x, weights["c_attn.weight"], weights["c_attn.bias"])
    z = attend(qkv, lengths, heads, causal)
    return linear(z, weights["c_proj.weight"], weights["c_proj.bias"])


def mlp(x, weights):
    wide = gelu(linear(x, weights["c_fc.weight"], weights["c_fc.bias"]))
    return linear(wide, weights["c_proj.weight"], weights["c_proj.bias"])


def add(x, y):
    return [[a + b for a, b in zip(row, other, strict=True)] for row, other in zip(x, y, strict=True)]


def part(weights, prefix):
    return {name[len(prefix) :]: weight for name, weight in weights.items() if name.startswith(prefix)}


def block(x, weights, lengths, heads, causal=True, eps=1e-5):
    normed = layernorm(x, weights["ln_1.weight"], weights["ln_1.bias"], eps)
    h = add(x, attention(normed, part(weights, "attn."), lengths, heads, causal))
    normed = layernorm(h, weights["ln_2.weight"], weights["ln_2.bias"], eps)
    return add(h, mlp(normed, part(weights, "mlp.")))


def hidden_states(sentences, parameters, layers, heads, causal=True, eps=1e-5):
    """The embeddings, what leaves each block, and, last, what leaves the final layernorm: L+2 lists."""
    ids = [i for sentence in sentences for i in sentence]
    positions = [p for sentence in sentences for p in range(len(sentence))]
    lengths = [len(sentence) for sentence in sentences]
    states = [embedding(ids, positions, parameters["wte.weight"], parameters["wpe.weight"])]
    for i in range(layers):
        states.append(block(states[-1], part(parameters, f"h.{i}."), lengths, heads, causal, eps))
    states.append(layernorm(states[-1], parameters["ln_f.weight"], parameters["ln_f.bias"], eps))
    return states


def pooling(x, lengths, kind, skipped=0):
    """`skipped` tokens stand before each sentence's first row and are left out, but counted."""
    D = len(x[0]) if x else 0
    y = []
    start = 0
    for T in lengths:
        rows = x[start : start + T]
        start += T
        if T == 0:
            y.append([0.0] * D)
        elif kind == "mean":
            y.append([sum(row[d] for row in rows) / T for d in range(D)])
        elif kind == "weighted_mean":
            places = [skipped + t + 1 for t in range(T)]
            y.append([sum(places[t] / sum(places) * rows[t][d] for t in range(T)) for d in range(D)])
        elif kind == "last":
            y.append(rows[-1])
        elif kind == "max":
            y.append([max(row[d] for row in rows) for d in range(D)])
        else:
            raise AssertionError(kind)
    return y


def normalize(x):
    y = []
    for row in x:
        length = math.sqrt(sum(value * value for value in row))
        y.append([value / length if length else 0.0 for value in row])
    return y


def cross_entropy(logits, targets):
    losses = [-math.log(softmax(row)[target]) for row, target in zip(logits, targets, strict=True)]
    return sum(losses) / len(losses)
