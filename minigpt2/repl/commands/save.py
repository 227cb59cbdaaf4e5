"""`/save DIR`: write the model of this conversation as a model directory."""

import os
import warnings
from pathlib import Path

from ..line import Arguments, Option
from ..paths import naming_overwrite, only_word
from ..reply import Reply
from ..session import Session

NAME = "save"
USAGE = "/save DIR [--overwrite]"
SUMMARY = "write the model as a directory that minigpt2.load takes"
DETAILS = """\
Weights in float32, configuration, tokenizer and pooling, as `minigpt2 --model DIR`, `minigpt2.load`,
transformers and sentence-transformers load them. DIR must not exist yet; with --overwrite it may be a model
directory, which is replaced whole. The folder above it must exist."""
EXAMPLES = ("/save my-model --overwrite",)
FORM = "words"
OPTIONS = (Option("--overwrite", "replace a model directory that is there"),)
COMPLETES = "folder"


def run(session: Session, arguments: Arguments) -> Reply:
    """Write the model, whole or not at all."""
    from ...views import Paragraph, Table

    word = only_word(NAME, arguments.words, "folder")
    with naming_overwrite(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = session.encoder_to_save().save(word, overwrite=arguments.options["overwrite"])
    if session.encoder.path is None:
        session.encoder.path = path
    files = _files_in(path)
    notes = [" ".join(str(warning.message).split()) for warning in caught]
    data = {"path": str(path), "files": files, "bytes": sum(files.values()), "notes": notes}
    views = (
        Paragraph(f"Wrote the model to {path}, {_size(data['bytes'])} in {len(files)} files."),
        Table(
            ("file", "size"), [(name, _size(size)) for name, size in files.items()], align=("left", "right")
        ),
        *(Paragraph(f"note: {note}") for note in notes),
        Paragraph(f"/model {path} loads it again; in Python: minigpt2.load({str(path)!r})", "dim"),
    )
    return Reply(views, data)


def _files_in(folder: Path) -> dict[str, int]:
    """Every file under the folder with its bytes"""
    paths = sorted(Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return {str(path.relative_to(folder)): path.stat().st_size for path in paths}


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
