# %% [markdown]
# # 02 · One-hot vectors and embeddings
#
# Beginner · 30 minutes
#
# **After this lesson you can**
#
# - say what an embedding table is, and why looking up a row is a matrix
#   product
# - ask a table which tokens it holds for alike, and know what the answer is
#   worth
# - say why a model needs positions, and measure what ours does with them
#
# Lesson 01 turned text into ids. An id is a name, not a quantity: token `400`
# is not twice token `200`. This lesson turns ids into vectors that a model
# can compute with.
# %%
import time

import numpy as np

import minigpt2
from minigpt2.learn import claim, data_file, show
from minigpt2.views import HeatMap, Scatter, Table

# %% [markdown]
# ## One-hot: a vector that says nothing but its name
#
# A *vector* is a list of numbers; a vocabulary of V tokens has V of them to
# name. The plainest way: token `i` is the vector of V numbers that are all 0,
# but for a 1 at place `i`. It is called *one-hot*.
#
# How alike are two vectors? We measure their distance as at school: subtract,
# square, sum, take the root.
#
# **Predict:** which two are nearer to each other, "cat" and "dog" or "cat"
# and "seven"?
#
# <!-- given: 0; 1 -->
# %%
words = ["cat", "dog", "seven"]
one_hot = np.eye(3)  # row i is the one-hot vector of words[i]
for word, row in zip(words, one_hot, strict=True):
    print(f"{word:6}", row)
cat, dog, seven = one_hot
claim("cat to dog", np.sqrt(((cat - dog) ** 2).sum()))
claim("cat to seven", np.sqrt(((cat - seven) ** 2).sum()))
# %% [markdown]
# Both are 1.41 apart, the root of 2. With one-hot vectors every token is
# equally far from every other. They are names and hold nothing of what a
# token means.
#
# They are also large. The bundled model has 16 384 tokens; let us write the
# sentences that come with the package as one-hot rows.
#
# **Predict:** 12 800 pairs of short sentences, four bytes for each number:
# how much memory is that?
#
# <!-- claims: 1.41 = cat to dog -->
# <!-- given: 2; 16 384; 12 800 -->
# %%
from minigpt2.datasets import read_pairs

encoder = minigpt2.load()
tokenizer, parameters = encoder.tokenizer, encoder.model.parameters
pairs = read_pairs(data_file("train.tsv"))
ids = np.concatenate(
    tokenizer.encode_batch(pairs.first + pairs.second)
)  # (N,) every token of all of them
claim("tokens", len(ids))
claim("gigabytes as one-hot rows", len(ids) * tokenizer.vocab_size * 4 / 1e9)
claim("gigabytes as ids", ids.nbytes / 1e9)
# %% [markdown]
# 28 gigabytes for what the ids say in a few megabytes, and all but one number
# in 16 384 is a zero.
#
# <!-- claims: 28 = gigabytes as one-hot rows; 'a few megabytes' = gigabytes
# as ids < 0.01 -->
# <!-- given: 16 384 -->
#
# ## An embedding: one row of a table for each token
#
# Instead, each token gets a row of D numbers that are *learned*, the same D
# for all tokens, 256 in our model. The rows together are a matrix of shape
# (V, D), the *embedding table*; GPT-2 calls it `wte`, word token embedding. A
# token's vector is its row: `wte[id]`.
#
# There is no new mathematics in that. A one-hot row times the table gives
# just this row, because all others are multiplied by 0:
#
#     (0 … 1 … 0) · wte = wte[id]            (1, V) · (V, D) = (1, D)
#
# **Predict:** are the two results equal, or only nearly? And how much faster
# is looking up?
#
# <!-- given: 256; 0 -->
# %%
wte = parameters["wte.weight"]  # (V, D)
few = ids[:200]
rows = np.zeros((len(few), len(wte)), dtype=np.float32)  # (200, V)
rows[np.arange(len(few)), few] = 1.0

seconds = []
for way in (lambda: rows @ wte, lambda: wte[few]):
    start = time.perf_counter()
    result = way()  # (200, D)
    seconds.append(time.perf_counter() - start)
assert np.array_equal(rows @ wte, wte[few])
print(f"product {1e3 * seconds[0]:.2f} ms, look-up {1e3 * seconds[1]:.3f} ms")
claim("product over look-up", seconds[0] / seconds[1])
# %% [markdown]
# Equal to the last bit, and far faster. So an embedding is a product with a
# matrix (a *linear layer*, lesson 06) whose input is one-hot, computed the
# quick way. That settles how it learns, too: only rows that were looked up
# have any influence on what comes out, so looking up changes only them in
# training. The row of a token that never occurs learns nothing from it.
#
# <!-- claims: 'far faster' = product over look-up > 10 -->
#
# ## What is in the rows?
#
# At the start of training all rows are random. What made ours: the model was
# trained to give sentences of like meaning like vectors. Let us see whom each
# row has for neighbours. As measure we take the *cosine*: make both rows as
# long as 1, multiply them number by number, and add up. It is 1 for the same
# direction and 0 for perpendicular ones (lesson 09 has more on it).
#
# **Predict:** which tokens are nearest to " dog"? And to " not"?
#
# <!-- given: 1; 0 -->
# %%
from minigpt2.layers.normalize import normalize

unit, _ = normalize(wte)  # (V, D) rows of length 1


def token(word):
    (id,) = tokenizer.encode(word)  # an error if it is more than one token
    return id


def nearest(vector, k=5):
    cosines = unit @ vector / np.linalg.norm(vector)  # (V,)
    order = np.argsort(-cosines)[:k]
    return [tokenizer.decode([id]) for id in order.tolist()]


# %%
words = [" dog", " monday", " guitar", " three", " not", " the"]
rows = []
for word in words:
    near = [text.replace(" ", "␣") for text in nearest(wte[token(word)])]
    rows.append([near[0], "  ".join(near[1:])])
show(Table(["token", "its nearest neighbours"], rows))


# %% [markdown]
# (A `␣` is the blank that belongs to a token, `�` a half character, as in
# lesson 01.) Nobody told the model that dogs are animals or that a guitar has
# strings. Note " three": its neighbours are the same number in other
# spellings, then other numbers. And " not" lies beside "'t", the ending of
# "isn't".
#
# ## A map
#
# 256 numbers cannot be drawn, but two can. *Principal components* are the two
# directions along which the chosen points differ most. How much they differ
# in all is the *variance*, the mean squared distance from their middle; a map
# shows a share of it.
#
# <!-- given: 256 -->
# %%
from minigpt2.interpret import principal_components

kinds = {
    "animal": " dog cat horse fish",
    "day": " monday tuesday friday sunday",
    "number": " two three five eight",
    "food": " bread cheese butter soup",
}
names = [f" {word}" for some in kinds.values() for word in some.split()]
groups = [kind for kind, some in kinds.items() for _ in some.split()]
# %%
points = unit[[token(name) for name in names]]  # (16, D)
plane = principal_components(points)
shown = float(plane.explained.sum())
show(
    Scatter(
        plane.points, labels=names, groups=groups, caption="rows on two axes"
    )
)
claim("share of the variance that the map shows", shown)
# %% [markdown]
# Kinds of words lie together. A caution that belongs to every such map: these
# two axes show 0.38 of all variance. What lies side by side here may be far
# apart in the directions that are not drawn.
#
# <!-- claims: 0.38 = share of the variance that the map shows ±0.02 -->
#
# ## The same word twice
#
# Lesson 01 found that "dog" and " dog", without and with a blank before it,
# are different tokens. They mean the same, but have each a row of their own,
# and nothing but training can make the two alike.
#
# **Predict:** what is the cosine of such twins, on average? And of two tokens
# picked at random?
# %%
twins = []
for id in range(tokenizer.vocab_size):
    text = tokenizer.token_bytes(id)
    if text.startswith(b" ") and text[1:].isalpha():
        other = tokenizer.encode(text[1:].decode())
        if len(other) == 1:
            twins.append((other[0], id))
bare, blank = np.array(twins).T  # (n,), (n,)
alike = (unit[bare] * unit[blank]).sum(axis=1)  # (n,)
strangers = unit[np.random.default_rng(0).permutation(blank)]  # (n, D)
claim("twins", len(twins))
claim("cosine of twins", alike.mean())
claim("cosine of strangers", (unit[bare] * strangers).sum(axis=1).mean())
claim("twins below 0.3", (alike < 0.3).mean())
# %% [markdown]
# There are 2151 twins. Their mean cosine is 0.48; that of strangers −0.01. So
# training has found out by itself that they belong together, but it has not
# finished: 0.20 of the twins are below 0.3. Which ones?
#
# <!-- claims: 2151 = twins; 0.48 = cosine of twins; −0.01 = cosine of
# strangers; 0.20 = twins below 0.3 ±0.02 -->
# <!-- given: 0.3 -->
# %%
names = [tokenizer.decode([id]) for id in blank.tolist()]
order = np.argsort(alike).tolist()
rows = [
    [names[i], float(alike[i]), names[j], float(alike[j])]
    for i, j in zip(order[:6], order[:-7:-1], strict=True)
]
show(Table(["least alike", "cosine", "most alike", "cosine"], rows))
# %% [markdown]
# The least alike are short pieces such as " hes" or " ine": after a blank
# they begin a word, without one they are most often the middle or the end of
# one. Twins in spelling, not in use. The most alike are nearly all first
# names.
#
# ## King − man + woman = queen?
#
# The best-known claim about embeddings: directions have meanings, so that
# `king − man + woman` lands at `queen` (Mikolov, Yih and Zweig 2013, word
# vectors). Let us try ten of them on our table.
#
# **Predict:** in how many of ten is the right word the nearest row to the
# result?
# %%
questions = """king man woman queen|uncle man woman aunt|he man woman she
brother man woman sister|actor man woman actress
paris france germany berlin|berlin germany italy rome|dogs dog cat cats
walking walk swim swimming|bigger big small smaller""".replace("\n", "|")
outright = without_inputs = 0
for question in questions.split("|"):
    a, b, c, answer = (" " + word for word in question.split())
    best = nearest(unit[token(a)] - unit[token(b)] + unit[token(c)])
    others = [word for word in best if word not in (a, b, c)]
    outright += best[0] == answer
    without_inputs += others[0] == answer
    print(f"{a} −{b} +{c}:{best[0]}, of the others{others[0]}")
claim("right outright", outright)
claim("right when the inputs are struck out", without_inputs)
# %% [markdown]
# Outright 3 of ten, and 9 when the three words of the question may not be the
# answer. That is how such tests are usually counted, and it is not always
# said. " king" minus " man" plus " woman" is nearest to " king": the
# difference of " man" and " woman" is a short step, and a short step does not
# leave the neighbourhood. Directions have some meaning; the famous equation
# holds with a helping hand.
#
# <!-- claims: 3 = right outright; 9 = right when the inputs are struck out
# -->
#
# ## Where a token stands
#
# "Anna thanks Tom" and "Tom thanks Anna" have the same tokens. What tells the
# model which came first? Let us take away everything that might: the position
# rows (set to 0, they come below) and the rule that a token sees only what
# stands before it (lesson 04 explains *causal*), and let us average the token
# rows evenly.
#
# **Predict:** how alike are then the vectors of "the dog bites the man" and
# "the man bites the dog"?
#
# <!-- given: 0 -->
# %%
from minigpt2.model import GPT2
from minigpt2.ragged import TokenBatch

without = parameters.to(np)  # a copy
without["wpe.weight"][:] = 0.0
config = encoder.model.config
both = [" the dog bites the man", " the man bites the dog"]
swapped = TokenBatch(tokenizer.encode_batch(both))
# %%
for attention in ("bidirectional", "causal"):
    gpt = GPT2(config.replace(attention=attention), without)
    hidden = gpt.forward(swapped)[0].reshape(2, -1, config.D)  # (2, T, D)
    a, b = normalize(hidden.mean(axis=1))[0]  # each (D,)
    claim(f"swapped, {attention}, no positions", a @ b)
# %% [markdown]
# Exactly alike, 1.00, if every token sees every other: without positions such
# a model takes a sentence for a bag of words. It cannot do otherwise: the
# same sums are computed in another order.
#
# The causal model is a surprise. It has no position rows either, and yet the
# two differ (0.82): the second word sees two tokens, the fifth sees five, and
# that alone breaks the bag. It is often said that attention is blind to order
# and needs positions. That holds for the first kind of model. For the causal
# kind, which GPT-2 is, it does not (Haviv et al. 2022, arXiv:2203.16634,
# trained such models and found it out as well).
#
# <!-- claims: 1.00 = swapped, bidirectional, no positions; 0.82 = swapped,
# causal, no positions ±0.02 -->
#
# ## GPT-2's answer: a second table
#
# GPT-2 learns a row for each position as well, `wpe`, word position
# embedding, (256, 256) in our model: as many rows as its window has places.
# The two rows are added:
#
#     x[n] = wte[ids[n]] + wpe[positions[n]]           (N, D)
#
# Positions count from 0 in each sentence. The package:
# `minigpt2/layers/embedding.py`, `embedding`.
#
# <!-- given: 0 -->
# %%
from minigpt2.layers import embedding
from minigpt2.layers.embedding import EmbeddingContext

wpe = parameters["wpe.weight"]  # (P, D)
few = ["Anna thanks Tom", "Tom thanks Anna warmly"]
batch = TokenBatch(tokenizer.encode_batch(few))
print("ids      ", batch.ids)
print("positions", batch.positions)
x = wte[batch.ids] + wpe[batch.positions]  # (N, D)
packaged, ctx = embedding(batch.ids, batch.positions, wte, wpe)
assert np.array_equal(x, packaged)
assert isinstance(ctx, EmbeddingContext)  # which rows were read
of_model = next(encoder.model.residual_stream(batch))
assert np.array_equal(x, of_model), "the model begins with the same"
# %% [markdown]
# Added, not put side by side: the result still has D numbers, and what is
# token and what is position is mixed. That sounds reckless. In many
# dimensions there is room: rows of the one table can be nearly perpendicular
# to those of the other. The next cell measures that, too.
#
# **Predict:** the rows of neighbouring positions, say 50 and 51: alike, or
# unrelated?
#
# <!-- given: 50; 51 -->
# %%
place, _ = normalize(wpe)  # (P, D) rows of length 1
few = [0, 1, 2, 3, 4, 8, 16, 17, 18, 32, 50, 51, 52, 100, 200]
names = [str(number) for number in few]
alike = place[few] @ place[few].T  # (15, 15)
show(HeatMap(alike, rows=names, columns=names, diverging=True))
claim("cosine of positions 50 and 51", place[50] @ place[51])
claim("cosine of positions 0 and 1", place[0] @ place[1])
claim("cosine of positions 50 and 100", place[50] @ place[100])
# %%
across = np.abs(unit @ place[:20].T)  # (V, 20)
claim("size of the cosine of a token row and a position row", across.mean())
claim("length of a token row", np.linalg.norm(wte, axis=1).mean())
claim("length of a position row", np.linalg.norm(wpe[:20], axis=1).mean())
# %% [markdown]
# 50 and 51 are 0.82 alike, 50 and 100 not at all (−0.26). Nobody gave the
# table an order, it was learned row by row from nothing; still neighbours
# came out alike. But the first places are nearly strangers to each other (0
# and 1: 0.22). There the table tells single places apart, later only regions.
# A likely reason, not measured here: most sentences are short, so the first
# places are seen most and matter most.
#
# Token rows and position rows are nearly perpendicular: the cosine of the two
# is 0.04 in size on average, so a layer can read either without the other.
# And token rows are about twice as long as position rows (0.76 and 0.35), so
# what a token is weighs more than where it stands.
#
# <!-- claims: 0.82 = cosine of positions 50 and 51; −0.26 = cosine of
# positions 50 and 100; 0.22 = cosine of positions 0 and 1; 0.04 = size of the
# cosine of a token row and a position row ±0.01; 0.76 = length of a token
# row; 0.35 = length of a position row ±0.01 -->
# <!-- given: 50; 51; 100; 0; 1 -->
#
# ## What are the positions worth?
#
# We set `wpe` to 0 in the bundled model, leave everything else as it is, and
# ask three questions. How far do the vectors of sentences move? How alike do
# swapped sentences become? And how well does the model tell pairs that mean
# the same from pairs that do not? For the last one we take the *area under
# the curve*, AUC: how often a pair that means the same gets the higher cosine
# of two (lesson 15); chance is 0.5.
#
# **Predict:** without positions, do "Anna thanks Tom" and "Tom thanks Anna"
# come out more alike?
#
# <!-- given: 0; 0.5 -->
# %%
from minigpt2.encoder import Encoder
from minigpt2.evaluation.metrics import auc

blind = Encoder(GPT2(config, without), tokenizer, encoder.settings)
dev = read_pairs(data_file("dev.tsv"), limit=400)
for name, model in (("with", encoder), ("without", blind)):
    anna, tom = model.encode(["Anna thanks Tom", "Tom thanks Anna"])
    claim(f"swapped, {name} positions", anna @ tom)
    first, second = model.encode(dev.first), model.encode(dev.second)
    cosines = (first * second).sum(axis=1)  # (400,)
    claim(f"AUC {name} positions", auc(cosines, dev.labels))
stays = (encoder.encode(dev.first) * first).sum(axis=1).mean()
claim("cosine of a sentence with itself, with and without", stays)
# %% [markdown]
# The vectors hardly move: a sentence with and without positions is 0.95
# alike. Swapped sentences become *less* alike, 0.81 instead of 0.89. Whoever
# thinks that position rows are there to keep them apart has it the wrong way
# round here: the causal mask alone does that, and the position rows take some
# of it back. And yet they are worth something: the AUC, 0.68 with them, falls
# to 0.61 without.
#
# One caution: a model that was trained with positions and then robbed of them
# is not a model that was trained without.
#
# <!-- claims: 0.95 = cosine of a sentence with itself, with and without; 0.81
# = swapped, without positions; 0.89 = swapped, with positions; 0.68 = AUC
# with positions; 0.61 = AUC without positions -->
#
# ## How a row learns
#
# In training every number of the model is changed a little, again and again,
# so that the error becomes smaller. The *gradient* says for each number in
# which direction and how strongly (lesson 10 computes it). One detail of it
# belongs here, since it is the classic mistake. A sentence with "the" in two
# places reads one row twice, so that row gets the *sum* of both gradients. In
# NumPy, `table[ids] += gradient` does not sum.
#
# **Predict:** three tokens, two of them the same, each with the gradient 1.
# What arrives at the rows?
#
# <!-- given: 1 -->
# %%
from minigpt2.layers import embedding_backward

same_twice = np.array([4, 2, 4])
gradient = np.ones((3, 1))  # (N, D) with D = 1
wrong = np.zeros((6, 1))
wrong[same_twice] += gradient
ctx = EmbeddingContext(same_twice, np.arange(3), (6, 1), (3, 1))
right, _ = embedding_backward(gradient, ctx)
print("wrong", wrong[:, 0], "\nright", right[:, 0])
claim("row 4, wrong", wrong[4, 0])
claim("row 4, right", right[4, 0])
# %% [markdown]
# Row 4 must get 2 and gets 1 the wrong way: NumPy reads the row once for both
# places and writes twice. The package uses `np.add.at`, which adds one after
# the other (and its twin on a GPU, lesson 17). Nothing would have crashed;
# the commonest tokens would just have learned too slowly.
#
# <!-- claims: 2 = row 4, right; 1 = row 4, wrong -->
# <!-- given: 4 -->
#
# ## Three things to remember
#
# - A one-hot vector is a name. An embedding is a learned row, and looking it
#   up is a product with one-hot.
# - Neighbours in the table are alike in use. Arithmetic on rows works with a
#   helping hand, not by magic.
# - Without positions a model that sees all tokens is a bag of words; a causal
#   one is not.
#
# ## Exercises
#
# - `02_one_hot_is_lookup` (beginner): write one-hot rows, and the gradient of
#   the table without them.
# - `02_positions` (beginner): number the tokens of a packed batch, and write
#   the first layer of GPT-2.
#
# Links: `minigpt2/layers/embedding.py` (`embedding`, `embedding_backward`,
# `EmbeddingContext`), `minigpt2/ragged.py` (`TokenBatch`),
# `minigpt2/interpret/projection.py` (`principal_components`),
# `minigpt2/layers/normalize.py` (`normalize`)
