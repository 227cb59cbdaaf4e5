"""How much work a call does, counted and not timed: the same on a busy machine as on an idle one."""

import sys


def lines_run(call):
    """How many lines of Python run during `call()`, each round of a loop or comprehension counted anew."""
    count = 0

    def follow(frame, event, argument):
        nonlocal count
        count += event == "line"
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        call()
    finally:
        sys.settrace(before)
    return count
