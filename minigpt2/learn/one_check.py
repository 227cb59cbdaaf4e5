"""The process in which one check runs: EXERCISE CHECK RESULT STUCK LIMIT -> RESULT, a Verdict as JSON.

After LIMIT seconds it writes to STUCK where it stands, and ends.
"""

import contextlib
import faulthandler
import json
import os
import sys
from pathlib import Path

from .judging import MOST_MEMORY, MOST_OUTPUT, judge


def main(arguments: list[str]) -> None:
    exercise, check, result, stuck, limit = arguments
    _bound_resources()
    with open(stuck, "w", encoding="utf-8") as trace:
        faulthandler.dump_traceback_later(float(limit), exit=True, file=trace)
        verdict = judge(Path(exercise), Path(check))
        faulthandler.cancel_dump_traceback_later()
    Path(stuck).unlink(missing_ok=True)  # a copy of this process may have been here before: os.fork()
    unfinished = Path(result + ".part")
    unfinished.write_text(json.dumps(verdict.to_json()), encoding="utf-8")
    os.replace(unfinished, result)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    os._exit(0)  # without waiting for threads that the code has left behind


def _bound_resources() -> None:
    """Memory and file size, where the system can; a limit that the user has set lower stays."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_DATA, MOST_MEMORY), (resource.RLIMIT_FSIZE, MOST_OUTPUT)):
        _, hard = resource.getrlimit(kind)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main(sys.argv[1:])
