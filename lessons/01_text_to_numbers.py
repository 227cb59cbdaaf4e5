# %% [markdown]
# # 01 · Text to numbers
#
# Beginner · 30 minutes
#
# **After this lesson you can**
#
# - say how a sentence becomes a list of whole numbers, and get the sentence
#   back from them
# - learn a vocabulary from text with byte-pair encoding, by hand, and check
#   it against the package
# - tell which texts cost a model many tokens, and measure it
#
# A model computes with numbers, so text has to become numbers first. The part
# that does this is called the *tokenizer*: it cuts a text into pieces, the
# *tokens*, and gives each piece a whole number, its *id*. It is the one part
# of a language model that is never trained together with the rest, and many
# odd habits of models begin here. We build one from nothing.
# %%
import time
from collections import Counter
from itertools import pairwise

import minigpt2
from minigpt2.learn import claim, data_file, show
from minigpt2.views import Bars, Lines, MergeSteps, TokenChips

# %% [markdown]
# ## A character is a number already
#
# Unicode gives every character of every script a number, its *code point*;
# Python's `ord` says which. A file or a network, however, carries *bytes*:
# whole numbers below 256. UTF-8 is the usual way to write code points as
# bytes. An English letter takes one byte, other characters take up to four.
#
# **Predict:** "café" has four characters. How many bytes does it have?
#
# <!-- given: 256 -->
# %%
for character in "café🙂":
    print(character, ord(character), list(character.encode("utf-8")))
claim("bytes of café", len("café".encode()))
# %% [markdown]
# Five bytes: the é takes two of them, 195 and 169. The smiling face alone
# takes four.
#
# <!-- claims: 'Five bytes' = bytes of café == 5 -->
# <!-- given: 195; 169 -->
#
# ## The simplest tokenizer: one token for each byte
#
# If a byte is a token, there are 256 ids for text, and every text there will
# ever be can be written with them. The package has this tokenizer:
# `minigpt2/tokenizer/byte.py`, a file of two screens.
#
# <!-- given: 256 -->
# %%
from minigpt2.tokenizer import ByteTokenizer

by_bytes = ByteTokenizer()
ids = by_bytes.encode("café")
print(ids)
assert ids == list("café".encode())
assert by_bytes.decode(ids) == "café"
print(by_bytes)
# %% [markdown]
# The tokenizer says that it has 258 tokens, two more than there are bytes.
# All tokens that a tokenizer has are its *vocabulary*. These two are *special
# tokens*: they stand for no text, but for "the text ends here" and "nothing
# here". Nobody can write them by accident: spelled out in a text they are
# ordinary characters, unless the caller allows them.
#
# <!-- given: 258 -->
# %%
text = "the end<|endoftext|>"
plain, special = (
    by_bytes.encode(text),
    by_bytes.encode(text, allow_special=True),
)
print(by_bytes.special_tokens)
claim("tokens of plain text", len(plain))
claim("tokens with the special one", len(special))
# %% [markdown]
# As plain text the ending costs thirteen tokens, one for each character;
# allowed as a special token it costs one: the text has 20 tokens in the first
# case and 8 in the second.
#
# <!-- claims: 20 = tokens of plain text; 8 = tokens with the special one -->
#
# Why not stop here? Because a model pays for every token. It computes a
# vector, a list of numbers, for each, and attention, which lesson 03 builds,
# compares every token with every other: twice the tokens, four times the
# comparisons.
#
# ## The other extreme: one token for each word
#
# Let us see what that would need. The package comes with thousands of
# sentences; we read most of them, note every different word (all that stands
# between two blanks), and look at the sentences that we left out.
#
# **Predict:** in how many of 2000 new sentences stands a word that we have
# not seen in the other 10 800?
#
# <!-- given: 2000; 10 800 -->
# %%
import random

from minigpt2.datasets import read_pairs

pairs = read_pairs(data_file("train.tsv"))
texts = sorted(set(pairs.first + pairs.second))  # each sentence once
random.Random(0).shuffle(texts)
known, unseen = texts[:-2000], texts[-2000:]
short = [sentence for sentence in known if len(sentence) < 60]
print(f"{len(known)} sentences, such as:", *short[:3], sep="\n  ")
# %%
words = {word for sentence in known for word in sentence.split()}


def with_unknown_word(sentences):
    return [
        sentence
        for sentence in sentences
        if not words.issuperset(sentence.split())
    ]


claim("different words", len(words))
claim("new sentences with an unknown word", len(with_unknown_word(unseen)))
# %% [markdown]
# Only 54 of 2000. Words look like a problem that is nearly solved, and that
# is a trap: all of these sentences were made from the same list of words, of
# which 3585 were seen. Here are six sentences from somewhere else.
#
# <!-- claims: 54 = new sentences with an unknown word; 3585 = different words
# -->
# <!-- given: 2000 -->
# %%
elsewhere = """Lighthouse keepers trimmed their lanterns before dusk.
The harbour smelled of tar, herring and wet rope.
Nobody believed the fisherman's tale about glowing jellyfish.
Salt had crusted the railings white overnight.
A stubborn fog swallowed the breakwater whole.
We navigated by the foghorn's mournful groaning.""".splitlines()
claim(
    "sentences from elsewhere with an unknown word",
    len(with_unknown_word(elsewhere)),
)
# %% [markdown]
# All six of them have a word that no id exists for, "lanterns" or
# "jellyfish". A tokenizer of words would have to write *unknown* there, and
# the model would never learn what stood in the text. Letters are too many
# tokens, words are never enough. What lies between?
#
# <!-- claims: 'All six' = sentences from elsewhere with an unknown word == 6
# -->
#
# ## Byte-pair encoding, by hand
#
# The idea (Sennrich, Haddow and Birch 2016, arXiv:1508.07909; GPT-2 runs it
# on bytes): begin with single bytes, find the pair of neighbours that occurs
# most often, make it a token of its own, and repeat. Common words become one
# token, rare words stay in pieces, and nothing is ever unknown, since the
# bytes are still there.
#
# We take a text of sixteen words.
# %%
toy = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3
pieces = {word: list(word) for word in toy}  # how each word is cut at present
count_of_word = Counter(toy)


def count_pairs():
    counts = Counter()
    for word, parts in pieces.items():
        for left, right in pairwise(parts):
            counts[left, right] += count_of_word[word]
    return counts


print(count_pairs().most_common(4))


# %% [markdown]
# Two pairs share the first place. The package breaks such a tie by the
# smaller id on the left, which for letters is the alphabet, and we do the
# same: `e+s` before `s+t`.
#
# Now the merge itself: walk along a word, and wherever the two stand side by
# side, put one piece in their place.
# %%
def merged(parts, pair):
    result = []
    for part in parts:
        if result and (result[-1], part) == pair:
            result[-1] += part
        else:
            result.append(part)
    return result


print(merged(list("newest"), ("e", "s")))
# %% [markdown]
# **Predict:** after `e s` has become `es`, which pair is the commonest?
# %%
order = sorted(set("".join(toy)))  # ids: the letters first
merges = []
for _ in range(8):
    counts = count_pairs()
    most = max(counts.values())
    tied = [pair for pair in counts if counts[pair] == most]
    pair = min(tied, key=lambda pair: [order.index(part) for part in pair])
    pieces = {word: merged(parts, pair) for word, parts in pieces.items()}
    merges.append(pair)
    order.append("".join(pair))
    now = "   ".join(" ".join(parts) for parts in pieces.values())
    print(f"{'+'.join(pair):8} {counts[pair]}×   {now}")
# %% [markdown]
# `es` and `t`, nine times: the ending that "newest" and "widest" share.
# Nobody has told the algorithm about superlatives; it counted. After eight
# merges "low" and "newest" are one token each.
#
# The package learns the same merges in the same order. It is faster because
# it keeps the counts and changes only those next to a merge
# (`minigpt2/tokenizer/train.py`, `train_bpe`).
# %%
from minigpt2.tokenizer import train_bpe

trained = train_bpe(toy, vocab_size=258 + 8)
ours = [(left.encode(), right.encode()) for left, right in merges]
assert trained.merges == ours, "the same merges in the same order"
print(trained, *trained.merges, sep="\n  ")
# %% [markdown]
# ## From merges to tokens
#
# To encode a text, it is first cut into words, and no merge reaches from one
# word into the next. Then the merges are replayed in each word: of all
# neighbouring pairs the one that was learned first merges, then again, until
# no pair is left that was ever learned. The model that comes with the package
# has learned its merges from a million lines of text. Its tokenizer at work:
#
# **Predict:** into which pieces does it cut "unbelievable"? (Each row will be
# one merge: its rank, which is its place in the order of learning, the
# pieces, and the id of the new token.)
# %%
from minigpt2.tokenizer import trace_merges

tokenizer = minigpt2.load().tokenizer
print(tokenizer)
for word in trace_merges(tokenizer, "unbelievable"):
    show(MergeSteps(word.text, word.steps))


# %% [markdown]
# Not "un-believ-able", as a grammar book has it, but `un`, `bel`, `iev` and
# `able`. Byte-pair encoding knows what is frequent, not what has a meaning.
# It is often said that its pieces are word stems and endings. Sometimes they
# are.
#
# A token also knows whether a blank stands before it, because the blank
# belongs to the word that follows:
# %%
def chips(text):
    ids = tokenizer.encode(text)
    return TokenChips([tokenizer.decode([id]) for id in ids], ids=ids)


show(chips("dog or dogs, a DOG"))
assert tokenizer.encode("dog") != tokenizer.encode(" dog")
# %% [markdown]
# "dog" at the start and "dog" after a blank are two different ids. The model
# has to learn the meaning of each by itself. Capitals make no difference
# here, because this tokenizer lower-cases first (`lower`); GPT-2's own does
# not.
#
# ## How large should the vocabulary be?
#
# **Predict:** if the vocabulary doubles, does the number of tokens halve?
# %%
sizes = [258, 500, 1000, 2000, 4000]


def tokens_for_a_word(tokenizer, sentences):
    tokens = sum(len(tokenizer.encode(sentence)) for sentence in sentences)
    return tokens / sum(len(sentence.split()) for sentence in sentences)


tokenizers = [train_bpe(known, size, lowercase=True) for size in sizes]
same_kind = [tokens_for_a_word(t, unseen) for t in tokenizers]
other_kind = [tokens_for_a_word(t, elsewhere) for t in tokenizers]
curves = {"same kind of text": same_kind, "text from elsewhere": other_kind}
names = [str(size) for size in sizes]
show(Lines(curves, x=names, y_label="tokens for a word", low=0.0))
# %%
claim("tokens for a word, 2000", same_kind[3])
claim("tokens for a word, 4000", same_kind[4])
claim("elsewhere, 2000", other_kind[3])
claim("elsewhere, 4000", other_kind[4])
# %% [markdown]
# It does not halve. From 2000 to 4000 tokens, a word of the same kind of text
# goes from 1.34 tokens to 1.13; it can never cost less than one. The other
# line is the more honest one: sentences from elsewhere need about twice as
# many tokens a word, 2.69 and then 2.2, as they do not share the words that
# the merges were learned from. A tokenizer is good at the text that it has
# seen.
#
# <!-- claims: 1.34 = tokens for a word, 2000; 1.13 = tokens for a word, 4000;
# 2.69 = elsewhere, 2000; 2.2 = elsewhere, 4000 -->
# <!-- given: 2000; 4000 -->
#
# ## Who pays more?
#
# **Predict:** the same sentence in five languages, given to the tokenizer of
# the bundled model, which has learned from English. How many tokens does each
# cost?
# %%
cat_sleeps = {
    "English": "The cat is sleeping",
    "German": "Die Katze schläft gerade",
    "Russian": "Кошка сейчас спит",
    "Arabic": "القطة نائمة الآن",
    "Japanese": "猫が今眠っています",
}
costs = [len(tokenizer.encode(text)) for text in cat_sleeps.values()]
show(Bars(list(cat_sleeps), costs, digits=0, caption="tokens"))
for name, cost in zip(cat_sleeps, costs, strict=True):
    claim(f"{name} tokens", cost)
lengths = [len(text.encode()) for text in cat_sleeps.values()]
claim("bytes without a token, last three", sum(lengths[2:]) - sum(costs[2:]))
claim("Japanese to English", costs[4] / costs[0])
claim("Russian to English", costs[2] / costs[0])
# %% [markdown]
# English needs 4 tokens and German 9, but Russian 32, Arabic 30 and Japanese
# 27: one for every single byte, because no merge for these scripts was ever
# learned. Nothing is unknown, and yet such a sentence gives the model seven
# or eight times as many tokens to compute, fills its *window* (the most
# tokens that it can read at once) as much sooner, and is spelled in pieces
# that mean nothing alone. The vocabulary decides that, before the model has
# learned anything.
#
# <!-- claims: 4 = English tokens; 9 = German tokens; 32 = Russian tokens; 30
# = Arabic tokens; 27 = Japanese tokens; 'one for every single byte' = bytes
# without a token, last three == 0; 'seven or eight times' = Japanese to
# English > 6.5; 'eight times' = Russian to English == 8 -->
#
# ## And back
#
# Decoding is a look-up: the bytes of each id, one after the other. A piece
# alone can be half a character; the bytes are exact, and as text a half
# character is shown as `�`.
# %%
text = "A naïve 🙂  with   odd\tblanks"
plain = train_bpe(known[:2000], 600)  # this one does not lower-case
ids = plain.encode(text)
assert plain.decode(ids) == text, "nothing is lost, not even blanks"
pieces = {id: plain.token_bytes(id) for id in ids}
half = [id for id in ids if len(pieces[id]) == 1 and pieces[id][0] > 127]
print([plain.decode([id]) for id in half], "is", plain.decode(half))
# %% [markdown]
# ## What makes it fast
#
# The ids of a word depend on the word alone, so the package remembers them:
# it merges each word once, and looks it up from then on.
#
# **Predict:** for what share of the words in 2000 sentences does it have to
# merge?
#
# <!-- given: 2000 -->
# %%
from minigpt2.tokenizer.train import count_words

counts = count_words(unseen)
claim("words in all", sum(counts.values()))
claim("words to merge", len(counts))
claim("share to merge", len(counts) / sum(counts.values()))
fresh = train_bpe(known[:2000], 600)
for turn in ("first", "again"):
    start = time.perf_counter()
    fresh.encode_batch(unseen)
    print(f"{turn}: {1000 * (time.perf_counter() - start):.0f} ms")
# %% [markdown]
# For 0.07 of them: 29 894 words are only 2226 different ones. This is how a
# tokenizer in pure Python can be quick: it does not do the work faster, it
# does not do it again. (The second time is not for nothing: the text still
# has to be cut into words, and each looked up.)
#
# For long words, where looking at all pairs for each merge would take too
# long, the package has a second way that gives the same ids: `merge_by_scan`
# is the definition, `merge_by_heap` the quick one. Two ways that must agree
# are found in many places of this package: the slow one says what is right.
#
# <!-- claims: 0.07 = share to merge; 29 894 = words in all; 2226 = words to
# merge -->
# %%
from minigpt2.tokenizer.bpe import merge_by_heap, merge_by_scan

for word in ["hello", "antidisestablishmentarianism", "ab" * 300]:
    start = tokenizer.byte_ids(word)
    quick = merge_by_heap(start, tokenizer.rank_of)
    assert quick == merge_by_scan(start, tokenizer.rank_of)
    print(f"bytes: {len(start)}, tokens: {len(quick)}")
# %% [markdown]
# ## Three things to remember
#
# - Text is bytes first. With a token for each byte nothing is ever unknown;
#   everything else is about needing fewer tokens.
# - Byte-pair encoding merges the commonest neighbours, again and again. Its
#   pieces are frequent, not meaningful.
# - A tokenizer is good at the text it has learned from; other text and other
#   languages pay in tokens.
#
# ## Exercises
#
# - `01_count_pairs` (beginner): count the neighbouring pairs of a corpus,
#   each word as often as it occurs.
# - `01_train_a_tiny_bpe` (intermediate): put count and merge together, with
#   the package as the judge.
#
# Links: `minigpt2/tokenizer/byte.py` (`ByteTokenizer`,
# `check_special_tokens`), `minigpt2/tokenizer/train.py` (`train_bpe`,
# `count_words`), `minigpt2/tokenizer/bpe.py` (`BPETokenizer`,
# `encode_word`, `merge_by_scan`, `merge_by_heap`, `lowest_ranked_pair`),
# `minigpt2/tokenizer/split.py` (`split_words`),
# `minigpt2/tokenizer/text_cache.py` (`TextCache`, `Memory`, `WordEncoder`,
# `encode_texts`, `encode_by_words`: what stands between two blanks is looked
# up),
# `minigpt2/tokenizer/trace.py` (`trace_merges`, `WordTrace`, `MergeStep`),
# `minigpt2/tokenizer/lowercase.py` (`lower`), `minigpt2/tokenizer/base.py`
# (`Tokenizer`, `encode_flat`, `list_of_texts`, `decode_bytes`, `save`;
# `eos_id` and `pad_id`: the tokens that end a text and fill a row;
# `replace_lone_surrogates`: text that is no valid Unicode),
# `minigpt2/tokenizer/byte_alphabet.py` (`spell`, `unspell`, `unspell_all`:
# how vocabulary files write bytes)
