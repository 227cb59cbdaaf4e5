# %% [markdown]
# # 19 · Comparison
#
# Intermediate · 45 minutes
#
# **After this lesson you can**
#
# - build four ways to compare sentences, from counting words to a model, and
#   measure them on the same pairs
# - train word vectors in a few seconds, and distil a model into a table of
#   words
# - say which of them suffices for a task, and where each of them is blind
#
# A model that is better than nothing is easy to find. The question is whether
# it is better than something simple. Here are the simple things, built on the
# spot, and all of them meet the same judge.
# %%
import csv
import textwrap
import time
from collections import Counter

import numpy as np

import minigpt2
from minigpt2.datasets import read_pairs
from minigpt2.evaluation.metrics import auc
from minigpt2.evaluation.overlap import words
from minigpt2.learn import claim, data_file, show
from minigpt2.similarity import pairwise
from minigpt2.views import Bars, HeatMap, Table

# %%
train = read_pairs(data_file("train.tsv"))
test = read_pairs(data_file("test.tsv"))
texts = list(dict.fromkeys(train.first + train.second))
claim("sentences to learn from", len(texts))
claim("pairs to judge by", len(test.first))
for i in (0, 1, 2):
    print(f"label {test.labels[i]:.0f}:")
    for sentence in (test.first[i], test.second[i]):
        print(textwrap.indent(textwrap.fill(sentence, 74), "  "))
# %% [markdown]
# ## The judge
#
# Each pair has a label: 1 if both sentences say the same, 0 if not. A system
# gives each pair a score. The *AUC* is the chance that a pair of label 1
# scores higher than a pair of label 0: 0.5 is a coin, 1 is perfect (lesson
# 15). These pairs are made to be hard: many of label 0 share nearly all words
# and say something else.
#
# `judge` takes a function from sentences to rows, and compares rows by their
# cosine.
#
# <!-- given: 1; 0; 0.5 -->
# %%
scores, seconds = {}, {}  # of each system


def judge(name, rows):
    start = time.process_time()
    scores[name] = pairwise(rows(test.first), rows(test.second))
    seconds[name] = time.process_time() - start
    claim(f"AUC of {name}", auc(scores[name], test.labels))


# %% [markdown]
# ## TF-IDF: count words, weigh the rare ones more
#
# A sentence is a row with a column for each word: how often it occurs (*term
# frequency*), times how rare it is in all texts (*inverse document
# frequency*, Spärck Jones 1972). Nothing is learned but the counts.
#
# **Predict:** which AUC does it get here: 0.5, 0.7, 0.9?
#
# <!-- given: 0.5; 0.7; 0.9 -->
# %%
from minigpt2.evaluation.baselines import tf_idf

counting = tf_idf(texts)
start = time.process_time()
rows = [counting.rows(side, "") for side in (test.first, test.second)]
scores["TF-IDF"] = counting.compare(*rows)
seconds["TF-IDF"] = time.process_time() - start
claim("AUC of TF-IDF", auc(scores["TF-IDF"], test.labels))
# %% [markdown]
# 0.58: little better than a coin. For TF-IDF "sofa" and "couch" have nothing
# in common, and "Tom called Anna" and "Anna called Tom" are the same. On many
# public test sets it does much better, because there sentences that say the
# same mostly share words (lesson 15). A baseline is only as weak as the test
# makes it.
#
# <!-- claims: 0.58 = AUC of TF-IDF -->
#
# ## Word vectors, trained on the spot
#
# "You shall know a word by the company it keeps" (Firth 1957). We count how
# often each pair of words stands near each other, and ask whether that is
# more than chance. The logarithm of that ratio is the *pointwise mutual
# information*:
#
#     PMI(a, b) = log( count(a, b) · total / (count(a) · count(b)) )
#
# Negative values are set to 0. The matrix (V, V), for V words, is then
# pressed into a few dimensions: its *eigenvectors* are the directions that it
# only stretches, and we keep those that it stretches most. Levy and Goldberg
# (2014) showed that word2vec does nearly this, in another way.
#
# <!-- given: 0 -->
# %%
count_of = Counter(word for text in texts for word in words(text))
number = {word: i for i, (word, _) in enumerate(count_of.most_common(2000))}
V = len(number)


def numbers(text):
    return np.array([number[w] for w in words(text) if w in number], int)


near = np.zeros((V, V), dtype=np.float32)
for text in texts:
    ids = numbers(text)
    for distance in range(1, 5):  # four words to each side
        if len(ids) > distance:
            np.add.at(near, (ids[:-distance], ids[distance:]), 1)
near += near.T
# %%
total, row = near.sum(), near.sum(axis=1)
chance = np.outer(row, row) / total
ratio = np.where(near > 0, near / np.maximum(chance, 1e-9), 1.0)
ppmi = np.maximum(0.0, np.log(ratio))  # (V, V)
values, vectors = np.linalg.eigh(ppmi)
strong = np.argsort(-np.abs(values))[:100]
word_vectors = vectors[:, strong] * np.sqrt(np.abs(values[strong]))
claim("words with a vector", len(word_vectors))
# %% [markdown]
# **Predict:** what are the nearest words of "sofa", "cat", "bought"?
# %%
names = list(number)


def neighbours(word, table, k=4):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    order = np.argsort(-(unit @ unit[number[word]]))
    return [names[i] for i in order[1 : k + 1]]


for word in ("sofa", "cat", "bought", "monday"):
    if word in number:
        print(f"{word}: {', '.join(neighbours(word, word_vectors))}")
assert neighbours("sofa", word_vectors)[0] == "couch"
assert "kitten" in neighbours("cat", word_vectors)
assert "sold" in neighbours("bought", word_vectors)
# %% [markdown]
# "couch" for "sofa", "kitten" for "cat": from counting neighbours in
# thousands of sentences. But look at "bought" as well: "sold" keeps the same
# company. Company is not meaning.
#
# A sentence becomes the mean of its words' vectors, plain or weighted by how
# rare each word is (as in TF-IDF; Arora, Liang and Ma 2017 weigh much alike).
#
# **Predict:** does it matter how the words are weighted?
#
# <!-- claims: 'thousands of sentences' = sentences to learn from > 5000 -->
# %%
rarity = np.array([np.log(len(texts) / count_of[word]) for word in names])


def mean_of(table, weight):
    """A function from sentences to rows: weighted means of the table."""

    def rows(sentences):
        result = np.zeros((len(sentences), table.shape[1]))
        for row, sentence in zip(result, sentences, strict=True):
            ids = numbers(sentence)
            row += weight[ids] @ table[ids]
        return result

    return rows


judge("word vectors, plain", mean_of(word_vectors, np.ones(V)))
judge("word vectors", mean_of(word_vectors, rarity))
# %%
value = {name: auc(s, test.labels) for name, s in scores.items()}
plain, weighted = value["word vectors, plain"], value["word vectors"]
claim("plain against TF-IDF", plain - value["TF-IDF"])
claim("weighted against plain", weighted - plain)
# %% [markdown]
# More than the vectors themselves: the plain mean is hardly better than
# TF-IDF, the weighted one is. Frequent words such as "the" and "on" stand in
# every sentence; left at full weight, they make all sentences alike.
#
# <!-- claims: 'hardly better' = plain against TF-IDF < 0.03; 'the weighted
# one is' = weighted against plain > 0.03 -->
#
# ## Our model
#
# The model that comes with the package reads the sentence in order, in six
# layers.
#
# **Predict:** how far above the word vectors?
# %%
encoder = minigpt2.load()


def once(encode):
    """Rows of sentences; one that comes several times is encoded once."""

    def rows(sentences):
        different, place = np.unique(sentences, return_inverse=True)
        return encode(different.tolist())[place]

    return rows


judge("our model", once(encoder.encode))
claim(
    "model against word vectors",
    auc(scores["our model"], test.labels) - weighted,
)
# %% [markdown]
# 0.71. Clearly above everything so far, and clearly not solved.
#
# <!-- claims: 0.71 = AUC of our model; 'Clearly above' = model against word
# vectors > 0.03 -->
#
# ## A static model, distilled from ours
#
# What if we want the model's knowledge without its arithmetic? A *static*
# model is a table with one vector for each word; a sentence is a weighted
# mean. The first table is simple: encode each word alone (Model2Vec, 2024,
# does this with the tokens of a large model).
# %%
start = time.process_time()
alone = encoder.encode(names)  # (V, D), one word a text
alone = alone - alone.mean(axis=0)
claim("seconds to distil", time.process_time() - start)
judge("static, words alone", mean_of(alone, rarity))
of_alone = auc(scores["static, words alone"], test.labels)
claim("words alone against word vectors", of_alone - weighted)
# %% [markdown]
# No better than the word vectors that we have just trained, although the
# model was trained on 2.5 million texts (`minigpt2/pretrained/nano`): it was
# hardly ever asked for a word alone, and says little about it.
#
# <!-- claims: 'No better' = words alone against word vectors < 0.02 -->
# <!-- given: 2.5 -->
#
# Now the second table: let the model encode *sentences*, and find the word
# vectors whose weighted sum comes nearest to its vectors. This is a linear
# problem, *ridge regression*: for M sentences, X (M, V) says with which
# weight each word stands in each of them, Y (M, D) what the model says,
#
#     E = E₀ + Xᵀ · (X·Xᵀ + λ·I)⁻¹ · (Y − X·E₀)
#
# where I is the identity matrix, E₀ the first table, and λ says how much we
# trust it.
#
# **Predict:** does that close the gap to the model?
# %%
sample = texts[:: len(texts) // 1500][:1500]
Y = encoder.encode(sample)  # (M, D)
X = np.zeros((len(sample), V))
for row, sentence in zip(X, sample, strict=True):
    ids = numbers(sentence)
    np.add.at(row, ids, rarity[ids])
X /= np.maximum(X.sum(axis=1, keepdims=True), 1e-9)
gap = Y - X @ alone
inner = X @ X.T + 0.02 * np.eye(len(X))
distilled = alone + X.T @ np.linalg.solve(inner, gap)
judge("static, distilled", mean_of(distilled, rarity))


# %% [markdown]
# No gap is left: 0.72 against the model's 0.71, from a table of words and one
# linear equation. Before we believe it: does the table really say what the
# model says, or only on the sentences that it was fitted to?
#
# **Predict:** how large is the mean squared error of each of the two tables
# on sentences that it has not seen, as a share of the mean square of the
# model's vectors?
#
# <!-- claims: 0.72 = AUC of static, distilled; 0.71 = AUC of our model -->
# %%
fresh = [text for text in texts[5::60] if text not in set(sample)][:200]
truth = encoder.encode(fresh)


def error(table):
    rows = mean_of(table, rarity)(fresh)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.mean((rows - truth) ** 2) / np.mean(truth**2)


claim("error of the first table", error(alone))
claim("error of the distilled table", error(distilled))


# %%
def lead(rows):
    """By how much the table's AUC is higher, on these pairs."""
    table, model = (
        auc(scores[name][rows], test.labels[rows])
        for name in ("static, distilled", "our model")
    )
    return table - model


rng, M = np.random.default_rng(0), len(test.labels)
drawn = [lead(rng.integers(M, size=M)) for _ in range(200)]
claim("lead of the table", lead(np.arange(M)))
claim("its standard deviation", np.std(drawn))
claim("lead in standard deviations", lead(np.arange(M)) / np.std(drawn))
# %% [markdown]
# On new sentences the table is much nearer to the model than the first one
# was, 0.22 against 0.98, and still not the model. It is nevertheless as good
# on these pairs: with other pairs, drawn from these with repetition (the
# *bootstrap*), the lead goes up and down by more than its own size, so it is
# no lead. Two things may explain it. The table has seen 1500 sentences of
# this kind (without labels), the model none. And what the model does beyond
# adding up words, it seems, is not what most of these pairs ask for. **On
# the average of all pairs six layers bring nothing that a table of words
# could not learn from them.**
#
# <!-- claims: 0.22 = error of the distilled table ±0.05; 0.98 = error of the
# first table ±0.05; 'as good' = lead of the table > -0.02; 'by more than its
# own size' = lead in standard deviations < 1 -->
# <!-- given: 1500 -->
#
# ## A BERT-style encoder, if there is one
#
# The bundled model was trained to say what all-MiniLM-L6-v2 says, a BERT of
# 22.7 million parameters that reads in both directions. If its files and the
# library sentence-transformers are on this machine, we judge it too, which
# may take half a minute; nothing is downloaded.
#
# **Predict:** is the teacher better than its pupil? And does it tell who
# called whom?
#
# <!-- given: 22.7 -->
# %%
import contextlib
import importlib.util
import io
import os
from pathlib import Path


def has_minilm():
    cache = Path.home() / ".cache/huggingface"
    cache = Path(os.environ.get("HF_HOME", cache)) / "hub"
    cache = Path(os.environ.get("HF_HUB_CACHE", cache))
    name = "models--sentence-transformers--all-MiniLM-L6-v2"
    library = importlib.util.find_spec("sentence_transformers")
    return library is not None and (cache / name).is_dir()


# %%
def load_minilm():
    from sentence_transformers import SentenceTransformer

    name, here = "all-MiniLM-L6-v2", {"local_files_only": True}
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar
        return SentenceTransformer(name, device="cpu", **here)


try:
    if has_minilm():
        judge("MiniLM", once(load_minilm().encode))
    else:
        print("MiniLM is not on this machine: the rest is without it.")
except OSError as error:
    print(f"MiniLM cannot be loaded: {str(error).splitlines()[0][:60]}")
# %% [markdown]
# ## All together
# %%
order = sorted(scores, key=lambda name: auc(scores[name], test.labels))
aucs = [auc(scores[name], test.labels) for name in order]
show(Bars(order, aucs, low=0.5, high=1.0, caption="AUC, from a coin to 1"))
speed = [[name, 2 * len(test.first) / seconds[name]] for name in order]
show(Table(["system", "sentences in a CPU second"], speed))
speed = dict(speed)
times = speed["static, distilled"] / speed["our model"]
claim("static in the time of the model", times)
# %% [markdown]
# A table of words is many times as fast as the model; it needs one row from
# memory for each word, and no product with a matrix of weights. (If you have
# MiniLM: the teacher is ahead of all the others, and it is the slowest.)
#
# <!-- claims: 'many times' = static in the time of the model > 3 -->
#
# ## Where each of them is blind
#
# One number hides a lot. The file `kinds.tsv` says of which kind each pair
# is. For each kind of label 0 we ask: how often does a pair of label 1 score
# higher than such a pair?
#
# **Predict:** "roles" are pairs such as "Tom called Anna" and "Anna called
# Tom". What can a mean of word vectors score there?
#
# <!-- given: 0; 1 -->
# %%
lines = data_file("kinds.tsv").read_text(encoding="utf-8").splitlines()
kind_of = {r["id"]: r["kind"] for r in csv.DictReader(lines, delimiter="\t")}
kinds = np.array([kind_of[id] for id in test.ids])
same = test.labels == 1
negative = sorted(set(kinds[~same]))
table = []
for name in order:
    per_kind = []
    for kind in negative:
        chosen = same | (kinds == kind)
        per_kind.append(auc(scores[name][chosen], test.labels[chosen]))
    table.append(per_kind)
table = np.array(table)
# %%
show(HeatMap(table, rows=order, columns=negative, low=0.0, high=1.0))
roles = table[:, negative.index("roles")]
unrelated = table[:, negative.index("unrelated")]
negation = table[:, negative.index("negation")]
for name in ("TF-IDF", "word vectors", "our model"):
    claim(f"roles, {name}", roles[order.index(name)])
    claim(f"unrelated, {name}", unrelated[order.index(name)])
for name in ("word vectors", "our model", "static, words alone"):
    claim(f"negation, {name}", negation[order.index(name)])
claim("negation, distilled", negation[order.index("static, distilled")])
# %% [markdown]
# Everything tells unrelated sentences apart, counting words included: for
# that task nobody needs a model. Nothing here understands roles: 0.21 for the
# word vectors, 0.36 for our model. That is far *below* a coin: the two
# sentences with swapped roles have the same words and look more alike than
# true paraphrases do. Order matters a little to our model, and not nearly
# enough. With negation it is different: 0.68 against the 0.52 of the word
# vectors, for which "not" is one word among many. But that takes no layers
# either: the distilled table, which only adds up words as well, has 0.69. It
# has that from its fit to the model; with words alone it was 0.48.
#
# (MiniLM, if you have it, tells negations better still, and swapped roles
# hardly better than a table of words does.)
#
# So a comparison needs more than one number, and one's own data. If the task
# is to find texts about the same matter, a table of words will do, and costs
# next to nothing. If "who did it to whom" matters, none of these will do,
# whatever a leader board says: it takes a model trained on such pairs
# (lessons 12 to 16 show how to train one, and how to see whether it has
# learned it).
#
# <!-- claims: 'Everything tells' = unrelated, TF-IDF > 0.98; 0.21 = roles,
# word vectors ±0.04; 0.36 = roles, our model ±0.01; 0.68 = negation, our
# model ±0.01; 0.52 = negation, word vectors ±0.04; 0.69 =
# negation, distilled ±0.02; 0.48 = negation, static, words alone ±0.02 -->
#
# ## Three things to remember
#
# - Measure the simple thing first, on your own pairs. It may suffice, and it
#   tells what the expensive thing is worth.
# - A static table distilled from a model can be as good as the model where
#   words decide, at a tiny share of the cost.
# - One number hides where a system is blind. Look at kinds of mistakes:
#   swapped roles fool all that only adds up words, and our model as well.
#
# ## Exercises
#
# - `19_tf_idf` (beginner): texts as weighted counts of their words.
# - `19_word_vectors` (advanced): word vectors from counts and one
#   decomposition.
#
# Links: `minigpt2/evaluation/baselines.py` (`tf_idf`, `TfIdf`),
# `minigpt2/evaluation/overlap.py` (`words`), `minigpt2/evaluation/metrics.py`
# (`auc`), `minigpt2/similarity.py` (`pairwise`),
# `minigpt2/training/losses/distillation.py` (how our model itself was
# distilled), `minigpt2/pretrained/make_nano.py`
