"""A lesson of a few cells, for tests."""

from minigpt2.learn.cells import read_lesson

TEXT = """# %% [markdown]
# # 07 · Small things
#
# Beginner · 10 minutes
#
# **After this lesson you can**
#
# - add
# - print
# - divide
# %%
from minigpt2.learn import claim
numbers = [1, 2, 3]
# %% [markdown]
# ## A sum
#
# **Predict:** what is it?
# %%
total = sum(numbers)
claim("total", total)
# %% [markdown]
# It is 6.
#
# <!-- claims: 6 = total -->
# %% [markdown]
# A text alone.
# %%
print("the total is", total)
"""


def write_lesson(folder, text=TEXT):
    """The lesson, read from a file in `folder`."""
    path = folder / "07_small.py"
    path.write_text(text, encoding="utf-8")
    return read_lesson(path)
