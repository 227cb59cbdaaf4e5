"""How good a model is on a sample of a file: the same measures before and after `/train`."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..datasets import Pairs
from ..training.validation import Validation

if TYPE_CHECKING:
    from ..cli.training_data import DataFiles
    from ..encoder import Encoder
    from ..training.events import Validated
    from ..training.validation import Measured

MEASURED = 400  # examples of a file on which the model is measured

# Which measures of a validation are shown, in this order.
SHOWN = ("auc", "accuracy", "spearman", "pearson", "loss", "perplexity")


class Sample(NamedTuple):
    """Examples of one file, drawn at random, on which an objective is measured."""

    name: str  # of the file
    data: Pairs | list[str]
    objective: str

    @property
    def examples(self) -> int:
        """How many."""
        return len(self.data.ids if isinstance(self.data, Pairs) else self.data)

    def measure(self, encoder: "Encoder") -> dict[str, float]:
        """Name of a measure -> its value for the model as it is now"""
        return numbers_of(Validation(self.data, encoder, self.objective).measure(encoder))


def sample_of(files: "DataFiles", objective: str, seed: int) -> Sample | None:
    """Up to MEASURED examples in their order; None where they measure nothing, as pairs with equal labels."""
    data, is_model = files.data, objective == "language_model"
    chosen = np.sort(np.random.default_rng(seed).permutation(len(files))[:MEASURED])  # (m,)
    if is_model and isinstance(data, list):
        return Sample(files.name, [data[i] for i in chosen], objective)
    if not isinstance(data, Pairs):
        return None
    labels = data.labels[chosen]  # (m,)
    if not is_model and labels.min() == labels.max():
        return None
    ids, first, second = ([column[i] for i in chosen] for column in (data.ids, data.first, data.second))
    return Sample(files.name, data._replace(ids=ids, first=first, second=second, labels=labels), objective)


def numbers_of(measured: "Measured | Validated") -> dict[str, float]:
    """The measures of a validation, and where the cosines lie that they are made of"""
    numbers = {name: measured.metrics[name] for name in SHOWN if name in measured.metrics}
    for name, cosines in (("together", measured.positives), ("apart", measured.negatives)):
        if cosines is not None and len(cosines):
            numbers[f"mean cosine {name}"] = np.mean(cosines)
    if measured.collapse is not None:
        numbers["mean cosine of random pairs"] = measured.collapse.mean_cosine
    return {name: float(value) for name, value in numbers.items()}
