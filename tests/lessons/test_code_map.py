"""Every public function and class of the layers, the losses and the tokenizer is named in a lesson.

`TO_COME` says which lesson will name what while that lesson does not exist. As soon as it does, all of its
entries must be named in some lesson, and once all lessons exist the table must be gone.
"""

import ast
import re

from lesson_files import LESSONS, ROOT

from minigpt2.learn.cells import CODE, read_lesson
from minigpt2.learn.claims import without_comments

FOLDERS = ("layers", "training/losses", "tokenizer")
LESSON_COUNT = 20
TO_COME = {
    2: "embedding EmbeddingContext",
    4: "heads_of_groups",
    5: "split_heads merge_heads attention AttentionContext",
    6: "layernorm LayerNormContext normalized gelu GeluContext mlp MLPContext block BlockContext linear "
    "LinearContext",
    7: "load_tokenizer save_tokenizer save_vocabulary tokenizer_json tokenizer_config",
    8: "pooling PoolingContext token_weights",
    9: "normalize NormalizeContext",
    10: "linear_backward layernorm_backward softmax_backward attend_backward attention_backward "
    "gelu_backward embedding_backward mlp_backward block_backward",
    11: "normalize_backward pooling_backward cross_entropy_backward",
    12: "contrastive ContrastiveContext contrastive_backward cosent CoSENTContext cosent_backward info_nce "
    "InfoNCEContext info_nce_backward distillation DistillationContext distillation_backward triplet "
    "TripletContext triplet_backward matryoshka Prefix MatryoshkaContext matryoshka_backward",
    13: "cosine_regression CosineRegressionContext cosine_regression_backward",
    14: "dropout DropoutContext dropout_again dropout_backward recomputed_block RecomputedBlockContext "
    "recomputed_block_backward",
    16: "cross_entropy CrossEntropyContext next_token NextTokenContext next_token_backward",
}


def public_names():
    """name -> file, of every function and class at the top of a module."""
    names = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / "minigpt2" / folder).glob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    names[node.name] = path.relative_to(ROOT).as_posix()
    return names


def named_in(lesson):
    """The words in the code of a lesson and in the code spans of its text."""
    words = set()
    for cell in lesson.cells:
        text = cell.source
        if cell.kind != CODE:
            text = " ".join(re.findall(r"`([^`\n]+)`", without_comments(text)))
        words.update(re.findall(r"\w+", text))
    return words


def test_everything_is_named_or_will_be():
    named = set().union(*(named_in(read_lesson(path)) for path in LESSONS))
    there = {int(path.name[:2]) for path in LESSONS}
    to_come = {name for number, names in TO_COME.items() if number not in there for name in names.split()}
    missing = {name: file for name, file in public_names().items() if name not in named | to_come}
    assert not missing


def test_the_table_holds_nothing_else():
    planned = [name for names in TO_COME.values() for name in names.split()]
    assert len(planned) == len(set(planned))
    assert set(planned) <= set(public_names())
    assert not (TO_COME and len(LESSONS) == LESSON_COUNT), "all lessons exist: delete TO_COME"


def test_every_file_is_linked():
    """From a lesson that names what is in it."""
    linked = set()
    for path in LESSONS:
        links = read_lesson(path).cells[-1].source.rpartition("\nLinks: ")[2]
        linked.update(re.findall(r"`(minigpt2/[\w/]+\.py)`", links))
    there = {int(path.name[:2]) for path in LESSONS}
    to_come = {name for number, names in TO_COME.items() if number not in there for name in names.split()}
    files = {file for name, file in public_names().items() if name not in to_come}
    assert files <= linked
