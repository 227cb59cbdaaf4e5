"""Where lessons and sentences lie: in a clone, and in the layout of a wheel."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from minigpt2.errors import UsageError
from minigpt2.learn import data_file
from minigpt2.learn.library import all_lessons, find_lesson, lesson_paths

ROOT = Path(__file__).parents[2]


def test_the_lessons_of_a_clone():
    paths = lesson_paths()
    assert paths
    assert paths == sorted(paths)
    assert {path.parent for path in paths} == {ROOT / "lessons"}
    assert [lesson.number for lesson in all_lessons()] == [int(path.name[:2]) for path in paths]


def test_a_lesson_by_its_number():
    assert find_lesson("1") == find_lesson("01") == find_lesson(1)
    for wrong in ("99", "x", "", "-1", "1.0"):
        with pytest.raises(UsageError, match="there is no lesson"):
            find_lesson(wrong)


def test_data_files():
    assert data_file("train.tsv") == ROOT / "data_sets" / "train.tsv"
    with pytest.raises(UsageError, match=r"train\.tsv"):
        data_file("nothing.tsv")


def test_a_wheel_has_them_inside(tmp_path):
    """As pyproject.toml tells the builder to arrange them, they are found, and one runs."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
    for package in wheel["packages"]:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=unwanted)
    for source, target in wheel["force-include"].items():
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, tmp_path / target)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"}
    options = {"env": environment, "cwd": tmp_path.parent, "capture_output": True, "text": True}
    command = "from minigpt2.learn.library import find_lesson; print(find_lesson(1).path)"
    found = subprocess.run([sys.executable, "-c", command], **options)
    lesson = Path(found.stdout.strip())
    assert lesson.parent == tmp_path / "minigpt2" / "lessons", found.stderr
    ran = subprocess.run([sys.executable, str(lesson)], **options)
    assert (ran.returncode, ran.stderr) == (0, "")
