"""How much work a call does, counted and not timed: the same on a busy machine as on an idle one."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_run(call: Callable[[], Any], file: str | None = None) -> int:
    """How many lines of Python run during `call()`, each round of a loop or comprehension counted anew.

    `file`: count only the lines of this file, so not those inside of NumPy; None counts all.
    """
    count = 0

    def follow(frame: FrameType, event: str, argument: Any) -> Callable | None:
        nonlocal count
        if file is not None and frame.f_code.co_filename != file:
            return None
        count += event == "line"
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        call()
    finally:
        sys.settrace(before)
    return count
