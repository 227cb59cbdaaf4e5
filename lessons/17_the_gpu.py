# %% [markdown]
# # 17 · The GPU
#
# Advanced · 50 minutes
#
# **After this lesson you can**
#
# - write array code that runs on the CPU and on a GPU from one source
# - say before you measure what an operation on a GPU will cost: launches,
#   bytes, or arithmetic
# - fuse ten operations into one kernel, step by step, and check it
#
# A *GPU* is a second computer inside the computer: thousands of small cores,
# with a fast memory of its own. The CPU writes commands into a queue and the
# GPU works them off. Nearly everything that is surprising about GPUs follows
# from that one sentence.
#
# You need no GPU to read on. Cells that need one say so, and show what came
# out when they were run on a machine that has one.
# %%
import json
import statistics
import textwrap
import time

import numpy as np

import minigpt2
from minigpt2.backend import array_module, choose_backend, gpu_problem
from minigpt2.learn import claim, show
from minigpt2.learn.library import lessons_folder
from minigpt2.views import Bars, Lines, Table

print("the GPU of this machine:")
print(textwrap.fill(gpu_problem() or "is ready", 78))
# %% [markdown]
# `gpu_problem` says why the GPU cannot be used, or nothing if it can. It does
# not ask whether CuPy is installed or a driver is there: it computes a small
# product and looks at the result, since that is the only honest probe.
#
# Cells for the GPU go through the function `gpu` below. It repeats what was
# recorded on a machine with a GPU, in a file beside this lesson; the numbers
# in the text are those. Where there is a GPU, it also measures, and shows
# your numbers first. `xp` is the array module that a measurement is to use.
# %%
path = lessons_folder() / "17_recorded.json"
record = json.loads(path.read_text(encoding="utf-8"))
recorded, measured = record["results"], {}


def gpu(measure):
    """What this machine's GPU says, if there is one, and the record."""
    name = measure.__name__
    if gpu_problem() is None:
        measured[name] = measure(choose_backend("cupy").xp)
        for what, value in measured[name].items():
            print(f"here: {what} = {value:.4g}")
    print(f"recorded on {record['machine']['gpu']}:")
    for what, value in recorded[name].items():
        claim(what, value)
    return measured.get(name, recorded[name])


# %%
def machine(xp):
    """What the numbers of this lesson were measured on."""
    about = xp.cuda.runtime.getDeviceProperties(0)
    return {
        "streaming multiprocessors": about["multiProcessorCount"],
        "memory in GB": about["totalGlobalMem"] / 1e9,
        "level-2 cache in MB": about["l2CacheSize"] / 1e6,
    }


about = gpu(machine)
for what, value in record["machine"].items():
    print(f"{what}: {value}")


# %% [markdown]
# A *streaming multiprocessor* is a group of cores that work side by side. The
# *level-2 cache* is a small memory near to them that all of them share; what
# does not fit there is fetched from the large one.
#
# ## One source, two devices
#
# CuPy is a library with NumPy's functions that keeps its arrays in the memory
# of the GPU. A function that asks its argument which library made it runs on
# both. This is all that `array_module` does, and it is why the layers of this
# package say `xp` where other code says `np`.
#
# **Predict:** what goes wrong if one line of a layer says `np.exp(x)` and x
# lies on the GPU?
# %%
def softmax_of_both(x):
    xp = array_module(x)  # numpy or cupy, whichever made x
    e = xp.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


from minigpt2.layers import softmax

x = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
assert np.array_equal(softmax_of_both(x), softmax(x)[0])
print(array_module(x).__name__, "made x")
# %% [markdown]
# The package does the same: `minigpt2/layers/softmax.py`.
#
# `np.exp` of a CuPy array happens to work, because CuPy answers for NumPy
# there; `np.asarray(x)` raises an error, because it would have to fetch the
# numbers; and worst, `if x.max() > 0` works and is slow: Python has to wait
# until the GPU has worked off its queue. So the rule is: `xp` for what
# computes, and no question to a device array inside a layer.
#
# Do both devices give the same vectors?
#
# **Predict:** are they equal to the last bit?
# %%
texts = ["The cat is sleeping", "A feline is resting", "Stocks fell sharply"]
texts += [f"Sentence number {n} is about nothing" for n in range(61)]
encoder = minigpt2.load()


def same_vectors(xp):
    """The bundled model on both devices: how far do vectors differ?"""
    other = minigpt2.load(xp=xp)  # the same call, with the module
    gap = np.abs(other.encode(texts) - encoder.encode(texts)).max()
    return {"largest difference of two devices": float(gap)}


same = gpu(same_vectors)


# %% [markdown]
# Not to the last bit: sums are added up in another order, and floating-point
# addition is not associative. Vectors of length 1 differ in the seventh
# digit, which is the precision of float32, and no ranking notices.
#
# <!-- claims: 'in the seventh digit' = largest difference of two devices <
# 0.000001 -->
# <!-- given: 1 -->
#
# ## The price of a launch
#
# A function that runs on the GPU is called a *kernel*, and telling the GPU to
# run one is a *launch*. A launch costs Python and the driver some
# microseconds, whether the array has one number or a million. NumPy has such
# a price, too: let us see it first.
#
# **Predict:** by what factor is adding a million numbers slower than adding
# one?
# %%
def seconds(run, xp=np, times=10, rounds=7):
    """Of one run: the median over `rounds` of `times` runs in a row."""
    done = []
    for _ in range(1 + rounds):
        wait_for(xp)
        start = time.perf_counter()
        for _ in range(times):
            run()
        wait_for(xp)  # without it we would time the writing of commands
        done.append((time.perf_counter() - start) / times)
    return statistics.median(done[1:])  # the first round warms up


def wait_for(xp):
    """Until the GPU has done all that was asked of it."""
    if xp is not np:
        xp.cuda.get_current_stream().synchronize()


# %%
SIZES = [1, 1_000, 100_000, 1_000_000, 10_000_000]


def additions(xp):
    """Microseconds of x + y, for arrays of several sizes."""
    results = {}
    for size in SIZES:
        x, y = xp.ones((2, size), dtype=np.float32)
        cost = 1e6 * seconds(lambda x=x, y=y: x + y, xp)
        results[f"µs to add {size} numbers, {xp.__name__}"] = cost
    return results


on_cpu = additions(np)
for what, value in on_cpu.items():
    claim(what, value)
costs = list(on_cpu.values())
claim("a million against one, numpy", costs[3] / costs[0])
# %% [markdown]
# A million additions take many times as long as one, and far from a million
# times: most of the time of a small call is its call. Now the same on the
# GPU.
#
# **Predict:** and there, by what factor is a million slower than one? (The
# picture has logarithms, since the times are so far apart: 0 stands for 1 µs,
# 2 for 100 µs.)
#
# <!-- claims: 'many times as long' = a million against one, numpy > 10 ; 'far
# from a million times' = a million against one, numpy < 100000 -->
# <!-- given: 0; 1; 2; 100 -->
# %%
on_gpu = gpu(additions)
gpu_costs = list(on_gpu.values())
curves = {"numpy": np.log10(costs), "cupy": np.log10(gpu_costs)}
names = [f"{size:,}" for size in SIZES]
show(Lines(curves, x=names, y_label="log10 of µs for x + y"))
claim("one number, cupy against numpy", gpu_costs[0] / costs[0])
claim("ten million, numpy against cupy", costs[4] / gpu_costs[4])


# %% [markdown]
# The same: 14 µs for one number and 14 µs for a million. The line is flat for
# a long time and rises only at the end. Below a million numbers this GPU has
# nothing to do; what you pay is the launch, and to add two single numbers it
# takes many times as long as NumPy on one core. With ten million it is the
# other way round, by far. Two consequences for everything that follows:
#
# - give a GPU much to do at once: large batches;
# - few large operations, not many small ones.
#
# <!-- claims: 14 = µs to add 1 numbers, cupy; 14 = µs to add 1000000 numbers,
# cupy; 'many times as long' = one number, cupy against numpy > 3; 'by far' =
# ten million, numpy against cupy > 3 -->
#
# ## Counting launches and bytes
#
# What an operation will cost can be counted without a GPU. A subclass of
# NumPy's array is told of each operation: it notes one launch, and the bytes
# of the arrays that are read and written.
# %%
def plain(x):
    return x.view(np.ndarray) if isinstance(x, np.ndarray) else x


def size(x):
    """Bytes of an array; a single number costs no traffic."""
    return x.nbytes if isinstance(x, np.ndarray) else 0


# %%
class Counted(np.ndarray):
    """An array that counts what is computed with it."""

    launches = traffic = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **more):
        inputs = [plain(x) for x in inputs]
        more |= {"out": tuple(map(plain, out))} if out else {}
        y = np.asarray(getattr(ufunc, method)(*inputs, **more))
        Counted.launches += 1
        Counted.traffic += sum(size(x) for x in [*inputs, y])
        return y.view(Counted)

    def __array_function__(self, function, types, args, more):
        Counted.launches += 1  # np.where and its like
        y = super().__array_function__(function, types, args, more)
        return y.view(Counted)


# %% [markdown]
# GELU is the bend in the middle of the MLP (lesson 06):
#
#     y = ½ · x · (1 + tanh(sqrt(2/π) · (x + 0.044715 · x³)))
#
# It needs to read x once and to write y once. The package computes it with
# ordinary array operations, each of which reads its arrays from memory and
# writes its result back.
#
# **Predict:** how many launches does it make, and how many times does it pass
# over an array of the size of x?
# %%
from minigpt2.layers import gelu


def count(run, x):
    """Launches, and passes over memory in arrays of the size of x."""
    Counted.launches = Counted.traffic = 0
    run(x.view(Counted))
    return Counted.launches, Counted.traffic / x.nbytes


x = np.random.default_rng(0).normal(size=(512, 1024)).astype(np.float32)
launches, passes = count(gelu, x)
claim("launches of gelu", launches)
claim("passes of gelu", passes)
claim("passes too many, as a factor", passes / 2)
# %% [markdown]
# 9 launches and 22 passes over memory, where 2 would do. If memory is what we
# pay for, one kernel that does all of it should be about 11 times as fast. We
# shall build it.
#
# <!-- claims: 9 = launches of gelu; 22 = passes of gelu; 11 = passes too
# many, as a factor -->
# <!-- given: 2 -->
#
# How many launches is a whole forward pass? `forward_from` takes the
# embedding rows of a sentence through all layers.
#
# **Predict:** the bundled model has six layers. How many launches? And at ten
# microseconds for each, how long does one sentence take at least?
# %%
batch = minigpt2.TokenBatch([encoder.tokenizer.encode(texts[0])])
rows = np.zeros((batch.N, encoder.dimension), dtype=np.float32)
launches, _ = count(lambda x: encoder.model.forward_from(x, batch), rows)
claim("launches of a forward pass", launches)
claim("tokens of the sentence", batch.N)
claim("milliseconds at 10 µs each", launches * 10e-6 * 1e3)
one = 1e3 * seconds(lambda: encoder.encode(texts[0]), times=5)
claim("milliseconds of one sentence, numpy here", one)
# %% [markdown]
# 312 launches, so 3 milliseconds at least where a launch takes that long,
# however many cores the GPU has; and NumPy on a CPU computes the whole
# sentence in a few milliseconds. **A GPU does not make one short sentence
# faster.** What it may make faster is thousands of sentences, which need the
# same number of launches.
#
# **Predict:** the whole `encode`, tokenizer included. How many sentences a
# second for lists of one, 16, 256 and 4096 sentences, on each device?
#
# <!-- claims: 312 = launches of a forward pass; 3 = milliseconds at 10 µs
# each; 'a few milliseconds' = milliseconds of one sentence, numpy here < 500
# -->
# <!-- given: 16; 256; 4096 -->
# %%
COUNTS = [1, 16, 256, 4096]


def sentences_a_second(xp):
    """The bundled model, for several sizes of the list of sentences."""
    model = minigpt2.load(xp=xp)
    results = {}
    for n in COUNTS if xp is not np else COUNTS[:3]:
        many = (texts * (n // len(texts) + 1))[:n]
        cost = seconds(lambda many=many: model.encode(many), xp, 1, 5)
        results[f"a second in lists of {n}, {xp.__name__}"] = n / cost
    return results


speeds = {"numpy here": sentences_a_second(np), "cupy": {}}
for what, value in speeds["numpy here"].items():
    claim(what, value)
by_16, by_256 = list(speeds["numpy here"].values())[1:]
claim("lists of 256 against lists of 16, numpy", by_256 / by_16)
# %%
speeds["cupy"] = gpu(sentences_a_second)
for name, by_size in speeds.items():
    sizes = [f"lists of {n}" for n in COUNTS[: len(by_size)]]
    bars = list(by_size.values())
    show(Bars(sizes, bars, digits=0, caption=f"sentences/s, {name}"))
cpu, cuda = (list(by_size.values()) for by_size in speeds.values())
claim("one sentence, GPU against CPU", cuda[0] / cpu[0])
claim("lists of 4096 on the GPU, against the CPU", cuda[3] / max(cpu))
alone, in_16, in_256, _ = recorded["sentences_a_second"].values()
claim("milliseconds of one sentence, recorded", 1e3 / alone)
claim("that against the launches", 1e3 / alone / (launches * 10e-3))
claim("lists of 256 against lists of 16, recorded", in_256 / in_16)


# %% [markdown]
# One sentence at a time, the GPU is no faster than a CPU, and if your CPU has
# nothing else to do, several times slower: the H100 needs about 13 ms a
# sentence. That is four times the launches that we have counted; the rest is
# Python, products (which cost more to start than additions), copies and
# questions that have to wait. In lists of 4096 it makes 36 490 sentences a
# second, and leaves the CPU behind. Lists of 256 instead of 16 made the GPU
# 15 times faster; the CPU has far less to gain from them, as it is busy
# already.
#
# <!-- claims: 'no faster' = one sentence, GPU against CPU < 20; 13 =
# milliseconds of one sentence, recorded; 'four times' = that against the
# launches > 3.5; 36 490 = a second in lists of 4096, cupy; 'leaves the CPU
# behind' = lists of 4096 on the GPU, against the CPU > 1; 15 = lists of 256
# against lists of 16, recorded; 'far less to gain' = lists of 256 against
# lists of 16, numpy < 8 -->
# <!-- given: 4096; 256; 16 -->
#
# ## Memory traffic against arithmetic
#
# Two numbers describe a GPU: how many bytes a second its memory moves, and
# how many additions and multiplications (*FLOPs*) a second its cores do. An
# H100 of the larger kind moves 3.35 TB/s and does 67 TFLOP/s in float32, by
# its data sheet: 20 FLOPs for each byte that it reads or writes. So an
# operation with fewer FLOPs a byte is bound by memory, one with more by
# arithmetic. FLOPs over bytes are called the *arithmetic intensity*
# (Williams, Waterman, Patterson 2009, the "roofline" model).
#
# **Predict:** which of these are bound by memory: adding a bias, GELU, and
# the product with the weights of the MLP?
#
# <!-- given: 3.35; 67; 20 -->
# %%
def intensity(flops, numbers):
    return flops / (4 * numbers)  # float32: four bytes a number


N, D, F = 8192, 768, 3072  # rows, width of GPT-2, width of its MLP
wide = N * F
table = [
    ["add a bias", intensity(wide, 2 * wide + F)],
    ["GELU, as nine operations", intensity(9 * wide, 22 * wide)],
    ["GELU, as one kernel", intensity(9 * wide, 2 * wide)],
    [
        "product (N, D) · (D, F)",
        intensity(2 * N * D * F, N * D + D * F + wide),
    ],
]
show(Table(["operation", "FLOPs a byte"], table))
claim("intensity of GELU in one kernel", table[2][1])
claim("intensity of the product", table[3][1])


# %% [markdown]
# Everything but the product is far below 20: even the best GELU has an
# intensity near 1, so its arithmetic is free and its bytes are the price. The
# product has about 286: there the cores are the limit. This is why deep
# learning is built from large products, and why all that stands between them
# should pass over memory as few times as it can.
#
# <!-- claims: 1 = intensity of GELU in one kernel ±0.2; 286 = intensity of
# the product -->
# <!-- given: 20 -->
# %%
def two_limits(xp):
    """What the memory and the cores of this GPU really give."""
    x = xp.ones((N, F), dtype=np.float32)
    w = xp.ones((D, F), dtype=np.float32)
    rows = xp.ones((N, D), dtype=np.float32)
    host = np.ones((N, F), dtype=np.float32)
    add = seconds(lambda: x + 1.0, xp)
    product = seconds(lambda: rows @ w, xp)
    copy = seconds(lambda: xp.asarray(host), xp, times=2)
    return {
        "TB/s through the memory of the GPU": 2 * x.nbytes / add / 1e12,
        "TFLOP/s of an addition": x.size / add / 1e12,
        "TFLOP/s of a product, float32": 2 * N * D * F / product / 1e12,
        "GB/s from the host to the GPU": host.nbytes / copy / 1e9,
    }


# %%
limits = gpu(two_limits)
memory, _, _, bus = recorded["two_limits"].values()
claim("memory of the GPU against the bus", 1000 * memory / bus)
# %% [markdown]
# Of the arithmetic on the data sheet, a large product gets 47 TFLOP/s out of
# 67; of the memory's speed, plain array operations get 1.5 TB/s out of 3.35.
# The addition does 0.2 TFLOP/s: the cores wait for memory nearly all of the
# time.
#
# The last number is the narrow road: from the memory of the host to that of
# the GPU everything goes over a bus that is some two hundred times slower
# than the GPU's own memory. What is on the GPU should stay there. `encode`
# sends token numbers over, a few bytes a token, and fetches only the finished
# vectors.
#
# <!-- claims: 47 = TFLOP/s of a product, float32; 1.5 = TB/s through the
# memory of the GPU; 0.2 = TFLOP/s of an addition ±0.02; 'some two hundred
# times' = memory of the GPU against the bus > 150 -->
# <!-- given: 67; 3.35 -->
#
# ## Precision
#
# Half as many bytes a number means half the traffic, and the *tensor cores*
# of a GPU multiply matrices of 16-bit numbers many times faster than of
# 32-bit ones. There are two kinds of 16-bit numbers:
#
# | | exponent bits | fraction bits | largest | digits |
# |---|---|---|---|---|
# | float32 | 8 | 23 | 3e38 | 7 |
# | bfloat16 | 8 | 7 | 3e38 | 2 to 3 |
# | float16 | 5 | 10 | 65504 | 3 to 4 |
#
# **Predict:** we add the number 1 a thousand times in bfloat16, rounding
# after each addition. What is the sum?
#
# <!-- given: 8; 23; 3e38; 7; 2; 3; 5; 10; 65504; 4; 1 -->
# %%
from minigpt2.half_products import from_bfloat16, to_bfloat16


def rounded(x):
    return from_bfloat16(to_bfloat16(np.float32(x)))


total = np.float32(0.0)
for _ in range(1000):
    total = rounded(total + np.float32(1.0))
claim("a thousand ones in bfloat16", total)
claim("a third in bfloat16", rounded(1 / 3))
# %% [markdown]
# 256, and there it stays for ever: the next number that bfloat16 can write is
# 258, and 257 is rounded back. So sums must not be kept in 16 bits. What
# GPUs, and the package (`half_products`), do is this: the *factors* of a
# product are rounded to 16 bits, each product is exact, and the sum is kept
# in float32 (Micikevicius et al. 2018, arXiv:1710.03740).
#
# <!-- claims: 256 = a thousand ones in bfloat16 -->
# <!-- given: 258; 257; 16 -->
#
# **Predict:** every factor in all six layers has two to three digits left.
# How alike are the sentence vectors to those in float32, as a cosine?
# %%
from minigpt2.half_products import half_products
from minigpt2.similarity import matrix, pairwise

exact = encoder.encode(texts)
for kind in ("bfloat16", "float16"):
    with half_products(kind, allow_cpu=True):  # the CPU rounds as a GPU
        half = encoder.encode(texts)
    worst = 1 - pairwise(exact, half).min()
    claim(f"1 − the lowest cosine, {kind}", worst)
    moved = np.abs(matrix(half, half) - matrix(exact, exact)).max()
    claim(f"largest change of a similarity, {kind}", moved)


# %% [markdown]
# Hardly any difference: the lowest cosine is within a thousandth of 1, and no
# similarity of two sentences moves by more than 0.01. Rounding errors point
# in random directions and cancel in sums of hundreds of terms. float16 is
# nearer still, as it has three bits more; what it lacks is range, which
# matters for gradients: in training, small ones would become zero
# (`minigpt2/training/precision.py` has the remedy).
#
# <!-- claims: 'within a thousandth' = 1 − the lowest cosine, bfloat16 <
# 0.001; 'no similarity of two sentences moves by more' = largest change of a
# similarity, bfloat16 < 0.01; 'nearer still' = 1 − the lowest cosine, float16
# < 0.0001 -->
# <!-- given: 1; 0.01 -->
# %%
def products(xp):
    """TFLOP/s of one product in three precisions."""
    from minigpt2.half_products import factor

    rng = np.random.default_rng(0)
    a = xp.asarray(rng.normal(size=(N, D)).astype(np.float32))
    b = xp.asarray(rng.normal(size=(D, F)).astype(np.float32))
    flops = 2 * N * D * F / 1e12
    results = {"TFLOP/s in float32": flops / seconds(lambda: a @ b, xp)}
    for kind in ("bfloat16", "float16"):
        with half_products(kind):
            p, q = factor(a), factor(b)  # rounded once, outside the clock
            cost = seconds(lambda p=p, q=q: p @ q, xp)
        results[f"TFLOP/s in {kind}"] = flops / cost
    return results


# %%
in_precisions = gpu(products)
labels = [what.split()[-1] for what in in_precisions]
bars = list(in_precisions.values())
show(Bars(labels, bars, digits=0, caption="TFLOP/s"))
single, brain, half = recorded["products"].values()
claim("bfloat16 against float32, recorded", brain / single)
# %% [markdown]
# Ten times as fast: 474 TFLOP/s against 47, and the two 16-bit kinds are the
# same. Between them and float32 lies *TF32*: float32 outside, operands
# rounded to ten fraction bits inside the tensor cores. CuPy uses it when the
# environment variable `CUPY_TF32` is `1`; the bundled model was trained that
# way.
#
# <!-- claims: 'Ten times' = bfloat16 against float32, recorded > 9; 474 =
# TFLOP/s in bfloat16; 47 = TFLOP/s in float32 -->
#
# ## A fused kernel, step by step
#
# Now the kernel that reads once and writes once. To have the whole gain, it
# takes the bias along: after the product of the MLP come `+ bias` and GELU.
#
# **Step one: what one thread does.** A *kernel* is written for one number.
# The GPU starts a *thread* for each number; threads come in *blocks* of, say,
# 256, and a thread finds its place from the number of its block and its own
# number within it:
#
#     i = block number · threads in a block + thread number
#
# Here is the kernel as Python, and a "GPU" that starts the threads one after
# the other.
#
# **Predict:** 10 numbers in blocks of 4. How many threads start, and what
# must those do that have no number?
#
# <!-- given: 256; 10; 4 -->
# %%
import math

from minigpt2.layers.gelu import CUBIC, SQRT_2_OVER_PI


def thread(i, x, bias, y, n, width):
    if i < n:  # the last block is not full
        v = x[i] + bias[i % width]  # x (N, F) lies row after row
        u = SQRT_2_OVER_PI * (v + CUBIC * v * v * v)
        y[i] = 0.5 * v * (1.0 + math.tanh(u))


def launch(kernel, blocks, threads, arguments):
    for block in range(blocks):
        for number in range(threads):
            kernel(block * threads + number, *arguments)


# %%
small, bias = np.linspace(-3, 3, 10).reshape(2, 5), np.linspace(0, 1, 5)
y = np.full(10, np.nan)
blocks = math.ceil(10 / 4)
launch(thread, blocks, 4, (small.ravel(), bias, y, 10, 5))
assert np.allclose(y.reshape(2, 5), gelu(small + bias)[0])
claim("threads that start", blocks * 4)
claim("threads without a number", blocks * 4 - 10)
# %% [markdown]
# 12 threads start, and 2 find no number and do nothing. Forget the line `if i
# < n` and they write behind the array, which often nothing reports.
#
# <!-- claims: 12 = threads that start; 2 = threads without a number -->
#
# **Step two: the same in C.** CuPy compiles a kernel from a string when it is
# first called. The body is what we have; numbers end in `f`, as C would
# otherwise compute in float64, which is many times slower on most GPUs.
# %%
SOURCE = """
extern "C" __global__
void bias_gelu(const float* x, const float* bias, float* y,
               long long n, int width) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float v = x[i] + bias[i % width];
        float u = 0.7978845608f * (v + 0.044715f * v * v * v);
        y[i] = 0.5f * v * (1.0f + tanhf(u));
    }
}
"""
assert abs(0.7978845608 - SQRT_2_OVER_PI) < 1e-9
assert CUBIC == 0.044715


# %% [markdown]
# **Step three: start it, and check it.** The numbers behind `kernel` are how
# many blocks, how many threads in each, and the arguments. A fused kernel is
# only worth something if it gives what the slow way gives, so the first thing
# that we measure is how far the two are apart.
# %%
def fused(xp):
    """The kernel as a function of x (N, F) and bias (F,)."""
    kernel = xp.RawKernel(SOURCE, "bias_gelu")

    def bias_gelu(x, bias):
        y = xp.empty_like(x)  # (N, F)
        n, width = np.int64(x.size), np.int32(x.shape[1])
        blocks = math.ceil(x.size / 256)
        kernel((blocks,), (256,), (x, bias, y, n, width))
        return y

    return bias_gelu


# %%
def fused_is_right(xp):
    rng = np.random.default_rng(0)
    x = xp.asarray(rng.normal(size=(1000, 1001)).astype(np.float32))
    bias = xp.asarray(rng.normal(size=1001).astype(np.float32))
    gap = xp.abs(fused(xp)(x, bias) - gelu(x + bias)[0]).max()
    return {"largest difference of the fused kernel": float(gap)}


right = gpu(fused_is_right)
launches, passes = count(lambda x: gelu(x + np.ones(1024, np.float32)), x)
claim("launches of bias and gelu", launches)
claim("passes of bias and gelu", passes)
claim("passes too many with the bias", passes / 2)


# %% [markdown]
# **Step four: the reward.** The bias adds another launch and two passes: 10
# launches and 24 passes against one launch and two passes. For large arrays
# we expect a factor of 12, by bytes; for small ones a factor of 10, by
# launches.
#
# **Predict:** will the measurement come near to it?
#
# <!-- claims: 10 = launches of bias and gelu; 24 = passes of bias and gelu;
# 12 = passes too many with the bias -->
# %%
def reward(xp):
    """How many times as fast as ten operations: large and small."""
    bias_gelu, results = fused(xp), {}
    for n in (N, 12):
        x = xp.ones((n, F), dtype=np.float32)
        bias = xp.ones(F, dtype=np.float32)
        slow = seconds(lambda x=x, b=bias: gelu(x + b), xp)
        fast = seconds(lambda x=x, b=bias: bias_gelu(x, b), xp)
        results[f"µs in ten operations, {n} rows"] = 1e6 * slow
        results[f"µs fused, {n} rows"] = 1e6 * fast
        results[f"speed-up of fusing, {n} rows"] = slow / fast
        moved = 2 * x.nbytes / fast / 1e12
        results[f"TB/s of the fused kernel, {n} rows"] = moved
    return results


rewards = gpu(reward)
# %% [markdown]
# The predictions were 12 and 10, and what was measured is 12.4 for 8192 rows
# and 9.7 for 12 rows. No table of the GPU's innards was needed for that, only
# counting. The number of rows decides which count matters: 12 rows are bound
# by launches, 8192 by bytes. (The kernel reaches 2 TB/s and not the 3.35 of
# the data sheet. Two suspects that you can test: the division in `i % width`,
# and threads that read a single number each.)
#
# <!-- claims: 12.4 = speed-up of fusing, 8192 rows; 9.7 = speed-up of fusing,
# 12 rows; 2 = TB/s of the fused kernel, 8192 rows; 10 = launches of bias and
# gelu; 12 = passes too many with the bias -->
# <!-- given: 8192; 3.35 -->
#
# ## What fusing does not do
#
# It does not touch the products. Count both in seconds, with the limits of
# the data sheet: the product has its FLOPs, GELU its bytes.
#
# **Predict:** which share of the time of "product, bias, GELU" is the part
# that fusing can save?
# %%
product_s = 2 * N * D * F / 67e12
separate_s = 24 * 4 * wide / 3.35e12
fused_s = 2 * 4 * wide / 3.35e12
share = separate_s / (product_s + separate_s)
claim("share of bias and GELU before, float32", share)
claim("and after", fused_s / (product_s + fused_s))
tensor_s = 2 * N * D * F / 990e12
claim(
    "share before, product in 16 bits", separate_s / (tensor_s + separate_s)
)
# %% [markdown]
# With a float32 product more than half of the time was bias and GELU; fused,
# about a tenth. With 16-bit products (990 TFLOP/s on the data sheet) nineteen
# twentieths of the time went into ten operations that compute almost nothing:
# the faster the products, the more the rest decides. On a GPU, "optimise the
# mathematics" mostly means "pass over memory less often".
#
# <!-- claims: 'more than half' = share of bias and GELU before, float32 >
# 0.5; 'about a tenth' = and after < 0.2; 'nineteen twentieths' = share
# before, product in 16 bits > 0.94 -->
# <!-- given: 16; 990 -->
#
# ## Three things to remember
#
# - A GPU is a queue that you fill: every launch costs microseconds, so give
#   it few and large operations, and never ask it a question in between.
# - Count launches for small arrays and bytes for large ones. Of what is
#   large, all but the products is bound by memory, and fusing saves passes
#   over it.
# - Round the factors, keep the sums: with products in 16 bits the cosine of a
#   sentence's vector with the exact one falls short of 1 by less than a
#   thousandth; sums in 16 bits stop at 256.
#
# <!-- claims: 256 = a thousand ones in bfloat16; 'less than a thousandth' = 1
# − the lowest cosine, bfloat16 < 0.001 -->
# <!-- given: 16; 1 -->
#
# ## Exercises
#
# - `17_runs_on_a_gpu` (intermediate): make a function run on both devices.
# - `17_memory_traffic` (advanced): halve the passes of a function and predict
#   what it brings.
#
# Links: `minigpt2/backend.py` (`array_module`, `choose_backend`,
# `gpu_problem`, `to_numpy`), `minigpt2/half_products.py` (`half_products`,
# `factor`, `to_bfloat16`), `minigpt2/layers/gelu.py` (`gelu`),
# `minigpt2/layers/softmax.py` (`softmax`), `minigpt2/model.py`
# (`forward_from`), `minigpt2/interpret/times.py` (`forward_times`: a clock
# for every kind of layer, on both devices), `minigpt2/training/precision.py`
