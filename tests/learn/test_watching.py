"""A learner's functions leave their inputs alone, and are the learner's own."""

from collections import namedtuple
from types import ModuleType

import numpy as np
import pytest

from minigpt2.learn.checking import WrongAnswer
from minigpt2.learn.watching import Watched, borrowed, refuse_borrowed


def watched(in_place=(), **functions):
    module = ModuleType("exercise")
    vars(module).update(functions)
    return Watched(module, in_place)


Pair = namedtuple("Pair", "left right")


def adds_one(x):
    x += 1
    return x


CHANGED = {
    "array": (adds_one, lambda: [np.zeros(3)], "x"),
    "field of a tuple with names": (lambda x: adds_one(x.right), lambda: [Pair(1, np.zeros(2))], "x.right"),
    "array in a list": (lambda x: adds_one(x[1]), lambda: [[0, np.zeros(2)]], "x[1]"),
    "array in a dictionary": (lambda x: adds_one(x["w"]), lambda: [{"w": np.zeros(2)}], "x['w']"),
    "longer list": (lambda x: x.append(1), lambda: [[1, 2]], "x"),
    "entry of a list": (lambda x: x.reverse(), lambda: [[1, 2]], "x[0]"),
    "key of a dictionary": (lambda x: x.pop("a"), lambda: [{"a": 1}], "x"),
    "second argument": (lambda a, b: adds_one(b), lambda: [1, np.zeros(2)], "b"),
    "one of any number": (lambda *a: adds_one(a[1]), lambda: [1, np.zeros(2)], "number 2"),
}


@pytest.mark.parametrize("case", CHANGED)
def test_a_changed_input_is_named(case):
    function, inputs, name = CHANGED[case]
    with pytest.raises(WrongAnswer) as raised:
        watched(f=function).f(*inputs())
    assert raised.value.message == f"your function changes its input {name}"


def test_a_changed_option_is_named():
    with pytest.raises(WrongAnswer, match="its input x"):
        watched(f=adds_one).f(x=np.zeros(2))


def test_what_leaves_its_inputs_alone_gives_what_it_gives():
    x = np.array([1.0, np.nan])
    assert watched(f=lambda x, n: x).f(x, n=(1, [2, "a"])) is x
    with pytest.raises(ZeroDivisionError):
        watched(f=lambda: 1 / 0).f()


def test_a_function_that_does_not_say_what_it_takes():
    with pytest.raises(WrongAnswer, match="its input number 1"):
        watched(f=dict.pop).f({"a": 1}, "a")


def test_named_functions_may_work_in_place():
    x = np.zeros(2)
    watched(("f",), f=adds_one).f(x)
    assert x.tolist() == [1, 1]


def test_what_is_no_function_comes_as_it_is():
    module = watched(LIMIT=3, Pair=Pair)
    assert module.LIMIT == 3
    assert module.Pair is Pair


WHOLE_FILE = '"""Softmax.\n\nThe package:\n`minigpt2/layers/softmax.py`.\n"""\n'
ONE_NAME = '"""Spearman.\n\nThe package: `spearman` in `minigpt2/evaluation/metrics.py`.\n"""\n'
ELSEWHERE = '"""A mask.\n\nUse `minigpt2/backend.py`.\n\nThe package: `minigpt2/layers/softmax.py`.\n"""\n'
SOFTMAX = ("softmax", "minigpt2/layers/softmax.py")
SPEARMAN = ("spearman", "minigpt2/evaluation/metrics.py")

BORROWED = [
    ("from minigpt2.layers import softmax", WHOLE_FILE, SOFTMAX),
    ("from minigpt2.layers import softmax as theirs", WHOLE_FILE, SOFTMAX),
    ("def f(x):\n    from minigpt2.layers.softmax import softmax\n", WHOLE_FILE, SOFTMAX),
    ("import minigpt2.layers\ny = minigpt2.layers.softmax(1)", WHOLE_FILE, SOFTMAX),
    ("import minigpt2.layers as l\ny = l.softmax", WHOLE_FILE, SOFTMAX),
    ("from minigpt2 import layers\ny = layers.softmax", WHOLE_FILE, SOFTMAX),
    ("from minigpt2.layers import linear", WHOLE_FILE, None),
    ("import minigpt2.layers as l\ny = l.linear", WHOLE_FILE, None),
    ("from minigpt2.layers import no_such_layer", WHOLE_FILE, None),
    ("import minigpt2.no_such_module as m\ny = m.softmax", WHOLE_FILE, None),
    ("softmax = 3\nlayers = {}\ny = layers.softmax", WHOLE_FILE, None),
    ("from minigpt2.evaluation.metrics import spearman", ONE_NAME, SPEARMAN),
    ("from minigpt2.evaluation.metrics import pearson", ONE_NAME, None),
    ("from minigpt2.backend import array_module", ELSEWHERE, None),
    ("from minigpt2.layers import softmax", WHOLE_FILE + "from minigpt2.layers import softmax\n", None),
]


@pytest.mark.parametrize(("source", "task", "found"), BORROWED)
def test_what_is_taken_from_the_file_that_the_task_names(source, task, found):
    assert borrowed(source, task) == found


def test_it_is_refused_by_name():
    with pytest.raises(WrongAnswer, match=r"takes softmax from the package: minigpt2/layers/softmax\.py"):
        refuse_borrowed(BORROWED[0][0], WHOLE_FILE)
    refuse_borrowed("import numpy", WHOLE_FILE)
