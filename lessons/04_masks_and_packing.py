# %% [markdown]
# # 04 · Masks, and why we pack
#
# Beginner · 30 minutes
#
# **After this lesson you can**
#
# - hide the future from a token, and test that nothing leaks
# - say when a padding mask is needed and when it is not
# - compute what padding costs, and batch sentences without it
#
# Lesson 03 built attention: each token gathers from others, weighted by
# softmax. Nobody has said yet which others it may look at. This lesson
# decides that, for one sentence and then for many at once.
# %%
import math
import time

import numpy as np

import minigpt2
from minigpt2.layers import softmax
from minigpt2.learn import claim, data_file, show
from minigpt2.views import Bars, HeatMap, Lines, Table

encoder = minigpt2.load()
tokenizer, model = encoder.tokenizer, encoder.model
# %% [markdown]
# ## The causal mask
#
# GPT-2 learned to guess the next token. If token t could look at token t + 1,
# the guess would be a copy. So a token sees itself and what stands before it:
# it is *causal*, the cause comes before the effect. The mask is a triangle,
# True where row i (who looks) may see column j (who is seen):
#
#     sees[i, j] = j ≤ i
#
# Where it is False the score becomes −∞ *before* softmax, since exp(−∞) is 0.
#
# **Predict:** the first row has one visible token. Which weight does it get,
# whatever its score?
#
# <!-- given: 1; 0 -->
# %%
words = ["the", "cat", "sat", "on", "mats"]
scores = np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32)
sees = np.tri(5, dtype=bool)
masked = np.where(sees, scores, -math.inf)
pattern, _ = softmax(masked)  # (5, 5)
show(HeatMap(pattern, rows=words, columns=words, caption="causal pattern"))
claim("weight in the first row", pattern[0, 0])
claim("largest weight above the diagonal", pattern[~sees].max())
# %% [markdown]
# The first token can only look at itself, with the weight 1. Above the
# diagonal all is exactly 0. The package makes the same mask in
# `minigpt2/layers/attention.py`, `masked_scores`.
#
# A shortcut suggests itself: take softmax of all scores first, then set what
# is hidden to 0.
#
# **Predict:** what is wrong with it?
#
# <!-- claims: 1 = weight in the first row; 0 = largest weight above the
# diagonal -->
# %%
from minigpt2.layers.attention import masked_scores

late = softmax(scores)[0] * sees
print("sums of rows, masked before:", pattern.sum(axis=1).round(2))
print("sums of rows, masked after: ", late.sum(axis=1).round(2))
changed = scores.copy()
changed[0, 4] += 5.0  # a score that token 0 must not see
late_changed = softmax(changed)[0] * sees
claim("first weight", late[0, 0])
claim("first weight, the future changed", late_changed[0, 0])

q, k = np.random.default_rng(1).normal(size=(2, 1, 1, 5, 3))
assert np.isneginf(masked_scores(q, k, True)[0, 0][~sees]).all()
# %% [markdown]
# Rows no longer sum to 1, and worse: the future leaks. A score that token 0
# may not see changed its weight from 0.20 to 0.01, through the sum that
# softmax divides by. The picture would look fine, with zeros above the
# diagonal. A model trained like that can learn to read the future out of
# these sums.
#
# ## A test for leaks
# A mask is not tested by looking at the pattern, but by changing the future:
# change the last token, and nothing before it may move. On the whole model:
#
# <!-- claims: 0.20 = first weight; 0.01 = first weight, the future changed
# -->
# <!-- given: 1; 0 -->
# %%
from minigpt2.model import GPT2
from minigpt2.ragged import TokenBatch

everyone = GPT2(
    model.config.replace(attention="bidirectional"), model.parameters
)
one = tokenizer.encode("the cat sat on the mat")
other = tokenizer.encode("the cat sat on the moon")
for name, gpt in (("causal", model), ("bidirectional", everyone)):
    a, b = (
        gpt.forward(TokenBatch([ids]))[0] for ids in (one, other)
    )  # (T, D)
    moved = np.abs(a - b).max(axis=1)  # (T,)
    print(f"{name:14}", moved.round(2))
    claim(f"largest move before the last token, {name}", moved[:-1].max())
# %% [markdown]
# Causal: exactly 0 for every token but the last. The other kind of model,
# *bidirectional*, lets every token see all (BERT is one). There everything
# moves. Both kinds use the same weights here; only the triangle is gone. For
# sentence vectors seeing all would be good, since a word's meaning often
# depends on what follows; GPT-2 was trained without, and its weights expect
# that.
#
# <!-- claims: 0 = largest move before the last token, causal; 'everything
# moves' = largest move before the last token, bidirectional > 0.01 -->
#
# ## Many sentences at once: padding
#
# A processor is quick when it gets much work in one go, so sentences are
# computed in *batches*. But they differ in length, and an array has straight
# edges. The usual way: fill the short ones up with a *padding* token to the
# length of the longest. (B, T) ids, of which some are only filling.
#
# **Predict:** we fill "The cat is sleeping" with 16 padding tokens on the
# right and use no mask at all. How much do the rows of the four real tokens
# change, in our causal model and in the bidirectional one?
#
# <!-- given: 16 -->
# %%
sentence = tokenizer.encode("The cat is sleeping")
padded = sentence + [tokenizer.pad_id] * 16


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


# %%
for name, gpt in (("causal", model), ("bidirectional", everyone)):
    alone = gpt.forward(TokenBatch([sentence]))[0]  # (4, D)
    filled = gpt.forward(TokenBatch([padded]))[0]  # (20, D)
    print(name, "rows differ by", np.abs(filled[:4] - alone).max())
    truth, real_rows = alone.mean(axis=0), filled[:4].mean(axis=0)  # (D,)
    claim(f"mean of the real rows, {name}", cosine(truth, real_rows))
    all_rows = filled.mean(axis=0)  # (D,)
    claim(f"mean of all rows, {name}", cosine(truth, all_rows))
# %% [markdown]
# In the causal model nothing changes but the last digit: padding on the right
# lies in every real token's future, so the triangle hides it already.
# Everywhere one reads that a padded batch needs an attention mask. Filled on
# the right, GPT-2 needs none. What it needs is a mask in the *pooling*, the
# step that makes one vector of all rows (lesson 08): averaged over all rows,
# filling included, the sentence is only 0.60 like itself.
#
# The bidirectional model does need the mask: every real token looks at the
# filling, and even the mean of the real rows has a cosine of 0.56 with the
# right one.
#
# **Predict:** and what if the filling stands on the left, as it does where
# text is generated?
#
# <!-- claims: 'nothing changes but the last digit' = mean of the real rows,
# causal > 0.99999; 0.60 = mean of all rows, causal; 0.56 = mean of the real
# rows, bidirectional -->
# %%
right = model.forward(TokenBatch([sentence]))[0].mean(axis=0)
counts = [1, 4, 16, 60]
alike = []
for n in counts:
    left = model.forward(TokenBatch([[tokenizer.pad_id] * n + sentence]))[0]
    alike.append(cosine(right, left[n:].mean(axis=0)))
names = [f"{n} in front" for n in counts]
show(Bars(names, alike, high=1.0, caption="cosine with the truth"))
claim("16 on the left", alike[2])
moved = TokenBatch([sentence])
moved.positions = moved.positions + 16  # as if a mask hid the filling
moved = model.forward(moved)[0].mean(axis=0)  # (D,)
claim("16 on the left, masked", cosine(right, moved))
# %% [markdown]
# Now the causal model is wrong too: 16 tokens of filling on the left leave a
# cosine of 0.85. An attention mask alone does not mend that, for every
# position is shifted besides: with the filling hidden, but the positions
# counted from it, the cosine is 0.95. They must be counted from the first
# real token. This mistake is made again and again, and it raises no error.
#
# <!-- claims: 0.85 = 16 on the left; 0.95 = 16 on the left, masked -->
# <!-- given: 16 -->
#
# ## What padding costs
#
# Filling is computed like any other token and then thrown away. How much is
# that? Let L be the lengths of a batch: the padded batch has `B · max(L)`
# rows, of which `sum(L)` are real.
#
# We take sentences of the package's training pairs in batches of 32, in
# random order.
#
# **Predict:** how many rows are computed for each real token?
#
# <!-- given: 32 -->
# %%
from minigpt2.datasets import read_pairs

pairs = read_pairs(data_file("train.tsv"))
texts = np.array(sorted(set(pairs.first + pairs.second)))
texts = texts[np.random.default_rng(0).permutation(len(texts))].tolist()
lengths = np.array([len(ids) for ids in tokenizer.encode_batch(texts)])
shortest, longest = lengths.min(), lengths.max()
print(f"{len(lengths)} sentences of {shortest} to {longest} tokens")


# %%
def rows_for_a_token(lengths, B):
    batches = np.split(lengths, range(B, len(lengths), B))
    return sum(len(b) * b.max() for b in batches) / lengths.sum()


claim("rows for a token", rows_for_a_token(lengths, 32))
# %% [markdown]
# 1.5 rows for each token: a third of the work is thrown away. And these
# sentences are unusually alike in length. Texts of the real world are a mix
# of titles, sentences and paragraphs. We imitate that: a text is one, two,
# three, five or eight of our sentences, short ones more often.
#
# <!-- claims: 1.5 = rows for a token; 'a third of the work' = rows for a
# token > 1.4 -->
# %%
rng = np.random.default_rng(1)
mix = [
    " ".join(rng.choice(texts, size=n))
    for n in rng.choice([1, 1, 1, 1, 2, 2, 3, 5, 8], size=3000)
]
mixed = np.array([len(ids) for ids in tokenizer.encode_batch(mix)])
print(f"{len(mix)} texts of {mixed.min()} to {mixed.max()} tokens")
# %%
sizes = [1, 8, 32, 128, 512]
orders = {
    "mix, random order": mixed,
    "sentences, random order": lengths,
    "mix, sorted by length": np.sort(mixed),
}
curves = {
    name: np.array([rows_for_a_token(some, B) for B in sizes])
    for name, some in orders.items()
}
names = [str(B) for B in sizes]
show(Lines(curves, x=names, low=0.0, y_label="rows for a token, by batch"))
# %%
claim("mix, random, 32", curves["mix, random order"][2])
claim("mix, sorted, 32", curves["mix, sorted by length"][2])
claim("mix, sorted, 512", curves["mix, sorted by length"][4])
# %% [markdown]
# Of a mix, batches of 32 compute 3.1 rows for each real token. Sorting the
# texts by length first is the old and honest remedy, and it nearly does away
# with the waste: 1.02. Where many texts can be sorted, padding is almost
# free! What remains: large batches (1.3 at 512), training, where batches must
# be drawn by chance, and a service that answers what comes in.
#
# <!-- claims: 3.1 = mix, random, 32 ±0.2; 1.02 = mix, sorted, 32 ±0.01; 1.3 =
# mix, sorted, 512 ±0.1 -->
# <!-- given: 32; 512 -->
#
# ## Packing: no padding at all
#
# Look at what a layer needs to know. Embedding, layernorm, linear layers,
# GELU (lesson 06 builds these): each treats every token by itself, so they do
# not care where a sentence ends. They can take all tokens of a batch as one
# long matrix (N, D), one sentence after the other. Only attention must know
# the borders (and pooling, lesson 08). That is a *packed* or *ragged* batch:
# the ids in one run, and the *offsets* where each sentence begins. The
# package computes with nothing else: `minigpt2/ragged.py`.
# %%
few = ["The cat is sleeping", "Hello", "Dogs bark at night", "Good morning"]
batch = TokenBatch(tokenizer.encode_batch(few))
print(batch)
print("ids      ", *batch.ids)
print("positions", *batch.positions)
print("offsets  ", *batch.offsets)
print("lengths  ", *batch.lengths)
# %% [markdown]
# How does attention keep the sentences apart? One could build an (N, N) mask
# with one triangle for each sentence along the diagonal, and compute N · N
# scores, of which nearly all are hidden. Let us count, for 128 texts of the
# mix.
#
# **Predict:** which share of these N · N scores is not hidden?
#
# <!-- given: 128 -->
# %%
ids = tokenizer.encode_batch(mix[:128])
many = TokenBatch(ids)
L = many.lengths
claim("share that is visible", (L * (L + 1) / 2).sum() / many.N**2)
groups = many.groups_of_equal_length()
scores = sum(g.n * g.T**2 for g in groups)
claim("share by groups of equal length", scores / many.N**2)
claim("padded over groups", many.B * many.longest**2 / scores)
claim("groups", len(groups))
for group in groups[:4]:
    print(f"sentences: {group.n}, tokens in each: {group.T}")
# %% [markdown]
# Less than 1 in 100. So the package does it otherwise: it takes the sentences
# of equal length together, n of T tokens, as a dense array (n, H, T, K) (H
# heads of width K, lesson 05), with one triangle (T, T) for all of them. Then
# it computes the scores of each sentence with itself and nothing else. A
# padded batch computes more than six times as many.
#
# The function that walks over the groups is `heads_of_groups`.
#
# <!-- claims: 'Less than 1 in 100' = share that is visible < 0.01; 'more than
# six times as many' = padded over groups > 6 -->
# <!-- given: 1; 100 -->
# %%
from minigpt2.layers.attention import attend, heads_of_groups

H, K = 2, 3
qkv = np.random.default_rng(2).normal(size=(batch.N, 3 * H * K))  # (N, 3·D)
for group, q, k, v in heads_of_groups(qkv, batch, H):
    assert q.shape == k.shape == v.shape == (group.n, H, group.T, K)
    scores = masked_scores(q, k, True)
    print(f"T = {group.T}: q {q.shape}, scores {scores.shape}, {group.rows}")
packed, _ = attend(qkv, batch, H)  # (N, D)
# %% [markdown]
# ## Packed and padded must agree
#
# The package never pads, so here is the padded way, written out: fill up, one
# mask with both rules, take the real rows. The two must give the same. That
# is how a fast way is tested: against a slow and plain one.
# %%
T = batch.longest
real = np.arange(T) < batch.lengths[:, None]  # (B, T) True for real tokens
filled = np.zeros((batch.B, T, 3 * H * K))
filled[real] = qkv  # (B, T, 3·D)
filled = filled.reshape(batch.B, T, 3, H, K)
q, k, v = filled.transpose(2, 0, 3, 1, 4)  # each (B, H, T, K)
scores = q @ k.swapaxes(2, 3) / math.sqrt(K)  # (B, H, T, T)
sees = np.tri(T, dtype=bool) & real[:, None, None, :]  # (B, 1, T, T)
pattern, _ = softmax(np.where(sees, scores, -math.inf))  # (B, H, T, T)
z = (pattern @ v).transpose(0, 2, 1, 3)  # (B, T, H, K)
z = z.reshape(batch.B, T, H * K)[real]  # (N, D)
assert np.allclose(z, packed)
claim("largest difference", np.abs(z - packed).max())
# %% [markdown]
# The same to about the last digit of float64.
#
# One trap: with filling on the *left*, a padded query row can have nothing
# left that it may see. All its scores are −∞, and softmax divides 0 by 0.
#
# <!-- claims: 'the last digit' = largest difference < 1e-12 -->
# <!-- given: 0 -->
# %%
with np.errstate(invalid="ignore"):
    row = softmax(np.full((1, 3), -math.inf))[0]
print(row)
claim("NaN in the row", int(np.isnan(row).sum()))
# %% [markdown]
# Three times NaN, "not a number", and whatever touches it becomes NaN as
# well. Hence the −10 000 that one finds in many programs in place of −∞: it
# hides the trouble, for a row of filling then gets weights, if meaningless
# ones. In a packed batch there is no such row: every token sees at least
# itself.
#
# ## Is it faster?
#
# **Predict:** 48 texts of the mix, none longer than 96 tokens, packed and
# padded, through the whole model. How many times as long does the padded
# batch take?
#
# <!-- claims: 'Three times NaN' = NaN in the row == 3 -->
# <!-- given: −10 000; 48; 96 -->
# %%
ids = [text[:96] for text in ids[:48]]
most, pad = max(map(len, ids)), [tokenizer.pad_id]
packed = TokenBatch(ids)
padded = TokenBatch([text + pad * (most - len(text)) for text in ids])
rows, seconds = [], []
for name, batch in (("packed", packed), ("padded", padded)):
    start = time.process_time()
    model.forward(batch)
    seconds.append(time.process_time() - start)
    rows.append([name, batch.N, seconds[-1]])
show(Table(["way", "rows", "seconds"], rows))
claim("rows, padded over packed", padded.N / packed.N)
claim("time, padded over packed", seconds[1] / seconds[0])
# %% [markdown]
# The time goes roughly with the rows: packing saves what padding wastes. A
# packed batch has a price, too: attention runs once for each length that
# occurs, and 128 mixed texts above had 69 lengths. That is why the encoder
# sorts by length although it need not pad (`batches_by_length`): a batch then
# holds few different lengths. (Lesson 18 measures what that brings.)
#
# <!-- claims: 'The time goes roughly with the rows' = time, padded over
# packed > 1.2; 69 = groups -->
# <!-- given: 128 -->
#
# ## Three things to remember
#
# - Mask before softmax, with −∞. Test it by changing the future, not by
#   looking at the picture.
# - Right padding does not disturb a causal model's real rows, left padding
#   does, and pooling always needs to know which rows are real.
# - Most layers never ask where a sentence ends. Put all tokens into one
#   matrix and there is nothing to pad.
#
# ## Exercises
#
# - `04_fix_the_mask` (intermediate): a padded mask with two mistakes; find
#   and mend them.
# - `04_packed_attention` (intermediate): causal attention over a packed
#   batch, and what padding would waste.
#
# Links: `minigpt2/layers/attention.py` (`masked_scores`, `heads_of_groups`,
# `attend`), `minigpt2/ragged.py` (`TokenBatch`, `groups_of_equal_length`,
# `Group`), `minigpt2/layers/softmax.py` (`softmax`), `minigpt2/encoder.py`
# (`batches_by_length`)
