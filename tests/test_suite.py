"""The tests themselves: pytest imports them by their bare names, so no two may share one."""

from collections import Counter
from pathlib import Path


def test_no_two_modules_of_tests_have_one_name():
    folder = Path(__file__).parent
    names = Counter(path.name for path in folder.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
