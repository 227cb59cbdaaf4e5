"""The data sets as anybody would read them, and the modules of their generator."""

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parents[2] / "data_sets"
sys.path.insert(0, str(FOLDER))  # `data_sets/make.py` is a script; the modules beside it are no package

SPLITS = ("train", "dev", "test")


class Row(NamedTuple):
    id: str
    first: str
    second: str
    label: int
    kind: str
    templates: tuple[str, ...]


@pytest.fixture(scope="session")
def folder():
    return FOLDER


@pytest.fixture(scope="session")
def splits() -> dict[str, list[Row]]:
    """All pairs of the three files with what kinds.tsv says about each."""
    lines = (FOLDER / "kinds.tsv").read_text(encoding="utf-8").splitlines()[1:]
    about = {line.split("\t")[0]: line.split("\t")[1:] for line in lines}
    rows = {}
    for split in SPLITS:
        lines = (FOLDER / f"{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]
        fields = [line.split("\t") for line in lines]
        rows[split] = [Row(i, a, b, int(y), about[i][0], tuple(about[i][1].split())) for i, a, b, y in fields]
    return rows
