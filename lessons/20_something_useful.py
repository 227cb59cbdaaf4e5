# %% [markdown]
# # 20 · Something useful
#
# Intermediate · 40 minutes
#
# **After this lesson you can**
#
# - search a collection of texts by meaning, and measure whether that is
#   better than searching by words
# - find duplicates, group texts nobody has sorted, and sort new ones by
#   example
# - do all of this with your own files
#
# Everything in the first nineteen lessons was for this: a text is now a
# vector, and what is near in meaning is near in space. Four tools follow from
# that one fact, each a few lines long.
# %%
import importlib
import inspect
import tempfile
import textwrap
from pathlib import Path

import numpy as np

import minigpt2
from minigpt2.evaluation.baselines import tf_idf
from minigpt2.learn import claim, show
from minigpt2.similarity import matrix, matrix_blocks, nearest
from minigpt2.views import Bars, Scatter, Table

encoder = minigpt2.load()
# %% [markdown]
# ## A collection that you have already
#
# We need texts that are useful to search, and that are on every machine that
# runs this lesson: the descriptions of the functions of Python itself. For
# each function of some modules we take the first paragraph of its
# documentation.
# %%
MODULES = ["math", "os.path", "shutil", "random", "statistics", "datetime"]
MODULES += ["textwrap", "calendar", "subprocess", "threading", "zipfile"]
MODULES += ["logging", "socket", "urllib.parse", "pathlib", "tempfile"]
MODULES += ["decimal"]


def functions_of(module):
    """Names and objects: functions and classes, then their methods."""
    things = vars(importlib.import_module(module)).items()
    public = [(n, t) for n, t in things if n[0] != "_" and callable(t)]
    yield from public
    for name, thing in public:
        if inspect.isclass(thing) and thing.__module__.startswith(module):
            for part, method in vars(thing).items():
                if part[0] != "_" and callable(method):
                    yield f"{name}.{part}", method


# %%
found = {}  # description -> where it stands first
copies = 0
for module in MODULES:
    for name, thing in functions_of(module):
        first = (inspect.getdoc(thing) or "").split("\n\n")[0]
        text = " ".join(first.split())
        if 3 <= len(text.split()) <= 40 and "(" not in text.split()[0]:
            copies += text in found
            found.setdefault(text, (module, name))
texts = list(found)
modules = [module for module, _ in found.values()]
names = [f"{module}.{name}" for module, name in found.values()]
claim("descriptions", len(texts))
claim("exact copies, left out", copies)
vectors = encoder.encode(texts)  # (N, D)


# %% [markdown]
# Several hundred descriptions, and as many vectors of 256 numbers. (How many
# depends a little on your version of Python.) This is all the preparation
# that search needs; a program would keep the vectors in a file, with
# `np.save`.
#
# <!-- claims: 'Several hundred' = descriptions > 400 -->
# <!-- given: 256 -->
#
# ## Search by meaning
#
# The question becomes a vector, too, and `nearest` finds the texts with the
# highest cosines.
#
# **Predict:** "delete a folder and all that is in it". The description that
# we want says "Recursively delete a directory tree." Will it be found?
# %%
def search(question, k=3):
    scores, rows = nearest(encoder.encode([question]), vectors, k)
    return list(zip(scores[0], rows[0], strict=True))


for question in (
    "delete a folder and all that is in it",
    "is it a leap year",
    "the biggest number that divides both",
):
    print(question)
    for score, row in search(question):
        print(f"  {score:.2f}  {names[row]}: {texts[row]}"[:78])
# %% [markdown]
# Found, each of them, in first place. The first shares only "delete" with its
# answer, the last not one word of weight.
#
# To know how good the search really is, three nice examples are worth
# nothing. We write down questions *before* we see the results, and for each
# the function that should come first. The *rank* is the place at which it
# comes: 1 is best. TF-IDF (lesson 19) answers the same questions.
#
# **Predict:** the median rank of each, among all these descriptions.
#
# <!-- given: 1 -->
# %%
questions = {
    "delete a folder and all that is in it": "shutil.rmtree",
    "how much room is left on the drive": "shutil.disk_usage",
    "does this file exist": "os.path.exists",
    "mix the items of a list": "random.shuffle",
    "the middle value of some numbers": "statistics.median",
    "break a long paragraph into short lines": "textwrap.wrap",
    "is it a leap year": "calendar.isleap",
    "run a program and wait until it ends": "subprocess.call",
    "pick a member by chance": "random.choice",
    "round a number up": "math.ceil",
    "the biggest number that divides both": "math.gcd",
    "the full path without symbolic links": "os.path.realpath",
}
questions = {q: name for q, name in questions.items() if name in names}
# %%
counting = tf_idf(texts)
by_words = counting.rows(texts, "")
table, ours, theirs = [], [], []
for question, wanted in questions.items():
    at = names.index(wanted)
    cosines = matrix(encoder.encode([question]), vectors)[0]
    row = counting.rows([question], "")
    counts = counting.compare_all(row, by_words)[0]
    ours.append(1 + (cosines > cosines[at]).sum())
    theirs.append(1 + (counts > counts[at]).sum())
    table.append([wanted, ours[-1], theirs[-1]])
# %%
show(Table(["wanted", "rank by meaning", "rank by words"], table))
claim("median rank by meaning", np.median(ours))
claim("median rank by words", np.median(theirs))
claim("median by words over meaning", np.median(theirs) / np.median(ours))
claim("worst rank by meaning", max(ours))
_, by_meaning, of_words = next(row for row in table if row[0] == "math.gcd")
claim("gcd by meaning", by_meaning)
claim("gcd by words", of_words)
exists = next(row[1] for row in table if row[0] == "os.path.exists")
claim("exists by meaning", exists)


# %% [markdown]
# In the median, meaning puts the answer several times nearer to the top. But
# look at the lines one by one. Where question and description share a rare
# word, both find it, and words are sometimes the better guide. Where they
# share none ("the drive" is a "path" there, "the biggest number that divides
# both" is the "Greatest Common Divisor"), words put the answer hundreds of
# places down, and meaning puts it among the first. And both have misses.
# "round a number up" leads nowhere near `math.ceil`, whose description says
# "the ceiling of x as an Integral": a model that has read little mathematics
# does not know that this is rounding up. And "does this file exist" finds
# first what says "file"; the description that we want says "path". Search by
# meaning is a great help and no promise; good programs use both kinds and
# merge the lists.
#
# <!-- claims: 'several times nearer' = median by words over meaning > 2;
# 'hundreds of places down' = gcd by words > 100; 'among the first' = gcd by
# meaning < 10; 'leads nowhere near' = worst rank by meaning > 50; 'finds
# first' = exists by meaning > 10 -->
#
# ## Duplicates
#
# Two texts that say the same have a cosine near 1. All pairs of N texts are
# N² cosines; `matrix_blocks` gives them block by block, so that memory stays
# small however many there are.
#
# **Predict:** with exact copies left out, what are the most similar pairs of
# descriptions? Will they say the same?
#
# <!-- given: 1 -->
# %%
def pairs_above(vectors, threshold):
    found = []
    for rows, block in matrix_blocks(vectors, vectors, block_rows=256):
        for i, j in zip(*np.nonzero(block >= threshold), strict=True):
            first = rows.start + i
            if first < j:  # each pair once, none with itself
                found.append((block[i, j], first, j))
    return sorted(found, reverse=True)


close = pairs_above(vectors, 0.95)
claim("pairs above 0.95", len(close))
chosen = [pair for pair in close if modules[pair[1]] in ("math", "os.path")]
for score, i, j in chosen[:4]:
    print(f"{score:.3f}")
    for text in (texts[i], texts[j]):
        print(textwrap.indent(textwrap.fill(text, 74), "    "))
# %%
there = "Convert angle x from degrees to radians."
back = "Convert angle x from radians to degrees."
u, v = encoder.encode([there, back])
claim("cosine of there and back", u @ v)
u, v = encoder.encode([there, "Turn an angle in degrees into radians."])
claim("cosine of there and its paraphrase", u @ v)
# %% [markdown]
# Here is the trap. "From degrees to radians" and "from radians to degrees"
# are as near to each other as two texts can be, and they are *opposites*; a
# true paraphrase with other words is further away. What a high cosine means
# is "about the same matter, in nearly the same words". It finds candidates; a
# person, or a rule, decides.
#
# <!-- claims: 'as near to each other' = cosine of there and back > 0.95;
# 'further away' = cosine of there and its paraphrase < 0.95 -->
#
# The right threshold depends on your texts: look at pairs around it, from
# above and from below, and move it until you would agree.
#
# ## Groups
#
# *k-means* finds k groups: it places k centres, gives each text to the
# nearest, moves each centre to the middle of its texts, and repeats (Lloyd
# 1982). Nobody tells it what the groups are. Here we can look up what it
# should find: the modules. The *V-measure* says how well groups and modules
# agree: 0 if a group says nothing about the module, 1 if they are the same.
#
# **Predict:** which sees the modules better, words or meaning?
#
# <!-- given: 0; 1 -->
# %%
from minigpt2.evaluation.classification import as_numbers
from minigpt2.evaluation.clustering import k_means
from minigpt2.evaluation.metrics import v_measure

classes, _ = as_numbers(modules)
groups = k_means(vectors, len(MODULES))
claim("V-measure by meaning", v_measure(groups, classes))
of_words = v_measure(k_means(by_words, len(MODULES)), classes)
claim("V-measure by words", of_words)
claim("meaning above words", v_measure(groups, classes) - of_words)
chance = np.random.default_rng(0).permutation(groups)
claim("V-measure of shuffled groups", v_measure(chance, classes))
# %% [markdown]
# Meaning, clearly. And note the last line: groups dealt out by chance do not
# get 0, since many small groups agree with anything a little. A measure needs
# its own baseline.
#
# What is in the groups? The texts nearest to the centre say it best. We look
# at the first three.
#
# <!-- claims: 'clearly' = meaning above words > 0.05; 'do not get 0' =
# V-measure of shuffled groups > 0.02 -->
# <!-- given: 0 -->
# %%
for group in range(3):
    rows = np.flatnonzero(groups == group)
    centre = vectors[rows].mean(axis=0)
    best = rows[np.argsort(-(vectors[rows] @ centre))[:3]]
    print(f"group {group}:", *(names[row] for row in best), sep="\n  ")

# %% [markdown]
# And a picture: some functions of four modules, in the two directions in
# which their vectors differ most (*principal components*: the first two right
# singular vectors of the centred vectors).
#
# **Predict:** do functions of one module lie together?
# %%
CHOSEN = {
    "math": "acos asinh cos tan",
    "calendar": "isleap leapdays weekday monthrange",
    "shutil": "copyfile copytree move rmtree",
    "random": "choice shuffle sample uniform",
}
rows = [f"{m}.{name}" for m, of in CHOSEN.items() for name in of.split()]
rows = [names.index(name) for name in rows if name in names]
centred = vectors[rows] - vectors[rows].mean(axis=0)
_, size, axes = np.linalg.svd(centred, full_matrices=False)
labels = [names[row].split(".")[1] for row in rows]
groups_of = [modules[row] for row in rows]
show(Scatter(centred @ axes[:2].T, labels=labels, groups=groups_of))
claim("share of two directions", (size[:2] ** 2).sum() / (size**2).sum())
# %% [markdown]
# Mostly they do, and those of `math` far from the others. But two directions
# hold less than half of what sets these vectors apart: who is near in the
# picture need not be near in all 256 numbers.
#
# <!-- claims: 'less than half' = share of two directions < 0.5 -->
# <!-- given: 256 -->
#
# ## Sort new texts by example
#
# With some sorted examples, a new text can be sorted like its neighbours (*k
# nearest neighbours*), or by a *linear probe*: one weight for each number of
# the vector and each class, fitted to the examples. Each text is judged by
# examples that do not contain it (*cross-validation*).
#
# **Predict:** how often does the probe name the right one of 17 modules? And
# with TF-IDF rows instead of vectors?
#
# <!-- given: 17 -->
# %%
from minigpt2.evaluation.classification import (
    accuracy,
    folds,
    knn,
    logistic_probe,
)

splits, results = folds(classes), {}
for kind, x in {"meaning": vectors, "words": by_words}.items():

    def neighbours(s, x=x):
        return knn(x[s.train], classes[s.train], x[s.test])

    def probe(s, x=x):
        fitted = logistic_probe(x[s.train], classes[s.train])
        return fitted.predict(x[s.test])

    results[f"neighbours, {kind}"] = accuracy(neighbours, classes, splits)
    results[f"probe, {kind}"] = accuracy(probe, classes, splits)
# %%
results["largest class"] = np.bincount(classes).max() / len(classes)
bars = list(results.values())
show(Bars(list(results), bars, high=1.0, caption="share that is right"))
for name, value in results.items():
    claim(f"accuracy of {name}", value)
gain = results["probe, meaning"] - results["probe, words"]
claim("what meaning adds to the probe", gain)


# %% [markdown]
# About four of five, where always naming the largest module gets one of five.
# And the surprise: with examples, counting words is nearly as good. A
# logger's documentation says "logger", and the probe has seen that. **Where
# there are labelled examples, words go far; where there are none, as in
# search and in grouping, meaning makes the difference.**
#
# <!-- claims: 'About four of five' = accuracy of probe, meaning > 0.7; 'one
# of five' = accuracy of largest class < 0.25; 'nearly as good' = what meaning
# adds to the probe < 0.1 -->
#
# ## Your own files
#
# Now your turn. `passages` reads every text file of a folder and cuts it into
# paragraphs, since a model with a window of 256 tokens, and a single vector,
# serve a paragraph better than a book. Here it reads three notes from a
# temporary folder; put your own folder there.
#
# <!-- given: 256 -->
# %%
def passages(folder, suffixes=(".txt", ".md")):
    """(file, paragraph) for every paragraph of at least four words."""
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix in suffixes:
            text = path.read_text(encoding="utf-8", errors="replace")
            for paragraph in text.split("\n\n"):
                if len(paragraph.split()) >= 4:
                    yield path.name, " ".join(paragraph.split())


NOTES = {
    "garden.md": "Tomatoes need sun and water every day.\n\n"
    "Cut the roses in early spring, before the leaves come.",
    "car.txt": "The brakes were renewed in May.\n\n"
    "Winter tyres are in the cellar, behind the skis.",
    "cooking.md": "For the soup: onions, carrots, a bay leaf, an hour.",
}
# %%
with tempfile.TemporaryDirectory() as folder:  # or: folder = "/home/me/notes"
    for name, text in NOTES.items():
        Path(folder, name).write_text(text, encoding="utf-8")
    mine = list(passages(folder))
of_mine = encoder.encode([text for _, text in mine])
# %%
right = 0
for question, wanted in {
    "when do I prune the flowers": "garden.md",
    "where are the wheels for snow": "car.txt",
    "what goes into a broth": "cooking.md",
}.items():
    file, text = mine[
        nearest(encoder.encode([question]), of_mine, 1)[1][0, 0]
    ]
    right += file == wanted
    print(f"{question}?\n    {file}: {text}")
claim("questions that found their note", right)
# %% [markdown]
# All three, and no question shares a word of meaning with its answer. That is
# what the vectors are for.
#
# From a shell, `minigpt2 embed --input sentences.txt --output vectors.npy`
# writes the vectors, and in `minigpt2 repl` the command `/search` finds the
# nearest of all sentences that you have typed or loaded.
#
# <!-- claims: 'All three' = questions that found their note == 3 -->
#
# ## Three things to remember
#
# - Search, duplicates, groups and classes are the same question: which
#   vectors are near? Each tool is a few lines on top of `encode`.
# - Near means "about the same matter in nearly the same words". Opposites are
#   near; a person or a rule decides what is the same.
# - Write down what you expect before you look, and compare with counting
#   words. Without labels meaning wins clearly, with labels by little.
#
# ## Exercises
#
# - `20_top_k` (beginner): the best k of many scores, without sorting all.
# - `20_duplicates_by_blocks` (intermediate): all near pairs, in little
#   memory.
# - `20_k_means_step` (intermediate): one round of k-means.
#
# Links: `minigpt2/encoder.py` (`encode`), `minigpt2/similarity.py`
# (`nearest`, `matrix`, `matrix_blocks`), `minigpt2/evaluation/clustering.py`
# (`k_means`), `minigpt2/evaluation/classification.py` (`knn`,
# `logistic_probe`, `folds`), `minigpt2/evaluation/metrics.py` (`v_measure`),
# `minigpt2/evaluation/baselines.py` (`tf_idf`)
