# %% [markdown]
# # 10 · The chain rule with arrays
#
# Intermediate · 50 minutes
#
# **After this lesson you can**
#
# - derive the backward of a layer from its forward, by shapes and by sums
# - write it for linear, softmax, layernorm and attention, and check it
#   against the package
# - put your own backward into a running model and see it train exactly as
#   before
#
# Training asks one question about each of a model's numbers: if I make this
# number a little larger, how much larger does the loss become? The answer is
# a slope, and the slopes of all numbers together are the *gradient*. Our
# small model has nine million numbers, and one walk backwards through its
# layers finds all nine million slopes. This lesson does that walk by hand.
# You need the idea of a slope, from school, and nothing else.
# %%
import math
import time

import numpy as np

import minigpt2
from minigpt2.learn import claim, show
from minigpt2.views import Bars, HeatMap, Lines, Table

rng = np.random.default_rng(0)


# %% [markdown]
# ## A slope, by trying
#
# To find how steep a function is at x, step a little to both sides and
# divide: `(f(x + h) − f(x − h)) / 2h`.
#
# The *chain rule*: if x makes u, and u makes y, then the slope of y by x is
# the product of the two slopes. We build a chain of three steps.
#
# **Predict:** `u = 3x`, `v = u + 1`, `y = v²`. At `x = 2`, how many times as
# fast as x does y grow?
# %%
def f(x):
    u = 3 * x  # slope 3
    v = u + 1  # slope 1
    return v * v  # slope 2·v


x, h = 2.0, 1e-5
claim("slope by trying", (f(x + h) - f(x - h)) / (2 * h))
claim("slope by the chain rule", 2 * (3 * x + 1) * 1 * 3)


# %% [markdown]
# 42 both ways: 14 for the last step, times 1, times 3. A product may be taken
# in any order. *Backpropagation* begins at the end, where there is a single
# number, the loss: what has been multiplied so far then serves everything
# that lies further back, however many numbers that are.
#
# <!-- claims: 42 = slope by trying; 42 = slope by the chain rule -->
# <!-- given: 14; 1; 3 -->
#
# ## Arrays, and a name for the gradient
#
# Let L be the loss, one number. For an array x we write `dx` for the array of
# all slopes ∂L/∂x: **dx has the shape of x**, and dx[n, d] says how many
# times as fast as x[n, d] the loss grows. A layer's backward is given `dy`,
# the slopes by its output, and returns `dx`, the slopes by its input. It
# never needs to know what comes after it.
#
# To check what we derive, we need the slopes by trying, entry by entry.
# %%
def slopes(loss, x, h=1e-5):
    """∂loss()/∂x for every entry of x, by nudging it up and down."""
    dx = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + h
        above = loss()
        x[place] = kept - h
        dx[place] = (above - loss()) / (2 * h)
        x[place] = kept
    return dx


# %% [markdown]
# To test a layer alone, we need some loss after it. We take L = Σ y · dy with
# random numbers `dy`: then the slope of L by each y is just the number beside
# it, which is how `dy` comes to its name.
#
# ## Linear
#
# The forward, with N rows:
#
#     y[n, j] = Σ_i x[n, i] · W[i, j] + b[j]
#
# Where does one weight W[i, j] turn up? In column j of every row n, and each
# time it is multiplied by x[n, i]. So if it grows a bit, y[n, j] grows by
# x[n, i], and L by x[n, i] · dy[n, j], summed over all rows:
#
#     dW[i, j] = Σ_n x[n, i] · dy[n, j]        dW = xᵀ · dy
#
# In the same way, x[n, i] turns up in all columns j of its row: dx = dy · Wᵀ.
# And b[j] in every row: a sum over n.
#
# **Predict:** x is (5, 3), W is (3, 4), y and dy are (5, 4). Is there any
# other way to multiply x, W and dy (transposed if need be) that gives the
# shapes of dW and dx?
# %%
def linear(x, weight, bias):
    return x @ weight + bias, (x, weight)


def linear_backward(dy, ctx):
    x, weight = ctx
    return dy @ weight.T, x.T @ dy, dy.sum(axis=0)


x, W = rng.normal(size=(5, 3)), rng.normal(size=(3, 4))
b, dy = rng.normal(size=4), rng.normal(size=(5, 4))
y, ctx = linear(x, W, b)
dx, dW, db = linear_backward(dy, ctx)
print("dx", dx.shape, "dW", dW.shape, "db", db.shape)
# %%
from minigpt2 import layers


def loss():
    return (linear(x, W, b)[0] * dy).sum()


for name, array, gradient in [("x", x, dx), ("W", W, dW), ("b", b, db)]:
    off = np.abs(slopes(loss, array) - gradient).max()
    print(f"{name}: largest difference from trying {off:.0e}")
    assert off < 1e-8
of_package = layers.linear_backward(dy, layers.linear(x, W, b)[1])
assert all(map(np.allclose, (dx, dW, db), of_package))
# %%
arrays = {"x": x, "xᵀ": x.T, "W": W, "Wᵀ": W.T, "dy": dy, "dyᵀ": dy.T}
for a, left in arrays.items():
    for c, right in arrays.items():
        if left.shape[1] == right.shape[0] and a[0] != c[0]:
            print(f"{a:3} · {c:3} {(left @ right).shape}")
# %% [markdown]
# No: of all products of two of them, one has the shape (3, 4) of W, and one
# the shape (5, 3) of x, and they are the two that we have derived. When N, in
# and out are three different numbers, the shapes alone tell you the backward.
# (When they are equal, a wrong transpose goes unnoticed: so test with sizes
# that all differ.) The package does the same: `minigpt2/layers/linear.py`.
#
# ## What is used twice gets the sum
#
# If an array is used in two places, a nudge to it reaches the loss by two
# ways, and the slopes **add**. We have seen it already: a weight is used in
# every row, hence the sum over n. It is the only rule besides the chain rule.
#
# In an embedding table, a row is used as often as its token stands in the
# text.
#
# **Predict:** the ids are 3, 1, 3. NumPy's `dwte[ids] += dy` looks right. Is
# it?
#
# <!-- given: 3; 1 -->
# %%
ids, places = np.array([3, 1, 3]), np.arange(3)
wte, wpe = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
_, ctx = layers.embedding(ids, places, wte, wpe)
dy = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
right, _ = layers.embedding_backward(dy, ctx)
naive = np.zeros_like(wte)
naive[ids] += dy
print("row 3, right:", right[3], " naive:", naive[3])
assert not np.allclose(right, naive)
# %% [markdown]
# It is not: the naive way keeps only the last of the two gradients of token
# 3, without an error and without a warning. The package's
# `embedding_backward` uses `np.add.at`, which adds each one. A text in which
# no word is repeated would never show the difference.
#
# <!-- given: 3 -->
#
# ## One number at a time: GELU
#
# A function of single numbers is the easiest: dx is dy times its slope, entry
# by entry. The only thing to know is the slope. Here is GELU from lesson 06,
# and its slope by the package's `gelu_backward`.
#
# **Predict:** GELU lets large numbers through unchanged. Can its slope be
# larger than 1? Can it be below 0?
#
# <!-- given: 1; 0 -->
# %%
x = np.linspace(-4, 4, 41)[None]  # (1, 41)
y, ctx = layers.gelu(x)
slope = layers.gelu_backward(np.ones_like(x), ctx)  # (1, 41)
labels = [f"{value:.1f}" for value in x[0]]
show(Lines({"gelu": y[0], "its slope": slope[0]}, x=labels))
assert np.allclose(slope, slopes(lambda: layers.gelu(x)[0].sum(), x))
claim("largest slope", slope.max())
claim("smallest slope", slope.min())
# %% [markdown]
# Both: it goes up to 1.13 and down to −0.13. A gradient may come out of GELU
# a little larger than it went in, and a neuron at −1 or −2 is pushed the
# other way.
#
# <!-- claims: 1.13 = largest slope; −0.13 = smallest slope -->
# <!-- given: −1; −2 -->
#
# ## Softmax
#
# Softmax turns scores x into weights y that sum to one, so every score
# touches every weight. All slopes together are a table, the *Jacobian*. In
# `y_i = exp(x_i) / Σ exp` its own score stands above the line and below, any
# other score only below, so the quotient rule of school gives
#
#     ∂y_i / ∂x_j = y_i · (1 − y_i)    where i = j
#                 = −y_i · y_j         elsewhere
#
# %%
scores = np.array([[1.0, 2.0, 0.5, -1.0]])
y, ctx = layers.softmax(scores)
jacobian = np.diag(y[0]) - np.outer(y[0], y[0])  # (T, T)
names = ["1st", "2nd", "3rd", "4th"]
show(HeatMap(jacobian, rows=names, columns=names, diverging=True, digits=3))
tried = []
for i in range(4):
    weight_i = slopes(lambda i=i: layers.softmax(scores)[0][0, i], scores)
    tried.append(weight_i[0])
assert np.allclose(jacobian, tried)


# %% [markdown]
# Positive on the diagonal, negative elsewhere: raising a score raises its own
# weight and takes from all others. Every row sums to zero: raise *all* scores
# alike, and nothing changes.
#
# For T scores the Jacobian has T² entries; with attention's T² scores for
# each head one would not like to build it. Put it into the chain rule and
# simplify:
#
#     dx_j = Σ_i dy_i · ∂y_i/∂x_j = y_j · dy_j − y_j · Σ_i dy_i · y_i
#          = y_j · (dy_j − average)          average = Σ_i dy_i · y_i
#
# Read `dy` as wishes: how much L would grow with each weight. Then a score's
# slope is how much its weight is wanted *above the average wish*.
#
# **Predict:** the same wishes dy, but the scores are ten times as large, so
# softmax is nearly sure of its choice. Does the gradient get larger or
# smaller?
# %%
def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    y = e / e.sum(axis=-1, keepdims=True)
    return y, y


def softmax_backward(dy, y):
    average = (dy * y).sum(axis=-1, keepdims=True)
    return y * (dy - average)


# %%
wishes = np.array([[0.3, -0.5, 1.0, 0.2]])
assert np.allclose(softmax_backward(wishes, y), wishes @ jacobian)
lengths = []
for times in (1, 3, 10):
    y_sure, ctx = softmax(times * scores)
    gradient = softmax_backward(wishes, ctx)
    lengths.append(np.linalg.norm(gradient))
    print(f"scores × {times:2}: largest weight {y_sure.max():.5f}")
show(Bars(["× 1", "× 3", "× 10"], lengths, caption="length of dx", digits=5))
claim("how much shorter", lengths[0] / lengths[2])


# %% [markdown]
# Thousands of times smaller. Where softmax is sure, no gradient gets through,
# so it cannot learn that it is wrong. This is why attention divides its
# scores by sqrt(K): to keep softmax from being sure before it has learned
# anything.
#
# <!-- claims: 'Thousands of times smaller' = how much shorter > 1000 -->
#
# ## Layernorm
#
# For one row of D numbers (lesson 06):
#
#     x̂ = (x − mean) · rstd        rstd = 1 / sqrt(var + eps)
#     y = gain · x̂ + bias
#
# The last line is easy: dbias and dgain are sums over the rows, and dx̂ = dy
# · gain. The first is the hard one: x reaches x̂ by three ways, itself,
# through the mean and through rstd. Here is a way round the algebra. x̂ stays
# what it is when
#
# - all numbers of x grow by the same amount (*shift*: the direction of all
#   ones), or
# - x moves away from its mean in proportion (*stretch*: the direction of x̂
#   itself).
#
# A nudge in these two directions changes nothing (eps aside), so dx must have
# no part in them: take dx̂, remove its part along the ones and its part along
# x̂. (The ones and x̂ are at right angles and have the length sqrt(D), so the
# parts are `mean(dx̂)` and `x̂ · mean(dx̂ · x̂)`.) Any other nudge leaves
# mean and rstd as they are, and only gets multiplied by rstd:
#
#     dx = (dx̂ − mean(dx̂) − x̂ · mean(dx̂ · x̂)) · rstd
#
# **Predict:** what will Σ dx over a row be? And Σ dx · x̂?
# %%
def layernorm(x, gain, bias, eps=1e-5):
    centred = x - x.mean(axis=1, keepdims=True)
    var = (centred * centred).mean(axis=1, keepdims=True)
    rstd = 1 / np.sqrt(var + eps)
    x_hat = centred * rstd
    return x_hat * gain + bias, (x_hat, rstd, gain)


def layernorm_backward(dy, ctx):
    x_hat, rstd, gain = ctx
    dx_hat = dy * gain
    shift = dx_hat.mean(axis=1, keepdims=True)
    stretch = (dx_hat * x_hat).mean(axis=1, keepdims=True)
    dx = (dx_hat - shift - x_hat * stretch) * rstd
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


# %%
x, dy = rng.normal(size=(3, 6)), rng.normal(size=(3, 6))
gain, bias = rng.normal(size=6), rng.normal(size=6)
y, ctx = layernorm(x, gain, bias)
dx, dgain, dbias = layernorm_backward(dy, ctx)
tried = slopes(lambda: (layernorm(x, gain, bias)[0] * dy).sum(), x)
assert np.allclose(dx, tried, atol=1e-8)
_, ctx_of_package = layers.layernorm(x, gain, bias)
of_package = layers.layernorm_backward(dy, ctx_of_package)
assert all(map(np.allclose, (dx, dgain, dbias), of_package))
x_hat = ctx[0]
along_ones, along_x_hat = dx.sum(axis=1), (dx * x_hat).sum(axis=1)
claim("largest sum of a row", np.abs(along_ones).max())
claim("largest sum of dx times x̂", np.abs(along_x_hat).max())


# %% [markdown]
# Both are zero but for rounding and eps. The formula is right without a page
# of algebra: look for what a layer does not see, and take it out of the
# gradient. (Softmax does not see a common shift of its scores; look again how
# "average" does the same there. `normalize_backward` of lesson 11 is a third
# of the kind.)
#
# <!-- claims: 'Both are zero' = largest sum of a row < 1e-9; 'rounding and
# eps' = largest sum of dx times x̂ < 1e-3 -->
#
# ## Attention
#
# Nothing new is needed, only order. One head, one sentence of T tokens, from
# lesson 03:
#
#     scores  = q · kᵀ / sqrt(K)       (T, T), −inf where a token may not look
#     pattern = softmax(scores)        (T, T)
#     z       = pattern · v            (T, K)
#
# Backward takes the lines from the last to the first. The products go by the
# rule of the linear layer, the middle line by softmax.
#
# **Predict:** what must be done about the mask on the way back?
# %%
def attend(q, k, v):
    T, K = q.shape
    scores = np.where(np.tri(T) > 0, q @ k.T / math.sqrt(K), -np.inf)
    pattern, _ = softmax(scores)
    return pattern @ v, (q, k, v, pattern)


def attend_backward(dz, ctx):
    q, k, v, pattern = ctx
    dv = pattern.T @ dz  # z = pattern · v
    dpattern = dz @ v.T  # z = pattern · v
    dscores = softmax_backward(dpattern, pattern)  # pattern = softmax(…)
    dproduct = dscores / math.sqrt(q.shape[1])  # … / sqrt(K)
    return dproduct @ k, dproduct.T @ q, dv  # q · kᵀ


# %%
from minigpt2.ragged import TokenBatch

q, k, v, dz = rng.normal(size=(4, 5, 3))  # each (T, K)
z, ctx = attend(q, k, v)
ours = attend_backward(dz, ctx)
for name, array, gradient in zip("qkv", (q, k, v), ours, strict=True):
    tried = slopes(lambda: (attend(q, k, v)[0] * dz).sum(), array)
    assert np.allclose(gradient, tried, atol=1e-8), name
one_sentence = TokenBatch([[0, 0, 0, 0, 0]])
qkv = np.concatenate([q, k, v], axis=1)  # (T, 3·K)
_, ctx = layers.attend(qkv, one_sentence, heads=1)
dqkv = layers.attend_backward(dz, ctx)
assert np.allclose(np.concatenate(ours, axis=1), dqkv)
print("dq, dk, dv: as by trying, and as the package's")
# %% [markdown]
# Nothing: a hidden score has the weight 0, softmax's backward multiplies by
# that weight, and so its gradient is 0. The package does the same for all
# heads and sentences at once: `attend_backward` in
# `minigpt2/layers/attention.py`, and `attention_backward` with the two linear
# layers around it.
#
# <!-- given: 0 -->
#
# ### A parameter that cannot learn
#
# Each token's key is a product plus a bias, and the same key bias is added to
# the keys of all tokens.
#
# **Predict:** which of the three biases, those of the queries, keys and
# values, has the smallest gradient in the bundled model?
# %%
encoder = minigpt2.load()
model = encoder.model
sentences = ["the cat sleeps on the sofa", "prices are rising again"]
batch = TokenBatch(encoder.token_ids(sentences)[0])
hidden, ctx = model.forward(batch, keep=True)
gradients = model.parameters.zeros_like()
dhidden = rng.normal(size=hidden.shape).astype(np.float32)
model.backward(dhidden, ctx, gradients)
of_bias = gradients["h.3.attn.c_attn.bias"].reshape(3, -1)  # (3, D)
sizes = np.linalg.norm(of_bias, axis=1)
rows = list(zip(["queries", "keys", "values"], sizes, strict=True))
show(Table(["bias of the", "length of its gradient"], rows))
claim("keys against queries", sizes[1] / sizes[0])
# %% [markdown]
# That of the keys is zero, up to the rounding of float32. Adding c to every
# key adds q · c to *all* scores of a query, and softmax does not see a common
# shift. GPT-2 has carried these numbers in all its blocks since 2019, and
# they have never had any effect: 256 in each block of our model. You can
# leave them out and lose nothing.
#
# <!-- claims: 'is zero' = keys against queries < 1e-4 -->
# <!-- given: 256 -->
#
# ## A block, and why it has a residual stream
#
# A block adds its results to what came in: y = x + attention(…), then the
# same with the MLP (`mlp_backward`). So x is used twice, and by our rule the
# slopes add: `dx = dy + …` in `block_backward`. The gradient has a way past
# each block, unchanged.
#
# **Predict:** leave that straight way out on the way back, so that the
# gradient has to go through attention and MLP. On the way back from the last
# block, how much of it is left after five of the six?
# %%
from minigpt2.layers.block import block_backward


def through_the_layers_alone(dy, c):
    dx = layers.mlp_backward(dy, c.mlp)[0]
    dx = layers.layernorm_backward(dx, c.ln_2)[0]
    dx = layers.attention_backward(dx, c.attn)[0]
    return layers.layernorm_backward(dx, c.ln_1)[0]


def lengths_of_gradient(step):
    hidden, ctx = model.forward(batch, keep=True)
    dx = np.random.default_rng(0).normal(size=hidden.shape)
    lengths = [np.linalg.norm(dx)]
    for of_block in reversed(ctx.blocks):
        dx = step(dx, of_block)
        lengths.append(np.linalg.norm(dx))
    return np.array(lengths) / lengths[0]


# %%
kept = lengths_of_gradient(lambda dy, c: block_backward(dy, c)[0])
lost = lengths_of_gradient(through_the_layers_alone)
curves = {"with the residual": np.log10(kept), "without": np.log10(lost)}
at = ["out", *(f"{i} back" for i in range(1, 7))]
show(Lines(curves, x=at, y_label="log10 of the length of the gradient"))
claim("left after five blocks with it", kept[5])
claim("left after five blocks without", lost[5])
claim("most that a block leaves without", (lost[1:6] / lost[:5]).max())
_, ctx = model.forward(batch, keep=True)
claim("rstd of the first", ctx.blocks[0].ln_1.rstd.mean())
claim("rstd of the second", ctx.blocks[1].ln_1.rstd.mean())
# %% [markdown]
# Without the straight way each block lets a third through at most, and after
# five blocks less than a thousandth arrives. With it the gradient does not
# shrink at all: it grows a little with each block. (The jump in the last step
# has another reason: the embedding rows are small, the first layernorm
# stretches them to size, and its slope is that stretch: an rstd of 19, where
# the second block has 1.5.) That plus sign is what made very deep models
# trainable (He et al. 2015, arXiv:1512.03385). To be fair: our model was
# trained with it. One trained without would have to find larger weights.
#
# <!-- claims: 'a third through at most' = most that a block leaves without <
# 0.34; 'less than a thousandth' = left after five blocks without < 0.001;
# 'does not shrink at all' = left after five blocks with it > 1; 19 = rstd of
# the first; 1.5 = rstd of the second -->
#
# ## Your layer in the running model
#
# Our functions have the package's form: forward returns `y, ctx`, backward
# takes `dy, ctx`. So they can take the place of the package's own. `install`
# puts them into every module that uses the layer, as long as the `with` block
# runs. We train a tiny model for twenty steps, first with the package's
# layers, then with ours.
#
# **Predict:** how far apart will the losses be after twenty steps?
# %%
from contextlib import ExitStack

from minigpt2.learn.installing import install, train_tiny

package = train_tiny(20)
with ExitStack() as stack:
    stack.enter_context(install("linear", linear, linear_backward))
    stack.enter_context(install("softmax", softmax, softmax_backward))
    stack.enter_context(install("layernorm", layernorm, layernorm_backward))
    ours = train_tiny(20)
steps = [str(i) for i in range(20)]
show(Lines({"package": package, "ours": ours}, x=steps, y_label="loss"))
claim("loss at first", ours[0])
claim("loss at last", ours[-1])
claim("largest difference", np.abs(np.array(package) - ours).max())
# %% [markdown]
# The loss falls from 3.3 to 0.96, and the two curves are the same to more
# than ten digits. The model does not know whose layers it has. Change
# something in one of the functions above and run this again (in `minigpt2
# learn`, `e` edits a cell): you will see another curve, and perhaps not a bad
# one. Lesson 11 is about that.
#
# <!-- claims: 3.3 = loss at first; 0.96 = loss at last; 'more than ten
# digits' = largest difference < 1e-10 -->
#
# ## What does it cost?
#
# **Predict:** how much longer than forward does backward take?
# %%
many = TokenBatch(encoder.token_ids(sentences * 40)[0])
forwards, backwards = [], []
for _ in range(5):
    start = time.process_time()
    hidden, ctx = model.forward(many, keep=True)
    middle = time.process_time()
    model.backward(np.ones_like(hidden), ctx, gradients)
    forwards.append(middle - start)
    backwards.append(time.process_time() - middle)
claim("backward over forward", min(backwards) / min(forwards))
claim("parameters", model.parameters.flat.size)
# %% [markdown]
# About twice as long. Each product of the forward, x · W, has two on the way
# back, dy · Wᵀ and xᵀ · dy. Compare that with trying: nine million
# parameters, two forward passes each. Backward finds the same numbers for the
# price of two.
#
# <!-- claims: 'About twice as long' = backward over forward > 1.2; 'nine
# million' = parameters > 8.5e6 -->
#
# ## Three things to remember
#
# - Go through the forward's lines from last to first. A product's backward is
#   the one whose shapes fit; what is used twice gets the sum.
# - What a layer does not see is missing from its gradient: a shift for
#   softmax, shift and stretch for layernorm. The same thought shows that
#   attention's key bias cannot learn.
# - The residual stream is the gradient's straight way back. Without it little
#   is left after a few blocks.
#
# ## Exercises
#
# - `10_linear_backward` (beginner): the three gradients of a linear layer, in
#   a model that trains.
# - `10_softmax_backward` (intermediate): without building the Jacobian.
# - `10_layernorm_backward` (intermediate): the three ways of x, from memory.
# - `10_attention_backward` (advanced): one head, line by line, then every
#   head of a model.
#
# Links: `minigpt2/layers/linear.py` (`linear_backward`),
# `minigpt2/layers/embedding.py` (`embedding_backward`),
# `minigpt2/layers/gelu.py` (`gelu_backward`), `minigpt2/layers/softmax.py`
# (`softmax_backward`), `minigpt2/layers/layernorm.py` (`layernorm_backward`),
# `minigpt2/layers/attention.py` (`attend_backward`, `attention_backward`),
# `minigpt2/layers/mlp.py` (`mlp_backward`), `minigpt2/layers/block.py`
# (`block_backward`), `minigpt2/model.py` (`backward`),
# `minigpt2/learn/installing.py` (`install`, `train_tiny`)
