"""Every public function and class of the layers, the losses and the tokenizer is named in a lesson."""

import ast
import re

from lesson_files import LESSONS, ROOT

from minigpt2.learn.cells import CODE, read_lesson
from minigpt2.learn.claims import without_comments

FOLDERS = ("layers", "training/losses", "tokenizer")


def public_names():
    """name -> file, of every function and class at the top of a module."""
    names = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / "minigpt2" / folder).glob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    names[node.name] = path.relative_to(ROOT).as_posix()
    return names


def named_in(lesson):
    """The words in the code of a lesson and in the code spans of its text."""
    words = set()
    for cell in lesson.cells:
        text = cell.source
        if cell.kind != CODE:
            text = " ".join(re.findall(r"`([^`\n]+)`", without_comments(text)))
        words.update(re.findall(r"\w+", text))
    return words


def test_everything_is_named():
    named = set().union(*(named_in(read_lesson(path)) for path in LESSONS))
    missing = {name: file for name, file in public_names().items() if name not in named}
    assert not missing


def test_every_file_is_linked():
    """From a lesson that names what is in it."""
    linked = set()
    for path in LESSONS:
        links = read_lesson(path).cells[-1].source.rpartition("\nLinks: ")[2]
        linked.update(re.findall(r"`(minigpt2/[\w/]+\.py)`", links))
    assert set(public_names().values()) <= linked


def test_there_are_twenty_lessons():
    assert [path.name[:2] for path in LESSONS] == [f"{number:02}" for number in range(1, 21)]
