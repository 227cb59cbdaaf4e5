# %% [markdown]
# # 08 · From tokens to a sentence
#
# Intermediate · 35 minutes
#
# **After this lesson you can**
#
# - make one vector of many token vectors in four ways, and say what each way
#   throws away
# - measure which layer and which way of pooling suits a question, instead of
#   believing a rule
# - recognise a cone of vectors, name its causes, and say what centring does
#   about it and what not
#
# Lesson 07 ended with one row of numbers for each token. To compare two
# sentences, of five and of nine tokens, we need one row for each *sentence*.
# Going from many rows to one is called *pooling*. There is a lot of advice
# about it: "take the last layer", "take the last token", "centre the vectors
# first". We shall try all of it on pairs of sentences whose right answer is
# known.
# %%
import numpy as np

import minigpt2
from minigpt2.learn import claim, data_file, show
from minigpt2.ragged import TokenBatch
from minigpt2.views import Bars, HeatMap, Lines, Table

encoder = minigpt2.load()
sentences = [
    "the dog saw the cat",
    "the cat saw the dog",
    "rain is expected tomorrow",
]
ids = encoder.token_ids(sentences)[0]
batch = TokenBatch(ids)  # B = 3 sentences, one after the other
hidden, _ = encoder.model.forward(batch)  # (N, D)
print("lengths", batch.lengths, "offsets", batch.offsets)
print("hidden", hidden.shape)
# %% [markdown]
# ## Four ways to pool
#
# The tokens of all sentences lie in one array, and `offsets` says where each
# sentence begins and the one before it ends. The first sentence has the rows
# 0 to 4 and D = 256 columns. Four ways to make one row of its T rows x₁ …
# x_T:
#
#     mean            (x₁ + x₂ + … + x_T) / T
#     weighted mean   w₁x₁ + … + w_T x_T   with w_t = t / (1 + 2 + … + T)
#     last            x_T
#     max             in each column the largest entry
#
# The first three are one formula with different weights. The *weighted mean*
# (Muennighoff 2022, arXiv:2202.08904) is made for models like ours, in which
# a token sees only the tokens before it: the first token knows nothing but
# itself, the last has seen everything, so later tokens count for more.
#
# **Predict:** a sentence of five tokens. How many times as much does the last
# token count as the first, in the weighted mean?
#
# <!-- given: 0; 4; 256 -->
# %%
T = 5
t = np.arange(1, T + 1)
weights = {
    "mean": np.ones(T) / T,
    "weighted_mean": t / t.sum(),
    "last": (t == T) * 1.0,
}
for kind, w in weights.items():
    print(f"{kind:14}", np.round(w, 3), "sum", round(w.sum(), 6))
w = weights["weighted_mean"]
claim("last over first", w[-1] / w[0])
# %% [markdown]
# It counts 5 times as much. Each row of weights sums to one, so all three are
# weighted means of the tokens. Now by hand for every sentence, and the
# package beside it (`pooling` in `minigpt2/layers/pooling.py`). Its
# `token_weights` gives the same weights for a whole batch.
#
# <!-- claims: 5 = last over first -->
# %%
from itertools import pairwise

from minigpt2.layers.pooling import POOLINGS, pooling, token_weights

places = [slice(*ends) for ends in pairwise(batch.offsets)]  # B slices
for kind in ["mean", "weighted_mean", "last"]:
    w = token_weights(batch, kind)  # (N,)
    by_hand = [w[at] @ hidden[at] for at in places]  # each (T,) @ (T, D)
    of_package, _ = pooling(hidden, batch, kind)  # (B, D)
    assert np.allclose(by_hand, of_package, atol=1e-5), kind
of_package, _ = pooling(hidden, batch, "max")
assert np.allclose(hidden[places[0]].max(axis=0), of_package[0])
print("all four agree with the package:", ", ".join(POOLINGS))
# %% [markdown]
# ## What pooling throws away
#
# Our first two sentences have the same words: in one the dog does the seeing,
# in the other the cat. How near are the two vectors? We ask for their
# *cosine*, which is 1 for vectors of the same direction and 0 for unrelated
# ones (lesson 09 takes it apart). `hidden_states` gives the rows as they
# leave the embedding tables (we call that layer 0) and as they leave each of
# the six blocks.
#
# **Predict:** in layer 0, a row says only which token stands at which place.
# With *mean* pooling, what is the cosine of the two sentences there?
#
# <!-- given: 1; 0 -->
# %%
from minigpt2 import similarity

states = encoder.model.hidden_states(batch)  # 7 arrays (N, D)


def cosine_of_first_two(layer, kind):
    y = pooling(states[layer], batch, kind)[0]  # (B, D)
    return float(similarity.pairwise(y[0], y[1])[0])


names = ["mean", "weighted", "last", "max"]
cosines = [
    [cosine_of_first_two(layer, kind) for kind in POOLINGS]
    for layer in (0, 6)
]
show(HeatMap(cosines, rows=["layer 0", "layer 6"], columns=names, low=0))
# %%
claim("mean at layer 0", cosines[0][0])
claim("weighted mean at layer 6", cosines[1][1])
claim("last at layer 6", cosines[1][2])
# %% [markdown]
# Exactly one: a sum does not know in which order it was added, and the places
# 0 to 4 are occupied in both sentences. Averaging the embedding rows is a
# *bag of words*. Order can only reach the vector if attention has written it
# into the rows before they are pooled. After six blocks the two sentences are
# told apart: 0.98 with the weighted mean, 0.73 with the last token. With the
# weighted mean, who saw whom is a small part of the vector.
#
# <!-- given: 1 -->
# <!-- claims: 'Exactly one' = mean at layer 0 > 0.99999; 0.98 = weighted mean
# at layer 6; 0.73 = last at layer 6 -->
# <!-- given: 0; 4 -->
#
# ## Measuring instead of believing
#
# `dev.tsv` holds pairs of sentences with a label: 1 if both say the same, 0
# if not. They are hard on purpose: most pairs with label 0 share nearly all
# of their words, and a "not", a number, or who did what to whom differs.
# %%
from textwrap import fill

from minigpt2.datasets import read_pairs

pairs = read_pairs(data_file("dev.tsv"), limit=500)
labels = pairs.labels
same, other = np.argmax(labels == 1), np.argmax(labels == 0)
for i in (same, other):
    print(f"label {labels[i]:.0f}")
    print(fill(pairs.first[i], 78), fill(pairs.second[i], 78), sep="\n")


# %% [markdown]
# We pool every layer in every way: seven layers, four poolings, a thousand
# sentences.
# %%
def all_vectors(texts):
    """texts -> kind -> (7, B, D), every row of length 1"""
    batch = TokenBatch(encoder.token_ids(texts)[0])
    states = encoder.model.hidden_states(batch)
    return {
        kind: np.stack([unit(pooling(x, batch, kind)[0]) for x in states])
        for kind in POOLINGS
    }


def unit(y):
    return y / np.linalg.norm(y, axis=-1, keepdims=True)


vectors = all_vectors(pairs.first + pairs.second)
B = len(labels)
print(vectors["mean"].shape, "for each of", *vectors)
# %% [markdown]
# To judge a column of cosines we ask: if I draw a pair with label 1 and a
# pair with label 0, how often does the first have the higher cosine? That
# share is called *AUC*. A coin reaches 0.5, perfection is 1. It needs no
# threshold, so poolings whose cosines lie in different ranges can be
# compared.
#
# **Predict:** the model was trained with the weighted mean of layer 6. Which
# cell of the table is the best one? And which layer is best for the plain
# mean?
#
# <!-- given: 0.5; 1; 0; 6 -->
# %%
from minigpt2.evaluation.metrics import auc


def auc_of(y):
    """(2·B, D) of length 1 -> how well cosines tell the labels"""
    return auc((y[:B] * y[B:]).sum(axis=1), labels)


table = np.empty((7, len(POOLINGS)))
for layer in range(7):
    table[layer] = [auc_of(vectors[kind][layer]) for kind in POOLINGS]
rows = [f"layer {i}" for i in range(7)]
show(HeatMap(table, rows=rows, columns=names, caption="AUC on hard pairs"))
# %%
for name, value in zip(POOLINGS, table[6], strict=True):
    claim(f"AUC of {name}", value)
claim("weighted mean at layer 3", table[3, 1])
claim("best layer for mean", table[:, 0].argmax())
claim("mean at its best layer", table[:, 0].max())
# %% [markdown]
# Three answers that one would not have guessed.
#
# *The last token wins*, 0.71, over the weighted mean, 0.68, with which the
# model was trained and which `encode` uses. But five hundred pairs are not
# many. Would other pairs say the same? We draw five hundred of ours again and
# again, some twice and some not at all (the *bootstrap*, Efron 1979), and
# count how often the last token wins.
#
# <!-- claims: 0.71 = AUC of last; 0.68 = AUC of weighted_mean -->
# %%
rng = np.random.default_rng(0)
scores = {}
for kind in ("last", "weighted_mean"):
    y = vectors[kind][6]
    scores[kind] = (y[:B] * y[B:]).sum(axis=1)
wins = []
for _ in range(500):
    drawn = rng.integers(0, B, B)
    of_last, of_mean = (auc(s[drawn], labels[drawn]) for s in scores.values())
    wins.append(of_last > of_mean)
claim("share of draws that last wins", np.mean(wins))
# %% [markdown]
# In nearly all of them: it is no accident of these five hundred. A likely
# reason: these pairs turn on small words and on order, and the last token has
# had attention over the whole sentence. So "pool as the model was trained" is
# a good default and not a law: it depends on the question.
#
# <!-- claims: 'nearly all' = share of draws that last wins > 0.9 -->
#
# *The plain mean at the last layer is bad*, 0.55, though it looks like a
# small change of weights. Training shaped the rows for one set of weights:
# with equal ones, the early tokens, which have seen little, get a louder
# voice than they had then.
#
# *"The last layer holds the meaning" is not true of every pooling.* For the
# mean, the best layer is not layer 6 at all, and at 0.57 none of its layers
# is much better than a coin. For weighted mean and last the rule holds, and
# nearly all of the gain comes in the last two blocks: at layer 3 the weighted
# mean still has 0.57.
#
# <!-- claims: 0.55 = AUC of mean; 'is not layer 6 at all' = best layer for
# mean < 6; 0.57 = mean at its best layer; 0.57 = weighted mean at layer 3 -->
# <!-- given: 6; 3 -->
#
# ## Another question, another winner
#
# Hard pairs are one question. A search asks an easier one: the same meaning,
# or something else entirely? We keep the pairs with label 1 and set against
# them the same first sentences with a second sentence from elsewhere in the
# file.
#
# **Predict:** how good is the bag of words, the mean at layer 0, at that?
#
# <!-- given: 1; 0 -->
# %%
elsewhere = np.roll(np.arange(B), 37)  # nothing to do with each other
asked = np.concatenate([np.ones(int(labels.sum())), np.zeros(B)])


def related_scores(y):
    first, second = y[:B], y[B:]
    positives = (first * second).sum(axis=1)[labels == 1]
    unrelated = (first * second[elsewhere]).sum(axis=1)
    return np.concatenate([positives, unrelated])


easy = np.empty((7, len(POOLINGS)))
for i in range(7):
    easy[i] = [auc(related_scores(vectors[k][i]), asked) for k in POOLINGS]
# %%
show(HeatMap(easy, rows=rows, columns=names, caption="AUC on easy pairs"))
claim("bag of words on easy pairs", easy[0, 0])
claim("weighted mean on easy pairs", easy[6, 1])
claim("last token of layer 0 on easy pairs", easy[0, 2])


# %% [markdown]
# The bag of words, useless a moment ago, is right practically always, and six
# blocks of attention have nothing left to improve. Only the last token of
# layer 0 fails: it is the full stop of every sentence. Whoever reports that a
# layer is "the best" reports on a set of questions. If common words give the
# answer away, any layer will do.
#
# <!-- claims: 'right practically always' = bag of words on easy pairs > 0.99;
# 'nothing left to improve' = weighted mean on easy pairs > 0.99; 'fails' =
# last token of layer 0 on easy pairs < 0.9 -->
#
# ## The cone
#
# AUC looks at the order of the cosines alone. Let us look at the cosines.
# Draw two sentences that have nothing to do with each other.
#
# **Predict:** what is their mean cosine, in layers 1 to 6, with the last
# token as the vector? 0, since they are unrelated?
#
# <!-- given: 1; 6; 0 -->
# %%
def mean_cosine(y):
    """(M, D) of length 1 -> the mean cosine of two different rows"""
    M, total = len(y), y.sum(axis=0)
    return (total @ total - M) / (M * (M - 1))


cone = {}
for kind in POOLINGS:
    cone[kind] = [mean_cosine(y[:B]) for y in vectors[kind]]
label = "mean cosine of different sentences"
show(Lines(cone, x=rows, y_label=label, low=0.0, high=1.0))
claim("cone of last at layer 3", cone["last"][3])
claim("cone of max at layer 3", cone["max"][3])
claim("cone of weighted mean at layer 6", cone["weighted_mean"][6])
# %% [markdown]
# At layer 3 two unrelated sentences have a cosine of 0.70 by their last
# tokens and 0.89 by the maximum. All vectors point roughly the same way: they
# lie in a narrow *cone*, and the word for it is *anisotropy* ("not alike in
# all directions"; Ethayarajh 2019, arXiv:1909.00512). Nobody should read
# "0.7" as "70 % alike". Only in the last layer, the one whose vectors were
# trained to differ for unrelated sentences, has the cone opened up, to 0.18
# with the weighted mean.
#
# (The trick in `mean_cosine`: the sum of the cosines of all rows with all
# rows is the squared length of the sum of the rows. Each row's cosine with
# itself, 1, is among them, hence the `- M`. No table of all pairs is needed.
# `minigpt2/evaluation/collapse.py` does the same.)
#
# <!-- claims: 0.70 = cone of last at layer 3 ±0.02; 0.89 = cone of max at
# layer 3; 0.18 = cone of weighted mean at layer 6 -->
# <!-- given: 3; 0.7; 70; 1 -->
#
# ## Where does the cone come from?
#
# It is often said that training makes it. We can look: a model with random
# parameters, which has learned nothing, and the same once more with its table
# of positions set to zero, and then with other parts taken out.
#
# **Predict:** is there a cone before training?
# %%
from minigpt2.model import GPT2

untrained = GPT2.initialise(encoder.model.config, seed=0)
some = TokenBatch(encoder.token_ids(pairs.first)[0])


def cone_of(model, kind="mean"):
    return mean_cosine(unit(pooling(model.forward(some)[0], some, kind)[0]))


claim("untrained", cone_of(untrained))
untrained.parameters["wpe.weight"][:] = 0.0
claim("untrained, without positions", cone_of(untrained))
# %%
rng = np.random.default_rng(0)
V = encoder.model.config.V
some = TokenBatch([rng.integers(0, V, T) for T in some.lengths])
claim("and with random tokens", cone_of(untrained))
for i in range(untrained.config.L):
    untrained.parameters[f"h.{i}.mlp.c_proj.weight"][:] = 0.0
claim("and without the MLPs", cone_of(untrained))
# %% [markdown]
# The untrained model has a cone of 0.64. Nothing was learned, so the causes
# are plain:
#
# - Every sentence has a place 0, a place 1 and so on, so the vectors of these
#   places are part of every mean. Without them 0.28 is left.
# - Many sentences share tokens, such as "the" and the full stop. With tokens
#   drawn at random in their place it is 0.17.
# - The MLPs add the rest: without them nothing is left. The likely reason:
#   GELU (lesson 06) lets positive numbers through and hardly any negative
#   ones, so what comes out of it is positive on average, for every token, and
#   the next matrix turns this into one vector that all rows share.
#
# Whatever all sentences have in common pulls all of their vectors to one
# side. So a cone is no sign of bad training: it is there unless training
# takes it away.
#
# <!-- claims: 0.64 = untrained; 0.28 = untrained, without positions; 0.17 =
# and with random tokens; 'nothing is left' = and without the MLPs < 0.02 -->
# <!-- given: 0; 1 -->
#
# ## Centring
#
# If all vectors share a part, we can take it away: compute the mean vector of
# many sentences, the *centre*, and subtract it from each vector before the
# cosine. To be fair we take the centre from other sentences, those of
# `train.tsv`.
#
# **Predict:** what will centring do to the mean cosine at layer 3, and what
# to the AUC on the hard pairs?
#
# <!-- given: 0; 1; 3 -->
# %%
train = read_pairs(data_file("train.tsv"), limit=200)
of_train = all_vectors(train.first + train.second)


def centred(kind, layer):
    centre = of_train[kind][layer].mean(axis=0)  # (D,)
    return unit(vectors[kind][layer] - centre)


kinds = [("last", 3), ("max", 3), ("weighted_mean", 3), ("weighted_mean", 6)]
lines = []
for kind, layer in kinds:
    y, z = vectors[kind][layer], centred(kind, layer)
    cones = [mean_cosine(y[:B]), mean_cosine(z[:B])]
    lines.append([f"{kind}, layer {layer}", *cones, auc_of(y), auc_of(z)])
# %%
columns = ["vectors", "cone", "centred", "AUC", "AUC centred"]
show(Table(columns, lines))
# %%
changes = [
    abs(auc_of(centred(k, i)) - table[i, j])
    for j, k in enumerate(POOLINGS)
    for i in range(1, 7)
]
claim("cone of last at layer 3, centred", lines[0][2])
claim("largest change of AUC", max(changes))
# %% [markdown]
# The cone is gone: at layer 3 the mean cosine falls from 0.70 to about zero.
# And the AUC? Over all poolings and layers 1 to 6 it never moves by more than
# a hundredth or so. Centring makes the numbers look right and does not make
# the model any better at telling these pairs apart. The reason: AUC asks for
# the order, and the shared part adds nearly the same to every cosine.
#
# <!-- claims: 0.70 = cone of last at layer 3 ±0.02; 'about zero' = cone of
# last at layer 3, centred < 0.1; 'a hundredth or so' = largest change of AUC
# < 0.02 -->
# <!-- given: 3; 1; 6 -->
#
# So is it useless? No: it matters as soon as someone reads a cosine as a
# number. Say that a program calls two sentences related if their cosine is
# above 0.5, whatever the layer.
#
# **Predict:** how often is that right at layer 3, before and after centring?
#
# <!-- given: 3; 0.5 -->
# %%
from minigpt2.evaluation.metrics import accuracy_at

for name, y in {
    "before": vectors["last"][3],
    "centred": centred("last", 3),
}.items():
    right = accuracy_at(related_scores(y), asked, 0.5)
    claim(f"right above 0.5, {name}", right)
claim("AUC before", auc(related_scores(vectors["last"][3]), asked))
# %% [markdown]
# Before centring the program calls nearly everything related. It is right
# about the third of the pairs that are, and about hardly any other;
# afterwards the same threshold is right nearly always. The order was nearly
# perfect all the time. Centring repairs the *scale*.
#
# <!-- claims: 'hardly any other' = right above 0.5, before < 0.37; 'nearly
# always' = right above 0.5, centred > 0.93; 'nearly perfect' = AUC before >
# 0.99 -->
#
# ## One direction that says little
#
# What is the shared part of the model's own vectors, those that `encode`
# gives?
#
# The mean cosine is nearly the squared length of the centre (the same trick
# as in `mean_cosine`), so it is a sum of 256 squares, one for each dimension.
#
# **Predict:** how many of the 256 make up half of it?
#
# <!-- given: 256 -->
# %%
centre = vectors["weighted_mean"][6].mean(axis=0)  # (D,)
shares = np.sort(centre * centre)[::-1] / (centre @ centre)
largest = np.argsort(-centre * centre)[:5]
labelled = [f"dimension {i}" for i in largest]
show(Bars(labelled, shares[:5], caption="share of the mean cosine"))
claim("share of one dimension", shares[0])
y = vectors["weighted_mean"][6].copy()
y[:, largest[0]] = 0.0
claim("AUC without it", auc_of(unit(y)))
# %% [markdown]
# A single one: dimension 0 makes up 0.58 of it. Set it to zero in every
# vector, and the AUC stays at 0.68. Such *rogue dimensions* are known from
# many models (Timkey and van Schijndel 2021, arXiv:2109.04404). Here we know
# where it comes from: the model was trained towards vectors of a larger one,
# turned so that dimension 0 is the direction in which all of them agree most.
#
# <!-- claims: 0.58 = share of one dimension; 0.68 = AUC without it -->
# <!-- given: 0 -->
#
# ## Three things to remember
#
# - Mean, weighted mean and last token are one formula with different weights.
#   Which is best depends on the question and on what the model was trained
#   for: measure it.
# - Unrelated sentences have a high cosine wherever sentences share something,
#   even before training. A cosine has no meaning by itself, only beside other
#   cosines of the same vectors.
# - Centring repairs the scale of cosines, and so thresholds. It hardly
#   changes their order.
#
# ## Exercises
#
# - `08_pool_over_offsets` (beginner): pool a batch of sentences that lie one
#   after the other.
# - `08_weighted_mean` (intermediate): weights that grow with the place, there
#   and back.
# - `08_centre_the_cone` (intermediate): take the common direction out, and
#   measure what changes.
#
# Links: `minigpt2/layers/pooling.py` (`pooling`, `PoolingContext`,
# `token_weights`), `minigpt2/model.py` (`forward`, `hidden_states`),
# `minigpt2/ragged.py` (`TokenBatch`), `minigpt2/interpret/layer_vectors.py`
# (`layer_vectors`), `minigpt2/evaluation/collapse.py` (`collapse_of`),
# `minigpt2/evaluation/metrics.py` (`auc`, `accuracy_at`)
