# %% [markdown]
# # 14 · The training loop
#
# Intermediate · 45 minutes
#
# **After this lesson you can**
#
# - write AdamW from its formulas and get the same numbers as the package
# - say what warm-up, schedule, clipping and accumulation do, and when nothing
# - stop a run anywhere and go on with it so that not a single bit differs
#
# A loss says what is wrong, a gradient in which direction to go. What is left
# is the walking: how far, how often, how to keep one's balance, and how to go
# on after a fall. The whole loop is four lines:
#
#     gradients = 0
#     loss, gradients = backward(forward(batch))
#     clip the gradients
#     parameters -= a step made from the gradients
# %% [markdown]
# ## How far is a step?
#
# We begin without any model, in a valley whose height is `½ (x² + s · y²)`.
# Its gradient is `(x, s · y)`. With s = 1 the valley is round; with s = 100
# it is a ravine, a hundred times as steep across as along.
#
# *Gradient descent* is the simplest step: `parameters -= lr · gradient`. The
# number `lr` is the *learning rate*.
#
# **Predict:** we start at (1, 1) in the ravine. Is lr = 0.019 or lr = 0.021
# better?
#
# <!-- given: 1; 100; 0.019; 0.021 -->
# %%
import numpy as np

from minigpt2.learn import claim, data_file, show
from minigpt2.views import Bars, Lines, Table


def descend(lr, s=100.0, steps=60):
    place, heights = np.array([1.0, 1.0]), []
    for _ in range(steps):
        heights.append(0.5 * (place[0] ** 2 + s * place[1] ** 2))
        place = place - lr * np.array([place[0], s * place[1]])
    return np.array(heights)


# %%
curves = {f"lr {lr}": np.log10(descend(lr)) for lr in (0.002, 0.019, 0.021)}
show(
    Lines(
        curves, x=[str(i) for i in range(60)], y_label="log10 of the height"
    )
)
claim("height with 0.019", descend(0.019)[-1])
claim("height with 0.021", descend(0.021)[-1])


# %% [markdown]
# A hair's breadth between the two: with 0.019 the height falls to 0.05, with
# 0.021 it grows into the millions. Across the ravine each step multiplies y
# by `1 − 100 · lr`, and beyond lr = 0.02 that is less than −1. So the
# steepest direction dictates the learning rate, and along the gentle one we
# crawl.
#
# <!-- claims: 0.05 = height with 0.019; 'into the millions' = height with
# 0.021 > 1e6 -->
# <!-- given: 0.019; 0.021; 0.02; −1 -->
#
# ## AdamW, from its formulas
#
# *Adam* (Kingma and Ba 2015, arXiv:1412.6980) gives every parameter a step
# length of its own. It keeps two running means: `m` of the gradient, `v` of
# its square, and divides one by the root of the other. A parameter with large
# gradients, like y in the ravine, gets small steps for each unit of gradient,
# and the other way round.
#
#     m ← β1 · m + (1 − β1) · g
#     v ← β2 · v + (1 − β2) · g²
#     m̂ = m / (1 − β1ᵗ)      v̂ = v / (1 − β2ᵗ)      t counts the steps from 1
#     θ ← θ − lr · m̂ / (sqrt(v̂) + ε)
#
# θ is a parameter and g its gradient. β1 and β2, here 0.9 and 0.98, say how
# slowly the means forget; ε is tiny and prevents a division by zero. `m` and
# `v` are called the *moments*. They begin at 0 and would be far too small in
# the first steps; the third line undoes that. The *W* (Loshchilov and Hutter
# 2019, arXiv:1711.05101) stands for *weight decay*: before the step every
# matrix shrinks a little, `θ ← θ · (1 − lr · decay)`, so that no weight stays
# large without a reason.
#
# <!-- given: 0; 0.9; 0.98 -->
# %%
class OurAdamW:
    betas, eps, decay, t = (0.9, 0.98), 1e-8, 0.01, 0

    def __init__(self, parameters):
        self.parameters = parameters
        self.m = {name: np.zeros_like(x) for name, x in parameters.items()}
        self.v = {name: np.zeros_like(x) for name, x in parameters.items()}

    def step(self, gradients, lr):
        self.t += 1
        for name, x in self.parameters.items():
            x *= 1.0 - lr * self.decay if x.ndim > 1 else 1.0
            x -= lr * self.direction(name, gradients[name])


# %%
def direction(self, name, g):
    """m̂ / (sqrt(v̂) + ε) of one parameter, after its moments have moved."""
    b1, b2 = self.betas
    self.m[name] = b1 * self.m[name] + (1 - b1) * g
    self.v[name] = b2 * self.v[name] + (1 - b2) * g * g
    m = self.m[name] / (1 - b1**self.t)
    v = self.v[name] / (1 - b2**self.t)
    return m / (np.sqrt(v) + self.eps)


OurAdamW.direction = direction

# %% [markdown]
# Now a small language model, in double precision, and its real gradients:
# twice the same model, one moved by our class, one by the package's.
# %%
from minigpt2.config import GPT2Config
from minigpt2.datasets import read_pairs
from minigpt2.encoder import Encoder
from minigpt2.model import GPT2
from minigpt2.tokenizer import train_bpe
from minigpt2.training import TrainingSet
from minigpt2.training.gradients import language_model_gradients
from minigpt2.training.optimizer import AdamW

# %%
pairs = read_pairs(data_file("train.tsv"), limit=2000)
tokenizer = train_bpe(
    pairs.first + pairs.second, vocab_size=600, lowercase=True
)
config = GPT2Config(
    vocab_size=600, n_positions=64, n_embd=32, n_layer=2, n_head=4
)
data = TrainingSet.from_pairs(
    pairs, Encoder(GPT2.initialise(config), tokenizer)
)
ours, theirs = (
    GPT2.initialise(config, seed=0, dtype=np.float64) for _ in range(2)
)
by_us, by_package = OurAdamW(ours.parameters), AdamW(theirs.parameters)

# %%
for step in range(5):
    texts = data.tokens_of(np.arange(16 * step, 16 * step + 16))
    for model, optimizer in ((ours, by_us), (theirs, by_package)):
        gradients = model.parameters.zeros_like()
        loss = language_model_gradients(model, texts, gradients)
        optimizer.step(gradients, lr=1e-3)
    print(f"step {step + 1}: loss {float(loss):.4f}")
assert np.allclose(
    ours.parameters.flat, theirs.parameters.flat, rtol=0, atol=1e-12
)
claim(
    "largest difference",
    np.abs(ours.parameters.flat - theirs.parameters.flat).max(),
)
counts = by_package.decay_counts
print(f"{counts.decaying_tensors} arrays decay, {counts.other_tensors} not")


# %% [markdown]
# The same to the last digits: the package's file differs from our class only
# in that all parameters lie in one flat array and a step goes through it part
# by part, so that the numbers stay in the processor's cache. It also counts
# which parameters decay: the matrices, not the gains and biases.
#
# ## What Adam does not care about
#
# **Predict:** we multiply every gradient by 1000 before the step. How
# different is the model after five steps? And with plain gradient descent?
#
# <!-- given: 1000 -->
# %%
def after_five_steps(factor, step_with):
    model = GPT2.initialise(config, seed=0, dtype=np.float64)
    optimizer = AdamW(model.parameters)
    for step in range(5):
        gradients = model.parameters.zeros_like()
        language_model_gradients(
            model,
            data.tokens_of(np.arange(16 * step, 16 * step + 16)),
            gradients,
        )
        gradients.flat *= factor
        step_with(model, optimizer, gradients)
    return model.parameters.flat


# %%
def adam(model, optimizer, gradients):
    optimizer.step(gradients, lr=1e-3)


def plain(model, optimizer, gradients):
    model.parameters.flat -= 1e-3 * gradients.flat


# %%
start = GPT2.initialise(config, seed=0, dtype=np.float64).parameters.flat
for name, step_with in (("Adam", adam), ("plain", plain)):
    once, thousandfold = (
        after_five_steps(1.0, step_with),
        after_five_steps(1000.0, step_with),
    )
    ratio = np.linalg.norm(thousandfold - start) / np.linalg.norm(
        once - start
    )
    claim(f"{name}: a thousandfold gradient moves this much further", ratio)

# %% [markdown]
# Adam: the same distance, the model is the same but for rounding. `m̂ /
# sqrt(v̂)` divides a thousand by a thousand. Plain descent runs hundreds of
# times as far. So with Adam a loss may be multiplied by any number without
# any effect, and "I doubled the weight of the loss" means nothing where there
# is only one.
#
# <!-- claims: 'the same distance' = Adam: a thousandfold gradient moves this
# much further < 1.001; 'hundreds of times as far' = plain: a thousandfold
# gradient moves this much further > 100 -->
#
# **Predict:** then Adam must win everywhere. Back in the valleys, 60 steps,
# for each the best of many learning rates: who ends lower in the round
# valley, who in the ravine?
#
# <!-- given: 60 -->
# %%
from minigpt2.parameters import Parameters


def adam_in_valley(lr, s, steps=60):
    place = Parameters(np.array([1.0, 1.0]), {"place": (2,)})
    optimizer, gradients = AdamW(place, decay=0.0), place.zeros_like()
    for _ in range(steps - 1):
        gradients.flat[:] = place.flat * np.array([1.0, s])
        optimizer.step(gradients, lr)
    return 0.5 * (place.flat[0] ** 2 + s * place.flat[1] ** 2)


# %%
rates = 10.0 ** np.linspace(-3, 0.3, 67)
rows = []
for name, s in (("round", 1.0), ("ravine", 100.0)):
    with np.errstate(over="ignore"):
        heights = (
            min(descend(lr, s)[-1] for lr in rates),
            min(adam_in_valley(lr, s) for lr in rates),
        )
    rows.append([name, *(float(np.log10(max(h, 1e-30))) for h in heights)])
show(Table(["log10 of the height", "descent", "AdamW"], rows))
for name, descent, adamw in rows:
    claim(f"{name}: AdamW minus descent", adamw - descent)

# %% [markdown]
# In the ravine Adam ends more than two factors of ten lower. In the round
# valley plain descent is there in a single step of lr = 1, to the last digit,
# while Adam is still a little off it. Adam is no better walker; it is better
# in ravines.
#
# <!-- claims: 'more than two factors of ten lower' = ravine: AdamW minus
# descent < -2; 'to the last digit' = round: AdamW minus descent > 10 -->
# <!-- given: 1 -->
#
# ### Is a network a ravine?
#
# What made the ravine one? One step across it changes the gradient a hundred
# times as much as one step along it. This *curvature* can be measured in a
# network too: go a little way h in a direction v and see how much the
# gradient has changed, `(g(θ + h·v) − g(θ − h·v)) / 2h`. If that change
# becomes the next direction, and so on a few times, the most curved direction
# of all remains (*power iteration*): it grows by more than any other each
# time.
#
# **Predict:** in our small language model, how many times as curved is that
# direction as one drawn at random? In the ravine it was a hundred.
#
# %%
place = ours.parameters.flat.copy()
texts = data.tokens_of(np.arange(16))


def gradient_at(parameters):
    ours.parameters.flat[:] = parameters
    gradients = ours.parameters.zeros_like()
    language_model_gradients(ours, texts, gradients)
    return gradients.flat


def change_along(v, h=1e-3):
    """How the gradient changes along v, per unit of the way."""
    ahead, behind = gradient_at(place + h * v), gradient_at(place - h * v)
    return (ahead - behind) / (2 * h)


# %%
def random_direction(rng):
    v = rng.normal(size=place.shape)
    return v / np.linalg.norm(v)


rng = np.random.default_rng(0)
curved = random_direction(rng)
for _ in range(6):
    change = change_along(curved)
    curved = change / np.linalg.norm(change)
most = curved @ change_along(curved)
drawn = [random_direction(rng) for _ in range(5)]
usual = np.mean([abs(v @ change_along(v)) for v in drawn])
claim("most curved over random", most / usual)
ours.parameters.flat[:] = place

# %% [markdown]
# More than a thousand times: beside this network our ravine was a gentle dip.
# A good reason to train networks with Adam or something like it.
#
# <!-- claims: 'More than a thousand times' = most curved over random > 1000
# -->
#
# ## The learning rate over time
#
# At the start `v` has seen few gradients, so the first steps are badly
# measured; at the end the steps should become small, to settle. A *schedule*
# says the rate of each step: up in a straight line (*warm-up*), then down.
# `minigpt2/training/schedule.py` has three.
# %%
from minigpt2.training.schedule import SCHEDULES

curves = {
    name: [schedule(step, 100, 1.0, 10) for step in range(101)]
    for name, schedule in SCHEDULES.items()
}
show(
    Lines(
        curves,
        x=[str(i) for i in range(101)],
        y_label="share of the peak rate",
        low=0.0,
    )
)

# %% [markdown]
# Does it matter? We train the small language model for 60 steps, and look at
# the loss at the end (the mean of the last ten steps): at a gentle and at a
# bold rate, with and without a warm-up of 6 steps, and once with the fall to
# zero.
#
# **Predict:** does warm-up help at both rates? And does the fall?
#
# <!-- given: 60; 6 -->
# %%
from minigpt2.training.optimizer import clip_gradients


def run(rate_of_step, clip=1.0, steps=60, spoil=None):
    """Losses and gradient lengths; step `spoil` has it thousandfold."""
    model = GPT2.initialise(config, seed=0)
    optimizer = AdamW(model.parameters)
    gradients = model.parameters.zeros_like()
    rng, told = np.random.default_rng(0), []
    for step in range(steps):
        gradients.flat[:] = 0
        texts = data.tokens_of(rng.choice(data.texts, 32, replace=False))
        loss = language_model_gradients(model, texts, gradients)
        gradients.flat *= 1000.0 if step == spoil else 1.0
        told.append((float(loss), float(clip_gradients(gradients, clip))))
        optimizer.step(gradients, rate_of_step(step))
    return np.array(told).T


# %%
kinds = {
    "gentle": ("constant", 0, 0.003),
    "gentle, warm-up": ("constant", 6, 0.003),
    "bold": ("constant", 0, 0.01),
    "bold, warm-up": ("constant", 6, 0.01),
    "bold, warm-up, fall": ("cosine", 6, 0.01),
}


def rate_of(kind, warmup, peak):
    """step -> the learning rate"""
    return lambda step: SCHEDULES[kind](step, 60, peak, warmup)


runs = {name: run(rate_of(*kind)) for name, kind in kinds.items()}
ends = {name: losses[-10:].mean() for name, (losses, _) in runs.items()}

# %%
show(
    Bars(
        list(ends),
        list(ends.values()),
        caption="loss at the end: gentle 0.003, bold 0.01",
    )
)
claim("gentle: warm-up gains", ends["gentle"] - ends["gentle, warm-up"])
claim("bold: warm-up gains", ends["bold"] - ends["bold, warm-up"])
claim(
    "bold: the fall gains",
    ends["bold, warm-up"] - ends["bold, warm-up, fall"],
)

# %% [markdown]
# Warm-up is no law. At the bold rate it gains 0.33, at the gentle one it
# loses a little: there it only wastes six steps. The fall has made this run
# clearly *worse*. It is meant for the end of a run that has arrived, and ours
# has only just begun: with sixty steps every small step is a lost one. (With
# two other seeds these three signs were the same, but the gains smaller, and
# gentle without warm-up was the best of the five. So measure a schedule on
# your own run, and with more than one seed.)
#
# <!-- claims: 0.33 = bold: warm-up gains ±0.1; 'loses a little' = gentle:
# warm-up gains < 0; 'clearly *worse*' = bold: the fall gains < -0.05 -->
#
# ## Clipping
#
# Now and then a batch has a gradient many times as long as usual. *Clipping*
# scales the whole gradient down so that its length is at most, say, 1
# (Pascanu et al. 2013, arXiv:1211.5063). Its direction stays.
#
# <!-- given: 1 -->
# %%
gradients = theirs.parameters.zeros_like()
gradients.flat[:] = np.random.default_rng(0).normal(size=gradients.flat.shape)
direction = gradients.flat / np.linalg.norm(gradients.flat)
length = clip_gradients(gradients, 1.0)
claim("length before", length)
claim("length after", np.linalg.norm(gradients.flat))
assert np.allclose(gradients.flat, direction)


# %% [markdown]
# To see what it is good for we spoil one gradient of forty: in step 20 it
# comes out a thousandfold.
#
# **Predict:** Adam divides by the size of gradients anyway. Without clipping,
# how many steps does the run need to get over it?
#
# <!-- given: 20 -->
# %%
rate = rate_of(*kinds["bold, warm-up"])
smooth, norms = runs["bold, warm-up"]  # the same rate, nothing spoiled
clipped, _ = run(rate, steps=40, spoil=20)
unclipped, _ = run(rate, clip=1e9, steps=40, spoil=20)

# %%
smooth = smooth[:40]
curves = {
    "nothing spoiled": smooth,
    "spoiled, clipped": clipped,
    "spoiled, not clipped": unclipped,
}
show(Lines(curves, x=[str(i) for i in range(40)], y_label="loss"))
claim("worst setback, clipped", (clipped - smooth)[20:].max())
claim("worst setback, not clipped", (unclipped - smooth)[20:].max())
claim("behind at the end, not clipped", (unclipped - smooth)[-10:].mean())
claim("steps above length 1", int((norms > 1.0).sum()))

# %% [markdown]
# The unclipped run does not get over it at all: the loss jumps by 0.7, and
# twenty steps later it is still 0.43 behind. The clipped one hardly notices.
# Adam's division is the reason and not the rescue: `v` remembers the
# *square*, a millionfold, and forgets 2 % of it a step, so for hundreds of
# steps every later gradient is divided by something huge, and the model
# stands still.
#
# And in the run without accident the length was above 1 in no step: clipping
# did nothing. It is a belt, not an engine.
#
# <!-- claims: 0.7 = worst setback, not clipped ±0.3; 0.43 = behind at the
# end, not clipped ±0.2; 'hardly notices' = worst setback, clipped < 0.2; 'in
# no step' = steps above length 1 == 0 -->
# <!-- given: 2; 1 -->
#
# ## Accumulation: is it the same gradient?
#
# A batch that does not fit into memory can be cut in parts whose gradients
# are added up. "Accumulation gives the same gradient" is what everyone says.
# Let us see for which losses it is true.
#
# **Predict:** a batch of 64 texts in two halves. For a language model, for
# cosine regression on the 32 pairs, and for InfoNCE on them: the same
# gradient?
#
# <!-- given: 64; 32 -->
# %%
from minigpt2.training.gradients import vector_gradients
from minigpt2.training.losses import (
    cosine_regression,
    cosine_regression_backward,
    info_nce,
    info_nce_backward,
)

model = GPT2.initialise(config, seed=0, dtype=np.float64)
columns = data.columns[data.labels == 1][:32]  # (32, 2)


# %%
def contrast(vectors):
    """InfoNCE on the first sentences and the second ones, as one batch."""
    half = len(vectors) // 2
    value, ctx = info_nce(vectors[:half], vectors[half:], temperature=0.1)
    return value, np.concatenate(info_nce_backward(1.0, ctx)[:2])


def regress(vectors):
    half = len(vectors) // 2
    value, ctx = cosine_regression(
        vectors[:half], vectors[half:], np.ones(half)
    )
    return value, np.concatenate(cosine_regression_backward(1.0, ctx))


# %%
def gradient_of(parts, how):
    """Of the batch in these parts, each with the same weight."""
    gradients = model.parameters.zeros_like()
    for rows in parts:
        texts = data.tokens_of(columns[rows].T.reshape(-1))
        how(texts, gradients, 1 / len(parts))
    return gradients.flat


# %%
def as_language(texts, gradients, scale):
    language_model_gradients(model, texts, gradients, scale=scale)


def as_regression(texts, gradients, scale):
    vector_gradients(model, texts, "mean", regress, gradients, scale=scale)


def as_pairs(texts, gradients, scale):
    vector_gradients(model, texts, "mean", contrast, gradients, scale=scale)


# %%
def angle(a, b):
    """Between two directions, in degrees."""
    return np.degrees(
        np.arccos(
            np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)
        )
    )


# %%
whole, halves = [np.arange(32)], [np.arange(16), np.arange(16, 32)]
hows = {
    "language model": as_language,
    "cosine regression": as_regression,
    "InfoNCE": as_pairs,
}
for name, how in hows.items():
    claim(
        f"angle in degrees, {name}",
        angle(gradient_of(whole, how), gradient_of(halves, how)),
    )


# %% [markdown]
# Only for one of the three.
#
# - **Cosine regression** is a mean over pairs, and two halves of equal size
#   have the same mean: 0 degrees but for rounding.
# - The **language model** is 0.5 degrees off. Its loss is a mean over
#   *tokens*, and the two halves have different numbers of them, so a token in
#   the half with fewer counts for more. (`language_model_gradients` with
#   `chunk_tokens` weighs them rightly.)
# - **InfoNCE** is 4.4 degrees off, and no weighing helps: in a half batch
#   every anchor has only half of the wrong answers to tell its partner from.
#   It is another question, an easier one. Accumulating does not replace a
#   large batch there.
#
# <!-- claims: 0 = angle in degrees, cosine regression ±0.001; 0.5 = angle in
# degrees, language model ±0.2; 4.4 = angle in degrees, InfoNCE ±1 -->
#
# **Predict:** can the gradient of the whole batch be had with the memory of a
# part, all the same?
# %%
def in_chunks(texts, gradients, scale):
    vector_gradients(
        model, texts, "mean", contrast, gradients, scale=scale, chunk_texts=16
    )


difference = np.abs(
    gradient_of(whole, as_pairs) - gradient_of(whole, in_chunks)
).max()
claim("largest difference in chunks", difference)

# %% [markdown]
# It can, to the last digits. *Gradient caching* (Gao et al. 2021,
# arXiv:2101.06983) first makes all vectors without keeping anything, then
# asks the loss once for the gradient of each vector, and only then runs part
# after part with its contexts, forward again and backward. It is the same
# gradient, for the price of one more way forward.
#
# <!-- claims: 'to the last digits' = largest difference in chunks < 1e-10 -->
#
# ## Less memory for more time: recomputation
#
# Backward needs what forward has computed, and that is most of the memory of
# training. `recomputed_block` keeps nothing of a block but its input and runs
# the block once more on the way back (Chen et al. 2016, arXiv:1604.06174).
#
# **Predict:** how much less memory, and how much more time?
# %%
import tracemalloc

from minigpt2 import layers
from minigpt2.learn.installing import install

texts = data.tokens_of(np.arange(100))
deep = GPT2.initialise(config.replace(n_layer=8), seed=0)


def back_and_forth(recompute):
    gradients = deep.parameters.zeros_like()
    how = {"recompute": recompute}
    vector_gradients(deep, texts, "mean", contrast, gradients, **how)
    return gradients.flat


# %% [markdown]
# Memory we measure. For the time we count matrix products, which is the same
# on every machine: a linear layer has one on the way forward and two on the
# way back (lesson 10). `install` puts a layer that counts into the package.
# %%
linear, linear_backward = layers.linear, layers.linear_backward
products = []


def one_product(*given, **options):
    products.append(1)
    return linear(*given, **options)


def two_products(dy, ctx):
    products.append(2)
    return linear_backward(dy, ctx)


# %%
measured = {}
for recompute in (False, True):
    products.clear()
    with install("linear", one_product, two_products):
        gradient = back_and_forth(recompute)
    tracemalloc.start()
    back_and_forth(recompute)
    megabytes = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    measured[recompute] = gradient, megabytes, sum(products)

# %%
assert np.array_equal(measured[False][0], measured[True][0])
claim("megabytes kept", measured[False][1])
claim("megabytes recomputed", measured[True][1])
claim("memory saved, factor", measured[False][1] / measured[True][1])
claim("products kept", measured[False][2])
claim("products recomputed", measured[True][2])
claim("more products, factor", measured[True][2] / measured[False][2])

# %% [markdown]
# The gradient is the same bit for bit. The memory is about a third, for a
# third more work: 128 products instead of 96, one forward again to a forward
# and a backward of twice its length. (On a clock it may be less, as what is
# not written to memory need not be fetched from it.)
#
# <!-- claims: 'about a third' = memory saved, factor > 2.5; 'a third more
# work' = more products, factor < 1.34; 128 = products recomputed; 96 =
# products kept -->
#
# One thing would break it: *dropout*, which sets a random share of the values
# to zero while training, so that the model cannot lean on single ones. The
# second run must drop the very same values. So the package draws them from a
# generator whose draws can be repeated.
#
# **Predict:** at a rate of 0.25, how large are the values that are kept?
#
# <!-- given: 0.25 -->
# %%
from minigpt2.layers import dropout, dropout_backward
from minigpt2.layers.dropout import dropout_again
from minigpt2.training.randomness import CountedGenerator

rng = CountedGenerator(np, seed=0)
x = np.ones((4, 1000), dtype=np.float32)
y, ctx = dropout(x, 0.25, rng)
claim("share dropped", (y == 0).mean())

# %%
claim("the others become", y.max())
claim("mean of all", y.mean())
rng.position = 0
assert np.array_equal(dropout(x, 0.25, rng)[0], y), "the same draw again"
assert np.array_equal(dropout_again(x, ctx), y)
assert np.array_equal(dropout_backward(np.ones_like(x), ctx), y), (
    "the gradient passes where the value has passed"
)

# %% [markdown]
# A third larger, 1.33 or `1 / (1 − 0.25)`, so that the mean of all stays near
# 1 and nothing has to be changed when the model is used. The same position of
# the generator gives the same draw, which recomputation needs, and so does
# the next section.
#
# <!-- claims: 1.33 = the others become; 'near 1' = mean of all > 0.95 -->
# <!-- given: 1 -->
#
# ## A fall, and going on bit for bit
#
# Runs are killed: a power cut, a full disk, someone's Ctrl-C. The package's
# `Trainer` writes *checkpoints*. We let a run of 12 steps die in step 8, by a
# *reporter* (an object that the trainer tells of each step) that raises an
# error, and resume it; beside it the same run without accident. Dropout is
# on, so chance must be resumed too.
#
# **Predict:** the last checkpoint before the fall was written after step 6.
# In how many of the parameters will the two models differ?
#
# <!-- given: 12; 8; 6 -->
# %%
import tempfile
from pathlib import Path

from minigpt2.training import Trainer, TrainingSettings
from minigpt2.training.events import StepDone

settings = TrainingSettings(
    objective="info_nce",
    max_steps=12,
    batch_size=16,
    dropout=0.1,
    checkpoint_every=3,
)
encoder = Encoder(GPT2.initialise(config, seed=0), tokenizer)

# %%
folder = Path(tempfile.mkdtemp())


class PowerCut:
    def report(self, event):
        if isinstance(event, StepDone) and event.step == 8:
            raise RuntimeError("the lights are out")

    def close(self):
        pass


# %%
import shutil

import minigpt2
from minigpt2.training.checkpoints import newest_checkpoint

calm = Trainer(encoder, data, settings, folder / "calm").run()
try:
    Trainer(
        encoder, data, settings, folder / "killed", reporters=[PowerCut()]
    ).run()
except RuntimeError as error:
    print("killed:", error)
checkpoint, _ = newest_checkpoint(folder / "killed" / "checkpoints")
print(
    checkpoint.path.name,
    {name: array.shape for name, array in checkpoint.arrays.items()},
)

# %%
for name in ("step", "optimizer_steps", "epoch", "batch", "random_position"):
    print(name, getattr(checkpoint.progress, name))

# %%
resumed = Trainer(
    encoder, data, settings, folder / "killed", resume=True
).run()
a, b = (
    minigpt2.load(result.path).model.parameters.flat
    for result in (calm, resumed)
)
claim("parameters", a.size)
claim("parameters that differ", int((a != b).sum()))


# %% [markdown]
# 0 of 46,720: not one bit is different. The checkpoint holds everything that
# the next step depends on: parameters, both moments, the number of steps, the
# place in the data, the position of the random numbers. Steps 7 and 8 were
# lost and have been taken again.
#
# How often do people save the parameters alone?
#
# **Predict:** we go on from the checkpoint twice, once with Adam's moments,
# once with fresh ones. In degrees, how far apart are the directions in which
# the two models move?
#
# <!-- claims: 0 = parameters that differ; 46,720 = parameters -->
# <!-- given: 7; 8 -->
# %%
def gradient_of_all(model):
    gradients, texts = model.parameters.zeros_like(), columns.T.reshape(-1)
    texts = data.tokens_of(texts)
    vector_gradients(model, texts, "mean", contrast, gradients)
    return gradients


# %%
def go_on(keep_moments):
    """How far six more steps lead, with Adam's moments or without."""
    arrays = checkpoint.arrays
    model = GPT2.initialise(config)
    model.parameters.flat[:] = arrays["parameters"]
    optimizer = AdamW(model.parameters)
    if keep_moments:
        optimizer.t = checkpoint.progress.optimizer_steps
        optimizer.m.flat[:] = arrays["m"]
        optimizer.v.flat[:] = arrays["v"]
    for _ in range(6):
        optimizer.step(gradient_of_all(model), lr=1e-3)
    return model.parameters.flat - arrays["parameters"]


# %%
with_moments, without = go_on(True), go_on(False)
claim("degrees apart without moments", angle(with_moments, without))
shutil.rmtree(folder)

# %% [markdown]
# 20 degrees. Nothing crashes and the loss falls, so nobody notices; but it is
# not the run that was stopped. Fresh moments also make the first steps as
# unsure as at the very beginning, now without warm-up.
#
# <!-- claims: 20 = degrees apart without moments ±8 -->
#
# ## Three things to remember
#
# - AdamW gives each parameter its own step length; it does not feel the scale
#   of the gradient, only its changes.
# - Accumulation in equal parts is exact where a loss is a mean over examples.
#   InfoNCE is none: there you need gradient caching.
# - A checkpoint is parameters, both moments, the step, the place in the data
#   and the position of chance. Leave out one, and it is another run.
#
# ## Exercises
#
# - `14_warmup_cosine` (beginner): the learning rate as a function of the
#   step.
# - `14_clip_gradients` (beginner): clip a gradient without turning it.
# - `14_adamw_step` (intermediate): one step of AdamW, with the correction of
#   the start.
# - `14_accumulate` (intermediate): gradients in parts that add up to the
#   whole.
# - `14_resume` (intermediate): save and restore all that the next step reads.
#
# Links: `minigpt2/training/optimizer.py` (`AdamW`, `clip_gradients`),
# `minigpt2/training/schedule.py` (`SCHEDULES`),
# `minigpt2/training/gradients.py` (`vector_gradients`,
# `language_model_gradients`), `minigpt2/layers/recomputed_block.py`
# (`recomputed_block`, `RecomputedBlockContext`, `recomputed_block_backward`),
# `minigpt2/layers/dropout.py` (`dropout`, `DropoutContext`, `dropout_again`,
# `dropout_backward`), `minigpt2/training/randomness.py` (`CountedGenerator`),
# `minigpt2/training/trainer.py` (`Trainer`),
# `minigpt2/training/checkpoints.py` (`newest_checkpoint`)
