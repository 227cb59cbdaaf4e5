"""`/map`: the kept sentences on a plane, near ones near each other as far as a plane can show it."""

from pathlib import Path

import numpy as np

from ...errors import UsageError
from ...files import atomic_path
from ...interpret import principal_components
from ...similarity import nearest
from ...views import Paragraph, Scatter, Stack, interactive_map
from ..line import Arguments, Option
from ..paths import naming_overwrite, typed_path
from ..reply import Reply
from ..selection import beginning, last_rows, rows_named
from ..session import Session

NAME = "map"
USAGE = "/map [#1 #4-#9 | all] [--html FILE [--overwrite]]"
SUMMARY = "the kept sentences on a plane"
DETAILS = """\
The two directions in which the vectors vary most (principal components) span the map. It says how much of
the variance they hold and of how many sentences the nearest one on the map is the truly nearest: with many
sentences a plane can show little, so two dots that touch may still be strangers. On a terminal either axis
is stretched to fill the picture. Without numbers the last 40 sentences are taken, for a page all. --html
writes one page that needs no network: drag it, zoom with the wheel, point at a dot to read it, search. A
file that exists is replaced with --overwrite only."""
EXAMPLES = (
    "The cat is sleeping",
    "A feline is resting",
    "The stock market fell sharply",
    "/map",
    "/map #1-#3 --html map.html --overwrite",
)
FORM = "words"
OPTIONS = (
    Option("--html", "write an interactive page that works offline", "FILE", completes="file"),
    Option("--overwrite", "replace the file if it exists"),
)
COMPLETES = "sentence"

LEAST = 3  # two sentences are always the ends of a line
MOST_UNASKED = 40
MOST_ON_A_PAGE = 20_000
MOST_TRIED = 500  # sentences whose nearest one is looked up


def run(session: Session, arguments: Arguments) -> Reply:
    """Project the chosen sentences onto their first two principal components."""
    target = arguments.options["html"]
    if arguments.options["overwrite"] and not target:
        raise UsageError("--overwrite belongs to --html FILE: /map --html map.html --overwrite")
    if arguments.words:
        rows = rows_named(session, arguments.words, NAME)
    else:
        rows = last_rows(session, MOST_ON_A_PAGE if target else MOST_UNASKED)
    if len(rows) < LEAST:
        raise UsageError(f"a map needs at least {LEAST} kept sentences, not {len(rows)}: type or name more")
    if len(rows) > MOST_ON_A_PAGE:
        raise UsageError(f"a map of {len(rows):,} sentences is too large: choose up to {MOST_ON_A_PAGE:,}")
    sentences = [session.sentences[row] for row in rows]
    vectors = session.vectors[rows]  # (M, D)
    projection = principal_components(vectors, 2)
    shown = float(projection.explained.sum())
    right, tried = _neighbours_kept(vectors, projection.points)
    data = {
        "numbers": [s.number for s in sentences],
        "points": projection.points.tolist(),
        "explained": projection.explained.tolist(),
        "nearest_kept": right,
        "nearest_tried": tried,
    }
    about = (
        f"the map holds {shown:.0%} of the variance (across {projection.explained[0]:.0%}, up "
        f"{projection.explained[1]:.0%}); for {right:,} of {tried:,} sentences the nearest on the map is "
        f"the nearest in all {vectors.shape[1]} dimensions"
    )
    names, texts = [f"#{s.number}" for s in sentences], [beginning(s.text) for s in sentences]
    sources = [s.source for s in sentences]
    groups = sources if len(set(sources)) > 1 else None
    marked = [i for i, s in enumerate(sentences) if s.text == session.current]
    if target:
        path = Path(typed_path(NAME, target))
        labels = [f"{name} {text}" for name, text in zip(names, texts, strict=True)]
        page = interactive_map(
            projection.points, labels, groups, marked=marked, title="Map of sentences", subtitle=about
        )
        overwrite = arguments.options["overwrite"]
        with naming_overwrite(), atomic_path(path, overwrite=overwrite) as temporary:
            temporary.write_text(page, encoding="utf-8")
        data["file"] = str(path)
        words = f"wrote {path}, an interactive map of {len(rows):,} sentences: open it in a browser"
        return Reply((Stack(Paragraph(words), Paragraph(about, "dim")),), data)
    scatter = Scatter(projection.points, labels=texts, names=names, groups=groups, marked=marked)
    views = [scatter, Paragraph(about, "dim")]
    total = len(session.sentences)
    if not arguments.words and total > len(rows):
        views.append(
            Paragraph(
                f"the last {len(rows)} of {total:,}; /map #1 #5-#9 chooses, /map --html FILE takes all", "dim"
            )
        )
    return Reply((Stack(*views),), data)


def _neighbours_kept(vectors: np.ndarray, points: np.ndarray) -> tuple[int, int]:
    """For how many of (M, D) the nearest other row is also the nearest of the (M, 2) on the map.

    The second number is how many were tried: all, or some evenly spaced of very many.
    """
    tried = np.unique(np.linspace(0, len(vectors) - 1, MOST_TRIED).astype(int))  # (tried,)
    found = []
    for x in (vectors, points):
        _, rows = nearest(x[tried], x, k=2, metric="euclidean")  # (tried, 2)
        found.append(np.where(rows[:, 0] == tried, rows[:, 1], rows[:, 0]))  # (tried,)
    return int((found[0] == found[1]).sum()), len(tried)
