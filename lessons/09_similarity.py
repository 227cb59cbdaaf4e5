# %% [markdown]
# # 09 · How similar?
#
# Beginner · 35 minutes
#
# **After this lesson you can**
#
# - compute five measures of similarity by hand and say what each looks at and
#   what it ignores
# - say when they put things in the same order, so that the choice does not
#   matter, and when it does
# - tell what happens to lengths, angles and neighbours in many dimensions,
#   and check such claims on real vectors
#
# Two sentences have become two vectors. How alike are they? There is more
# than one answer. We take the measures that are most in use, first in two
# dimensions, where the head can follow, then for sentences.
# %%
import numpy as np

import minigpt2
from minigpt2.learn import claim, data_file, show
from minigpt2.similarity import METRICS, pairwise
from minigpt2.views import Bars, Lines, Table


# %% [markdown]
# ## Five formulas
#
# For two vectors a and b with D numbers each:
#
#     dot         a·b = a₁b₁ + a₂b₂ + … + a_D b_D
#     cosine      a·b / (‖a‖ ‖b‖)      with the length ‖a‖ = sqrt(a·a)
#     Euclidean   ‖a − b‖              straight from tip to tip
#     Manhattan   |a₁ − b₁| + …        along the streets of a city of blocks
#     Pearson     the cosine of a − mean(a) and b − mean(b)
#
# The *dot product* is large if both vectors are long and point the same way.
# The *cosine* divides the lengths out, so only the direction counts: 1 for
# the same direction, 0 for a right angle, −1 for opposite ones. *Euclidean*
# and *Manhattan* are distances: there, small means alike. *Pearson's
# correlation* first takes from each vector the mean of its own numbers.
#
# **Predict:** a = (3, 4), b = (4, 3). Their lengths are 5 and 5. What is the
# cosine? And Pearson?
#
# <!-- given: 1; 0; −1; 5 -->
# %%
def dot(a, b):
    return float((a * b).sum())


def cosine(a, b):
    return dot(a, b) / np.sqrt(dot(a, a) * dot(b, b))


def euclidean(a, b):
    return float(np.sqrt(((a - b) ** 2).sum()))


# %%
def manhattan(a, b):
    return float(np.abs(a - b).sum())


def pearson(a, b):
    return cosine(a - a.mean(), b - b.mean())


a, b = np.array([3.0, 4.0]), np.array([4.0, 3.0])
for measure in (dot, cosine, euclidean, manhattan, pearson):
    claim(f"{measure.__name__} of a and b", measure(a, b))
# %% [markdown]
# The cosine is 24/25 = 0.96: the two arrows point nearly the same way.
# Pearson says −1, as unlike as can be! It asks something else: do the two go
# up and down together? From the first to the second number a rises and b
# falls. In two dimensions Pearson can only be 1 or −1. For the model's
# vectors of 256 numbers, as we shall see, it says nearly the same as the
# cosine.
#
# <!-- claims: 0.96 = cosine of a and b; −1 = pearson of a and b -->
# <!-- given: 24; 25; 1; 256 -->
#
# What does each measure ignore? We change b and look which numbers move.
#
# **Predict:** which of the five stay the same when b is made twice as long?
# And when 10 is added to both numbers of b?
#
# <!-- given: 10 -->
# %%
five = (dot, cosine, euclidean, manhattan, pearson)
changed = {"b": b, "2·b": 2 * b, "b + 10": b + 10, "−b": -b}
rows = [[name, *(m(a, c) for m in five)] for name, c in changed.items()]
show(Table(["a against", *(m.__name__ for m in five)], rows))
# %% [markdown]
# Twice as long: cosine and Pearson do not notice. A constant added to all
# numbers: only Pearson does not notice. The sign turned: dot, cosine and
# Pearson change their sign, the distances just grow.
#
# The package has all five and a sixth, the angle itself, as `pairwise` (row
# by row), `matrix` (all with all) and `nearest` (the best few):
# `minigpt2/similarity.py`. `METRICS` says of each how to read it. We check
# ours against it on vectors of 256 random numbers.
#
# <!-- given: 256 -->
# %%
rng = np.random.default_rng(0)
x, y = rng.normal(size=(2, 256))
for measure in five:
    assert np.isclose(measure(x, y), pairwise(x, y, measure.__name__)[0])
rows = [[m.name, m.formula] for m in METRICS.values()]
show(Table(["measure", "formula"], rows))
# %% [markdown]
# ## When the choice does not matter
#
# The model's vectors have length 1: `encode` divides each by its length
# (`normalize` in `minigpt2/layers/normalize.py`; its `NormalizeContext` is
# for the way back, lesson 11). For such *unit vectors* the dot product is the
# cosine, and
#
#     ‖a − b‖² = a·a − 2 a·b + b·b = 2 − 2 cos
#
# so the higher the cosine, the smaller the Euclidean distance. Not about the
# same: exactly the same order.
#
# **Predict:** we order real pairs of sentences by each measure. Which order
# will be furthest from the cosine's?
#
# <!-- given: 1 -->
# %%
from minigpt2.datasets import read_pairs
from minigpt2.layers.normalize import normalize

encoder = minigpt2.load()
pairs = read_pairs(data_file("dev.tsv"), limit=500)
raw_a = encoder.encode(pairs.first, normalize_embeddings=False)  # (M, D)
raw_b = encoder.encode(pairs.second, normalize_embeddings=False)
unit_a, unit_b = normalize(raw_a)[0], normalize(raw_b)[0]
assert np.allclose(unit_a, encoder.encode(pairs.first), atol=1e-6)
squared = pairwise(unit_a, unit_b, "euclidean") ** 2
assert np.allclose(squared, 2 - 2 * pairwise(unit_a, unit_b), atol=1e-5)
# %% [markdown]
# To compare two orders we use *Spearman's correlation*: replace every number
# by its rank, 1 for the smallest, and take Pearson's correlation of the
# ranks. It is 1 for the same order and 0 for orders that have nothing to do
# with each other.
#
# <!-- given: 1; 0 -->
# %%
from minigpt2.evaluation.metrics import auc, spearman


def closeness(a, b, name):
    """Scores of the pairs, higher for closer: a distance is turned round."""
    sign = 1 if METRICS[name].higher_is_closer else -1
    return sign * pairwise(a, b, name)


cosines = closeness(unit_a, unit_b, "cosine")
of_unit = {}
for m in METRICS:
    of_unit[m] = spearman(closeness(unit_a, unit_b, m), cosines)
rows = [[name, f"{r:.5f}"] for name, r in of_unit.items()]
show(Table(["unit vectors", "same order as the cosine?"], rows))
claim("Euclidean", of_unit["euclidean"])
claim("Manhattan", of_unit["manhattan"])
claim("Pearson", of_unit["pearson"])
# %% [markdown]
# For unit vectors dot, Euclidean and angular give the order of the cosine.
# Pearson differs in the fifth digit, Manhattan in the third. So a quarrel
# about cosine against Euclidean distance is, for such vectors, about nothing.
#
# <!-- claims: 'give the order of the cosine' = Euclidean > 0.99999; 'fifth
# digit' = Pearson > 0.9999; 'in the third' = Manhattan > 0.99 -->
#
# Why does Pearson agree now? It takes away the mean of each vector's own 256
# numbers. That mean is next to nothing here:
#
# <!-- given: 256 -->
# %%
own_mean = np.abs(unit_a.mean(axis=1)).mean()
size = np.abs(unit_a).mean()
claim("size of the numbers of a vector", size)
claim("size over own mean", size / own_mean)
# %% [markdown]
# The numbers of a vector are about 0.05 in size, some positive, some
# negative, and their mean is 16 times smaller. There is nothing to take away.
# (Do not mix this up with the centring of lesson 08, which takes the mean
# over *sentences*, one for each dimension. That is the other axis of the
# array, and there the mean was large.)
#
# <!-- claims: 0.05 = size of the numbers of a vector; 16 = size over own mean
# ±1.5 -->
#
# ## When it matters: lengths
#
# Before `normalize`, the vectors have different lengths.
#
# **Predict:** which sentences have the longest vectors, those with many words
# or those with few?
# %%
from textwrap import fill

lengths = np.linalg.norm(raw_a, axis=1)
words = [len(sentence.split()) for sentence in pairs.first]
order = np.argsort(lengths)
for i in (*order[:2], *order[-2:]):
    print(fill(f"{lengths[i]:.1f}  {pairs.first[i]}", 78))
claim("longest over shortest", lengths.max() / lengths.min())
claim("Spearman of length and words", spearman(lengths, words))
# %% [markdown]
# The shorter the sentence, the longer its vector. A sentence's vector is a
# mean over its tokens; the more tokens that point in different directions are
# averaged, the more of them cancels. The correlation is −0.67. It is
# sometimes said that the length of a vector tells how important or how
# informative a text is. Here it tells that the text is short.
#
# <!-- claims: −0.67 = Spearman of length and words ±0.03 -->
#
# **Predict:** the labels say which pairs mean the same. How much worse than
# the cosine is the dot product of the raw vectors at telling them apart?
# (AUC, as in lesson 08: how often a pair with label 1 gets the better score;
# a coin has 0.5.)
#
# <!-- given: 1; 0.5 -->
# %%
raw_order, of_auc, rows = {}, {}, []
for m in METRICS:
    unit_scores = closeness(unit_a, unit_b, m)
    raw_scores = closeness(raw_a, raw_b, m)
    raw_order[m] = spearman(raw_scores, cosines)
    of_auc[m] = auc(unit_scores, pairs.labels), auc(raw_scores, pairs.labels)
    rows.append([m, *of_auc[m], raw_order[m]])
show(Table(["measure", "AUC, unit", "AUC, raw", "raw: order"], rows))
# %%
claim("AUC of cosine", of_auc["cosine"][0])
claim("AUC of raw dot", of_auc["dot"][1])
of_units = [auc_unit for auc_unit, _ in of_auc.values()]
claim("widest gap of AUC, unit", max(of_units) - min(of_units))
claim("order of raw dot", raw_order["dot"])
# %% [markdown]
# With unit vectors all six are within a hundredth of each other. With raw
# vectors the order of the dot product has little to do with the cosine's any
# more (a Spearman correlation of 0.37), and its AUC falls from 0.68 to 0.63.
# One missing division costs that much.
#
# <!-- claims: 0.37 = order of raw dot; 0.68 = AUC of cosine; 0.63 = AUC of
# raw dot; 'within a hundredth' = widest gap of AUC, unit < 0.01 -->
#
# ### Hubs
#
# A search is worse off still. For the first sentence of each pair we look for
# the ten nearest among all the second ones, and count how often each of those
# is found. If all were equally popular, it would be about ten times each.
#
# **Predict:** how often does the most popular sentence turn up, by cosine,
# and by Euclidean distance of the raw vectors?
# %%
from minigpt2.similarity import nearest

texts, chosen = np.unique(pairs.second, return_index=True)  # each text once
ways = {
    "cosine": (unit_a, unit_b[chosen], "cosine"),
    "raw dot": (raw_a, raw_b[chosen], "dot"),
    "raw Euclidean": (raw_a, raw_b[chosen], "euclidean"),
}
most = []
for name, (queries, corpus, metric) in ways.items():
    _, found = nearest(queries, corpus, k=10, metric=metric)  # (M, 10) rows
    times = np.bincount(found.ravel(), minlength=len(chosen))
    most.append(times.max())
    print(fill(f"{name}: {texts[times.argmax()]}", 78))
    claim(f"most popular by {name}", times.max())
# %%
caption = "searches of 500 that find the most popular sentence"
show(Bars(list(ways), most, digits=0, caption=caption))
# %% [markdown]
# By cosine the most popular sentence is found 35 times in 500 searches, by
# the raw dot product 177 times, by raw Euclidean distance 272 times. With the
# dot product it is a short sentence, whose vector is long. With the distance
# it is a long sentence, whose vector is short: near the origin, it is near
# everything. Such a *hub* answers a large part of all questions and is the
# right answer to hardly any (Radovanović, Nanopoulos and Ivanović 2010). The
# AUC above hardly showed it: raw Euclidean distance looked only a little
# worse there. A search has to be tested as a search.
#
# <!-- claims: 35 = most popular by cosine ±3; 177 = most popular by raw dot
# ±5; 272 = most popular by raw Euclidean ±5 -->
# <!-- given: 500 -->
#
# ## The cosine is not between 0 and 1
#
# One reads it often, since cosines of word counts are: counts have no
# negative numbers. And with a cone like that of lesson 08, one might believe
# it of models.
#
# **Predict:** among all pairs of our sentences, how many have a negative
# cosine?
#
# <!-- given: 0; 1 -->
# %%
from minigpt2.similarity import matrix

all_cosines = matrix(unit_a, unit_b[chosen])  # (500, n)
claim("smallest cosine", all_cosines.min())
claim("percent below 0", 100 * (all_cosines < 0).mean())
claim("mean of all cosines", all_cosines.mean())
i, j = np.unravel_index(all_cosines.argmin(), all_cosines.shape)
print(pairs.first[i], texts[j], sep="\n")


# %% [markdown]
# About 2 in a hundred are negative, down to −0.21. The two sentences above
# are no opposites: they are about different things. Which cosine do opposites
# have?
#
# **Predict:** "The shop is open." and "The shop is closed.": below 0, about
# 0, or above?
#
# <!-- claims: −0.21 = smallest cosine; 2 = percent below 0 -->
# <!-- given: 0 -->
# %%
opposites = [
    ("The shop is open.", "The shop is closed."),
    ("I love this film.", "I hate this film."),
    ("The cat is asleep.", "The cat is not asleep."),
    ("Prices are rising.", "Prices are falling."),
]
of_opposites = [pairwise(*encoder.encode(list(two)))[0] for two in opposites]
rows = [[*two, c] for two, c in zip(opposites, of_opposites, strict=True)]
show(Table(["sentence", "opposite", "cosine"], rows))
claim("smallest cosine of opposites", min(of_opposites))


# %% [markdown]
# All far above the average of two sentences: opposites share their subject,
# and differ in one word. An opposite meaning is not an opposite direction,
# and among all our pairs no cosine came anywhere near −1.
#
# <!-- claims: 'far above the average' = smallest cosine of opposites > 0.6
# -->
# <!-- given: −1 -->
#
# ## Many dimensions
#
# In a plane two random arrows may have any angle. What about 256 dimensions?
#
# **Predict:** you draw two arrows at random in 256 dimensions. Is a cosine of
# 0.3 likely?
#
# <!-- given: 256; 0.3 -->
# %%
def random_directions(M, D, seed=0):
    x = np.random.default_rng(seed).normal(size=(M, D))
    return normalize(x)[0]


def different_pairs(x):
    return (x @ x.T)[np.triu_indices(len(x), 1)]


sizes = [2, 4, 16, 64, 256, 1024]
directions = [random_directions(400, D) for D in sizes]
spread = [different_pairs(x).std() for x in directions]
curves = {"measured": spread, "1 / sqrt(D)": [1 / np.sqrt(D) for D in sizes]}
show(Lines(curves, x=[str(D) for D in sizes], y_label="spread of cosines"))
claim("spread in 256", spread[4])
largest = np.abs(different_pairs(directions[4])).max()
claim("largest of 79 800", largest)
# %% [markdown]
# The cosines of random directions have mean 0 and a standard deviation of
# exactly `1/sqrt(D)`, because the D products that are added have random
# signs. In 256 dimensions that is 0.06: among 79 800 pairs not one reaches
# 0.3. Nearly all directions are nearly at right angles to each other, and
# there is room for very many of them. That is why a vector of 256 numbers can
# tell many more than 256 things apart.
#
# <!-- claims: 0.06 = spread in 256; 'not one' = largest of 79 800 < 0.3 -->
# <!-- given: 0; 256; 79 800; 0.3 -->
#
# Real sentence vectors are no random directions. We can turn the formula
# round and ask: in how many dimensions would random directions have cosines
# as widely spread as ours? That is one way to say how many dimensions are *in
# use*.
#
# **Predict:** more than half of the 256?
#
# <!-- given: 256 -->
# %%
spread_of_ours = all_cosines.std()
claim("spread of our cosines", spread_of_ours)
claim("dimensions in use", 1 / spread_of_ours**2)


# %% [markdown]
# About 82, a third of them. (Part of the spread comes from pairs that really
# are alike; it is a rough gauge.) Sentences about a few dozen domains of
# daily life do not fill the space.
#
# <!-- claims: 82 = dimensions in use ±3 -->
#
# ## Are neighbours meaningless in many dimensions?
#
# A famous result (Beyer, Goldstein, Ramakrishnan and Shaft 1999) says: for
# random points, the more dimensions there are, the less does the distance to
# the nearest differ from the distance to the farthest, so "nearest" says
# nothing. One reads that embeddings of hundreds of dimensions must suffer
# from it.
#
# We divide the distance to the farthest point by the distance to the k-th
# nearest, for k = 1 and k = 10. (Nearly every sentence of our file has a
# close relative in it; the tenth nearest is just another sentence.)
#
# **Predict:** 500 points. How large is that quotient for random directions in
# 256 dimensions, and how large for sentences?
#
# <!-- given: 500; 256; 1; 10 -->
# %%
def contrast(x, k):
    """Farthest distance over that to the k-th nearest, median."""
    distances = np.sort(matrix(x, x, "euclidean"), axis=1)
    # Column 0 is the point itself.
    return float(np.median(distances[:, -1] / distances[:, k]))


points = {f"random D = {D}": random_directions(500, D) for D in sizes[1:]}
points["sentences"] = unit_b[chosen]
quotients = {n: (contrast(x, 1), contrast(x, 10)) for n, x in points.items()}
rows = [[name, *both] for name, both in quotients.items()]
show(Table(["points", "k = 1", "k = 10"], rows))
claim("random in 256", quotients["random D = 256"][0])
claim("sentences, nearest", quotients["sentences"][0])
claim("sentences, tenth", quotients["sentences"][1])
claim("random in 64, tenth", quotients["random D = 64"][1])
# %% [markdown]
# For random points the claim is true: in 256 dimensions the farthest is only
# 1.2 times as far away as the nearest. For sentences there are two answers.
# The nearest is a relative, and it stands out: the farthest is 2.1 times as
# far away. The tenth nearest does not stand out: 1.32, a little less than for
# random points in 64 dimensions (and we have just estimated that about 82 are
# in use). So the theorem holds for the crowd of sentences that have nothing
# to do with yours, and not for the few that have. Search lives on those few:
# below the first places of its list, distances hardly differ any more.
#
# <!-- claims: 1.2 = random in 256; 2.1 = sentences, nearest; 1.32 =
# sentences, tenth; 'a little less than' = random in 64, tenth > 1.33; 82 =
# dimensions in use ±3 -->
# <!-- given: 256; 64 -->
#
# ## What goes wrong in a computer
#
# Three formulas that are right on paper fail on float32 numbers, which have
# about seven digits.
#
# **Predict:** the cosine of a vector with itself is 1. Out of 500 vectors,
# how many give more than 1?
#
# <!-- given: 1; 500 -->
# %%
scaled = raw_a / np.linalg.norm(raw_a, axis=1, keepdims=True)
with_itself = (scaled * scaled).sum(axis=1)
claim("above 1", (with_itself > 1).sum())
print("largest:", with_itself.max())
print("the package:", pairwise(raw_a, raw_a).max())
# %%
huge = np.full((1, 4), 1e30, np.float32)
with np.errstate(over="ignore", invalid="ignore"):
    naive = (huge @ huge.T).item() / np.linalg.norm(huge) ** 2
print("naive cosine of a huge vector with itself:", naive)
print("the package:", pairwise(huge, huge).item())
print("with a zero vector:", pairwise(huge, 0 * huge).item())
# %% [markdown]
# A good many of the cosines come out above 1, by the last digit, and then
# `arccos` gives NaN ("not a number"). The squares of 1e30 do not fit into
# float32 and give NaN, too. The package scales each row by its largest number
# first and clips at 1; a zero vector has no direction, and its cosine is
# defined as 0.
#
# <!-- claims: 'A good many' = above 1 > 20 -->
# <!-- given: 1; 0; 1e30 -->
#
# The third is the Euclidean distance by the formula `2 − 2 cos`, which is
# quick, since one matrix product does all pairs.
#
# **Predict:** the tips of two unit vectors are 1e-3 apart. How many digits of
# that distance are right by the formula?
#
# <!-- given: 1e-3 -->
# %%
steps = [1e-1, 1e-2, 1e-3, 1e-4]
of_formula, of_package = [], []
for step in steps:
    noise = rng.normal(size=unit_a.shape) * step / 16  # of length about step
    near = (unit_a + noise).astype(np.float32)
    exact = np.linalg.norm(unit_a.astype(np.float64) - near, axis=1)
    squares = (unit_a * unit_a).sum(axis=1) + (near * near).sum(axis=1)
    squared = squares - 2 * (unit_a * near).sum(axis=1)
    formula = np.sqrt(np.maximum(squared, 0))
    package = np.diag(matrix(unit_a, near, "euclidean"))
    of_formula.append(np.median(np.abs(formula / exact - 1)))
    of_package.append(np.median(np.abs(package / exact - 1)))
# %%
errors = zip(steps, of_formula, of_package, strict=True)
rows = [[f"{cell:.0e}" for cell in row] for row in errors]
show(Table(["distance", "error, formula", "error, package"], rows))
claim("formula at 1e-3", of_formula[2])
claim("formula at 1e-4", of_formula[3])
claim("package at 1e-4", of_package[3])
# %% [markdown]
# At a distance of 1e-3 the formula is wrong by some percent, so one digit is
# right; at 1e-4 none is. 2 and `2 cos` agree in nearly all the digits, and
# their difference is what rounding has left over: *cancellation*. The package
# takes the product for most entries, and recomputes those few where too much
# has cancelled, from the two rows themselves.
#
# <!-- claims: 'by some percent' = formula at 1e-3 > 0.005; 'one digit is
# right' = formula at 1e-3 < 0.2; 'none is' = formula at 1e-4 > 0.3 -->
# <!-- given: 1e-3; 1e-4; 2 -->
#
# ## Three things to remember
#
# - For unit vectors cosine, dot product and Euclidean distance give one and
#   the same order. Normalise, and the choice hardly matters; forget to, and
#   it matters a lot.
# - Cosines of random directions shrink as `1/sqrt(D)`. What is a high cosine
#   depends on the dimensions in use, and no cosine means "opposite".
# - In many dimensions random points are all about equally far away. Unrelated
#   sentences behave like that, related ones do not: what is really near
#   stands out.
#
# ## Exercises
#
# - `09_cosine_and_zero` (beginner): the cosine of every pair of rows, also
#   when a row is zero.
# - `09_pearson` (beginner): Pearson's correlation of rows, from the cosine.
# - `09_angles` (advanced): the angle itself, right also where the cosine is
#   flat.
#
# Links: `minigpt2/similarity.py` (`pairwise`, `matrix`, `nearest`,
# `METRICS`), `minigpt2/layers/normalize.py` (`normalize`,
# `NormalizeContext`), `minigpt2/evaluation/metrics.py` (`spearman`, `auc`),
# `minigpt2/encoder.py` (`encode`)
