"""Tokenizer files: `tokenizer.json` of the `tokenizers` library, and GPT-2's `vocab.json` with `merges.txt`.

A tokenizer.json describes a pipeline of which this package has one line of parts:

    added_tokens  ->  normalizer  ->  pre_tokenizer  ->  model  ->  post_processor  /  decoder
    special only      none or         ByteLevel with     BPE        none that adds     ByteLevel
                      Lowercase       its own split                 tokens

Anything else would give other ids than its author meant, so it is a ModelError that names the part. Two
entries are read over on purpose: `truncation` and `padding` are settings of a call, which the encoder makes.

`vocab.json` with `merges.txt` knows neither special tokens nor a normalizer. Read from there, a token that is
neither a single byte nor made by a merge is taken as special: of GPT-2's 50257 just `<|endoftext|>`.
"""

import contextlib
import gc
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import DataError, ModelError, OutputError, UsageError
from ..files import atomic_path, is_folder, read_json, read_lines, shorten, write_json
from .base import Tokenizer
from .bpe import BPETokenizer
from .byte import ByteTokenizer
from .byte_alphabet import BYTE_OF_CHARACTER, CHARACTER_OF_BYTE, spell, unspell_all

TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "tokenizer_config.json"
VOCABULARY_FILE = "vocab.json"
MERGES_FILE = "merges.txt"


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Without the garbage collector, which would go over tens of thousands of small tuples several times."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_without_collector()
def load_tokenizer(path: str | PathLike[str]) -> Tokenizer:
    """Read a folder, a tokenizer.json, or a vocab.json or merges.txt with the other one beside it.

    A tokenizer_config.json beside it says which special tokens end and pad a text.
    Raises ModelError for a missing or malformed file and for what this package does not implement.
    """
    path = Path(path)
    if is_folder(path):
        if (path / TOKENIZER_FILE).exists():
            return _read_tokenizer_json(path / TOKENIZER_FILE)
        if (path / VOCABULARY_FILE).exists() and (path / MERGES_FILE).exists():
            return _read_vocabulary(path)
        raise ModelError(
            f"{path} holds no tokenizer: it needs {TOKENIZER_FILE}, or {VOCABULARY_FILE} with {MERGES_FILE}"
        )
    if not path.exists():
        raise ModelError(f"no tokenizer at {path}: give a folder or a {TOKENIZER_FILE}")
    if path.name in (VOCABULARY_FILE, MERGES_FILE):
        return _read_vocabulary(path.parent)
    return _read_tokenizer_json(path)


def _read_tokenizer_json(path: Path) -> Tokenizer:
    document = read_json(path)
    lowercase = _reads_lowercase(path, document.get("normalizer"))
    add_prefix_space = _reads_prefix_space(path, document.get("pre_tokenizer"))
    _check_post_processor(path, document.get("post_processor"))
    decoder = document.get("decoder")
    if decoder is not None and _type_of(decoder) != "ByteLevel":
        raise _not_implemented(path, "decoder", decoder, "ByteLevel")
    vocabulary, merges = _reads_model(path, document.get("model"))
    special_tokens = _reads_added_tokens(path, document.get("added_tokens") or [], vocabulary, lowercase)
    config = _config_beside(path) if path.name == TOKENIZER_FILE else {}
    return _build(path, vocabulary, merges, special_tokens, lowercase, add_prefix_space, config)


def _read_vocabulary(folder: Path) -> Tokenizer:
    path = folder / VOCABULARY_FILE
    vocabulary = _checked_vocabulary(path, read_json(path))
    merges = _read_merges(folder / MERGES_FILE)
    config = _config_beside(path)
    made = {left + right for left, right in merges}
    special = {t: i for t, i in vocabulary.items() if t not in made and t not in BYTE_OF_CHARACTER}
    add_prefix_space = config.get("add_prefix_space") is True
    return _build(path, vocabulary, merges, special, False, add_prefix_space, config)


def _build(
    path: Path,
    vocabulary: Mapping[str, int],
    merges: Iterable[Sequence[str]],
    special_tokens: Mapping[str, int],
    lowercase: bool,
    add_prefix_space: bool,
    config: Mapping[str, Any],
) -> Tokenizer:
    """The tokenizer of spelled tokens and merges; a byte tokenizer if that is what they amount to."""
    roles = {role: _token_text(config.get(role)) for role in ("eos_token", "pad_token")}
    ordinary = {token: id for token, id in vocabulary.items() if token not in special_tokens}
    ids_are_bytes = ordinary == {character: byte for byte, character in enumerate(CHARACTER_OF_BYTE)}
    try:
        if ids_are_bytes and not merges and not lowercase and not add_prefix_space:
            in_order = sorted(special_tokens, key=special_tokens.__getitem__)
            if [special_tokens[name] for name in in_order] == list(range(256, 256 + len(in_order))):
                return ByteTokenizer(in_order, **roles)
        bytes_of = _unspelled(ordinary, path)
        spelled_apart = {part for merge in merges for part in merge if part not in bytes_of}
        bytes_of |= _unspelled(spelled_apart, path)  # not in the vocabulary, as the tokenizer will say
        return BPETokenizer(
            {bytes_of[token]: id for token, id in ordinary.items()},
            [(bytes_of[left], bytes_of[right]) for left, right in merges],
            special_tokens,
            lowercase=lowercase,
            add_prefix_space=add_prefix_space,
            **roles,
        )
    except (ModelError, UsageError) as error:
        message = str(error)
        raise ModelError(message if message.startswith(str(path)) else f"{path}: {message}") from None


def _unspelled(tokens: Collection[str], path: Path) -> dict[str, bytes]:
    """Each token -> its bytes."""
    try:
        return dict(zip(tokens, unspell_all(tokens), strict=True))
    except KeyError as error:
        character = error.args[0]
    token = next(token for token in tokens if character in token)
    raise ModelError(
        f"{path}: token {shorten(token)} holds {character!a}, which stands for no byte: "
        "this is not a byte-level vocabulary"
    )


def _reads_lowercase(path: Path, normalizer: Any) -> bool:
    """True if the normalizer lower-cases, False if there is none."""
    if normalizer is None:
        return False
    if _type_of(normalizer) == "Sequence" and isinstance(normalizer.get("normalizers"), list):
        return [_reads_lowercase(path, part) for part in normalizer["normalizers"]].count(True) > 0
    if _type_of(normalizer) != "Lowercase":
        raise _not_implemented(path, "normalizer", normalizer, "none or Lowercase")
    return True


def _reads_prefix_space(path: Path, pre_tokenizer: Any) -> bool:
    """add_prefix_space of the one pre-tokenizer that is implemented."""
    if _type_of(pre_tokenizer) == "Sequence":
        parts = pre_tokenizer.get("pretokenizers")
        if isinstance(parts, list) and len(parts) == 1:
            return _reads_prefix_space(path, parts[0])
    if _type_of(pre_tokenizer) != "ByteLevel":
        raise _not_implemented(path, "pre_tokenizer", pre_tokenizer, "ByteLevel")
    if pre_tokenizer.get("use_regex", True) is not True:
        raise ModelError(f"{path}: pre_tokenizer ByteLevel without its own split pattern is not implemented")
    add_prefix_space = pre_tokenizer.get("add_prefix_space", True)
    if not isinstance(add_prefix_space, bool):
        raise ModelError(
            f"{path}: pre_tokenizer add_prefix_space must be true or false, not {shorten(add_prefix_space)}"
        )
    return add_prefix_space


def _check_post_processor(path: Path, post_processor: Any) -> None:
    """Accept what leaves the ids alone: ByteLevel (it moves offsets), or a template of the text by itself."""
    kind = _type_of(post_processor)
    if post_processor is None or kind == "ByteLevel":
        return
    if kind == "Sequence" and isinstance(post_processor.get("processors"), list):
        for part in post_processor["processors"]:
            _check_post_processor(path, part)
    elif kind != "TemplateProcessing" or not _is_text_alone(post_processor.get("single")):
        raise _not_implemented(path, "post_processor", post_processor, "none that adds tokens")


def _is_text_alone(template: Any) -> bool:
    is_one_part = isinstance(template, list) and len(template) == 1 and isinstance(template[0], dict)
    return is_one_part and "Sequence" in template[0]


def _reads_model(path: Path, model: Any) -> tuple[dict[str, int], list[Sequence[str]]]:
    """Vocabulary and merges, as they are spelled, of a BPE model without variations."""
    # Older files leave the type out and are known by their merges.
    if not isinstance(model, dict) or model.get("type", "BPE" if "merges" in model else None) != "BPE":
        raise _not_implemented(path, "model", model, "BPE")
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges"):
        if model.get(option):
            raise ModelError(
                f"{path}: model option {option}={model[option]!r} is not implemented, only its absence"
            )
    if not isinstance(model.get("merges"), list):
        raise ModelError(f"{path}: model.merges must be a list of pairs")
    return _checked_vocabulary(path, model.get("vocab")), _reads_merges(path, model["merges"])


def _reads_merges(path: Path, merges: list[Any]) -> list[Sequence[str]]:
    """A merge is written "left right", or since tokenizers 0.20 ["left", "right"]."""
    pairs = [merge.split(" ") if isinstance(merge, str) else merge for merge in merges]
    if not _are_pairs(pairs):
        rank = next(rank for rank, pair in enumerate(pairs) if not _are_pairs([pair]))
        raise ModelError(f"{path}: merge {rank} must be two tokens, not {shorten(merges[rank])}")
    return pairs


def _are_pairs(pairs: list[Any]) -> bool:
    """True for lists of two texts that are not empty; thousands of them are looked at without a loop."""
    if not set(map(type, pairs)) <= {list} or not set(map(len, pairs)) <= {2}:
        return False
    tokens = list(chain.from_iterable(pairs))
    return set(map(type, tokens)) <= {str} and "" not in tokens


def _checked_vocabulary(path: Path, vocabulary: Any) -> dict[str, int]:
    if not isinstance(vocabulary, dict):
        raise ModelError(f"{path}: the vocabulary must be an object of token: id")
    for token, id in vocabulary.items():
        if type(id) is not int or id < 0:
            raise ModelError(
                f"{path}: token {shorten(token)} has id {shorten(id)}, not a whole number from 0"
            )
    return vocabulary


def _reads_added_tokens(
    path: Path, added: Any, vocabulary: Mapping[str, int], lowercase: bool
) -> dict[str, int]:
    """name -> id of the special tokens."""
    special_tokens: dict[str, int] = {}
    if not isinstance(added, list):
        raise ModelError(f"{path}: added_tokens must be a list")
    for token in added:
        name, id = (token.get("content"), token.get("id")) if isinstance(token, dict) else (None, None)
        if not isinstance(name, str) or not name or not isinstance(id, int) or isinstance(id, bool) or id < 0:
            raise ModelError(f"{path}: added token {shorten(token)} needs a content and an id")
        for option in ("single_word", "lstrip", "rstrip"):
            if token.get(option):
                raise ModelError(f"{path}: added token {name!r} has {option}, which is not implemented")
        if not token.get("special"):
            raise ModelError(
                f"{path}: added token {name!r} is not special; only special ones are implemented"
            )
        if token.get("normalized") and lowercase:
            raise ModelError(
                f"{path}: added token {name!r} is looked for in lower-cased text (normalized), which is not "
                "implemented"
            )
        if name in special_tokens or vocabulary.get(name, id) != id:
            other = special_tokens.get(name, vocabulary.get(name))
            raise ModelError(f"{path}: added token {name!r} has the ids {other} and {id}")
        special_tokens[name] = id
    return special_tokens


def _read_merges(path: Path) -> list[tuple[str, str]]:
    """The lines of merges.txt, the first of which may be a "#version:" line."""
    try:
        lines = list(read_lines(path))
    except DataError as error:
        raise ModelError(str(error)) from None
    if lines and lines[0].startswith("#version"):
        lines[0] = ""
    merges = []
    for number, line in enumerate(lines, 1):
        if line:
            parts = line.split(" ")
            if len(parts) != 2 or not all(parts):
                raise ModelError(
                    f"{path}: line {number} must be two tokens and one blank, not {shorten(line)}"
                )
            merges.append((parts[0], parts[1]))
    return merges


def _config_beside(path: Path) -> dict[str, Any]:
    config = path.parent / CONFIG_FILE
    return read_json(config) if config.exists() else {}


def _token_text(token: Any) -> str | None:
    """A token in tokenizer_config.json: a text, or an object with its text as content."""
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else None


def _type_of(part: Any) -> str | None:
    return part.get("type") if isinstance(part, dict) else None


def _not_implemented(path: Path, part: str, value: Any, known: str) -> ModelError:
    name = "none" if value is None else _type_of(value)
    if not isinstance(name, str) or not name.isidentifier():
        name = shorten(value)
    return ModelError(f"{path}: {part} {name} is not implemented, only {known}; use a GPT-2 tokenizer")


def save_tokenizer(
    tokenizer: Tokenizer, path: str | PathLike[str], *, model_max_length: int | None = None
) -> Path:
    """Write tokenizer.json and tokenizer_config.json into a folder, made if missing, or one file `….json`."""
    path = Path(path)
    if path.suffix == ".json" and not os.path.isdir(path):
        with atomic_path(path) as temporary:
            write_json(temporary, tokenizer_json(tokenizer))
        return path
    _make_folder(path)
    for name, document in (
        (TOKENIZER_FILE, tokenizer_json(tokenizer)),
        (CONFIG_FILE, tokenizer_config(tokenizer, model_max_length)),
    ):
        with atomic_path(path / name) as temporary:
            write_json(temporary, document)
    return path


def save_vocabulary(tokenizer: Tokenizer, folder: str | PathLike[str]) -> Path:
    """Write GPT-2's original pair of files, vocab.json and merges.txt, into a folder (made if missing).

    Raises UsageError for a tokenizer that lower-cases or adds a blank, which these files cannot say.
    """
    for name in ("lowercase", "add_prefix_space"):
        if getattr(tokenizer, name):
            raise UsageError(
                f"{VOCABULARY_FILE} and {MERGES_FILE} cannot hold {name}: save a {TOKENIZER_FILE}"
            )
    folder = Path(folder)
    _make_folder(folder)
    with atomic_path(folder / VOCABULARY_FILE) as temporary:
        write_json(temporary, _spelled_vocabulary(tokenizer))
    with atomic_path(folder / MERGES_FILE) as temporary:
        temporary.write_text("\n".join(["#version: 0.2", *_spelled_merges(tokenizer), ""]), encoding="utf-8")
    return folder


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        kind = UsageError if isinstance(error, (FileExistsError, NotADirectoryError)) else OutputError
        raise kind(f"cannot make the folder {folder}: {(error.strerror or 'refused').lower()}") from error


def tokenizer_json(tokenizer: Tokenizer) -> dict[str, Any]:
    """The document that the `tokenizers` library reads, with the same ids."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": tokenizer.add_prefix_space}
    byte_level |= {"trim_offsets": True, "use_regex": True}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": id, "content": name, **flags, "special": True}
            for name, id in tokenizer.special_tokens.items()
        ],
        "normalizer": {"type": "Lowercase"} if tokenizer.lowercase else None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": _spelled_vocabulary(tokenizer),
            "merges": _spelled_merges(tokenizer),
        },
    }


def _spelled_vocabulary(tokenizer: Tokenizer) -> dict[str, int]:
    """Spelled token -> id, in the order of ids; special tokens by their name."""
    names = {id: name for name, id in tokenizer.special_tokens.items()}
    spelled: dict[str, int] = {}
    for id in range(tokenizer.vocab_size):
        token = names.get(id) or spell(tokenizer.token_bytes(id))
        if token in spelled:
            raise UsageError(
                f"special token {token!r} is spelled like an ordinary token: give it another name"
            )
        spelled[token] = id
    return spelled


def _spelled_merges(tokenizer: Tokenizer) -> Iterable[str]:
    """ "left right" by rank: the spelling that every version of the library reads."""
    return [f"{spell(left)} {spell(right)}" for left, right in getattr(tokenizer, "merges", ())]


def tokenizer_config(tokenizer: Tokenizer, model_max_length: int | None = None) -> dict[str, Any]:
    """What transformers and sentence-transformers read beside tokenizer.json."""
    config: dict[str, Any] = {
        # Every transformers from 4.48 reads this class (version 5 calls it TokenizersBackend) and takes
        # tokenizer.json as it is. GPT2Tokenizer of 5 builds its pipeline anew from vocabulary and merges and
        # so loses the Lowercase normalizer.
        "tokenizer_class": "PreTrainedTokenizerFast",
        # Without this list transformers 4 gives token_type_ids too, and GPT2Model adds wte[0] to all tokens.
        "model_input_names": ["input_ids", "attention_mask"],
        "add_prefix_space": tokenizer.add_prefix_space,
        "clean_up_tokenization_spaces": False,
        "padding_side": "right",
    }
    for role in ("bos_token", "eos_token", "unk_token"):
        if tokenizer.eos_token is not None:
            config[role] = tokenizer.eos_token
    if tokenizer.pad_token is not None:
        config["pad_token"] = tokenizer.pad_token
    if model_max_length is not None:
        config["model_max_length"] = model_max_length
    return config
