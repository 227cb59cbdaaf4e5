# %% [markdown]
# # 03 · Attention by hand
#
# Beginner · 35 minutes
#
# **After this lesson you can**
#
# - measure with a dot product how well two vectors go together
# - turn any scores into weights with softmax, and say what scaling them does
# - compute the attention of five words by hand, and get what the package gets
#
# In lesson 02 every token became a vector of its own, the same one in every
# sentence. But "bank" by a river is not the bank that lends money: a word has
# to learn from the words around it. *Attention* is the step in which it does.
# Every word looks at the others, decides how much each of them matters, and
# takes a mixture. We compute it on five words with numbers small enough to
# follow with a pencil.
# %%
import math

import numpy as np

import minigpt2
from minigpt2.learn import claim, show
from minigpt2.views import Bars, HeatMap, Lines

words = ["the", "hungry", "cat", "ate", "fish"]
# %% [markdown]
# ## Five words, three numbers each
#
# A real model learns its vectors. For once we choose them, and give each of
# the three numbers a meaning that we can name: how much a word has to do with
# animals, with eating, and with grammar alone.
# %%
#             animal  eating  grammar
x = np.array(
    [
        [0.0, 0.0, 1.0],  # the
        [0.5, 1.5, 0.0],  # hungry
        [2.0, 0.5, 0.0],  # cat
        [0.0, 2.0, 0.5],  # ate
        [1.5, 1.0, 0.0],  # fish
    ]
)  # (T, D): T = 5 tokens, vectors of width D = 3
show(
    HeatMap(x, rows=words, columns=["animal", "eating", "grammar"], digits=1)
)
# %% [markdown]
# ## How well do two vectors go together?
#
# The *dot product* multiplies two vectors number by number and adds it all
# up:
#
#     a · b = a[0]·b[0] + a[1]·b[1] + …
#
# Where both are large, it grows; where one of them is 0, that place adds
# nothing. So it is large for vectors that are strong in the same places.
#
# **Predict:** which word goes together best with "cat"? And is it "cat"
# itself?
#
# <!-- given: 0 -->
# %%
cat = words.index("cat")
by_hand = [
    sum(a * b for a, b in zip(x[cat], other, strict=True)) for other in x
]
show(Bars(words, by_hand, digits=2, caption="dot product with 'cat'"))
claim("cat with cat", by_hand[cat])
claim("cat with fish", by_hand[words.index("fish")])
# %% [markdown]
# "cat" goes best with itself, 4.25, then with "fish", 3.5: in our numbers
# both are animals. With "the" it shares nothing. A word need not come first
# in its own row, though: a longer vector in a similar direction would beat
# it, as the dot product grows with the lengths of both.
#
# <!-- claims: 4.25 = cat with cat; 3.5 = cat with fish -->
#
# All pairs at once are one matrix product: row i, column j holds the dot
# product of word i and word j.
# %%
scores = x @ x.T  # (T, T)
assert np.allclose(scores[cat], by_hand)
show(
    HeatMap(
        scores,
        rows=words,
        columns=words,
        digits=2,
        caption="every word with every other",
    )
)


# %% [markdown]
# ## From scores to weights
#
# A mixture needs *weights*: none below 0, and 1 in total. Scores are not like
# that, they may be negative or huge. *Softmax* makes weights of them: raise e
# to the power of each score, then divide by the sum.
#
#     weight_j = exp(score_j) / Σ_k exp(score_k)
#
# **Predict:** the scores 1, 2 and 3. Does the last one get half of the
# weight, more, or less?
#
# <!-- given: 0; 1; 2; 3 -->
# %%
def softmax_by_the_book(scores):
    e = np.exp(scores)
    return e / e.sum(axis=-1, keepdims=True)


weights = softmax_by_the_book(np.array([1.0, 2.0, 3.0]))
print(weights, "sum", weights.sum())
claim("weight of the largest score", weights[-1])
claim("ratio of neighbours", weights[2] / weights[1])
# %% [markdown]
# Two thirds, 0.665. Each step of 1 in the score makes the weight e ≈ 2.72
# times as large, wherever the step is: softmax looks at differences alone. So
# adding the same number to all scores should change nothing.
#
# <!-- claims: 0.665 = weight of the largest score; 2.72 = ratio of neighbours
# -->
# <!-- given: 1 -->
#
# **Predict:** what does the function above give for the scores 1001, 1002 and
# 1003?
#
# <!-- given: 1001; 1002; 1003 -->
# %%
with np.errstate(all="ignore"):
    print(
        "by the book:",
        softmax_by_the_book(np.array([1001.0, 1002.0, 1003.0])),
    )

from minigpt2.layers import softmax

stable, _ = softmax(np.array([1001.0, 1002.0, 1003.0]))
print("the package:", stable)
assert np.allclose(stable, weights)
# %% [markdown]
# `nan`, "not a number", three times: exp(1003) is larger than any number that
# a float can hold, so it counts as infinite, and infinity divided by infinity
# is no number. The package subtracts the largest score first
# (`minigpt2/layers/softmax.py`). That is allowed since only differences
# count, and then no power is above one. Formula and program are not the same
# thing.
#
# <!-- given: 1003 -->
#
# ## The mixture
#
# Every word now takes a mixture of all words, each with its weight.
# %%
pattern, _ = softmax(scores)  # (T, T) every row sums to 1
mixed = pattern @ x  # (T, D)
show(
    HeatMap(
        pattern,
        rows=words,
        columns=words,
        low=0,
        caption="row: who looks; column: at whom",
    )
)
show(
    HeatMap(
        mixed,
        rows=words,
        columns=["animal", "eating", "grammar"],
        caption="what comes out",
    )
)
# %% [markdown]
# Look at the animal in "hungry": there is more of it than before, taken from
# "cat" and "fish". This is the whole idea. What comes out is a mean of what
# went in, never more:
# %%
assert np.all(mixed >= x.min(axis=0))
assert np.all(mixed <= x.max(axis=0))
claim("hungry, animal, before", x[1, 0])
claim("hungry, animal, after", mixed[1, 0])
# %% [markdown]
# It went from 0.5 to 0.66.
#
# <!-- claims: 0.5 = hungry, animal, before; 0.66 = hungry, animal, after -->
#
# ## Three roles for one word
#
# Our words look for what is like themselves. That is rarely what is wanted: a
# verb looks for its subject, which is not like a verb at all. So each vector
# is turned into three by three learned matrices (Vaswani et al. 2017,
# arXiv:1706.03762, section 3.2):
#
# - the *query*: what a word is looking for,
# - the *key*: what it offers to those that look,
# - the *value*: what it gives to those that take it.
#
# Scores are dot products of queries with keys. We choose matrices by which
# eating words look for animals.
# %%
W_query = np.array(
    [[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]
)  # (D, K): eating asks for …
W_key = np.array([[2.0, 0.0], [0.0, 0.0], [0.0, 1.0]])  # … what animal offers
W_value = np.array(
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
)  # animal and eating are passed on

q, k, v = x @ W_query, x @ W_key, x @ W_value  # each (T, K)
scores = q @ k.T / math.sqrt(q.shape[1])  # (T, T)
pattern, _ = softmax(scores)
show(HeatMap(pattern, rows=words, columns=words, low=0))
claim("ate looks at cat", pattern[3, 2])
claim("cat looks at ate", pattern[2, 3])
# %% [markdown]
# Now "ate" looks almost only at "cat", 0.94 of its weight, while "cat" gives
# nearly nothing back to "ate": with two different roles, looking has a
# direction. Nobody tells a model these matrices; training finds them (lessons
# 10 and 14).
#
# <!-- claims: 0.94 = ate looks at cat; 'nearly nothing' = cat looks at ate <
# 0.1 -->
#
# ## Why divide by the square root?
#
# The line above divides the scores by `sqrt(K)`, where K is the width of a
# query. It looks like a detail.
#
# **Predict:** queries and keys are random numbers of ordinary size, and one
# query looks at ten keys. How much weight does the winner get, without the
# division, if the vectors have 4 numbers, and if they have 256?
#
# <!-- given: 4; 256 -->
# %%
rng = np.random.default_rng(0)
widths = [4, 16, 64, 256]
spread, without, divided = [], [], []
for K in widths:
    queries = rng.normal(size=(2000, 1, K))
    keys = rng.normal(size=(2000, 10, K))
    products = (queries * keys).sum(axis=2)  # (2000, 10)
    spread.append(products.std())
    for scale, winners in [(1.0, without), (math.sqrt(K), divided)]:
        pattern_of_ten, _ = softmax(products / scale)  # (2000, 10)
        winners.append(pattern_of_ten.max(axis=1).mean())
winner = {"without": without, "divided": divided}
names = [str(K) for K in widths]
show(Lines(winner, x=names, y_label="weight of the winner", low=0, high=1))
# %%
print("standard deviation of the dot products:", np.round(spread, 1))
claim("spread at 4", spread[0])
claim("spread at 256", spread[-1])
claim("winner at 4 without", without[0])
claim("winner at 256 without", without[-1])
claim("winner at 4 with", divided[0])
claim("winner at 256 with", divided[-1])
# %% [markdown]
# Without the division the winner takes 0.50 of everything at a width of 4 and
# 0.93 at 256, where attention hardly mixes any more; with it the winner gets
# about a third, whatever the width. The reason is in the printed line: a sum
# of K products of random numbers has a spread of `sqrt(K)`, 2 for K = 4 and
# 16 for K = 256. Dividing by it keeps the scores at an ordinary size.
#
# <!-- claims: 0.50 = winner at 4 without ±0.01; 0.93 = winner at 256 without
# ±0.01; 'about a third' = winner at 256 with > 0.28; 'whatever the width' =
# winner at 4 with < 0.38 -->
# <!-- claims: 2 = spread at 4 ±0.1; 16 = spread at 256 ±0.3 -->
# <!-- given: 256; 4 -->
#
# ## The same from the package
#
# The package has this as `attend`. It takes queries, keys and values side by
# side in one matrix, three blocks of K columns each, and a batch that says
# where sentences begin. Ours has one sentence; lesson 04 explains `causal`,
# lesson 05 the `heads`.
# %%
from minigpt2 import TokenBatch
from minigpt2.layers import attend

qkv = np.concatenate([q, k, v], axis=1)  # (N, 3·K)
batch = TokenBatch([[0, 1, 2, 3, 4]])  # one sentence of five tokens
z, ctx = attend(qkv, batch, heads=1, causal=False)
assert np.allclose(z, pattern @ v), "the package does the same"
assert np.allclose(ctx.softmaxes[0].y[0, 0], pattern)
print(np.round(z, 2))
# %% [markdown]
# ## What attention cannot see
#
# **Predict:** we put the five words into another order. How does what comes
# out for "cat" change?
# %%
order = [4, 3, 0, 1, 2]
shuffled, _ = attend(qkv[order], batch, heads=1, causal=False)
print("cat before:", z[cat], " after:", shuffled[order.index(cat)])
claim("largest change", np.abs(shuffled - z[order]).max())
# %% [markdown]
# Not at all. Every word sees all others, but not where they stand: for
# attention alone a sentence is a bag of words. The order has to come from
# elsewhere, from the position vectors of lesson 02 and the mask of lesson 04.
#
# <!-- claims: 'Not at all' = largest change < 1e-12 -->
#
# A trained model has both. So it should know very well who bit whom.
#
# **Predict:** the cosine (1 means: the same) of "dog bites man" and "man
# bites dog" in the model that comes with the package?
#
# <!-- given: 1 -->
# %%
encoder = minigpt2.load()
dog_man, man_dog, dog_eats = encoder.encode(
    ["dog bites man", "man bites dog", "dog eats man"]
)
claim("dog bites man, man bites dog", float(dog_man @ man_dog))
claim("dog bites man, dog eats man", float(dog_man @ dog_eats))
# %% [markdown]
# 0.94: nearly the same sentence, and nearer than "dog eats man", 0.70, where
# one word is another. The model can tell the orders apart, but here which
# words occur matters more to it than who does what. Many texts say that
# attention "understands the sentence". Three sentences prove little either
# way; lesson 15 measures it with many pairs made for this very purpose.
#
# <!-- claims: 0.94 = dog bites man, man bites dog ±0.01; 0.70 = dog bites
# man, dog eats man ±0.01 -->
#
# ## A trained pattern
#
# At last, our five words in the bundled model: its last layer, the mean of
# its heads.
# %%
from minigpt2.interpret import attention, look

seen = look(encoder, " ".join(words))
trained = attention(seen, layer=5).mean(axis=0)  # (T, T) over the heads
show(HeatMap(trained, rows=seen.tokens, columns=seen.tokens, low=0))
assert np.allclose(trained.sum(axis=1), 1.0)
# %% [markdown]
# Each row sums to 1, as ours do. The upper triangle is empty, because in
# GPT-2 a word sees only itself and what came before it. Why, and what it
# costs, is the next lesson.
#
# <!-- given: 1 -->
#
# ## Three things to remember
#
# - Attention is three steps: dot products of queries with keys, softmax, a
#   weighted mean of the values.
# - Softmax sees differences alone. Subtract the largest score before exp, and
#   divide by `sqrt(K)` so that the winner does not take all.
# - Attention by itself knows no order: what comes out is a mean over a bag of
#   words.
#
# ## Exercises
#
# - `03_stable_softmax` (beginner): write a softmax that survives scores of
#   any size.
# - `03_attention_for_one_query` (beginner): scores, weights and mixture for a
#   single word.
#
# Links: `minigpt2/layers/softmax.py` (`softmax`, `SoftmaxContext`),
# `minigpt2/layers/attention.py` (`attend`, `AttendContext`, `masked_scores`:
# the scores of all heads at once, with `sqrt(K)`),
# `minigpt2/interpret/attention.py` (`attention`)
