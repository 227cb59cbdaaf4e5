# %% [markdown]
# # 11 · Is the gradient right?
#
# Intermediate · 40 minutes
#
# **After this lesson you can**
#
# - check any hand-written gradient to ten digits with four runs of the
#   forward
# - choose the step and the tolerance, and say what goes wrong with others
# - find a wrong gradient in code that runs, has the right shapes, and trains
#
# A wrong forward gives wrong results, and someone notices. A wrong backward
# gives a model that learns a little worse. Nobody knows how well it ought to
# learn, so nobody notices. Lesson 10 checked each gradient by trying. Here we
# look at that check itself: how exact it is, what it costs, what it misses.
# Then there are three wrong gradients to find.
# %%
import math
from functools import partial
from textwrap import fill

import numpy as np

from minigpt2 import layers
from minigpt2.learn import claim, show
from minigpt2.views import Bars, HeatMap, Lines, Table

rng = np.random.default_rng(0)


# %% [markdown]
# ## How large a step?
#
# The slope of f at x is what `(f(x + h) − f(x)) / h` comes to when h becomes
# smaller and smaller. Better is the *central difference*, which steps to both
# sides: `(f(x + h) − f(x − h)) / 2h`. We take a function whose slope we know,
# sin, with slope cos, and steps from 0.1 down to 1e-13.
#
# **Predict:** is the smallest step the best one?
#
# <!-- given: 0.1; 1e-13 -->
# %%
def errors(dtype, difference, steps):
    """How far from the true slope, for each step."""
    x = dtype(1.0)
    found = [difference(np.sin, x, dtype(h)) for h in steps]
    off = np.abs(np.array(found, np.float64) - math.cos(1.0))
    return off + 1e-16  # so that it has a logarithm


def one_side(f, x, h):
    return (f(x + h) - f(x)) / h


def central(f, x, h):
    return (f(x + h) - f(x - h)) / (h + h)


# %%
steps = [10.0**-i for i in range(1, 14)]
curves = {
    "one side": errors(np.float64, one_side, steps),
    "central": errors(np.float64, central, steps),
    "central, float32": errors(np.float32, central, steps),
}
logs = {name: np.log10(off) for name, off in curves.items()}
at = [f"{h:.0e}" for h in steps]
show(Lines(logs, x=at, y_label="log10 of the error"))
claim("best step on one side", steps[curves["one side"].argmin()])
claim("best step, central", steps[curves["central"].argmin()])
claim("best error, central", curves["central"].min())
claim("best error, float32", curves["central, float32"].min())


# %% [markdown]
# No: every curve has a lowest point. To the left of it the step is too long,
# and the curve of f shows: one side is wrong by a multiple of h, central by a
# multiple of h². To the right the step is too short: f(x + h) and f(x − h)
# agree in nearly all digits, and their difference is rounding, divided by a
# small number (the cancellation of lesson 09). Central differences reach
# about eleven digits in float64, but only about four in float32. **Check
# gradients in float64.** The package refuses anything else.
#
# <!-- claims: 'about eleven digits' = best error, central < 1e-10; 'only
# about four' = best error, float32 > 1e-6 -->
#
# ## Two steps are better than one
#
# The error of the central difference S(h) is c·h² plus something much
# smaller. With half the step it is a quarter of that. Two measurements, two
# unknowns: `(4·S(h/2) − S(h)) / 3` has lost the c·h² (Richardson 1911).
#
# **Predict:** with the long step of 1e-3, by how much does that help?
#
# <!-- given: 1e-3 -->
# %%
def richardson(f, x, h):
    return (4 * central(f, x, h / 2) - central(f, x, h)) / 3


plain = errors(np.float64, central, [1e-3])[0]
better = errors(np.float64, richardson, [1e-3])[0]
claim("central at 1e-3", plain)
claim("two steps at 1e-3", better)
claim("times better", plain / better)
# %% [markdown]
# By a factor of a hundred thousand or more. A long step keeps rounding small,
# and the second measurement removes what a long step does wrong. This is what
# `minigpt2/gradcheck.py` does, with this step.
#
# <!-- claims: 'a hundred thousand or more' = times better > 1e5 -->
#
# ## One direction for all entries
#
# Trying each of a million numbers takes two million forwards. There is a
# shorter way. Move *all* entries of x at once, each by its own random amount
# v. If dx is right, the loss must change by
#
#     dx · v = Σ dx[i] · v[i]
#
# per step along v: to move by t · v changes it by t times this sum, as long
# as t is small. One number, four forwards, whatever the size of x.
#
# **Predict:** of ten thousand entries of a gradient a single one is wrong, by
# a hundredth of its size. Does one random direction notice?
# %%
x = rng.normal(size=(100, 100))
w = rng.normal(size=(100, 100))


def loss(x):
    return (layers.gelu(x)[0] * w).sum()


def along(v):
    """The slope of the loss along v, by trying."""
    return richardson(lambda t: loss(x + t * v), 0.0, 1e-3)


dx = layers.gelu_backward(w, layers.gelu(x)[1])
wrong = dx.copy()
wrong[17, 42] *= 1.01
# %%
found = {"right": [], "one entry wrong": []}
for _ in range(20):
    v = rng.normal(size=x.shape)
    tried = along(v)
    for name, gradient in (("right", dx), ("one entry wrong", wrong)):
        off = abs((gradient * v).sum() - tried) / np.linalg.norm(gradient)
        found[name].append(off)
for name, off in found.items():
    claim(f"largest error, {name}", max(off))
    claim(f"smallest error, {name}", min(off))
least = min(found["one entry wrong"]) / max(found["right"])
claim("wrong against right", least)
# %% [markdown]
# It does, in each of twenty directions: the right gradient is off by 1e-12 or
# so and the wrong one by millions of times as much. It only has to be looked
# for with the right measure: the wrong one agrees to four digits or more. A
# check that is content with an error of a hundredth, as many are, passes it,
# and would pass a good many worse ones.
#
# <!-- claims: 'by 1e-12 or so' = largest error, right < 1e-10; 'by millions
# of times' = wrong against right > 1e6; 'each of twenty' = smallest error,
# one entry wrong > 1e-9; 'four digits or more' = largest error, one entry
# wrong < 1e-3 -->
# <!-- given: 1e-12 -->
#
# ## The package's check
#
# `check_gradient` does this for a layer: it draws random numbers to weigh the
# outputs with, goes backward once, and for each input compares along two
# random directions. If they differ by more than 1e-7, it raises
# `GradientError`. Three backwards that no lesson has derived yet:
#
# - `normalize_backward`: a row stretched to length 1 does not see a stretch
#   of x, so the part along y is taken out, just as in layernorm
# - `pooling_backward`: each token hears of its sentence's gradient as loudly
#   as it spoke
# - `cross_entropy_backward`: the probabilities, minus one at the right answer
#   (lesson 16)
#
# **Predict:** the three are right. How small will the errors be?
#
# <!-- given: 1e-7; 1 -->
# %%
from minigpt2.gradcheck import GradientError, check_gradient
from minigpt2.ragged import TokenBatch

batch = TokenBatch([[0, 1, 2], [3, 4]])  # only the lengths matter here
rows, targets = rng.normal(size=(5, 4)), np.array([3, 0, 2, 2, 1])
pool = partial(layers.pooling, batch=batch, kind="weighted_mean")
entropy = partial(layers.cross_entropy, targets=targets)
suspects = {
    "normalize": (layers.normalize, layers.normalize_backward, "x"),
    "pooling": (pool, layers.pooling_backward, "x"),
    "cross_entropy": (entropy, layers.cross_entropy_backward, "logits"),
}
checks = []
for name, (forward, backward, of) in suspects.items():
    checks += check_gradient(name, forward, backward, {of: rows})
# %%
lines = [[c.layer, c.analytic, c.numeric, f"{c.error:.0e}"] for c in checks]
show(Table(["layer", "backward", "trying", "error"], lines))
claim("largest error of the three", max(c.error for c in checks))


# %% [markdown]
# Eleven digits or more, thousands of times below the tolerance. Since a right
# gradient never comes near 1e-7, the tolerance can be that strict, and even
# one wrong entry among ten thousand is above it.
#
# <!-- claims: 'Eleven digits or more' = largest error of the three < 1e-10
# -->
# <!-- given: 1e-7 -->
#
# ## Three wrong gradients
#
# Here are three backwards. The forwards are the package's. All three run, and
# the shapes are right.
#
# **Predict:** read them slowly. What is wrong with each? Take five minutes.
# %%
def embedding_backward_a(dy, ctx):
    dwte, dwpe = np.zeros(ctx.wte_shape), np.zeros(ctx.wpe_shape)
    dwte[ctx.ids] += dy
    np.add.at(dwpe, ctx.positions, dy)
    return dwte, dwpe


def gelu_backward_b(dy, ctx):
    x, c = ctx.x, math.sqrt(2 / math.pi)
    t = np.tanh(c * (x + 0.044715 * x * x * x))
    dtanh = (1 - t * t) * c * (1 + 0.044715 * x * x)
    return dy * (0.5 * (1 + t) + 0.5 * x * dtanh)


def softmax_backward_c(dy, ctx):
    return dy * ctx.y * (1 - ctx.y)


# %% [markdown]
# Now the check. The embedding's tables are its inputs, its ids are fixed.
# %%
ids, places = np.array([3, 1, 4, 1, 2]), np.arange(5)
look_up = partial(layers.embedding, ids, places)
tables = {"wte": rng.normal(size=(6, 4)), "wpe": rng.normal(size=(5, 4))}
x = {"x": rng.normal(size=(3, 5))}
suspects = {
    "A": (look_up, embedding_backward_a, tables),
    "B": (layers.gelu, gelu_backward_b, x),
    "C": (layers.softmax, softmax_backward_c, x),
}
for name, (forward, backward, inputs) in suspects.items():
    try:
        check_gradient(name, forward, backward, inputs)
        print(name, "passes")
    except GradientError as error:
        print(fill(str(error), 78))
# %% [markdown]
# All three are found, and the message says by which input: of A it is the
# token table and not the positions. To see *where* a gradient is wrong, we
# look at all entries, beside those of the package.
#
# ### A
#
# **Predict:** the ids are 3, 1, 4, 1, 2. Which rows of the table get a wrong
# gradient?
#
# <!-- given: 3; 1; 4; 2 -->
# %%
y, ctx = look_up(**tables)
dy = rng.normal(size=y.shape)
right, _ = layers.embedding_backward(dy, ctx)
wrong, _ = embedding_backward_a(dy, ctx)
names = [f"token {i}" for i in range(6)]
columns = [f"d={d}" for d in range(4)]
off = wrong - right
show(HeatMap(off, rows=names, columns=columns, diverging=True))
rows_wrong = np.flatnonzero(off.any(axis=1))
claim("rows that are wrong", len(rows_wrong))
# %% [markdown]
# One row, that of token 1, which stands there twice: `dwte[ids] += dy` keeps
# only the last of its gradients. Use `np.add.at`, as the line below does for
# the positions.
#
# <!-- claims: 'One row' = rows that are wrong == 1 -->
# <!-- given: 1 -->
#
# ### B
#
# **Predict:** is B wrong for all x?
# %%
x_line = np.linspace(-3, 3, 31)[None]
ones = np.ones_like(x_line)
_, ctx = layers.gelu(x_line)
right, wrong = layers.gelu_backward(ones, ctx), gelu_backward_b(ones, ctx)
labels = [f"{value:.1f}" for value in x_line[0]]
curves = {"right": right[0], "wrong": wrong[0]}
show(Lines(curves, x=labels, y_label="slope of GELU"))
claim("largest difference of B", np.abs(wrong - right).max())
claim("difference of B at 0.2", np.abs(wrong - right)[0, 16])
# %% [markdown]
# Nearly right everywhere: at most 0.03 off, and next to nothing around 0. The
# slope of `0.044715·x³` is *three* times `0.044715·x²`, and the three is
# missing. Do not hope to see such a mistake in the curve of a training run;
# we shall try below.
#
# <!-- claims: 0.03 = largest difference of B; 'next to nothing' = difference
# of B at 0.2 < 0.002 -->
# <!-- given: 0 -->
#
# ### C
#
# **Predict:** what must the entries of a softmax's dx sum to, in each row?
# (Lesson 10.)
# %%
y, ctx = layers.softmax(x["x"])
dy = rng.normal(size=y.shape)
sums = {
    "right": layers.softmax_backward(dy, ctx).sum(axis=1),
    "C": softmax_backward_c(dy, ctx).sum(axis=1),
}
for name, of_rows in sums.items():
    print(f"{name:6}", np.round(of_rows, 4))
claim("row sum of C", np.abs(sums["C"]).max())
# %% [markdown]
# To zero, since softmax does not see a common shift, and those of C do not. C
# has the slope of each weight by its *own* score, `y·(1 − y)`, the diagonal
# of the Jacobian, and has forgotten that a score takes from all other
# weights. Facts such as "sums to zero" are checks that cost nothing: ask of
# each layer what it does not see.
#
# <!-- claims: 'those of C do not' = row sum of C > 0.01 -->
#
# ## Would training have told?
#
# We put each wrong backward into a running model with `install`, as in lesson
# 10, and train for sixty steps. With `forward` left out, the package's
# forward stays, and the backward gets the package's context.
#
# **Predict:** draw the four curves in your mind. Will the losses with A, B
# and C still fall? By how much less?
# %%
from minigpt2.learn.installing import install, train_tiny

losses = {"right": train_tiny(60)}
with install("embedding", backward=embedding_backward_a):
    losses["A"] = train_tiny(60)
with install("gelu", backward=gelu_backward_b):
    losses["B"] = train_tiny(60)
with install("softmax", backward=softmax_backward_c):
    losses["C"] = train_tiny(60)
show(Lines(losses, x=[str(i) for i in range(60)], y_label="loss"))
rows = [[name, of[0], of[20], of[59]] for name, of in losses.items()]
show(Table(["gradient", "at first", "after 20 steps", "at last"], rows))
# %%
last = {name: of[-1] for name, of in losses.items()}
claim("right at last", last["right"])
claim("worst of the wrong at last", max(last["A"], last["B"], last["C"]))
claim("C over right at last", last["C"] / last["right"])
claim("A minus right at last", last["A"] - last["right"])
claim("B minus right after 20 steps", losses["B"][20] - losses["right"][20])
# %% [markdown]
# All four curves fall from over three to below a tenth. After twenty steps B,
# wrong, is *better* than the right one, and at the end A is. Shown one of the
# four curves alone, nobody could say whether it is the right one. **"It
# trains" proves nothing about a gradient**: a vector that points roughly
# downhill leads down. C ends with a loss more than twice the right one, but
# to see that, you need the right one beside it, and with that in hand you
# would not have had to ask.
#
# <!-- claims: 'below a tenth' = worst of the wrong at last < 0.1; 'B, wrong,
# is *better*' = B minus right after 20 steps < 0; 'at the end A is' = A minus
# right at last < 0; 'more than twice' = C over right at last > 2 -->
#
# ## How to fool a check
#
# A check sees only what its inputs show.
#
# **Predict:** which of A, B and C will pass if the ids are all different, x
# is about a hundredth in size, and the tolerance is one in a hundred?
# %%
different = partial(layers.embedding, np.array([3, 1, 4, 0, 2]), places)
small = {"x": 0.01 * rng.normal(size=(3, 5))}
attempts = {
    "A, all different": (different, embedding_backward_a, tables, 1e-7),
    "B, small x": (layers.gelu, gelu_backward_b, small, 1e-2),
    "C, small x": (layers.softmax, softmax_backward_c, small, 1e-2),
}
for name, (forward, backward, inputs, near) in attempts.items():
    try:
        check_gradient(name, forward, backward, inputs, tolerance=near)
        print(f"{name}: passes")
    except GradientError:
        print(f"{name}: is found")
# %% [markdown]
# A passes even at the strict tolerance: without a repeated id it *is* right.
# B passes at the loose one. Only C is found. So a good check has inputs on
# which everything matters: repeated tokens, sentences of different lengths,
# sizes N, D, H, K that all differ (equal ones hide a transpose), gains that
# are not 1 and biases that are not 0 (with a gain of 1 nobody misses it), and
# numbers large enough to reach the bends.
#
# <!-- given: 1; 0 -->
#
# ## When a right gradient fails
#
# Max pooling takes in each column the largest entry. Let two rows tie.
#
# **Predict:** its backward gives the whole gradient to the first of the two.
# Will the check pass?
# %%
largest = partial(layers.pooling, batch=batch, kind="max")
free = rng.normal(size=(5, 4))
tied = free.copy()
tied[:2] = free.max(axis=0) + 1  # rows 0 and 1: equal, and the largest


def shared(dy, ctx):
    """Half of the gradient to each of the two rows."""
    dx = layers.pooling_backward(dy, ctx)
    dx[:2] = dx[0] / 2
    return dx


# %%
package = layers.pooling_backward
attempts = {
    "no tie": (free, package),
    "a tie": (tied, package),
    "a tie, shared": (tied, shared),
}
for name, (x, backward) in attempts.items():
    try:
        check_gradient(name, largest, backward, {"x": x})
        print(name, "passes")
    except GradientError as error:
        print(fill(str(error), 78))
# %% [markdown]
# With a tie it fails. There the maximum has a *kink*: to one side it goes up
# with the first row, to the other with the second, and the central difference
# gives the mean of the two slopes. That is why a backward that shares the
# gradient passes. It is no more right than the other: at a kink there is no
# gradient, only a choice. With random numbers a tie never happens, so check
# there.
#
# ## A whole model
#
# Layers that are right can be put together wrongly: a missing plus sign of
# the residual stream, a gradient added to the wrong parameter.
# `check_parameters` moves each parameter of a model along a random direction.
# We do it for a small model with everything in it.
#
# **Predict:** how many times must the model run forward to check every array
# of its parameters? It has two blocks.
# %%
from minigpt2.config import GPT2Config
from minigpt2.gradcheck import check_parameters
from minigpt2.model import GPT2

config = GPT2Config(
    vocab_size=13, n_positions=9, n_embd=6, n_layer=2, n_head=2, n_inner=10
)
model = GPT2.initialise(config, dtype=np.float64)
parameters = model.parameters
parameters.flat[:] += 0.3 * rng.normal(size=parameters.flat.shape)
batch = TokenBatch([[1, 5, 2, 5, 2], [3, 7, 12, 4], [8]])
# %%
_, ctx = model.loss(batch, keep=True)
gradients = parameters.zeros_like()
model.loss_backward(ctx, gradients)
losses = []


def counted_loss():
    losses.append(model.loss(batch)[0])
    return losses[-1]


checks = check_parameters("model", counted_loss, gradients, parameters)
claim("forward runs", len(losses))
# %%
worst = sorted(checks, key=lambda check: -check.error)[:5]
of_worst = [c.error * 1e12 for c in worst]
caption = "largest errors, in units of 1e-12"
show(Bars([c.input for c in worst], of_worst, digits=1, caption=caption))
claim("arrays checked", len(checks))
claim("largest error of the model", max(c.error for c in checks))
# %% [markdown]
# 113 runs for all 28 arrays, four for each and one for the size of the loss,
# and the whole way back is right to ten digits. It took no second, so there
# is no reason not to do it. This package runs this check on every layer,
# every loss and whole models in its tests, with sizes that all differ. A
# gradient is the one part of a model of which you can *know* that it is
# right. It would be a pity not to.
#
# <!-- claims: 113 = forward runs; 28 = arrays checked; 'right to ten digits'
# = largest error of the model < 1e-9 -->
#
# ## Three things to remember
#
# - Check gradients in float64, by central differences, along random
#   directions: four forwards, and a right gradient agrees to ten digits.
# - That a model trains says nothing about its gradient. Ours trained with
#   each of three wrong ones, and with two as well as with the right one.
# - A check sees what its inputs show: repeat tokens, make all sizes
#   different, and leave no gain at 1.
#
# <!-- given: 1 -->
#
# ## Exercises
#
# - `11_when_do_two_agree` (beginner): how wrong a gradient is, as one number.
# - `11_numeric_gradient` (intermediate): the gradient of any function, by
#   trying.
# - `11_three_wrong_gradients` (advanced): three more to find, and to mend.
#
# Links: `minigpt2/gradcheck.py` (`check_gradient`, `check_parameters`,
# `GradientError`), `minigpt2/layers/normalize.py` (`normalize_backward`),
# `minigpt2/layers/pooling.py` (`pooling_backward`),
# `minigpt2/layers/cross_entropy.py` (`cross_entropy_backward`),
# `minigpt2/layers/embedding.py` (`embedding_backward`),
# `minigpt2/layers/gelu.py` (`gelu_backward`), `minigpt2/layers/softmax.py`
# (`softmax_backward`), `minigpt2/learn/installing.py` (`install`)
