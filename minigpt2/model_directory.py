"""What a model directory looks like: one folder that minigpt2, transformers and sentence-transformers load.

    config.json              the GPT-2's shape                                    config.py
    model.safetensors        its weights, or shards with an index                 checkpoint.py
    tokenizer.json, …        its vocabulary                                       tokenizer/
    modules.json, 1_Pooling/ … how token rows become a sentence's vector          embedding_settings.py
    README.md                the model card

A published GPT-2 has the first three and loads too. Nothing is ever downloaded.
"""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .checkpoint import INDEX, SAVED_DTYPES, WEIGHTS, StoredParameters, write_checkpoint
from .config import GPT2Config
from .embedding_settings import EmbeddingSettings, read_modules, read_settings, write_settings
from .errors import ModelError, UsageError
from .files import atomic_directory, is_folder, read_json, write_json
from .parameters import Parameters, require_fit

if TYPE_CHECKING:
    from .tokenizer import Tokenizer

__all__ = ["EmbeddingSettings", "ModelFiles", "find_model", "read_model_directory", "write_model_directory"]

PRETRAINED = Path(__file__).parent / "pretrained"
DEFAULT_MODEL = "nano"
TOKENIZER_FILES = ("tokenizer.json", "vocab.json")


class ModelFiles(NamedTuple):
    """Everything that a model directory holds, on the host."""

    config: GPT2Config
    parameters: Parameters
    tokenizer: "Tokenizer | None"  # None if the folder has no vocabulary
    settings: EmbeddingSettings
    path: Path


def bundled_models() -> list[str]:
    """The names of the models that ship with the package."""
    return sorted(path.parent.name for path in PRETRAINED.glob("*/config.json"))


def find_model(name_or_path: str | Path | None = None) -> Path:
    """The folder of a model: None is the bundled default, then a bundled name, then a path.

    A folder that is called like a bundled model is meant by `./nano`. The output folder of a training run
    stands for the model in it that validated best, or else the last one. Raises ModelError, with what there
    is, if nothing is found: minigpt2 never downloads.
    """
    names = bundled_models()
    if name_or_path is None:
        if DEFAULT_MODEL not in names:
            raise ModelError(
                f"this copy of minigpt2 has no bundled model {DEFAULT_MODEL!r}: install it again from "
                f"its repository, or give the path of a model directory"
            )
        return PRETRAINED / DEFAULT_MODEL
    if name_or_path == "":
        raise ModelError(
            "the name of the model is empty: give a model directory or the name of a bundled one"
        )
    if str(name_or_path) in names:
        return PRETRAINED / str(name_or_path)
    path = Path(name_or_path).expanduser()
    if is_folder(path):
        return _model_of_run(path)
    if path.exists():
        raise ModelError(f"{path} is a file: give the folder that holds config.json and model.safetensors")
    bundled = f"the bundled models are {', '.join(names)}" if names else "no model is bundled"
    raise ModelError(f"no model directory {str(name_or_path)!r}: {bundled}, and nothing is downloaded")


def _model_of_run(path: Path) -> Path:
    """The model in the output folder of a training run (see `training/run_folder.py`); else `path` itself."""
    if not any((path / name).exists() for name in ("config.json", "modules.json")):
        for name in ("best", "last"):
            if (path / name / "config.json").exists():
                return path / name
    return path


def read_model_directory(path: str | Path, *, dtype: str = "float32") -> ModelFiles:
    """Read a model directory; weights become `dtype` ("float32" or "float64"), on the host.

    Reads what `write_model_directory` writes, what sentence-transformers 3 to 6 save over a GPT-2, and a
    published GPT-2. Raises ModelError, naming file and tensor or field, for anything missing, damaged or not
    computable, and for a vocabulary that does not fit the weights.
    """
    opened = open_model_directory(path)
    with opened.parameters as stored:
        parameters = stored.read(opened.config, dtype)
    return ModelFiles(opened.config, parameters, opened.tokenizer, opened.settings, opened.path)


class OpenModelDirectory(NamedTuple):
    """A model directory whose weights are still in their files."""

    config: GPT2Config
    parameters: StoredParameters
    tokenizer: "Tokenizer | None"
    settings: EmbeddingSettings
    path: Path


def open_model_directory(path: str | Path) -> OpenModelDirectory:
    """Read all of a model directory but the numbers of its weights; see `read_model_directory`.

    Raises ModelError as that does, but for numbers that are not finite and an output head of its own.
    """
    path = Path(path)
    if not is_folder(path):
        raise ModelError(f"{path} is not a folder: give one that holds config.json and model.safetensors")
    modules = read_modules(path)
    folder = modules.transformer
    config = _read_config(folder / "config.json")
    tokenizer = None
    if any((folder / name).exists() for name in TOKENIZER_FILES):
        from .tokenizer import load_tokenizer

        tokenizer = load_tokenizer(folder)
        _check_vocabulary(tokenizer, config, str(folder))
    settings = read_settings(path, config, modules, lowercase=tokenizer is not None and tokenizer.lowercase)
    return OpenModelDirectory(config, StoredParameters(folder, config), tokenizer, settings, path)


def _read_config(path: Path) -> GPT2Config:
    try:
        return GPT2Config.from_dict(read_json(path))
    except ModelError as error:
        raise error if str(path) in str(error) else ModelError(f"{path}: {error}") from None


def _check_vocabulary(tokenizer: "Tokenizer", config: GPT2Config, where: str) -> None:
    if tokenizer.vocab_size > config.vocab_size:
        raise ModelError(
            f"{where}: the tokenizer has {tokenizer.vocab_size} ids, but the weights have rows for only "
            f"{config.vocab_size}: they do not belong together"
        )


def write_model_directory(
    path: str | Path,
    config: GPT2Config,
    parameters: Parameters,
    tokenizer: "Tokenizer | None",
    settings: EmbeddingSettings | None = None,
    *,
    dtype: str = "float32",
    model_card: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a model directory, whole or not at all, and give its path.

    dtype        of the stored weights, "float32" or "float16"; every library computes in float32 from either
    model_card   the text of README.md
    overwrite    replace the model directory that is there, with everything in it; a folder that is neither
                 empty nor a model directory is never replaced

    A bidirectional model is marked in config.json, which other libraries do not look at: a UserWarning says
    that they would read it as causal. Raises ModelError for weights that are not finite, too large for
    `dtype` or not of the shape of `config` and for a vocabulary that does not fit; UsageError for settings
    that do not fit or a path that exists; OutputError for one that cannot be written.
    """
    path = Path(path)
    settings = settings or EmbeddingSettings()
    settings.check_fits(config)
    if dtype not in SAVED_DTYPES:
        raise UsageError(f"cannot save weights as {dtype!r}: use one of {', '.join(SAVED_DTYPES)}")
    require_fit(parameters, config)
    if tokenizer is not None:
        _check_vocabulary(tokenizer, config, "cannot save the model")
    if overwrite and os.path.isdir(path) and any(path.iterdir()) and not _holds_a_model(path):
        raise UsageError(
            f"{path} is not empty and no model directory, so it is not replaced: choose another name"
        )
    with atomic_directory(path, overwrite=overwrite) as folder:
        write_json(folder / "config.json", _config_fields(config, tokenizer))
        write_checkpoint(folder, parameters, dtype)
        if tokenizer is not None:
            tokenizer.save(folder, model_max_length=settings.max_seq_length or config.n_positions)
        write_settings(folder, settings, config)
        if model_card is not None:
            (folder / "README.md").write_text(model_card, encoding="utf-8")
    if not config.causal:
        warnings.warn(
            f"{path}: attention is bidirectional, but transformers and sentence-transformers would compute "
            f"this model as causal: its vectors are right in minigpt2 only",
            stacklevel=2,
        )
    return path


def _holds_a_model(path: Path) -> bool:
    """True for a configuration with weights; config.json alone is a name that many other programs use."""
    return (path / "config.json").exists() and any((path / name).exists() for name in (WEIGHTS, INDEX))


def _config_fields(config: GPT2Config, tokenizer: "Tokenizer | None") -> dict[str, Any]:
    """config.json. The dtype is the one to compute in: others would run float16 weights in float16."""
    end = None if tokenizer is None else tokenizer.eos_id
    pad = None if tokenizer is None else tokenizer.pad_id
    return config.to_dict() | {
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": pad,
        "tie_word_embeddings": True,
        "dtype": "float32",
        "torch_dtype": "float32",
    }
