"""Lessons: files that are a script, a session in the terminal and a notebook at once.

A lesson says `from minigpt2.learn import claim, data_file, notebook, show`:

    show(view)               a picture: on the terminal by Rich, in a notebook as HTML
    claim("tokens", 12)      says a number that the text below repeats, so that a test can compare the two
    data_file("train.tsv")   the path of sentences that come with the package
    notebook()               True where a notebook runs the lesson, for pictures by matplotlib

The other modules run lessons:

    cells.py      the file format: what a lesson is
    claims.py     `claim`, and the tie between numbers in the text and what the code has computed
    show.py       `show` and `notebook`
    library.py    where the lessons lie, in a clone and in an installed package
    running.py    the cells of a lesson as code that runs: output, errors, time
    page.py       cells as a terminal shows them
    session.py    `minigpt2 learn 5`: cell by cell, with a person
    editing.py    changing a cell, and a Python shell with the lesson's variables
    progress.py   how far a person has come, in the state folder
    whole.py      `--all`: everything without asking, with a table of times
    notebooks.py  `--notebooks DIR`

And exercises:

    exercises.py  their order, a learner's copies, what is done, hints and solutions
    judging.py, one_check.py, verdict.py  running a learner's file against its check, and what came of it
    watching.py   what a learner's function may not do: change its inputs, call what it is to be
    checking.py   what a check compares, and what it says about a wrong answer
    counting.py   lines that run, where a check would otherwise need a clock
    installing.py a learner's layer in the running package
    no_powers.py  an array that refuses `**`
    stub_device.py  a stand-in for CuPy that counts launches and bytes
"""

from .claims import claim
from .library import data_file
from .show import notebook, print_anything, show

print_anything()  # a lesson is a script, too, and may run where the terminal has only ASCII

__all__ = ["claim", "data_file", "notebook", "show"]
