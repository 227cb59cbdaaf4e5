# %% [markdown]
# # 06 · Inside a block: layernorm, residual stream, MLP
#
# Intermediate · 40 minutes
#
# **After this lesson you can**
#
# - write layernorm, GELU, the MLP and a whole block, and check them against
#   the package
# - follow what each part adds to a token on its way through the model
# - say why `x**3` stands nowhere in this package, and find what a trained
#   model has made of layernorm
#
# Attention lets tokens exchange something. Around it stand three other parts,
# without which it could not be stacked six or forty-eight times: the
# *residual stream*, *layernorm* and the *MLP*. A *block* is all of them
# together, and GPT-2 is a stack of blocks.
# %%
import math
import time

import numpy as np

import minigpt2
from minigpt2.learn import claim, data_file, show
from minigpt2.views import Bars, Lines, Table

encoder = minigpt2.load()
tokenizer, model = encoder.tokenizer, encoder.model
parameters, config = model.parameters, model.config
# %% [markdown]
# ## Layernorm
#
# Numbers that pass through many layers tend to grow or to shrink, and then
# the next layer meets inputs of a size that it does not know. *Layernorm*
# (Ba, Kiros and Hinton 2016, arXiv:1607.06450) brings every row to one scale.
# For each token alone: subtract the mean of its D numbers, divide by their
# standard deviation, then stretch and shift each dimension by learned
# numbers, *gain* and *bias*:
#
#     x̂ = (x − mean(x)) / sqrt(var(x) + eps)      over the D numbers of a row
#     y = gain · x̂ + bias
#
# **Predict:** a row, the same row times 100, and the same row plus 7: what
# does layernorm make of the three?
#
# <!-- given: 100; 7 -->
# %%
from minigpt2.layers.layernorm import LayerNormContext, layernorm, normalized


def our_layernorm(x, gain, bias, eps=1e-5):
    centred = x - x.mean(axis=1, keepdims=True)  # (N, D)
    var = (centred**2).mean(axis=1, keepdims=True)  # (N, 1)
    return gain * centred / np.sqrt(var + eps) + bias  # (N, D)


# %%
row = np.random.default_rng(0).normal(size=6)
x = np.stack([row, 100 * row, row + 7])  # (3, D)
gain, bias = np.full(6, 1.5), np.full(6, 0.1)
y, ctx = layernorm(x, gain, bias)
print(y.round(3))
assert np.allclose(our_layernorm(x, gain, bias), y)
assert isinstance(ctx, LayerNormContext)
assert np.allclose(normalized(ctx) * gain + bias, y), (
    "the context gives x̂ back"
)
claim("largest difference of the three rows", np.abs(y - y[0]).max())
# %% [markdown]
# The same row three times (to three digits: eps is there, too). Layernorm
# does not see how long a row is, nor a shift of all its numbers. Two of D
# directions are lost. Keep that in mind: it comes back at the end of this
# lesson, and not as expected.
#
# `eps`, 1e-5, keeps a row of equal numbers from being divided by 0. The
# package: `minigpt2/layers/layernorm.py`. Its context keeps x, the mean and
# one over the standard deviation; x̂ is computed anew by `normalized` when it
# is needed.
#
# <!-- claims: 'The same row three times' = largest difference of the three
# rows < 1e-3 -->
# <!-- given: 1e-5; 0 -->
#
# ## The residual stream
#
# A block does not replace its input, it *adds* to it:
#
#     h = x + attention(layernorm(x))
#     y = h + mlp(layernorm(h))
#
# So the row of a token runs through the whole model, and each part reads it
# and adds something. This running sum is the *residual stream* (He et al.
# 2016, arXiv:1512.03385, for images). GPT-2 normalises what a part *reads*
# and leaves the stream itself alone (Radford et al. 2019, section 2.3).
#
# Since it is a sum, it can be taken apart: embedding plus twelve additions,
# two for each of six blocks. `run_with_cache` gives every intermediate by
# name.
#
# **Predict:** which is larger at the end, the embedding or what the blocks
# have added?
# %%
from minigpt2.datasets import read_pairs
from minigpt2.ragged import TokenBatch

dev = read_pairs(data_file("dev.tsv"), limit=100)
batch = TokenBatch(tokenizer.encode_batch(dev.first))
hidden, cache = model.run_with_cache(batch)

names = ["embed"]
for i in range(config.L):
    names += [f"blocks.{i}.attn.out", f"blocks.{i}.mlp.out"]
total = sum(cache[name] for name in names)  # (N, D)
assert np.allclose(total, cache["blocks.5.resid_post"], atol=1e-3)


# %%
def size(x):
    """The root of the mean square of all numbers."""
    return float(np.sqrt((x * x).mean()))


sizes = [size(cache[name]) for name in names]
show(Bars(names, sizes, caption="size of what is added to the stream"))
claim("size of the embedding", sizes[0])
claim("size of the last addition", sizes[-1])
claim("last over the sum of all before", sizes[-1] / sum(sizes[:-1]))
# %%
states = [cache[f"blocks.{i}.resid_pre"] for i in range(config.L)]
states.append(total)  # L+1 × (N, D)
unit = [s / np.linalg.norm(s, axis=1, keepdims=True) for s in states]
left = np.array([(unit[0] * u).sum(axis=1).mean() for u in unit])  # (L+1,)
blocks = [str(i) for i in range(config.L + 1)]
show(Lines({"cosine with the embedding, by block": left}, x=blocks, low=0.0))
claim("cosine of the last state with the embedding", left[-1])
# %% [markdown]
# The embedding has a size of 0.06, the last MLP adds 6.2, a hundred times as
# much. "The stream carries the token through the model and blocks make small
# corrections" is not what we see: after one block most of its direction is
# new, at the end a cosine of 0.07 with the embedding is left.
#
# Note the last bar. Why would one MLP add more than everything before it
# together? We come back to it.
#
# <!-- claims: 0.06 = size of the embedding; 6.2 = size of the last addition
# ±0.3; 'more than everything before it together' = last over the sum of all
# before > 1.05; 0.07 = cosine of the last state with the embedding ±0.02 -->
#
# ## What is the stream good for?
#
# Take a deep model with random weights, as it is before training, and leave
# the addition out: every part replaces what it reads. Rows that have shrunk
# to nothing are lost: nothing can be learned from them.
#
# **Predict:** 24 blocks. Which of four variants keep the rows alive: with and
# without the addition, with and without layernorm?
#
# <!-- given: 24 -->
# %%
from minigpt2.config import GPT2Config
from minigpt2.layers import attention, mlp
from minigpt2.parameters import Parameters

deep = GPT2Config(
    vocab_size=300, n_positions=64, n_embd=64, n_layer=24, n_head=4
)
random = Parameters.initialise(deep, seed=0)
some = TokenBatch(np.random.default_rng(1).integers(0, 300, (6, 12)))
start = random["wte.weight"][some.ids] + random["wpe.weight"][some.positions]


# %%
def through_the_blocks(adds, normalises):
    """(N, D) what 24 random blocks make of `start`"""
    x = start
    for layer in range(24):
        for part in ("attn", "mlp"):
            weights = random.subset(f"h.{layer}.{part}.")
            read = layernorm(x, np.ones(64), np.zeros(64))[0]
            read = read if normalises else x
            if part == "attn":
                y, _ = attention(read, weights, some, 4)
            else:
                y, _ = mlp(read, weights)
            x = x + y if adds else y
    return x


# %%
ends = {}
for adds in (True, False):
    for normalises in (True, False):
        name = "adds, " if adds else "replaces, "
        name += "normalises" if normalises else "no layernorm"
        ends[name] = through_the_blocks(adds, normalises)
        claim(f"size, {name}", size(ends[name]))
claim("size at the start", size(start))
# %% [markdown]
# Without both, the numbers have shrunk to exactly 0: nothing passes. With
# layernorm alone something passes, but it is small, and it is made of the
# last part alone. The surprise is the second line: with the addition alone,
# all seems to be well, too. Why layernorm, then?
#
# Because 0.028 is also the size at the *start*. Look at what the parts do
# there: nearly nothing. They read rows of size 0.028, and so they add next to
# nothing:
#
# <!-- claims: 0.028 = size, adds, no layernorm ±0.003; 'exactly 0' = size,
# replaces, no layernorm < 1e-30; 'it is small' = size, replaces, normalises <
# 0.01 -->
# <!-- given: 0 -->
# %%
for name in ("normalises", "no layernorm"):
    added = size(ends[f"adds, {name}"] - start)
    claim(f"what 24 blocks add, {name}", added / size(start))
# %% [markdown]
# With layernorm 24 blocks add 0.75 times the embedding's size, without it
# 0.02. Layernorm lets each part work at full strength, however small or large
# the stream has become. The addition keeps what came before. One without the
# other is not enough.
#
# <!-- claims: 0.75 = what 24 blocks add, normalises ±0.2; 0.02 = what 24
# blocks add, no layernorm ±0.005 -->
# <!-- given: 24 -->
#
# ## The MLP
#
# The other part that adds to the stream treats each token by itself: widen
# its row to F = 4 · D numbers, bend each number, narrow it again:
#
#     mlp(x) = gelu(x · W_fc + b_fc) · W_proj + b_proj
#
# The shapes: (N, D) -> (N, F) -> (N, D).
#
# Both products are *linear layers*, `y = x · W + b`
# (`minigpt2/layers/linear.py`). MLP stands for multi-layer perceptron, a name
# from the sixties.
#
# **Predict:** which has more parameters in a block, attention or the MLP? And
# what would be lost without the bend in the middle?
#
# <!-- given: 4 -->
# %%
from minigpt2.layers.linear import LinearContext, linear

for name, part in (("attention", "attn."), ("MLP", "mlp.")):
    weights = parameters.subset(f"h.0.{part}").values()
    claim(f"parameters of an {name}", sum(w.size for w in weights))
# %%
block_0 = parameters.subset("h.0.")
x = cache["blocks.0.ln_2.out"][:50]  # (50, D)
W_fc, b_fc = block_0["mlp.c_fc.weight"], block_0["mlp.c_fc.bias"]
W_proj, b_proj = block_0["mlp.c_proj.weight"], block_0["mlp.c_proj.bias"]
wide, linear_ctx = linear(x, W_fc, b_fc)  # (50, F)
assert isinstance(linear_ctx, LinearContext)  # x and W, for the way back
unbent, _ = linear(wide, W_proj, b_proj)  # (50, D)
matrix, bias = W_fc @ W_proj, b_fc @ W_proj + b_proj  # (D, D), (D,)
difference = np.abs(unbent - (x @ matrix + bias)).max()
claim("largest difference without the bend", difference)
# %% [markdown]
# The MLP has twice the parameters of attention, 525 568 against 263 168. And
# without the bend its two layers are one: their product is a single (D, D)
# matrix, an eighth of the numbers, with the same result to the last digits.
# All that the width buys comes from the bend.
#
# <!-- claims: 525 568 = parameters of an MLP; 263 168 = parameters of an
# attention; 'the same result' = largest difference without the bend < 0.001
# -->
#
# ## GELU
#
# The bend of GPT-2 is GELU (Hendrycks and Gimpel 2016, arXiv:1606.08415):
# large numbers pass, very negative ones become 0, and between it is smooth.
# ReLU, `max(x, 0)`, has a corner instead. The exact GELU is x times the share
# of a normal distribution below x; GPT-2 takes an approximation by tanh:
#
#     gelu(x) = ½ · x · (1 + tanh(sqrt(2/π) · (x + 0.044715 · x³)))
#
# **Predict:** how far are exact and approximate GELU apart, at most?
#
# <!-- given: 0 -->
# %%
from minigpt2.layers.gelu import GeluContext, gelu

places = np.linspace(-4.0, 4.0, 17)
y, gelu_ctx = gelu(places[:, None])  # (17, 1)
assert isinstance(gelu_ctx, GeluContext)  # x alone: tanh is computed anew
curves = {"GELU": y[:, 0], "ReLU": np.maximum(places, 0.0)}
show(Lines(curves, x=[f"{x:g}" for x in places]))
fine = np.linspace(-4.0, 4.0, 801)
y = gelu(fine[:, None])[0][:, 0]  # (801,)
exact = [0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0))) for x in fine]
claim("largest difference of exact and tanh", np.abs(y - exact).max())
claim("lowest value", y.min())


# %% [markdown]
# At most 0.0005. But a model keeps to the form that it was trained with: the
# difference goes through every layer. GELU dips below 0, to −0.17, near
# −0.75: it can say "less" as well as "more".
#
# What becomes of our model if we swap the form, without training?
#
# <!-- claims: 0.0005 = largest difference of exact and tanh; −0.17 = lowest
# value -->
# <!-- given: 0; −0.75 -->
# %%
def our_block(x, batch, w, bend):
    """(N, D) -> (N, D), with any function in the place of GELU"""
    of_attention = {n[5:]: v for n, v in w.items() if n.startswith("attn.")}
    read, _ = layernorm(x, w["ln_1.weight"], w["ln_1.bias"])  # (N, D)
    h = x + attention(read, of_attention, batch, config.H)[0]  # (N, D)
    read, _ = layernorm(h, w["ln_2.weight"], w["ln_2.bias"])  # (N, D)
    wide = read @ w["mlp.c_fc.weight"] + w["mlp.c_fc.bias"]  # (N, F)
    return h + bend(wide) @ w["mlp.c_proj.weight"] + w["mlp.c_proj.bias"]


# %% [markdown]
# That is the whole block, in six lines. We check it against the package's
# `block`, and the MLP against `mlp`.
# %%
from minigpt2.layers.block import BlockContext, block
from minigpt2.layers.mlp import MLPContext

few = TokenBatch(tokenizer.encode_batch(dev.first[:20]))
start = next(model.residual_stream(few))  # (N, D) the embeddings
ours = our_block(start, few, block_0, lambda x: gelu(x)[0])
theirs, ctx = block(start, block_0, few, config)
assert np.allclose(ours, theirs, atol=1e-4)
assert isinstance(ctx, BlockContext)
assert isinstance(ctx.mlp, MLPContext)
print(ctx._fields)
# %% [markdown]
# Now the swap, in all six blocks, and the cosine of each sentence's mean row
# with the true one.
#
# **Predict:** exact GELU, ReLU, no bend at all: how alike are the vectors to
# the true ones?
# %%
exact_gelu = np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x * 0.5**0.5)))
bends = {
    "tanh": lambda x: gelu(x)[0],
    "exact": lambda x: exact_gelu(x).astype(x.dtype),
    "ReLU": lambda x: np.maximum(x, 0.0),
    "none": lambda x: x,
}
results = {}
for name, bend in bends.items():
    x = start
    for i in range(config.L):
        x = our_block(x, few, parameters.subset(f"h.{i}."), bend)
    results[name] = model.forward_from(x, few, config.L)  # (N, D)
# %%
from minigpt2.layers import normalize, pooling

unit = {
    n: normalize(pooling(x, few, "mean")[0])[0] for n, x in results.items()
}
for name in ("exact", "ReLU", "none"):
    cosine = (unit["tanh"] * unit[name]).sum(axis=1).mean()
    claim(f"cosine with {name}", cosine)
# %% [markdown]
# Exact GELU makes no visible difference: above 0.9999. With ReLU, without a
# single step of training, the vectors are still 0.84 alike: most of what the
# bend does is to let positive numbers pass and stop negative ones. Without a
# bend 0.32 is left.
#
# <!-- claims: 'above 0.9999' = cosine with exact > 0.9999; 0.84 = cosine with
# ReLU ±0.02; 0.32 = cosine with none ±0.05 -->
# <!-- given: 0.9999 -->
#
# ## Why there is no `x**3`
#
# The formula has x³. In NumPy one would write `x**3`. The package writes `x *
# x * x` everywhere.
#
# **Predict:** for half a million numbers: how many times as long does `x**3`
# take? And if all are positive?
# %%
x = np.random.default_rng(0).normal(size=(512, 1024)).astype(np.float32)
weight = np.zeros((256, 1024), dtype=np.float32)


def milliseconds(work):
    spent = []
    for _ in range(5):
        begin = time.perf_counter()
        work()
        spent.append(1e3 * (time.perf_counter() - begin))
    return min(spent)


# %%
times = {
    "x**3": milliseconds(lambda: x**3),
    "x**3, all positive": milliseconds(lambda: np.abs(x) ** 3),
    "x * x * x": milliseconds(lambda: x * x * x),
    "x**2": milliseconds(lambda: x**2),
    "all of gelu": milliseconds(lambda: gelu(x)),
    "product 256 to 1024": milliseconds(lambda: x[:, :256] @ weight),
}
# %%
show(Table(["what", "milliseconds"], [list(item) for item in times.items()]))
claim("x**3 over x * x * x", times["x**3"] / times["x * x * x"])
claim("x**3 over all of gelu", times["x**3"] / times["all of gelu"])
negative = cache["blocks.0.mlp.pre"] < 0.0  # (N, F)
claim("share of negative inputs", negative.mean())
# %% [markdown]
# The power takes tens to hundreds of times as long as two multiplications,
# longer than all the rest of GELU together. NumPy knows a short way for
# `x**2`, but for 3 it calls the general power function for every number, and
# on many processors it is slowest for *negative* numbers: compare the first
# two lines of your table. In our model 0.80 of all inputs of the first GELU
# are negative, so a benchmark with positive numbers would not have shown what
# the power costs.
#
# <!-- claims: 'tens to hundreds of times' = x**3 over x * x * x > 10; 'longer
# than all the rest' = x**3 over all of gelu > 1.5; 0.80 = share of negative
# inputs ±0.02 -->
# <!-- given: 3 -->
#
# ## The two giants
#
# Back to the last bar of the picture above: an addition a hundred times as
# large as the embedding. Which dimensions is it in?
#
# **Predict:** D is 256. How many dimensions hold nine tenths of the stream's
# energy (its squares) at the end?
#
# <!-- given: 256 -->
# %%
stream = cache["blocks.5.resid_post"]  # (N, D)
energy = (stream**2).mean(axis=0)  # (D,)
giants = np.argsort(-energy)[:2]
names = [f"dimension {d}" for d in np.argsort(-energy)[:6]]
show(Bars(names, np.sort(energy)[::-1][:6] / energy.sum()))
claim("share of two dimensions", energy[giants].sum() / energy.sum())
claim("gain of ln_f at the giants", parameters["ln_f.weight"][giants].max())
claim("usual gain of ln_f", np.median(parameters["ln_f.weight"]))
# %% [markdown]
# Two of 256 dimensions hold 0.94 of all energy. And then the last layernorm,
# `ln_f`, multiplies just these two with a gain of 0.006, while its usual gain
# is 0.94. The model builds two giants with great effort, and then wipes them
# out. Large language models have such *outlier dimensions*, too (Kovaleva et
# al. 2021, arXiv:2105.06990). What are they for?
#
# Layernorm divides a row by its standard deviation, and the giants *are* the
# standard deviation. A token with large giants has all its other dimensions
# divided by a large number. Then its giants are wiped out, and a short row is
# left. So look at the length of the rows after `ln_f`:
#
# **Predict:** which tokens have long rows, which short ones?
#
# <!-- claims: 0.94 = share of two dimensions; 0.006 = gain of ln_f at the
# giants ±0.002; 0.94 = usual gain of ln_f ±0.02 -->
# <!-- given: 256 -->
# %%
from minigpt2.interpret import look

seen = look(encoder, "A man is playing the guitar in a park")
lengths = np.linalg.norm(seen.hidden, axis=1)  # (T,)
show(Bars(seen.tokens, lengths, digits=1, caption="length after ln_f"))
claim("length of the", lengths[seen.tokens.index(" the")])
claim("length of guitar", lengths[seen.tokens.index(" guitar")])
of_giants = np.linalg.norm(stream[:, giants], axis=1)  # (N,)
of_rows = np.linalg.norm(hidden, axis=1)  # (N,)
correlation = np.corrcoef(np.log(of_giants), np.log(of_rows))[0, 1]
claim("correlation of the logarithms of giants and lengths", correlation)
# %% [markdown]
# " guitar" has a length of 11, " the" of 1.1. The vector of a sentence is a
# mean of these rows (lesson 08), so length is *weight*: the model gives
# "guitar" ten times the say of "the". Nobody programmed that. "Layernorm
# gives every token the same scale" is what everyone says, us included, at the
# top of this lesson; training has found the way around it, and made of
# layernorm a volume knob for words. Over 100 sentences the correlation
# between giants and lengths (of their logarithms) is −0.94.
#
# Is the knob of use? We turn it off: every row after `ln_f` is brought to the
# same length before the mean. (The package's mean gives later tokens more
# weight, lesson 08.) Two measures: AUC, as in lesson 02, and for how many
# sentences, among about 400 others, the one that means the same comes first.
#
# **Predict:** does the model tell meanings apart better or worse without its
# knob?
#
# <!-- claims: 11 = length of guitar; 1.1 = length of the; −0.94 = correlation
# of the logarithms of giants and lengths ±0.02 -->
# <!-- given: 100; 400 -->
# %%
from minigpt2.evaluation.metrics import auc

test = read_pairs(data_file("dev.tsv"), limit=800)
both = TokenBatch(tokenizer.encode_batch(test.first + test.second))
rows = model.forward(both)[0]  # (N, D)
same = test.labels == 1.0
for name, some in (("with", rows), ("without", normalize(rows)[0])):
    pooled, _ = pooling(some, both, encoder.settings.pooling)  # (1600, D)
    first, second = np.split(normalize(pooled)[0], 2)  # each (800, D)
    cosines = (first * second).sum(axis=1)  # (800,)
    claim(f"AUC {name} the knob", auc(cosines, test.labels))
    found = (first[same] @ second[same].T).argmax(axis=1)
    hits = found == np.arange(same.sum())
    claim(f"partner first, {name} the knob", hits.mean())
# %% [markdown]
# It helps, but less than the trouble that the model takes over it: with the
# knob the right partner comes first for 0.85 of the sentences, without it for
# 0.83; the AUC is 0.69 and 0.67. Most of what a mean can do, it does with
# rows of equal length. (The whole model was trained with the knob; one
# trained without might have found another way.)
#
# <!-- claims: 0.85 = partner first, with the knob ±0.02; 0.83 = partner
# first, without the knob ±0.02; 0.69 = AUC with the knob ±0.02; 0.67 = AUC
# without the knob ±0.02 -->
#
# ## Three things to remember
#
# - Parts read a normalised copy of the stream and add to the stream itself.
#   Layernorm gives them strength, the addition keeps what was there.
# - Without its bend an MLP is one matrix. GELU is a soft ReLU; write its cube
#   as `x * x * x`.
# - Layernorm does not see how long a row is, but a model can use it to
#   *choose* how long its rows shall be. What a part is for, and what training
#   makes of it, are two things.
#
# ## Exercises
#
# - `06_layernorm_forward` (beginner): write layernorm.
# - `06_residual_order` (intermediate): put the parts of a block into the
#   right order.
# - `06_gelu_without_a_power` (intermediate): GELU without a power.
#
# Links: `minigpt2/layers/layernorm.py` (`layernorm`, `LayerNormContext`,
# `normalized`), `minigpt2/layers/linear.py` (`linear`, `LinearContext`),
# `minigpt2/layers/gelu.py` (`gelu`, `GeluContext`), `minigpt2/layers/mlp.py`
# (`mlp`, `MLPContext`), `minigpt2/layers/block.py` (`block`, `BlockContext`),
# `minigpt2/cache.py` (`ActivationCache`), `minigpt2/model.py`
# (`run_with_cache`, `residual_stream`, `forward_from`)
