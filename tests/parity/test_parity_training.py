"""Training against PyTorch: every loss and its gradient against autograd, AdamW against torch.optim.AdamW.

Run with `-s` to see the largest difference of every case, relative to the largest value of the reference. The
reference losses are written from the papers with torch's own functions, and share nothing with ours.
"""

import functools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models import TINY, random_parameters

from minigpt2.parameters import Parameters
from minigpt2.ragged import TokenBatch
from minigpt2.training import losses
from minigpt2.training.optimizer import AdamW

torch.set_num_threads(1)

TOLERANCE = 1e-9

M, D, K, V = 13, 8, 5, 17
BINARY = np.random.default_rng(1).integers(0, 2, M)
GRADED = np.random.default_rng(2).integers(0, 6, M) / 2  # with ties
SENTENCES = [[3], [1, 7, 1, 10, 16], [], [0, 2], [9, 2, 2, 8, 4, 6], [5, 5, 5]]


def report(case, actual, reference, tolerance):
    """Print max |actual − reference| / max |reference| and require it to be at most `tolerance`."""
    actual, reference = np.asarray(actual), np.asarray(reference)
    assert actual.shape == reference.shape, f"{case}: shape {actual.shape} is not {reference.shape}"
    assert actual.dtype == reference.dtype, f"{case}: {actual.dtype} is not {reference.dtype}"
    assert np.isfinite(reference).all()
    scale = np.abs(reference).max(initial=0.0)
    assert scale > 0, f"{case}: the reference is all zeros and proves nothing"
    difference = float(np.abs(actual - reference).max() / scale)
    print(f"{case}: {difference:.2e}")
    assert difference <= tolerance, f"{case}: {difference:.2e} is over {tolerance:.0e}"


def unit_rows(rows, width, seed):
    x = np.random.default_rng([seed, rows, width]).standard_normal((rows, width)) + 0.5
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def reference_contrastive(a, b, labels=BINARY, margin=0.5, temperature=None):
    """Hadsell et al. 2006, equation 4, pair by pair; there Y = 0 for similar pairs"""

    def hinge(x):
        return F.relu(x) if temperature is None else F.softplus(x, beta=1 / temperature)

    terms = []
    for x, y, label in zip(a, b, labels, strict=True):
        distance = 1 - torch.dot(x, y)
        terms.append(distance**2 / 2 if label else hinge(margin - distance) ** 2 / 2)
    return torch.stack(terms).mean()


def reference_cosine_regression(a, b, targets=GRADED):
    return F.mse_loss(torch.einsum("md,md->m", a, b), torch.from_numpy(targets))


def reference_triplet(anchors, positives, negatives, margin=0.2):
    def distance(x, y):
        return 1 - torch.linalg.vecdot(x, y)

    return F.triplet_margin_with_distance_loss(
        anchors, positives, negatives, distance_function=distance, margin=margin
    )


def reference_info_nce(anchors, positives, negatives=None, temperature=0.05, symmetric=True):
    """The negatives as further classes of the first question only"""
    right = torch.arange(len(anchors))
    pairs = torch.einsum("id,jd->ij", anchors, positives)
    hard = [] if negatives is None else [torch.einsum("id,kd->ik", anchors, negatives)]
    there = F.cross_entropy(torch.cat([pairs, *hard], dim=1) / temperature, right)
    back = F.cross_entropy(pairs.t() / temperature, right)
    return torch.stack([there, back]).mean() if symmetric else there


def reference_cosent(a, b, labels=GRADED, temperature=0.05):
    """Su 2022: logsumexp over 0 and all pairs in the wrong order, as an (M, M) table"""
    cosines = torch.einsum("md,md->m", a, b)
    labels = torch.from_numpy(np.asarray(labels))
    table = (cosines[None, :] - cosines[:, None]) / temperature
    chosen = table[labels[:, None] > labels[None, :]]
    return torch.logsumexp(torch.cat([chosen, chosen.new_zeros(1)]), dim=0)


def reference_distillation(students, targets, temperature=0.05, alpha=5.0):
    def divergence(p, q):
        return F.kl_div(q.log_softmax(1), p.log_softmax(1), log_target=True, reduction="batchmean")

    def without_diagonal(table):
        M = len(table)
        return table[~torch.eye(M, dtype=torch.bool)].reshape(M, M - 1)

    teacher = targets @ targets.t() / temperature
    point = 1 - torch.linalg.vecdot(students, targets).mean()
    among = students @ students.t() / temperature
    return (
        alpha * point
        + divergence(teacher, students @ targets.t() / temperature)
        + divergence(without_diagonal(teacher), without_diagonal(among))
    )


def reference_next_token(hidden, wte):
    """Sentence by sentence"""
    total, predicted = 0.0, 0
    for sentence, rows in zip(SENTENCES, hidden.split([len(s) for s in SENTENCES]), strict=True):
        if len(sentence) > 1:
            logits, following = F.linear(rows[:-1], wte), torch.tensor(sentence[1:])
            total = total + F.cross_entropy(logits, following, reduction="sum")
            predicted += len(following)
    return total / predicted


def reference_matryoshka(reference, dims, weights):
    def of_vectors(*vectors):
        parts = [
            weight * reference(*(F.normalize(x[:, :d], dim=1) for x in vectors))
            for d, weight in zip(dims, weights, strict=True)
        ]
        return torch.stack(parts).sum()

    return of_vectors


def vectors(*rows):
    return [unit_rows(count, D, seed) for seed, count in enumerate(rows)]


def bind(name, **settings):
    """Our pair of functions with everything bound but the vectors"""
    return functools.partial(getattr(losses, name), **settings), getattr(losses, f"{name}_backward")


TARGETS = unit_rows(M, D, 9)
BATCH = TokenBatch(SENTENCES)
PLAIN = {
    "contrastive": (vectors(M, M), bind("contrastive", labels=BINARY), reference_contrastive),
    "contrastive, margin 1.2": (
        vectors(M, M),
        bind("contrastive", labels=BINARY, margin=1.2),
        functools.partial(reference_contrastive, margin=1.2),
    ),
    "contrastive, temperature 0.1": (
        vectors(M, M),
        bind("contrastive", labels=BINARY, temperature=0.1),
        functools.partial(reference_contrastive, temperature=0.1),
    ),
    "cosine_regression": (
        vectors(M, M),
        bind("cosine_regression", targets=GRADED),
        reference_cosine_regression,
    ),
    "triplet": (vectors(M, M, M), bind("triplet"), reference_triplet),
    "info_nce": (vectors(M, M), bind("info_nce"), reference_info_nce),
    "info_nce, one way": (
        vectors(M, M),
        bind("info_nce", symmetric=False),
        functools.partial(reference_info_nce, symmetric=False),
    ),
    "info_nce, negatives": (vectors(M, M, K), bind("info_nce"), reference_info_nce),
    "info_nce, negatives, one way, temperature 0.5": (
        vectors(M, M, K),
        bind("info_nce", symmetric=False, temperature=0.5),
        functools.partial(reference_info_nce, symmetric=False, temperature=0.5),
    ),
    "cosent": (vectors(M, M), bind("cosent", labels=GRADED), reference_cosent),
    "cosent, binary": (
        vectors(M, M),
        bind("cosent", labels=BINARY, temperature=0.2),
        functools.partial(reference_cosent, labels=BINARY, temperature=0.2),
    ),
    "distillation": (
        vectors(M),
        bind("distillation", targets=TARGETS),
        functools.partial(reference_distillation, targets=torch.from_numpy(TARGETS)),
    ),
    "next_token": (
        [2 * unit_rows(BATCH.N, D, 0), 2 * unit_rows(V, D, 1)],
        bind("next_token", batch=BATCH, chunk_rows=5),
        reference_next_token,
    ),
}
DIMS, WEIGHTS = [2, 5, 8], [0.25, 1.0, 0.5]


def matryoshka_of(case):
    inputs, (forward, backward), reference = PLAIN[case]

    def ours(*vectors):
        return losses.matryoshka(forward, backward, vectors, DIMS, WEIGHTS)

    return inputs, (ours, losses.matryoshka_backward), reference_matryoshka(reference, DIMS, WEIGHTS)


WRAPPABLE = [case for case in PLAIN if case not in ("distillation", "next_token")]  # these bind a width
CASES = PLAIN | {f"matryoshka of {case}": matryoshka_of(case) for case in WRAPPABLE}


@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradient(case):
    inputs, (forward, backward), reference = CASES[case]
    leaves = [torch.from_numpy(x.copy()).requires_grad_() for x in inputs]
    expected = reference(*leaves)
    (2.5 * expected).backward()
    loss, ctx = forward(*inputs)
    report(case, loss, expected.detach().numpy(), TOLERANCE)
    gradients = backward(2.5, ctx)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    gradients = [gradient for gradient in gradients if gradient is not None]
    assert len(gradients) == len(leaves)
    for i, (gradient, leaf) in enumerate(zip(gradients, leaves, strict=True)):
        report(f"{case}, gradient {i}", gradient, leaf.grad.numpy(), TOLERANCE)


def test_every_loss_has_a_reference():
    exported = {name for name in losses.__all__ if not name.endswith("_backward")}
    assert {case.partition(",")[0].partition(" ")[0] for case in CASES} == exported


# AdamW

STEPS = 20


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("settings", [{}, {"betas": (0.9, 0.999), "eps": 1e-6, "decay": 0.3}, {"decay": 0.0}])
def test_adamw_over_twenty_steps(dtype, settings):
    """Matrices decay, vectors do not; another learning rate at each step; zero and tiny gradients"""
    parameters = random_parameters(TINY).to(np, dtype)
    ours = AdamW(parameters, **settings)
    leaves = {name: torch.nn.Parameter(torch.from_numpy(view.copy())) for name, view in parameters.items()}
    theirs = torch.optim.AdamW(
        [
            {"params": [x for x in leaves.values() if x.ndim > 1], "weight_decay": ours.decay},
            {"params": [x for x in leaves.values() if x.ndim == 1], "weight_decay": 0.0},
        ],
        betas=ours.betas,
        eps=ours.eps,
    )
    rng = np.random.default_rng(3)
    start = parameters.flat.copy()
    for step in range(STEPS):
        gradients = Parameters(rng.standard_normal(start.shape).astype(dtype), parameters.shapes)
        gradients.flat *= 10.0 ** rng.integers(-6, 2, start.shape)
        gradients["wpe.weight"][20:] = 0.0
        lr = 0.02 * (step + 1) / STEPS
        for group in theirs.param_groups:
            group["lr"] = lr
        for name, leaf in leaves.items():
            leaf.grad = torch.from_numpy(gradients[name].copy())
        theirs.step()
        ours.step(gradients, lr)

    assert ours.t == STEPS
    assert np.abs(parameters.flat - start).max() > 0.05
    tolerance = 1e-12 if dtype == "float64" else 1e-6
    for name, leaf in leaves.items():
        state = theirs.state[leaf]
        report(f"{dtype}, {name}", parameters[name], leaf.detach().numpy(), tolerance)
        report(f"{dtype}, m of {name}", ours.m[name], state["exp_avg"].numpy(), tolerance)
        report(f"{dtype}, v of {name}", ours.v[name], state["exp_avg_sq"].numpy(), tolerance)
