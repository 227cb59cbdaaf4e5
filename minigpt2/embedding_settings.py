"""What a model directory says about making a sentence vector, apart from the GPT-2 itself.

The files are those of sentence-transformers, so that both libraries compute the same vectors:

    modules.json                        Transformer, then Pooling, then (or not) Normalize
    1_Pooling/config.json               how the N token rows of a sentence become one
    sentence_bert_config.json           max_seq_length
    config_sentence_transformers.json   prompts
    quantization.json                   our own: minimum and maximum of every dimension, for int8 vectors

We write the older spelling (`sentence_transformers.models.…`, `pooling_mode_…` booleans), which versions 3 to
6 and other servers read; we read that and the newer one. A directory without modules.json, such as a
published GPT-2, means mean pooling without normalisation, as it does to sentence-transformers.
"""

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .config import GPT2Config
from .errors import ModelError, UsageError
from .files import read_json, shorten, write_json

# Our name -> (sentence-transformers' name, its older boolean). Two of its modes are not here: "cls" (the
# first token, which in a causal model has seen nothing) and "mean_sqrt_len_tokens".
POOLINGS = {
    "mean": ("mean", "pooling_mode_mean_tokens"),
    "weighted_mean": ("weightedmean", "pooling_mode_weightedmean_tokens"),
    "last": ("lasttoken", "pooling_mode_lasttoken"),
    "max": ("max", "pooling_mode_max_tokens"),
}
POOLING_BOOLEANS = (
    "pooling_mode_cls_token",
    "pooling_mode_mean_tokens",
    "pooling_mode_max_tokens",
    "pooling_mode_mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens",
    "pooling_mode_lasttoken",
)


@dataclass(frozen=True, eq=False)
class EmbeddingSettings:
    """How to go from text to a vector. Raises UsageError for values that make no sense."""

    pooling: str = "mean"  # a key of POOLINGS
    normalize: bool = True  # divide the vector by its length
    max_seq_length: int | None = None  # tokens a text is cut to; None is the model's window
    prompts: dict[str, str] = field(default_factory=dict)  # name -> text put before a sentence
    default_prompt_name: str | None = None  # the prompt used when none is asked for
    include_prompt: bool = True  # False leaves the prompt's tokens out of the pooling
    calibration: np.ndarray | None = None  # (2, D) float32: smallest and largest value of every dimension

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise UsageError(f"unknown pooling {self.pooling!r}: use one of {', '.join(POOLINGS)}")
        for name in ("normalize", "include_prompt"):
            if not isinstance(getattr(self, name), bool):
                raise UsageError(f"{name} must be true or false, not {getattr(self, name)!r}")
        longest = self.max_seq_length
        if longest is not None and (type(longest) is not int or longest < 1):
            raise UsageError(f"max_seq_length must be a whole number of at least 1, not {longest!r}")
        if not isinstance(self.prompts, dict) or not all(
            isinstance(text, str) for item in self.prompts.items() for text in item
        ):
            raise UsageError("prompts must map names to texts")
        if self.default_prompt_name is not None and self.default_prompt_name not in list(self.prompts):
            names = ", ".join(self.prompts) or "there are none"
            raise UsageError(
                f"default_prompt_name {shorten(self.default_prompt_name)} is not among the prompts: {names}"
            )
        if self.calibration is not None:
            object.__setattr__(self, "calibration", _checked_calibration(self.calibration))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EmbeddingSettings):
            return NotImplemented
        ours, theirs = vars(self) | {"calibration": None}, vars(other) | {"calibration": None}
        return ours == theirs and np.array_equal(self.calibration, other.calibration)

    __hash__ = None

    def check_fits(self, config: GPT2Config) -> None:
        """Raise UsageError for a length beyond the window or a calibration of another width."""
        if self.max_seq_length is not None and self.max_seq_length > config.n_positions:
            raise UsageError(
                f"max_seq_length {self.max_seq_length} is beyond the model's window of {config.n_positions}"
            )
        if self.calibration is not None and self.calibration.shape[1] != config.D:
            raise UsageError(
                f"the calibration has {self.calibration.shape[1]} dimensions, but the model has {config.D}"
            )


def _checked_calibration(calibration: Any) -> np.ndarray:
    limits = np.array(calibration, dtype=np.float32)
    if limits.ndim != 2 or len(limits) != 2 or not np.isfinite(limits).all() or (limits[0] > limits[1]).any():
        raise UsageError(f"a calibration is (2, D), finite, minimum above maximum row, not {limits.shape}")
    limits.flags.writeable = False
    return limits


class Modules(NamedTuple):
    """What modules.json lists: the folder of each module of the pipeline, None where there is none."""

    transformer: Path
    pooling: Path | None
    normalize: Path | None


MODULES = ("Transformer", "Pooling", "Normalize")
_PIPELINE = "Transformer, Pooling and then possibly Normalize"


def read_modules(folder: Path) -> Modules:
    """The pipeline of a model directory. Raises ModelError for a module that minigpt2 does not compute."""
    path = folder / "modules.json"
    if not path.exists():
        return Modules(folder, None, None)
    kinds, folders = [], []
    for module in read_json(path, list):
        kind, place = (
            (module.get("type"), module.get("path", "")) if isinstance(module, dict) else (None, None)
        )
        if not isinstance(kind, str) or not isinstance(place, str):
            raise ModelError(f"{path}: every module needs a type and a path, not {shorten(module)}")
        library, _, name = kind.rpartition(".")
        if library.partition(".")[0] != "sentence_transformers" or name not in MODULES:
            raise ModelError(f"{path}: the module {shorten(kind)} cannot be computed: only {_PIPELINE}")
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise ModelError(f"{path}: the path {shorten(place)} leads out of the model directory")
        if not place.isprintable() or len(place.encode("utf-8")) > 255:
            raise ModelError(f"{path}: the path {shorten(place)} is no name of a folder")
        kinds.append(name)
        folders.append(folder / place)
    if tuple(kinds) not in (MODULES[:2], MODULES):
        raise ModelError(
            f"{path}: the modules {', '.join(kinds) or 'none'} cannot be computed: only {_PIPELINE}"
        )
    return Modules(*folders, *[None] * (3 - len(folders)))


def read_settings(
    folder: Path, config: GPT2Config, modules: Modules, *, lowercase: bool = False
) -> EmbeddingSettings:
    """The settings of the model directory `folder`; `lowercase` says whether its tokenizer lower-cases.

    Raises ModelError naming the file for a setting that cannot be followed.
    """
    settings: dict[str, Any] = {"normalize": modules.normalize is not None}
    if modules.pooling is not None:
        settings |= _read_pooling(modules.pooling / "config.json", config)
    if modules.normalize is not None:
        _check_normalize(modules.normalize / "config.json")
    settings["max_seq_length"] = _read_transformer(modules.transformer, config, lowercase)
    settings |= _read_prompts(folder / "config_sentence_transformers.json")
    settings["calibration"] = _read_calibration(folder / "quantization.json")
    try:
        chosen = EmbeddingSettings(**settings)
        chosen.check_fits(config)
    except UsageError as error:
        raise ModelError(f"{folder}: {error}") from None
    return chosen


def _read_pooling(path: Path, config: GPT2Config) -> dict[str, Any]:
    fields = read_json(path)
    width = fields.get("embedding_dimension", fields.get("word_embedding_dimension"))
    if width != config.D:
        raise ModelError(
            f"{path}: pooling of width {shorten(width)} does not fit the model's width {config.D}"
        )
    if "pooling_mode" in fields:
        modes = fields["pooling_mode"]
        modes = modes if isinstance(modes, list) else [modes]
        names = {mode: ours for ours, (mode, _) in POOLINGS.items()}
    else:
        modes = [name for name in fields if name.startswith("pooling_mode_") and fields[name]]
        modes = modes or ["pooling_mode_mean_tokens"]
        names = {boolean: ours for ours, (_, boolean) in POOLINGS.items()}
    if len(modes) != 1 or not isinstance(modes[0], str) or modes[0] not in names:
        shown = " with ".join(str(mode) for mode in modes) or "none"
        raise ModelError(
            f"{path}: the pooling {shorten(shown)} cannot be computed: only one of {', '.join(names)}"
        )
    return {"pooling": names[modes[0]], "include_prompt": fields.get("include_prompt", True)}


def _check_normalize(path: Path) -> None:
    if path.exists():
        for name, value in read_json(path).items():
            if name in ("module_input_name", "module_output_name") and value != "sentence_embedding":
                raise ModelError(
                    f"{path}: {name} {shorten(value)} cannot be computed: only 'sentence_embedding'"
                )


# What sentence-transformers 6 writes for a model that reads text and gives its last hidden states.
_TEXT_FORWARD = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}


def _read_transformer(folder: Path, config: GPT2Config, lowercase: bool) -> int | None:
    """The longest text in tokens, None for the whole window; ModelError for any other option than that.

    sentence_bert_config.json decides, then the tokenizer's model_max_length.
    """
    path = folder / "sentence_bert_config.json"
    fields = read_json(path) if path.exists() else {}
    for name, usual in (
        ("transformer_task", "feature-extraction"),
        ("module_output_name", "token_embeddings"),
    ):
        if fields.get(name, usual) != usual:
            raise ModelError(f"{path}: {name} {shorten(fields[name])} is not supported, only {usual!r}")
    if fields.get("do_lower_case") and not lowercase:
        raise ModelError(
            f"{path}: do_lower_case, but tokenizer.json has no Lowercase normalizer: add one there"
        )
    modality = fields.get("modality_config", _TEXT_FORWARD)
    if modality != _TEXT_FORWARD:
        raise ModelError(
            f"{path}: modality_config {shorten(modality)} is not supported, only {_TEXT_FORWARD}"
        )

    tokenizer_path = folder / "tokenizer_config.json"
    of_tokenizer = read_json(tokenizer_path) if tokenizer_path.exists() else {}
    if of_tokenizer.get("truncation_side", "right") != "right":
        raise ModelError(
            f"{tokenizer_path}: truncation_side must be 'right': long texts are cut at their end"
        )
    longest, source = fields.get("max_seq_length"), path
    if longest is None:
        longest, source = of_tokenizer.get("model_max_length"), tokenizer_path
    if longest is None:
        return None
    # The tokenizer's "no limit" is 1e30, which some versions write as a float.
    if type(longest) not in (int, float) or longest < 1 or longest % 1:
        raise ModelError(
            f"{source}: the longest text must be a whole number of at least 1, not {shorten(longest)}"
        )
    return int(longest) if longest < config.n_positions else None


def _read_prompts(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    fields = read_json(path)
    similarity = fields.get("similarity_fn_name")
    if similarity not in (None, "cosine"):
        warnings.warn(
            f"{path}: this model's vectors are meant to be compared by {shorten(similarity)}; minigpt2 "
            f"compares by cosine unless it is told otherwise",
            stacklevel=2,
        )
    return {
        "prompts": fields.get("prompts") or {},
        "default_prompt_name": fields.get("default_prompt_name"),
    }


def _read_calibration(path: Path) -> np.ndarray | None:
    if not path.exists():
        return None
    fields = read_json(path)
    try:
        return _checked_calibration([fields["min"], fields["max"]])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ModelError(
            f"{path} needs two lists of finite numbers, min and max, one per dimension"
        ) from None


def write_settings(folder: Path, settings: EmbeddingSettings, config: GPT2Config) -> None:
    """Write the files that this module reads into a new folder."""
    modules = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    if not settings.normalize:
        modules.pop()
    for _, place in modules[1:]:
        (folder / place).mkdir()
    write_json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": place, "type": f"sentence_transformers.models.{kind}"}
            for i, (kind, place) in enumerate(modules)
        ],
    )
    chosen = POOLINGS[settings.pooling][1]
    write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": config.D}
        | {name: name == chosen for name in POOLING_BOOLEANS}
        | {"include_prompt": settings.include_prompt},
    )
    if settings.normalize:
        write_json(folder / "2_Normalize" / "config.json", {})
    write_json(
        folder / "sentence_bert_config.json",
        {"max_seq_length": settings.max_seq_length or config.n_positions, "do_lower_case": False},
    )
    write_json(
        folder / "config_sentence_transformers.json",
        {
            "prompts": settings.prompts,
            "default_prompt_name": settings.default_prompt_name,
            "similarity_fn_name": "cosine",
        },
    )
    if settings.calibration is not None:
        low, high = settings.calibration
        write_json(folder / "quantization.json", {"min": low.tolist(), "max": high.tolist()})
