"""Pictures of a lesson, wherever it runs.

python lessons/05_….py     Rich, on stdout: in colour on a terminal, plain in a pipe
minigpt2 learn 5           the same
a notebook                 as HTML below the cell
"""

import sys

from ..views import View


def print_anything() -> None:
    """Let `print` spell what stdout's encoding lacks as \\u2026 rather than fail; UTF-8 stays as it is."""
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    if hasattr(sys.stdout, "reconfigure") and not encoding.startswith("utf"):
        sys.stdout.reconfigure(errors="backslashreplace")


def notebook() -> bool:
    """True where a notebook runs this code, and not a script or a terminal."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def show(view: View) -> None:
    """Show a picture: `show(Bars(["a", "b"], values))`."""
    if notebook():
        from IPython.display import display

        display(view)
        return
    from rich.console import Console

    from ..cli import console

    # Made anew each time: a runner of lessons may have put another stream in the place of stdout.
    if console.stdout_is_terminal():
        screen = console.terminal()
    else:
        screen = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    screen.print(view)
