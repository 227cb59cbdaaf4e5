"""`/export FILE`: the conversation as a page or as Markdown, or the vectors of the kept sentences."""

from pathlib import Path

from ...errors import UsageError
from ..line import Arguments, Option
from ..paths import naming_overwrite, only_word
from ..reply import Reply
from ..session import Session

NAME = "export"
USAGE = "/export FILE [--overwrite]"
SUMMARY = "the conversation as .html or .md, the vectors as .npy or .safetensors"
DETAILS = """\
.html is one page with everything that was typed and shown; it needs no network, follows the light or dark
setting of its reader, and prints. .md is the same as Markdown, with pictures as blocks of characters.
.npy holds the vectors of the kept sentences, row by row in the order of /list, for numpy.load.
.safetensors holds them as `vectors` and their `numbers`, and in its metadata the texts (a JSON list) and how
the vectors were made."""
EXAMPLES = (
    "The cat is sleeping",
    "/export conversation.html --overwrite",
    "/export vectors.safetensors --overwrite",
)
FORM = "words"
OPTIONS = (Option("--overwrite", "replace a file that is there"),)
COMPLETES = "file"


def run(session: Session, arguments: Arguments) -> Reply:
    """Write the file, whole or not at all, as its name ends."""
    from ...files import atomic_path
    from ...views import Paragraph
    from ..export import WRITERS

    path = Path(only_word(NAME, arguments.words, "file"))
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        *most, last = WRITERS
        raise UsageError(f"/export {path}: the name must end in {', '.join(most)} or {last}")
    with naming_overwrite(), atomic_path(path, overwrite=arguments.options["overwrite"]) as temporary:
        what = WRITERS[suffix](session, temporary)
    data = {"path": str(path), "holds": what, "bytes": path.stat().st_size}
    return Reply((Paragraph(f"Wrote {what} to {path}, {data['bytes']:,} bytes."),), data)
