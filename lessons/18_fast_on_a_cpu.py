# %% [markdown]
# # 18 · Fast on a CPU
#
# Advanced · 50 minutes
#
# **After this lesson you can**
#
# - say how fast a model could be on your machine, before you optimise it
# - climb from a simple loop to code near that limit, and know what each step
#   brought
# - tell the steps that help from those that only sound good
#
# The same numbers can be computed in many ways, and the slowest and the
# fastest of this lesson are many times apart, in the same language, with the
# same library, on the same processor. No step needs C or a GPU. We write each
# rung of the ladder ourselves, in NumPy, and measure it; and each must give
# what the package gives: fast and wrong is easy.
#
# Your numbers will differ from those of others: every processor has its own
# ladder. The text says only what should hold on all of them.
# %%
import math
import time

import numpy as np

import minigpt2
from minigpt2 import TokenBatch
from minigpt2.datasets import read_pairs
from minigpt2.learn import claim, data_file, show
from minigpt2.views import Bars, Lines

# %%
encoder = minigpt2.load()
model, config = encoder.model, encoder.model.config
pairs = read_pairs(data_file("test.tsv"))
texts = list(dict.fromkeys(pairs.first + pairs.second))[:160]
ids = encoder.token_ids(texts)[0]
lengths = [len(sentence) for sentence in ids]
claim("sentences", len(ids))
claim("tokens", sum(lengths))
# %% [markdown]
# ## A clock that can be trusted
#
# On a computer that does other things as well, the time on the wall says how
# busy it was. We count *CPU seconds* (`time.process_time`): what the cores
# have worked for us. And we take the best of several runs, since noise only
# ever makes things slower. (NumPy's products may run on several cores. On a
# busy computer these wait for each other, and waiting counts as work. Set
# `OPENBLAS_NUM_THREADS=1` before you start Python, and your numbers are
# cleaner.)
#
# `rung` measures a way to compute all sentences and enters its speed into the
# ladder.
# %%
ladder = {}  # name -> sentences in a CPU second


def cpu_seconds(run, rounds=3):
    best = math.inf
    for _ in range(rounds):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def rung(name, run, share=1.0, rounds=3):
    """`run` computes this share of the sentences."""
    speed = share * len(ids) / cpu_seconds(run, rounds)
    ladder[name] = max(speed, ladder.get(name, 0.0))
    print(f"{name}: {speed:.0f} sentences in a CPU second")


# %% [markdown]
# ## How fast could it be?
#
# Nearly all arithmetic of a GPT-2 is products with its weights: each weight
# is multiplied and added once for each token, which is two operations
# (*FLOPs*). A block of width D has 12·D² weights in its matrices: 3·D² for
# queries, keys and values, D² behind attention, and 4·D² twice in the MLP,
# whose inner width F is 4·D.
#
# **Predict:** how many million FLOPs does one token cost in a model of width
# 256 with six layers?
#
# <!-- given: 12; 3; 4; 256 -->
# %%
D, L, F = config.D, config.L, config.F
flops = 2 * 12 * D * D * L
claim("million FLOPs of a token", flops / 1e6)
x = np.ones((1024, D), dtype=np.float32)
w = np.ones((D, F), dtype=np.float32)
peak = 2 * 1024 * D * F / cpu_seconds(lambda: x @ w, 20)
print(f"this machine multiplies at {peak / 1e9:.0f} GFLOP/s a core")
limit = peak * len(ids) / (flops * sum(lengths))
print(f"limit: {limit:.0f} sentences in a CPU second")


# %% [markdown]
# 9.4 million. And one large product with weights of the model's size tells
# how many FLOPs this processor does a second when nothing holds it up (a
# *GFLOP* is a thousand million). Together they are the limit: whatever we do
# in float32, it will be no more sentences a second than this. Note your
# number; it is what we climb towards.
#
# <!-- claims: 9.4 = million FLOPs of a token -->
#
# ## Rung one: the simple loop
#
# One sentence at a time, one head at a time, formulas as in the papers. Many
# GPT-2s in NumPy look like this, and to read it is a pleasure.
# %%
def norm(x, gain, bias):
    centred = x - x.mean(-1, keepdims=True)
    return gain * centred / np.sqrt(x.var(-1, keepdims=True) + 1e-5) + bias


def soft(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gelu_as_written(x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + np.tanh(inner))


# %%
def weights_of(layer):
    part = model.parameters.subset(f"h.{layer}.")
    names = ("ln_1", "attn.c_attn", "attn.c_proj")
    names += ("ln_2", "mlp.c_fc", "mlp.c_proj")
    return [(part[f"{n}.weight"], part[f"{n}.bias"]) for n in names]


layers = [weights_of(layer) for layer in range(L)]
table = model.parameters["wte.weight"], model.parameters["wpe.weight"]
ln_f = model.parameters["ln_f.weight"], model.parameters["ln_f.bias"]


# %%
def attend_simply(qkv):
    q, k, v = np.split(qkv, 3, axis=-1)
    hidden = (1 - np.tri(len(qkv), dtype=np.float32)) * np.float32(-1e10)
    heads = []
    for h in range(config.H):
        mine = slice(h * config.K, (h + 1) * config.K)
        scores = q[:, mine] @ k[:, mine].T / math.sqrt(config.K) + hidden
        heads.append(soft(scores) @ v[:, mine])
    return np.hstack(heads)


# %%
def simple(sentence, gelu):
    x = table[0][sentence] + table[1][: len(sentence)]  # (T, D)
    for ln_1, qkv, out, ln_2, up, down in layers:
        y = norm(x, *ln_1) @ qkv[0] + qkv[1]  # (T, 3·D)
        x = x + attend_simply(y) @ out[0] + out[1]  # (T, D)
        y = gelu(norm(x, *ln_2) @ up[0] + up[1])  # (T, F)
        x = x + y @ down[0] + down[1]  # (T, D)
    return norm(x, *ln_f)


def by_package(batch):
    return model.forward(batch)[0]


right = by_package(TokenBatch([ids[0]]))
assert np.allclose(simple(ids[0], gelu_as_written), right, atol=1e-4)
# %% [markdown]
# It gives the same numbers as the package.
#
# **Predict:** what share of the limit does it reach? Half, a quarter, a
# tenth?
# %%
some = ids[::4]  # it is slow: a quarter of the sentences
share = sum(map(len, some)) / sum(lengths)


def run_simple(gelu):
    for sentence in some:
        simple(sentence, gelu)


rung("simple loop", lambda: run_simple(gelu_as_written), share, 1)
claim("share of the limit, simple loop", ladder["simple loop"] / limit)
# %% [markdown]
# A small share, on most machines a tenth or so. The processor spends most of
# its time on something that is not the products. Guessing at this point is
# what most people do; measuring costs a minute.
#
# <!-- claims: 'A small share' = share of the limit, simple loop < 0.5 -->
#
# ## Rung two: find the one slow line
#
# **Predict:** which of these is the slowest, for 512 rows: the product, the
# layernorm, or GELU?
#
# <!-- given: 512 -->
# %%
rng = np.random.default_rng(0)
x = rng.normal(size=(512, D)).astype(np.float32)
wide = rng.normal(size=(512, F)).astype(np.float32)
(gain, bias), up = layers[0][3], layers[0][4][0]
milliseconds = {
    "product (512, D) · (D, F)": cpu_seconds(lambda: x @ up, 40),
    "layernorm": cpu_seconds(lambda: norm(x, gain, bias), 9),
    "GELU as written": cpu_seconds(lambda: gelu_as_written(wide), 9),
    "x**3 alone": cpu_seconds(lambda: wide**3, 9),
    "x*x*x": cpu_seconds(lambda: wide * wide * wide, 9),
}
values = [1e3 * s for s in milliseconds.values()]
show(Bars(list(milliseconds), values, digits=2, caption="milliseconds"))
claim("GELU against the product", values[2] / values[0])
claim("x**3 against x*x*x", values[3] / values[4])
# %% [markdown]
# `x**3` is many times slower than `x*x*x`: a power calls a general function
# for each number, with a logarithm and an exponential in it. The product,
# with its hundreds of operations for each number that it makes, takes *less*
# time than the GELU behind it. So we multiply, as the package does
# (`minigpt2/layers/gelu.py`, `_tanh_u`).
#
# **Predict:** we change this one line. How much faster is the whole model?
#
# <!-- claims: 'many times slower' = x**3 against x*x*x > 3; 'takes *less*' =
# GELU against the product > 1 -->
# %%
from minigpt2.layers.gelu import CUBIC, SQRT_2_OVER_PI, gelu


def gelu_by_products(x):
    inner = SQRT_2_OVER_PI * (x + CUBIC * (x * x * x))
    return 0.5 * x * (1 + np.tanh(inner))


assert np.allclose(gelu_by_products(wide), gelu(wide)[0], atol=1e-5)
rung("no power", lambda: run_simple(gelu_by_products), share, 2)
claim("gain of one line", ladder["no power"] / ladder["simple loop"])


# %% [markdown]
# One line, and the whole model is clearly faster.
#
# <!-- claims: 'clearly faster' = gain of one line > 1.2 -->
#
# ## Rung three: fewer, larger operations
#
# For every sentence and layer the loop above calls a product for each head. A
# call of NumPy costs a microsecond or more, whatever its size (lesson 17
# counts them). We put all heads into one array and call once. While we are at
# it, the function takes a `TokenBatch`, one sentence or several: sentences of
# equal length T are a *group* of n (lesson 04), and the package's
# `heads_of_groups` cuts the rows of each group into queries, keys and values
# of shape (n, H, T, K).
# %%
from minigpt2.layers.attention import heads_of_groups, merge_heads


def attend_at_once(qkv, batch):
    z = np.empty((batch.N, D), dtype=np.float32)
    for group, q, k, v in heads_of_groups(qkv, batch, config.H):
        scores = q @ k.swapaxes(2, 3) / math.sqrt(config.K)  # (n, H, T, T)
        mask = 1 - np.tri(group.T, dtype=np.float32)  # (T, T)
        pattern = soft(scores + mask * np.float32(-1e10))
        z[group.rows] = merge_heads(pattern @ v)  # (n·T, D)
    return z


# %%
def by_batch(batch):
    x = table[0][batch.ids] + table[1][batch.positions]  # (N, D)
    for ln_1, qkv, out, ln_2, up, down in layers:
        y = norm(x, *ln_1) @ qkv[0] + qkv[1]  # (N, 3·D)
        x = x + attend_at_once(y, batch) @ out[0] + out[1]  # (N, D)
        y = gelu_by_products(norm(x, *ln_2) @ up[0] + up[1])  # (N, F)
        x = x + y @ down[0] + down[1]  # (N, D)
    return norm(x, *ln_f)


several = TokenBatch(ids[:9])
assert np.allclose(by_batch(several), by_package(several), atol=1e-3)


# %% [markdown]
# **Predict:** one sentence at a time, but all its heads at once: is that a
# large step?
# %%
def one_by_one():
    for sentence in some:
        by_batch(TokenBatch([sentence]))


rung("all heads at once", one_by_one, share, 2)
claim("gain of heads", ladder["all heads at once"] / ladder["no power"])
claim("tokens of a sentence", np.mean(lengths))


# %% [markdown]
# Hardly a step at all. "Never write a loop in Python" is good advice where
# there are thousands of rounds; here there were four, one for each head, and
# the more general code (sentences of any lengths) eats a part of what they
# cost. What really holds us up is elsewhere: there are only some sixteen rows
# in each product, and for each such product all weights come from memory into
# the processor. Several sentences at once would share that trip.
#
# <!-- claims: 'Hardly a step' = gain of heads < 5; 'some sixteen rows' =
# tokens of a sentence > 14; 'only some sixteen' = tokens of a sentence < 18
# -->
#
# ## Rung four: batches, as everybody makes them
#
# Sentences differ in length, a matrix has one width: so short sentences are
# filled up, *padded*, to the longest of the batch.
#
# **Predict:** in batches of 32 sentences in the order of the file, what share
# of the rows is padding?
#
# <!-- given: 32 -->
# %%
def padded(sentences):
    longest = max(map(len, sentences))
    return [s + [0] * (longest - len(s)) for s in sentences]


groups = [ids[start : start + 32] for start in range(0, len(ids), 32)]
padded_batches = [TokenBatch(padded(group)) for group in groups]
rows = sum(batch.N for batch in padded_batches)
claim("share of padding", 1 - sum(lengths) / rows)
rung("padded", lambda: [by_batch(batch) for batch in padded_batches])
claim("gain of batches", ladder["padded"] / ladder["all heads at once"])
# %% [markdown]
# A third of all rows is padding, computed with all care and thrown away. It
# eats much of what the batch has won; how much is left on your machine is the
# number above, where 1 means nothing.
#
# <!-- claims: 'A third of all rows' = share of padding > 0.25 -->
# <!-- given: 1 -->
#
# ## Rung five: pack instead of pad
#
# Nothing but attention and pooling needs to know where a sentence begins. So
# the rows of all sentences can lie in one matrix, one sentence behind the
# other (lesson 04, `minigpt2/ragged.py`), and the padding is gone.
#
# **Predict:** without the padding, by how much should this be faster?
# %%
packed = [TokenBatch(group) for group in groups]
assert sum(batch.N for batch in packed) == sum(lengths)
rung("packed", lambda: [by_batch(batch) for batch in packed])
claim("padding saved", ladder["packed"] / ladder["padded"])
claim("if time were rows", rows / sum(lengths))
# %% [markdown]
# Clearly, and about by the rows that were saved: compare the last two
# numbers. It is rare that a gain can be predicted so simply.
#
# <!-- claims: 'rows that were saved' = if time were rows > 1.4 -->
#
# ## Rung six: sort
#
# Attention works on groups of sentences of equal length: in a batch in random
# order there are many small groups, in a sorted one few large ones. The
# package sorts, and cuts batches by their tokens, not by their sentences
# (`minigpt2/encoder.py`, `batches_by_length`).
#
# **Predict:** sorting sounds right. Is it a large step or a small one?
# %%
from minigpt2.encoder import batches_by_length


def sorted_batches(most):
    groups = batches_by_length(lengths, 1024, most)
    return [TokenBatch([ids[row] for row in rows]) for rows in groups]


by_length = sorted_batches(1024)
groups_before = sum(len(b.groups_of_equal_length()) for b in packed)
groups_after = sum(len(b.groups_of_equal_length()) for b in by_length)
claim("groups, unsorted", groups_before)
claim("groups, sorted", groups_after)
rung("sorted", lambda: [by_batch(batch) for batch in by_length])
claim("gain of sorting", ladder["sorted"] / ladder["packed"])
# %% [markdown]
# From 66 groups to 21, and little to show for it: attention is a small part
# of the time when sentences are short. With padding, sorting would have been
# a large step, since it removes most of the padding; ours is gone already.
# Ways to be fast are not independent, and the order in which you try them
# decides which one looks good.
#
# <!-- claims: 66 = groups, unsorted; 21 = groups, sorted; 'little to show' =
# gain of sorting < 5 -->
#
# ## Where is the time now?
#
# The package's layers, as they are written, do the same steps as `by_batch`.
# `forward_times` runs each of them again on the input that it had, with a
# clock around it. (`use_kernels` keeps the package from taking the faster
# versions that it has of them, in `minigpt2/kernels/`.)
# Its last bar, `other`, is what a whole pass takes beyond those steps: the
# Python between them, for one.
#
# **Predict:** which share do the products with weights have by now?
# %%
from minigpt2 import use_kernels
from minigpt2.interpret.times import forward_times

with use_kernels("explicit"):
    times = forward_times(encoder, by_length[0], repeats=3)
values = [1e3 * s for s in times.values()]
show(Bars(list(times), values, digits=1, caption="milliseconds"))
products = times["qkv"] + times["projection"] + times["mlp"]
claim("share of the products", products / sum(times.values()))


# %% [markdown]
# Most of it is products (`qkv`, `projection`, `mlp`), as it should be, and
# those are not ours to improve: they are NumPy's *BLAS*, a library that
# people have tuned by hand for decades. What is left to gain is the rest:
# layernorm, GELU, attention, and all the arrays that are made and thrown away
# between them.
#
# <!-- claims: 'Most of it' = share of the products > 0.3 -->
#
# ## Rung seven: stay in the cache
#
# A core reads from its own small memory, the *cache*, many times faster than
# from main memory. GELU on (1024, 1024) numbers makes nine arrays of four
# megabytes each (lesson 17 counts them): each is written to main memory and
# read back. Work on some rows at a time, in place, with scratch memory that
# is used again, and everything stays in the cache.
# %%
def add_bias_and_gelu(x, bias, block=64):
    """x (N, F) is overwritten with gelu(x + bias)."""
    scratch = np.empty((block, x.shape[1]), dtype=x.dtype)
    for start in range(0, len(x), block):
        v = x[start : start + block]  # a view: no copy
        u = scratch[: len(v)]
        v += bias
        np.multiply(v, v, out=u)
        u *= SQRT_2_OVER_PI * CUBIC
        u += SQRT_2_OVER_PI
        u *= v  # sqrt(2/π) · (v + 0.044715 · v³)
        np.tanh(u, out=u)
        u += 1.0
        u *= 0.5
        v *= u


# %%
wide = rng.normal(size=(1024, F)).astype(np.float32)
bias = rng.normal(size=F).astype(np.float32)
ours = wide.copy()
add_bias_and_gelu(ours, bias)
assert np.allclose(ours, gelu_by_products(wide + bias), atol=1e-6)
# %% [markdown]
# **Predict:** blocks of 1 row, 16, 64, 256, or all 1024 at once: which is the
# fastest? And which the slowest?
#
# <!-- given: 1; 16; 64; 256; 1024 -->
# %%
sizes = [1, 4, 16, 64, 256, 1024]
scratch = wide.copy()
took = [
    1e3 * cpu_seconds(lambda b=b: add_bias_and_gelu(scratch, bias, b), 7)
    for b in sizes
]
plain = 1e3 * cpu_seconds(lambda: gelu_by_products(wide + bias), 7)
curves = {"in blocks": took, "array by array": [plain] * len(sizes)}
names = [f"{size}" for size in sizes]
show(Lines(curves, x=names, y_label="ms, by rows of a block", low=0.0))
claim("gain of blocks", plain / min(took))
claim("blocks of one row against the best", took[0] / min(took))


# %% [markdown]
# Single rows pay for the calls; after that the curve is flat for long, and
# the exact place of the best does not matter much. Whether all rows at once
# are slower again depends on how large the cache of your processor is. And
# the same arithmetic, on the same numbers, is clearly faster than array by
# array, on many machines several times: what costs time is where the numbers
# lie and how much fresh memory is asked for, not what is computed with them.
#
# <!-- claims: 'Single rows pay' = blocks of one row against the best > 1.05;
# 'clearly faster' = gain of blocks > 1.2 -->
#
# ## Rung eight: nothing twice, nothing new
#
# Three more things, and then we put all together:
#
# - **Fold.** Layernorm ends with `· gain + bias`, and a product follows. Gain
#   and bias can be multiplied into the weights once, when the model is
#   loaded. So can the division of the scores by the root of K.
# - **Add in place.** `x += y` makes no new array.
# - **Buffers.** `np.matmul(x, w, out=y)` writes into an array that is there.
#   To ask the system for fresh memory, and to touch it for the first time,
#   costs about as much as to write it.
# %%
def fold(norm, linear, queries=False):
    """(x̂·gain + bias)·W + b = x̂·(gain·W) + (bias·W + b)"""
    (gain, bias), (weight, b) = norm, linear
    weight, b = gain[:, None] * weight, bias @ weight + b
    if queries:  # the first D columns, for the scores' 1/sqrt(K)
        weight[:, :D] /= math.sqrt(config.K)
        b[:D] /= math.sqrt(config.K)
    return weight, b


folded = [
    (fold(ln_1, qkv, queries=True), out, fold(ln_2, up), down)
    for ln_1, qkv, out, ln_2, up, down in layers
]
# %%
mean_of = np.full(D, 1 / D, dtype=np.float32)


def standardise(x, out, block=128):
    """Each row of x to mean 0 and variance 1, into `out`."""
    for start in range(0, len(x), block):
        y = out[start : start + block]
        rows = x[start : start + block]
        np.subtract(rows, (rows @ mean_of)[:, None], out=y)
        y *= 1 / np.sqrt(np.vecdot(y, y) / D + 1e-5)[:, None]


# %%
def attend_in_place(qkv, batch, z):
    for group, q, k, v in heads_of_groups(qkv, batch, config.H):
        scores = q @ k.swapaxes(2, 3)  # (n, H, T, T), divided already
        hidden = np.triu(np.full((group.T, group.T), -np.inf), 1)
        scores += hidden.astype(np.float32)
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(-1, keepdims=True)
        z[group.rows] = merge_heads(scores @ v)


# %%
most = max(batch.N for batch in by_length + packed)
buffers = [np.empty((most, w), np.float32) for w in (D, D, 3 * D, F)]


# %%
def fast(batch):
    y, z, qkv, wide = (buffer[: batch.N] for buffer in buffers)
    x = table[0][batch.ids] + table[1][batch.positions]  # (N, D)
    for first, out, up, down in folded:
        standardise(x, y)
        np.matmul(y, first[0], out=qkv)
        qkv += first[1]
        attend_in_place(qkv, batch, z)
        x += np.matmul(z, out[0], out=y)
        x += out[1]
        standardise(x, y)
        add_bias_and_gelu(np.matmul(y, up[0], out=wide), up[1])
        x += np.matmul(wide, down[0], out=y)
        x += down[1]
    return norm(x, *ln_f)


# %% [markdown]
# First: is it right? Then: **Predict:** how near to the limit does it come?
# %%
for batch in [*by_length, packed[0]]:
    assert np.allclose(fast(batch), by_package(batch), atol=1e-3)
rung("folded, in place, in blocks", lambda: [fast(b) for b in by_length])
best = ladder["folded, in place, in blocks"]
claim("gain of the last rung", best / ladder["sorted"])
claim("share of the limit", best / limit)
claim("from the first rung to the last", best / ladder["simple loop"])
rung("the package's encode", lambda: encoder.encode(texts))
names, values = list(ladder), list(ladder.values())
bars = Bars([*names, "limit"], [*values, limit], digits=0)
show(bars)
# %% [markdown]
# Several times as fast as the loop that we began with, and a good part of
# what the processor could do if there were nothing but products. Each rung
# was measured, and their sizes are not what one would have guessed: one line
# with a power in it was worth a large step, and heads without a loop and
# sorting, which every guide recommends, brought little here. (For comparison,
# the last bar but one is what `encode` of your version of the package does,
# in `minigpt2/inference/plan.py`. It cuts the texts into tokens as well. And
# where texts begin alike it computes the beginning once: in a causal model
# its tokens are the same whatever comes after them, see
# `minigpt2/inference/chunks.py`.)
#
# <!-- claims: 'Several times as fast' = from the first rung to the last > 3;
# 'a good part' = share of the limit > 0.03; 'a large step' = gain of one line
# > 1.2; 'brought little' = gain of sorting < 5 -->
#
# ## Larger batches?
#
# **Predict:** is a batch of all tokens at once the fastest?
# %%
sizes = [64, 256, 1024, 4096]
speeds = []
for size in sizes:
    batches = sorted_batches(size)
    need = max(batch.N for batch in batches)
    buffers = [np.empty((need, w), np.float32) for w in (D, D, 3 * D, F)]
    cost = cpu_seconds(lambda bs=batches: [fast(b) for b in bs], 1)
    speeds.append(len(ids) / cost)
names = [f"{size} tokens" for size in sizes]
show(Bars(names, speeds, digits=0, caption="sentences in a CPU second"))
claim("4096 tokens against 256", speeds[-1] / speeds[1])
# %% [markdown]
# From some hundred tokens on it matters little: the processor has its hands
# full. On a GPU the answer is another one (lesson 17).
#
# <!-- claims: 'matters little' = 4096 tokens against 256 < 10 -->
#
# ## And one sentence alone?
#
# **Predict:** how much of the gain is left if there is only one sentence?
# %%
one = TokenBatch([ids[0]])
slow = cpu_seconds(lambda: by_batch(one), 20)
quick = cpu_seconds(lambda: fast(one), 20)
print(f"by_batch {1e3 * slow:.1f} ms, fast {1e3 * quick:.1f} ms")
claim("gain for one sentence", slow / quick)
megabytes = 4 * 12 * D * D * L / 1e6
claim("megabytes of weights", megabytes)
share = best / (1 / quick)
claim("one sentence alone, against one in a batch", share)
# %% [markdown]
# Little. A sentence alone costs more than one in a batch, and none of the
# rungs cures that: for so few tokens the 19 megabytes of weights must come
# through the processor all the same. What can help there, and is not measured
# here, is to read them faster, in the order in which they are needed
# (`minigpt2/inference/short.py`), or to have fewer bytes: weights in 16 or 8
# bits.
#
# <!-- claims: 19 = megabytes of weights; 'Little' = gain for one sentence <
# 20; 'costs more than one in a batch' = one sentence alone, against one in a
# batch > 0.7 -->
# <!-- given: 16; 8 -->
#
# ## Three things to remember
#
# - Compute the limit first. It says whether a factor of ten is to be had or
#   ten per cent.
# - Then measure, and mend the slowest line; it is rarely the one that you
#   expect. Advice from elsewhere, this lesson's too, is a guess until then.
# - Few large operations, no padding, nothing made twice, and what is in the
#   cache stays there. And the result is compared at every rung.
#
# ## Exercises
#
# - `18_batches_by_length` (intermediate): cut texts into batches, and bring
#   the results back into order.
# - `18_fold_the_weights` (intermediate): do at load what would be done for
#   every token.
# - `18_gelu_in_blocks` (advanced): GELU over its input, with scratch memory
#   for one block.
#
# Links: `minigpt2/encoder.py` (`batches_by_length`), `minigpt2/ragged.py`
# (`TokenBatch`, `groups_of_equal_length`), `minigpt2/layers/gelu.py`
# (`gelu`), `minigpt2/layers/attention.py` (`heads_of_groups`, `merge_heads`),
# `minigpt2/layers/layernorm.py`, `minigpt2/layers/linear.py`,
# `minigpt2/interpret/times.py` (`forward_times`),
# `minigpt2/kernels/__init__.py` (`use_kernels`),
# `minigpt2/inference/plan.py` (`run_chunk`),
# `minigpt2/inference/chunks.py` (`make_chunks`),
# `minigpt2/inference/first.py` (`token_sums`),
# `minigpt2/inference/attention.py` (`ChunkAttention`),
# `minigpt2/inference/folding.py` (`fold_block`),
# `minigpt2/inference/short.py` (`ShortPlan`)
