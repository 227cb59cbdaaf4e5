# %% [markdown]
# # 12 · Losses: what it means to be wrong
#
# Intermediate · 40 minutes
#
# **After this lesson you can**
#
# - write the losses that make sentence vectors, and say which data each of
#   them needs
# - read a loss by its gradient: who is pulled, who is pushed, and how hard
# - say what the temperature does, and why a loss near zero may teach nothing
#
# A *loss* is one number that says how wrong a model is. Training makes it
# smaller, and it does so by the loss's *gradient*: for every vector the
# direction in which it should move, and how urgently. Two losses with the
# same minimum can pull in very different ways on the way there. So in this
# lesson we look at each loss twice: at its value, and at the arrows that it
# sends back.
#
# Sixteen triples from the training data are our material: an *anchor*, a
# sentence with the same meaning (its *positive*), and one that looks alike
# but says something else (its *hard negative*).
# %%
import numpy as np

import minigpt2
from minigpt2.datasets import read_pairs
from minigpt2.learn import claim, data_file, show
from minigpt2.views import Bars, HeatMap, Lines, Table

# %% [markdown]
# The file holds pairs of sentences with a label: 1 for the same meaning, 0
# for another. We note each sentence's partner of label 1 and of label 0, and
# keep sixteen sentences that have both.
#
# <!-- given: 1; 0 -->
# %%
pairs = read_pairs(data_file("train.tsv"), limit=2000)
negative_of = {
    a: b
    for a, b, y in zip(pairs.first, pairs.second, pairs.labels, strict=True)
    if y == 0
}
positive_of = {
    a: b
    for a, b, y in zip(pairs.first, pairs.second, pairs.labels, strict=True)
    if y == 1
}

# %%
from textwrap import fill

triples = [
    (a, positive_of[a], negative_of[a])
    for a in positive_of
    if a in negative_of
][:16]
encoder = minigpt2.load()
anchors, positives, negatives = (
    encoder.encode(list(side)) for side in zip(*triples, strict=True)
)
print(anchors.shape, *(fill(text, 78) for text in triples[0]), sep="\n")

# %% [markdown]
# All vectors have length 1, so the dot product of two of them is their cosine
# (lesson 09). Every loss below is a function of these cosines.
#
# **Predict:** the model that comes with the package has never seen these
# sentences. To which does it give the higher cosine on average: to the pairs
# that mean the same, or to those that only look alike?
#
# <!-- given: 1 -->
# %%
to_positive = (anchors * positives).sum(axis=1)  # (16,)
to_negative = (anchors * negatives).sum(axis=1)  # (16,)
others = (anchors @ positives.T)[~np.eye(16, dtype=bool)]  # (240,)
means = [to_positive.mean(), to_negative.mean(), others.mean()]
show(
    Bars(
        ["same meaning", "looks alike", "another sentence"],
        means,
        caption="mean cosine",
    )
)
claim("same meaning", means[0])
claim("looks alike", means[1])
claim("another sentence", means[2])

# %% [markdown]
# The order is right: 0.91 for the same meaning, 0.80 for those that look
# alike, 0.20 for sentences that have nothing to do with each other. But the
# step from "looks alike" to "same meaning" is small beside the other. Losses
# are there to widen it.
#
# <!-- claims: 0.91 = same meaning; 0.80 = looks alike; 0.20 = another
# sentence -->
#
# ## Pull and push: contrastive
#
# An old idea (Hadsell, Chopra and LeCun 2006): with `d = 1 − cosine` as
# distance, pull the pairs labelled 1 to distance zero, and push those
# labelled 0 away until they are `margin` apart; further away does not matter.
#
#     loss = mean of ½ · d²                    for a pair labelled 1
#                    ½ · max(0, margin − d)²   for a pair labelled 0
#
# **Predict:** with a margin of 0.5, which of the 16 + 16 pairs will feel
# nothing at all?
#
# <!-- given: 0.5; 16; 1; 0 -->
# %%
from minigpt2.training.losses import contrastive, contrastive_backward

a, b = (
    np.concatenate([anchors, anchors]),
    np.concatenate([positives, negatives]),
)  # (32, D) each
labels = np.repeat([1.0, 0.0], 16)
loss, ctx = contrastive(a, b, labels, margin=0.5)
d = 1 - (a * b).sum(axis=1)
by_hand = np.where(
    labels == 1, 0.5 * d**2, 0.5 * np.maximum(0, 0.5 - d) ** 2
).mean()
assert np.isclose(loss, by_hand, rtol=1e-4)
print(type(ctx).__name__, ctx._fields)

# %% [markdown]
# The formula agrees with `minigpt2/training/losses/contrastive.py`. `ctx` is
# the context (lesson 06): what the way back will need. Now that way.
# `contrastive_backward` gives the gradient for each of the two sides; its
# length is the force on that vector.
# %%
da, db = contrastive_backward(1.0, ctx)
force = np.linalg.norm(da, axis=1)
kinds = ["pull, same meaning", "push, looks alike"]
show(
    Bars(
        kinds,
        [force[:16].mean(), force[16:].mean()],
        digits=4,
        caption="mean force on an anchor",
    )
)
claim("pull", force[:16].mean())
claim("push", force[16:].mean())
claim("pushed harder", force[16:].mean() / force[:16].mean())
claim("pairs without force", int((force == 0).sum()))

# %% [markdown]
# The push is more than three times the pull, because here the wrong cosines
# are further from what they should be than the right ones. And 3 of the 32
# pairs feel nothing: they are further apart than the margin, so the loss has
# no wish for them. Such a pair costs as much computing as any other and
# teaches nothing.
#
# <!-- claims: 'more than three times' = pushed harder > 3; 3 = pairs without
# force -->
# <!-- given: 32 -->
#
# Is the gradient right? Move one number of one vector a little and see how
# the loss moves: the *finite difference* of lesson 11, in double precision.
# %%
tiny = 1e-6
x, y = a.astype(np.float64), b.astype(np.float64)
moved = x.copy()
moved[18, 3] += tiny
slope = (
    contrastive(moved, y, labels)[0] - contrastive(x, y, labels)[0]
) / tiny
exact = contrastive_backward(1.0, contrastive(x, y, labels)[1])[0][18, 3]
print(slope, exact)
assert np.isclose(slope, exact, rtol=1e-3)
assert exact != 0

# %% [markdown]
# ## A target for each cosine, or only an order: regression and CoSENT
#
# Some data holds scores, such as "3.8 of 5". *Cosine regression* wants the
# cosine to be that number:
#
#     loss = mean of (cosine − target)²
#
# *CoSENT* (Su 2022) asks for less: of two pairs, the one with the higher
# label should have the higher cosine.
#
#     loss = log(1 + Σ exp((cosine_j − cosine_i) / τ))
#
#     the sum over all i, j with label_i > label_j
#
# The number τ (tau), here 0.05, divides the differences: the smaller it is,
# the more the few largest terms decide. Later we look at it closely.
#
# First we check both formulas, CoSENT's with the double sum as it is written.
#
# <!-- given: 3.8; 5; 0.05 -->
# %%
from minigpt2.training.losses import (
    cosent,
    cosent_backward,
    cosine_regression,
    cosine_regression_backward,
)

cosine = (a * b).sum(axis=1)


def terms_of_cosent(cosine, temperature=0.05):
    """The definition: every pair with every other."""
    return sum(
        np.exp((cosine[j] - cosine[i]) / temperature)
        for i in range(32)
        for j in range(32)
        if labels[i] > labels[j]
    )


# %%
assert np.isclose(
    cosent(a, b, labels)[0], np.log(1 + terms_of_cosent(cosine)), rtol=1e-3
)
assert np.isclose(
    cosine_regression(a, b, labels)[0],
    ((cosine - labels) ** 2).mean(),
    rtol=1e-3,
)
print("both as the package has them")

# %% [markdown]
# Both losses pull on the two sides of a pair with the gradient of its cosine.
# Let us see how that force is spread over the pairs.
#
# **Predict:** the three pairs that are pulled hardest, of 32: which share of
# all force do they have in the regression, and which in CoSENT?
#
# <!-- given: 32 -->
# %%
for name, forward, backward in (
    ("regression", cosine_regression, cosine_regression_backward),
    ("CoSENT", cosent, cosent_backward),
):
    force = np.linalg.norm(
        backward(1.0, forward(a, b, labels)[1])[0], axis=1
    )  # (32,)
    hardest = np.argsort(-force)[:3]
    print(
        name,
        *(f"label {labels[i]:.0f}, cosine {cosine[i]:.2f}" for i in hardest),
        sep="; ",
    )
    claim(f"percent, {name}", 100 * force[hardest].sum() / force.sum())

# %% [markdown]
# In the regression three pairs of 32 have 21 % of the force: every pair is
# off by something, so nearly every pair pulls. In CoSENT they have 54 %: the
# logarithm of a sum of exponentials is nearly its largest term alone, so it
# listens to the pairs that stand in the wrong place of the order, first of
# all to two positive pairs that many negatives have overtaken.
#
# <!-- claims: 21 = percent, regression; 54 = percent, CoSENT -->
# <!-- given: 32 -->
#
# The package never forms the double sum: `cosent` sorts the pairs by label
# and keeps a running sum, so 10 000 pairs need no hundred million terms. The
# comment in `minigpt2/training/losses/cosent.py` shows the step.
#
# <!-- given: 10 000 -->
#
# ## One right answer among many: InfoNCE
#
# Now forget labels. All we know is that row i of the anchors belongs to row i
# of the positives. Then all the *other* positives in the batch are wrong
# answers, for free: with 16 pairs each anchor has 15 of them. *InfoNCE* (van
# den Oord et al. 2018, arXiv:1807.03748) treats each anchor as a
# multiple-choice question:
#
#     p    = softmax over j of (a_i · p_j / τ)
#     loss = mean of − log p[i, i]
#
# `info_nce` also asks the other way round, which anchor belongs to a
# positive, and takes the mean of both; `symmetric=False` leaves that out.
#
# τ is the *temperature*: it divides the cosines before the softmax. A random
# guess over 16 choices would cost log 16, about 2.77.
#
# <!-- given: 16; 15; 2.77 -->
#
# **Predict:** the model already puts every anchor nearest to its own
# positive. At τ = 1, is the loss near 0 or near 2.77?
#
# <!-- given: 1; 0; 2.77 -->
# %%
from minigpt2.training.losses import info_nce, info_nce_backward

nearest = (anchors @ positives.T).argmax(axis=1)
claim(
    "anchors with the right neighbour", int((nearest == np.arange(16)).sum())
)
taus = [1.0, 0.2, 0.1, 0.05, 0.02]
losses = [
    float(info_nce(anchors, positives, temperature=tau)[0]) for tau in taus
]

# %%
show(
    Table(
        ["temperature", "loss"],
        [list(row) for row in zip(taus, losses, strict=True)],
    )
)
claim("loss at 1", losses[0])
claim("loss at 0.1", losses[2])
claim("loss at 0.02", losses[4])


# %% [markdown]
# All 16 anchors have the right neighbour, and still the loss at τ = 1 is
# 2.13, not far from guessing: cosines lie between −1 and 1, and a softmax
# over such small numbers is nearly flat. Divided by 0.1 they span a range of
# 20, and the same vectors have a loss of 0.03. So **a value of this loss says
# nothing without its temperature**. At τ = 0.02 it is 0 to all digits of
# float32.
#
# <!-- claims: 16 = anchors with the right neighbour; 2.13 = loss at 1; 0.03 =
# loss at 0.1; 0 = loss at 0.02 ±0.0001 -->
# <!-- given: 1; −1; 0.1; 20; 0.02 -->
#
# ## What the temperature really does
#
# Values do not train, gradients do. For the anchor's gradient the chain rule
# gives
#
#     ∂loss/∂cosine_ij = (p_ij − [i = j]) / (τ · M)
#
# where M is the number of anchors, 16, and `[i = j]` is 1 for the right
# answer, otherwise 0: the probabilities, minus one at the right answer, as
# for cross-entropy in lesson 11; τ and M are what the cosines and the sum are
# divided by. (This is for one direction, `symmetric=False`.) So a wrong
# candidate j pushes with the weight `p_ij`: in proportion to how much the
# softmax believes in it. We look at how one anchor's push is shared among its
# 15 wrong candidates, and as a check compute the gradient from this formula.
#
# <!-- given: 15; 16; 1; 0 -->
# %%
def shares(tau):
    """(16, 15) shares of the push on wrong candidates, nearest first."""
    _, ctx = info_nce(anchors, positives, temperature=tau, symmetric=False)
    p = ctx.there.probabilities.astype(np.float64)  # (16, 16)
    by_formula = (p - np.eye(16)) @ positives / (tau * 16)  # (16, D)
    assert np.allclose(by_formula, info_nce_backward(1.0, ctx)[0], atol=1e-5)
    wrong = p[~np.eye(16, dtype=bool)].reshape(16, 15)
    return -np.sort(-wrong / wrong.sum(axis=1, keepdims=True), axis=1)


# %%
rows = [shares(tau).mean(axis=0) for tau in taus]
show(
    HeatMap(
        np.array(rows),
        rows=[f"τ={tau}" for tau in taus],
        columns=[str(k + 1) for k in range(15)],
    )
)

# %% [markdown]
# Each row is one temperature, each column a wrong candidate, from the nearest
# to the farthest. At τ = 1 all 15 are pushed nearly alike; at τ = 0.02 the
# nearest alone gets most. That is what the temperature chooses: *who is
# heard*.
#
# **Predict:** and how hard is the push in all? The formula divides by τ, so
# does a low temperature push harder?
#
# <!-- given: 1; 15; 0.02 -->
# %%
claim("share of the nearest at 1", rows[0][0])
claim("share of the nearest at 0.02", rows[-1][0])
forces = []
for tau in taus:
    _, ctx = info_nce(anchors, positives, temperature=tau)
    forces.append(
        float(np.linalg.norm(info_nce_backward(1.0, ctx)[0], axis=1).mean())
    )

# %%
show(
    Bars(
        [f"τ={tau}" for tau in taus],
        forces,
        digits=5,
        caption="mean force on an anchor",
    )
)
claim("force at 0.2 against 1", forces[1] / forces[0])
claim("force at 0.02 against 0.2", forces[4] / forces[1])

# %% [markdown]
# Not here. The nearest candidate's share goes from 0.08 to 0.77, but the
# force as a whole, after a rise to 1.9 times at τ = 0.2, falls to nothing:
# less than a millionth. Every anchor has found its partner, the softmax at a
# low temperature is sure of it, and `p − 1` is 0. Dividing by a small τ does
# not help a zero. A batch that the model has solved teaches only at a high
# temperature, and a low one needs harder questions.
#
# <!-- claims: 0.08 = share of the nearest at 1; 0.77 = share of the nearest
# at 0.02 ±0.02; 1.9 = force at 0.2 against 1; 'less than a millionth' = force
# at 0.02 against 0.2 < 1e-6 -->
# <!-- given: 0.2; 0 -->
#
# ## Hard negatives
#
# The 15 other sentences of the batch are easy to reject: they are about
# something else. `info_nce` also takes hard negatives, which stand beside the
# positives as further wrong candidates.
#
# <!-- given: 15 -->
#
# **Predict:** our 16 hard negatives join. By how much does the loss at τ =
# 0.05 grow?
#
# <!-- given: 16; 0.05 -->
# %%
easy, _ = info_nce(anchors, positives, temperature=0.05)
hard, ctx = info_nce(anchors, positives, negatives, temperature=0.05)
claim("loss without hard negatives", easy)
claim("loss with hard negatives", hard)
danchors, dpositives, dnegatives = info_nce_backward(1.0, ctx)
print(danchors.shape, dpositives.shape, dnegatives.shape)
p = ctx.there.probabilities  # (16, 32)
own = p[np.arange(16), 16 + np.arange(16)]
claim(
    "percent to the own negative",
    100 * (own / (1 - p[np.arange(16), np.arange(16)])).mean(),
)

# %% [markdown]
# From less than a thousandth to 0.45, with the same vectors, and 86 % of what
# the wrong candidates get goes to the anchor's own hard negative: one
# sentence among 31. Do the forces at low temperatures come back?
#
# **Predict:** in the picture above the force at τ = 0.02 was nothing. With
# hard negatives?
#
# <!-- claims: 'less than a thousandth' = loss without hard negatives < 0.001;
# 0.45 = loss with hard negatives; 86 = percent to the own negative -->
# <!-- given: 31; 0.02 -->
# %%
forces = []
for tau in taus:
    _, ctx = info_nce(anchors, positives, negatives, temperature=tau)
    forces.append(
        float(np.linalg.norm(info_nce_backward(1.0, ctx)[0], axis=1).mean())
    )
show(
    Bars(
        [f"τ={tau}" for tau in taus],
        forces,
        digits=5,
        caption="mean force, with hard negatives",
    )
)
claim("hard force at 0.02 against 1", forces[4] / forces[0])

# %% [markdown]
# Now the lowest temperature pushes 5.7 times as hard as the highest.
# Temperature and negatives belong together: which τ is best depends on how
# hard the questions are, and there is no best τ as such.
#
# <!-- claims: 5.7 = hard force at 0.02 against 1 ±0.2 -->
#
# ## One negative each: triplet
#
# The *triplet* loss (FaceNet, Schroff et al. 2015, arXiv:1503.03832) compares
# an anchor with one positive and one negative:
#
#     loss = mean of max(0, margin + a · negative − a · positive)
#
# **Predict:** take random sentences as negatives instead of the hard ones.
# How many of the 16 triplets still teach anything, at a margin of 0.2?
#
# <!-- given: 16; 0.2 -->
# %%
from minigpt2.training.losses import triplet, triplet_backward

shifted = np.roll(positives, 1, axis=0)  # another anchor's positive
_, with_hard = triplet(anchors, positives, negatives, margin=0.2)
loss, with_random = triplet(anchors, positives, shifted, margin=0.2)
claim("hard triplets that teach", int(with_hard.broken.sum()))
claim("random triplets that teach", int(with_random.broken.sum()))
claim(
    "force from random triplets",
    np.linalg.norm(triplet_backward(1.0, with_random)[0]),
)

# %% [markdown]
# 13 of the 16 hard triplets break the margin, and not one of the random ones:
# every random negative is already further away than the margin asks. Loss 0,
# gradient 0, an afternoon of computing for nothing. Negatives have to be
# chosen (FaceNet's paper is mostly about that), or there must be many of them
# at once, as in InfoNCE.
#
# <!-- claims: 13 = hard triplets that teach; 'not one of the random ones' =
# random triplets that teach == 0; 0 = force from random triplets -->
# <!-- given: 16 -->
#
# InfoNCE with one wrong candidate is a triplet loss with a rounded corner.
# Let us check the formula behind this: with M = 1, one negative and
# `symmetric=False`, InfoNCE is `log(1 + exp((a·n − a·p) / τ))`.
#
# <!-- given: 1 -->
# %%
for tau in (0.5, 0.05):
    one = info_nce(
        anchors[:1],
        positives[:1],
        negatives[:1],
        temperature=tau,
        symmetric=False,
    )[0]
    assert np.isclose(
        one,
        np.log1p(np.exp((to_negative[0] - to_positive[0]) / tau)),
        rtol=1e-3,
    )

# %%
# cosine to the negative minus cosine to the positive
gap = np.linspace(-0.4, 0.4, 41)
curves = {"triplet, margin 0": np.maximum(0, gap)}
for tau in (0.2, 0.05):
    curves[f"InfoNCE, τ={tau}, times τ"] = tau * np.log1p(np.exp(gap / tau))
show(
    Lines(
        curves,
        x=[f"{g:.2f}" for g in gap],
        caption="loss over (a·n − a·p): a rounded corner",
    )
)

# %% [markdown]
# The triplet's loss has a corner where the two cosines are equal. InfoNCE
# goes round it, the nearer the smaller τ is. (It is drawn times τ, so that
# all three climb alike on the right.)
#
# ## A teacher: distillation
#
# Where a better model exists, its vectors are the best labels there are:
# every sentence gets a target, no pairs needed. The model that comes with the
# package was made so. *Distillation* asks three things at once: be near the
# teacher's vector, have the teacher's cosines to all its vectors, and have
# them among yourselves. The second and third compare whole rows of
# similarities, as probabilities, by the *Kullback–Leibler divergence* (how
# much more surprised someone is who expects Q when P is true than who expects
# P).
#
# Why not the first alone? We build two students by hand. Both have exactly
# the same cosine to their targets: one has turned every vector in the same
# direction, the other every vector in its own.
#
# **Predict:** both have the same first term. Which of the two does the rest
# of the loss punish more? (Below, `alpha=0.0` switches the first term off.)
# %%
from minigpt2.layers import normalize
from minigpt2.training.losses import distillation, distillation_backward


def turned(directions, angle=0.4):
    """The anchors, each turned by `angle` towards its direction (16, D)."""
    across = (
        directions
        - (directions * anchors).sum(axis=1, keepdims=True) * anchors
    )
    return np.cos(angle) * anchors + np.sin(angle) * normalize(across)[0]


# %%
rng = np.random.default_rng(0)
together = turned(np.tile(rng.normal(size=256), (16, 1)))
scattered = turned(rng.normal(size=(16, 256)))
for name, students in (("together", together), ("scattered", scattered)):
    claim(
        f"cosine to the target, {name}",
        (students * anchors).sum(axis=1).mean(),
    )
    claim(f"loss, {name}", distillation(students, anchors)[0])
    claim(f"relations, {name}", distillation(students, anchors, alpha=0.0)[0])
relations = [
    distillation(s, anchors, alpha=0.0)[0] for s in (together, scattered)
]
claim("relations ratio", relations[1] / relations[0])

# %% [markdown]
# Both stand at a cosine of 0.92 from their targets. Turned all in one
# direction, the students keep most of the distances among themselves:
# relations cost 0.05. Turned each its own way they cost 3.9 times as much.
# The second is what makes neighbours swap, and similarity search lives on
# neighbours.
#
# <!-- claims: 0.92 = cosine to the target, together; 0.05 = relations,
# together; 3.9 = relations ratio ±0.2 -->
#
# Does the gradient lead back? We take the first student and follow its
# gradient downhill.
#
# **Predict:** does the loss fall steadily, or does it jump?
# %%
student, way = together.copy(), []
for _ in range(60):
    loss, ctx = distillation(student, anchors)
    way.append(float(loss))
    student = normalize(student - 0.05 * distillation_backward(1.0, ctx))[0]

# %%
show(
    Lines(
        {"loss": way},
        x=[str(i) for i in range(60)],
        caption="distillation, step by step",
        low=0.0,
    )
)
claim("distillation before", way[0])
claim("distillation after", way[-1])
print(type(ctx).__name__, *ctx._fields)

# %% [markdown]
# Steadily, from 0.44 to 0.06 in sixty small steps. This is training with the
# model left out: here the vectors themselves are moved. With a model the same
# gradient goes on, back through pooling and layers (lessons 10 and 11), and
# moves parameters instead.
#
# <!-- claims: 0.44 = distillation before; 0.06 = distillation after -->
#
# ## Vectors that may be cut short: Matryoshka
#
# The last loss is none of its own: `matryoshka` (Kusupati et al. 2022,
# arXiv:2205.13147) wraps any other and asks it also of the first few numbers
# of each vector, as the smaller doll stands inside the larger. Then 32
# numbers of 256 may be kept where memory is short.
#
# <!-- given: 32; 256 -->
#
# **Predict:** our model was *not* trained so. Are its first 32 numbers a
# better embedding than its last 32?
#
# <!-- given: 32 -->
# %%
from functools import partial

from minigpt2.training.losses import matryoshka, matryoshka_backward

forward = partial(info_nce, temperature=0.05)
vectors = (anchors, positives, negatives)
total, ctx = matryoshka(forward, info_nce_backward, vectors, dims=[32, 256])

# %%
each = {
    d: float(forward(*(normalize(v[:, :d])[0] for v in vectors))[0])
    for d in (32, 256)
}
assert np.isclose(total, each[32] + each[256], rtol=1e-4)
last = float(forward(*(normalize(v[:, -32:])[0] for v in vectors))[0])
claim("first 32", each[32])
claim("last 32", last)
claim("all 256", each[256])

# %%
gradients = matryoshka_backward(1.0, ctx)
print(
    [prefix.d for prefix in ctx.prefixes],
    [g.shape for g in gradients],
    type(ctx.prefixes[0]).__name__,
)
force = np.abs(gradients[0]).mean(axis=0)  # (256,)
claim(
    "force on the first 32 against the rest",
    force[:32].mean() / force[32:].mean(),
)

# %% [markdown]
# They are, 0.42 against 0.61, and, which we did not expect, on these sixteen
# triples even a little better than all 256 numbers with 0.45. The reason lies
# in the recipe of the model: its teacher's vectors were turned so that the
# direction with the greatest spread comes first, the next second, and so on.
# So the first numbers hold most. Where nobody has done that, `matryoshka`
# does it: the first 32 numbers hear both losses, and the force on each of
# them is 5.9 times that on the rest.
#
# <!-- claims: 0.42 = first 32; 0.61 = last 32; 0.45 = all 256; 5.9 = force on
# the first 32 against the rest ±0.3 -->
# <!-- given: 256; 32; 0; 1 -->
#
# ## Which one to take
#
# | what you have | loss | what it says |
# |---|---|---|
# | labels 0 or 1 | `contrastive` | pull these, push those to a margin |
# | scores | `cosine_regression`, `cosent` | this value; this order |
# | positives | `info_nce` | find the partner among all |
# | triplets | `triplet`, `info_nce` | this one nearer than that one |
# | a better model | `distillation` | be where the teacher is |
# | plain text | `next_token` | what comes next? (lesson 16) |
#
# ## Three things to remember
#
# - A loss teaches by its gradient. A triplet that keeps its margin, a pair
#   that is far enough apart and an InfoNCE at a low temperature with easy
#   candidates teach nothing, whatever their value says.
# - The temperature says who is heard: high, all wrong candidates alike; low,
#   the nearest alone.
# - Negatives decide what is learned. Random ones are soon too easy; those
#   that look alike are where the loss is.
#
# ## Exercises
#
# - `12_contrastive` (beginner): pull and push with a margin, and the slope in
#   the cosine.
# - `12_info_nce` (intermediate): InfoNCE in both directions, without
#   overflow.
# - `12_cosent` (intermediate): the order of pairs, without forming the double
#   sum.
# - `12_info_nce_backward` (advanced): its gradient, by hand.
#
# Links: `minigpt2/training/losses/contrastive.py` (`contrastive`,
# `ContrastiveContext`, `contrastive_backward`),
# `minigpt2/training/losses/cosine_regression.py` (`cosine_regression`),
# `minigpt2/training/losses/cosent.py` (`cosent`, `CoSENTContext`,
# `cosent_backward`), `minigpt2/training/losses/info_nce.py` (`info_nce`,
# `InfoNCEContext`, `info_nce_backward`),
# `minigpt2/training/losses/triplet.py` (`triplet`, `TripletContext`,
# `triplet_backward`), `minigpt2/training/losses/distillation.py`
# (`distillation`, `DistillationContext`, `distillation_backward`),
# `minigpt2/training/losses/matryoshka.py` (`matryoshka`, `Prefix`,
# `MatryoshkaContext`, `matryoshka_backward`)
