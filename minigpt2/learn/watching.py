"""What a learner's function may not do unseen: change what it was given, or call the code it is to be.

A check gets the learner's module as a `Watched`. Its functions are the learner's own, but an array, list or
dictionary that is handed in must be afterwards what it was before. A check whose task asks for work in place
names these functions: `IN_PLACE = ("gelu_",)`.

`borrowed` finds what a file takes from the very file of the package that its task names ("The package:
`minigpt2/layers/softmax.py`"). Everything else of the package is there to be used.
"""

import ast
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from .checking import WrongAnswer, unchanged


class Watched:
    """A module whose functions are watched; `module` is the module itself."""

    def __init__(self, module: ModuleType, in_place: Sequence[str] = ()) -> None:
        self.module, self._in_place = module, in_place

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.module, name)
        return value if name in self._in_place or isinstance(value, type) else _watched(value)


def _watched(function: Any) -> Any:
    """The function, with its inputs compared after each call; anything that is not callable as it is."""
    if not callable(function):
        return function

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        before = _copied(args), _copied(options)
        result = function(*args, **options)
        for name, was, now in zip(_names(function, len(args)), before[0], args, strict=True):
            _compare(was, now, name)
        for name, was in before[1].items():
            _compare(was, options[name], name)
        return result

    return called


def _names(function: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its first `count` arguments."""
    try:
        parameters = inspect.signature(function).parameters.items()
    except ValueError:  # a function written in C that does not say
        parameters = []
    names = [name for name, p in parameters if p.kind < p.VAR_POSITIONAL]
    return (names + [f"number {i + 1}" for i in range(len(names), count)])[:count]


def _copied(value: Any) -> Any:
    """Arrays, and lists, tuples and dictionaries with what they hold, copied; all else as it is."""
    if isinstance(value, np.ndarray):
        return np.array(value)
    if isinstance(value, (list, tuple)):
        return [_copied(part) for part in value]
    return {key: _copied(part) for key, part in value.items()} if type(value) is dict else value


def _compare(was: Any, now: Any, name: str) -> None:
    """Raise WrongAnswer unless `now` is what it was when it was copied."""
    if isinstance(now, np.ndarray):
        unchanged(was, np.asarray(now), name)
    elif isinstance(now, (list, tuple)):
        unchanged(len(was), len(now), name)
        fields = getattr(now, "_fields", range(len(now)))
        for field, a, b in zip(fields, was, now, strict=True):
            _compare(a, b, f"{name}.{field}" if isinstance(field, str) else f"{name}[{field}]")
    elif type(now) is dict:
        unchanged(list(was), list(now), name)
        for key in now:
            _compare(was[key], now[key], f"{name}[{key!r}]")
    elif isinstance(now, (int, float, str)):
        unchanged(was, now, name)


def borrowed(source: str, task: str) -> tuple[str, str] | None:
    """What `source` takes from the file that `task`, the exercise as handed out, names: (name, file)."""
    given = {name for name, _ in _imports(task)}
    named = _named(ast.get_docstring(ast.parse(task)) or "")
    for name, file in _imports(source):
        if name not in given and file in named and name in (named[file] or {name}):
            return name, file
    return None


def _named(text: str) -> dict[str, set[str]]:
    """The files after "The package" in a task, each with the names of it that stand there; none means all."""
    found = {}
    for place in re.finditer(r"\bthe\s+package\b", text, re.IGNORECASE):
        part = text[place.end() :].partition("\n\n")[0]
        code = re.findall(r"`([\w/.]+)`", part)
        for file in (word for word in code if word.endswith(".py")):
            module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
            found[file] = {word for word in code if hasattr(module, word)}
    return found


def _imports(source: str) -> list[tuple[str, str]]:
    """Each name that is taken from the package, wherever in the source, and the file where it is defined."""
    tree = ast.parse(source)
    whole: dict[str, ModuleType] = {}  # modules of the package, by the name that they have in the source
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "minigpt2":
                    module = _module(alias.name)
                    whole[alias.asname or "minigpt2"] = module if alias.asname else _module("minigpt2")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "minigpt2":
            for alias in node.names:
                value = getattr(_module(node.module), alias.name, None) or _module(
                    f"{node.module}.{alias.name}"
                )
                if isinstance(value, ModuleType):
                    whole[alias.asname or alias.name] = value
                found.append((alias.name, _file(value)))
    for node in ast.walk(tree):
        value = _attribute(node, whole) if isinstance(node, ast.Attribute) else None
        if isinstance(value, (FunctionType, type)):
            found.append((value.__name__, _file(value)))
    return found


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:  # the learner's file says so itself when it runs
        return None


def _attribute(node: ast.expr, whole: dict[str, ModuleType]) -> Any:
    """What an expression such as `layers.softmax` is, if it begins with a module of the package."""
    if isinstance(node, ast.Attribute):
        return getattr(_attribute(node.value, whole), node.attr, None)
    return whole.get(node.id) if isinstance(node, ast.Name) else None


def _file(value: Any) -> str:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
    return f"{name.replace('.', '/')}.py"


def refuse_borrowed(source: str, task: str) -> None:
    """Raise WrongAnswer where `borrowed` finds something."""
    found = borrowed(source, task)
    if found:
        raise WrongAnswer(
            f"your file takes {found[0]} from the package: {found[1]} is what you are to write here",
            reason="read it, close it, and write your own; other parts of the package may be used",
        )
