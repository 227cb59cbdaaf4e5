"""A lesson names every public function, class and method of the layers, the losses and the tokenizer."""

import ast
import re

from lesson_files import LESSONS, ROOT

from minigpt2.learn.cells import CODE, read_lesson
from minigpt2.learn.claims import without_comments

FOLDERS = ("layers", "training/losses", "tokenizer")


def public_names():
    """The name and the file of every function and class at the top of a module, and of its methods."""
    names = []
    for folder in FOLDERS:
        for path in sorted((ROOT / "minigpt2" / folder).glob("*.py")):
            file = path.relative_to(ROOT).as_posix()
            body = ast.parse(path.read_text(encoding="utf-8")).body
            methods = [part for node in body if isinstance(node, ast.ClassDef) for part in node.body]
            defined = [n.name for n in [*body, *methods] if isinstance(n, ast.FunctionDef | ast.ClassDef)]
            names += [(name, file) for name in defined if not name.startswith("_")]
    return names


def links_of(lesson):
    """file -> the names in code spans between the brackets behind it, of the last lines of a lesson."""
    links = lesson.cells[-1].source.rpartition("\nLinks: ")[2]
    found = {}
    for file, inside in re.findall(
        r"`(minigpt2/[\w/]+\.py)`(?:\s+\(([^()]*(?:\([^()]*\)[^()]*)*)\))?", links
    ):
        found.setdefault(file, set()).update(re.findall(r"`([A-Za-z_]\w*)`", inside))
    return found


def named_in(lesson):
    """The words in the code of a lesson and in the code spans of its text."""
    words = set()
    for cell in lesson.cells:
        text = cell.source
        if cell.kind != CODE:
            text = " ".join(re.findall(r"`([^`\n]+)`", without_comments(text)))
        words.update(re.findall(r"\w+", text))
    return words


def test_everything_is_named_in_a_lesson_that_links_its_file():
    lessons = [read_lesson(path) for path in LESSONS]
    known = [(named_in(lesson), links_of(lesson)) for lesson in lessons]
    names = public_names()
    assert len(names) > 100
    missing = [
        f"{name} of {file}"
        for name, file in names
        if not any(name in named and file in linked for named, linked in known)
    ]
    assert not missing


def test_a_file_has_what_its_link_names(lesson):
    """What stands in brackets behind a file is defined there, or comes from there."""
    links = links_of(lesson)
    assert any(links.values())
    for file, words in links.items():
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        there |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        there |= {
            alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        assert words <= there, f"{file} has no {words - there}"


def test_there_are_twenty_lessons():
    assert [path.name[:2] for path in LESSONS] == [f"{number:02}" for number in range(1, 21)]
