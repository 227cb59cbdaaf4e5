"""How a vector is made: what sentence-transformers' files say, in both of their spellings."""

import json

import numpy as np
import pytest

from minigpt2.config import GPT2Config
from minigpt2.embedding_settings import (
    POOLING_BOOLEANS,
    POOLINGS,
    EmbeddingSettings,
    read_modules,
    read_settings,
    write_settings,
)
from minigpt2.errors import ModelError, UsageError

CONFIG = GPT2Config(vocab_size=11, n_positions=32, n_embd=6, n_layer=1, n_head=2)

NEW_TYPES = (
    "sentence_transformers.base.modules.transformer.Transformer",
    "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    "sentence_transformers.base.modules.normalize.Normalize",
)


def put(folder, name, value):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(value))


def put_modules(folder, *types, paths=("", "1_Pooling", "2_Normalize")):
    modules = [{"idx": i, "name": str(i), "path": paths[i], "type": kind} for i, kind in enumerate(types)]
    put(folder, "modules.json", modules)


def read(folder, **options):
    return read_settings(folder, CONFIG, read_modules(folder), **options)


@pytest.fixture
def saved(tmp_path):
    """A folder as sentence-transformers 6 saves it."""
    put_modules(tmp_path, *NEW_TYPES)
    put(tmp_path, "1_Pooling/config.json", {"embedding_dimension": 6, "pooling_mode": "mean"})
    put(tmp_path, "2_Normalize/config.json", {"module_input_name": "sentence_embedding"})
    put(tmp_path, "sentence_bert_config.json", {"transformer_task": "feature-extraction"})
    put(tmp_path, "config_sentence_transformers.json", {"prompts": {"query": "", "document": ""}})
    return tmp_path


class TestSettings:
    def test_equality_looks_into_the_calibration(self):
        a, b = (EmbeddingSettings(calibration=np.array([[0, 1], [2, 3.0]])) for _ in range(2))
        assert a == b
        assert a != EmbeddingSettings(calibration=np.array([[0, 1], [2, 4.0]]))
        assert a != EmbeddingSettings()
        assert EmbeddingSettings() == EmbeddingSettings()
        assert EmbeddingSettings() != EmbeddingSettings(pooling="max")
        assert EmbeddingSettings() != "mean"

    def test_calibration_is_a_frozen_copy(self):
        given = np.array([[0.0, 1], [2, 3]])
        settings = EmbeddingSettings(calibration=given)
        given[:] = 7
        assert settings.calibration.tolist() == [[0, 1], [2, 3]]
        assert settings.calibration.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            settings.calibration[0, 0] = 1

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"pooling": "cls"}, "unknown pooling 'cls': use one of mean, weighted_mean, last, max"),
            ({"normalize": 1}, "normalize must be true or false"),
            ({"include_prompt": None}, "include_prompt must be true or false"),
            ({"max_seq_length": 0}, "max_seq_length must be"),
            ({"max_seq_length": 8.0}, "max_seq_length must be"),
            ({"max_seq_length": True}, "max_seq_length must be"),
            ({"prompts": {"a": 1}}, "prompts must map"),
            ({"prompts": ["a"]}, "prompts must map"),
            ({"default_prompt_name": "q"}, "'q' is not among the prompts: there are none"),
            ({"prompts": {"a": "b"}, "default_prompt_name": "q"}, "not among the prompts: a"),
            ({"default_prompt_name": ["q"]}, "not among the prompts: there are none"),
            ({"calibration": [1, 2]}, "a calibration is"),
            ({"calibration": [[1, 2]]}, "a calibration is"),
            ({"calibration": [[1, 2], [0, 3]]}, "a calibration is"),
            ({"calibration": [[1, np.nan], [2, 3]]}, "a calibration is"),
        ],
    )
    def test_refuses(self, fields, message):
        with pytest.raises(UsageError, match=message):
            EmbeddingSettings(**fields)

    def test_refuses_what_does_not_fit_the_model(self):
        EmbeddingSettings(max_seq_length=32, calibration=np.zeros((2, 6))).check_fits(CONFIG)
        with pytest.raises(UsageError, match="max_seq_length 33 is beyond the model's window of 32"):
            EmbeddingSettings(max_seq_length=33).check_fits(CONFIG)
        with pytest.raises(UsageError, match="calibration has 5 dimensions, but the model has 6"):
            EmbeddingSettings(calibration=np.zeros((2, 5))).check_fits(CONFIG)


class TestRoundTrip:
    @pytest.mark.parametrize(
        "settings",
        [
            *(EmbeddingSettings(pooling=pooling) for pooling in POOLINGS),
            EmbeddingSettings(normalize=False),
            EmbeddingSettings(max_seq_length=5),
            EmbeddingSettings(prompts={"query": "query: ", "é": "\n„"}, default_prompt_name="query"),
            EmbeddingSettings(include_prompt=False),
            EmbeddingSettings(calibration=np.array([[-0.1] * 6, [1e-8, 1 / 3, 1, 2, 3, 4]], np.float32)),
        ],
        ids=str,
    )
    def test_every_setting(self, tmp_path, settings):
        write_settings(tmp_path, settings, CONFIG)
        assert read(tmp_path) == settings

    def test_layout(self, tmp_path):
        write_settings(tmp_path, EmbeddingSettings(pooling="last"), CONFIG)
        assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == [
            "1_Pooling/config.json",
            "2_Normalize/config.json",
            "config_sentence_transformers.json",
            "modules.json",
            "sentence_bert_config.json",
        ]
        pooling = json.loads((tmp_path / "1_Pooling/config.json").read_text())
        assert [name for name in POOLING_BOOLEANS if pooling[name]] == ["pooling_mode_lasttoken"]


class TestRead:
    def test_no_modules_is_mean_without_normalisation(self, tmp_path):
        assert read(tmp_path) == EmbeddingSettings(pooling="mean", normalize=False)

    def test_newer_spelling(self, saved):
        assert read(saved) == EmbeddingSettings(prompts={"query": "", "document": ""})

    @pytest.mark.parametrize("as_list", [False, True])
    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_newer_pooling(self, saved, pooling, as_list):
        mode = POOLINGS[pooling][0]
        fields = {
            "embedding_dimension": 6,
            "pooling_mode": [mode] if as_list else mode,
            "include_prompt": False,
        }
        put(saved, "1_Pooling/config.json", fields)
        assert read(saved).pooling == pooling
        assert read(saved).include_prompt is False

    def test_no_pooling_named_is_mean(self, saved):
        put(saved, "1_Pooling/config.json", {"word_embedding_dimension": 6, "pooling_mode_max_tokens": False})
        assert read(saved).pooling == "mean"

    def test_transformer_in_a_folder_of_its_own(self, saved):
        put_modules(saved, *NEW_TYPES, paths=("0_Transformer", "1_Pooling", "2_Normalize"))
        put(saved, "0_Transformer/sentence_bert_config.json", {"max_seq_length": 9})
        assert read_modules(saved).transformer == saved / "0_Transformer"
        assert read(saved).max_seq_length == 9

    @pytest.mark.parametrize(
        ("mode", "message"),
        [
            ({"pooling_mode": "cls"}, "pooling 'cls' cannot be computed: only one of mean, weightedmean"),
            ({"pooling_mode": ["mean", "max"]}, "pooling 'mean with max' cannot be computed"),
            ({"pooling_mode": []}, "pooling 'none'"),
            ({"pooling_mode": {"a": 1}}, "cannot be computed"),
            ({"pooling_mode": None}, "cannot be computed"),
            ({"pooling_mode_cls_token": True}, "'pooling_mode_cls_token' cannot be computed"),
            ({"pooling_mode_mean_sqrt_len_tokens": True}, "'pooling_mode_mean_sqrt_len_tokens' cannot"),
            (
                {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True},
                "'pooling_mode_mean_tokens with pooling_mode_max_tokens'",
            ),
            ({"pooling_mode_cls_token": 1}, "'pooling_mode_cls_token' cannot be computed"),
            ({"embedding_dimension": 7}, "pooling of width 7 does not fit the model's width 6"),
            ({"embedding_dimension": None}, "pooling of width None"),
            ({"include_prompt": "no"}, "include_prompt must be true or false, not 'no'"),
        ],
    )
    def test_refuses_pooling(self, saved, mode, message):
        put(saved, "1_Pooling/config.json", {"embedding_dimension": 6} | mode)
        with pytest.raises(ModelError, match=message):
            read(saved)

    def test_pooling_without_its_file(self, saved):
        (saved / "1_Pooling/config.json").unlink()
        with pytest.raises(ModelError, match=r"1_Pooling/config\.json is missing"):
            read(saved)

    @pytest.mark.parametrize(
        "types",
        [
            (),
            NEW_TYPES[:1],
            NEW_TYPES[1:],
            (NEW_TYPES[0], NEW_TYPES[2], NEW_TYPES[1]),
            (*NEW_TYPES[:2], NEW_TYPES[1]),
        ],
    )
    def test_refuses_other_pipelines(self, saved, types):
        put_modules(saved, *types)
        with pytest.raises(
            ModelError, match="cannot be computed: only Transformer, Pooling and then possibly"
        ):
            read(saved)

    @pytest.mark.parametrize(
        "kind",
        [
            "sentence_transformers.models.Dense",
            "sentence_transformers.base.modules.dense.Dense",
            "sentence_transformers.models.LayerNorm",
            "my_code.Pooling",
            "Pooling",
        ],
    )
    def test_refuses_other_modules_by_name(self, saved, kind):
        put_modules(saved, NEW_TYPES[0], kind)
        with pytest.raises(ModelError, match=rf"the module '{kind}' cannot be computed"):
            read(saved)

    @pytest.mark.parametrize("path", ["/etc", "../other", "a/../../b"])
    def test_refuses_paths_that_lead_out(self, saved, path):
        put_modules(saved, *NEW_TYPES, paths=("", path, "2_Normalize"))
        with pytest.raises(ModelError, match="leads out of the model directory"):
            read(saved)

    @pytest.mark.parametrize("path", ["a\0b", "a\nb", "a\ud800", "a" * 5000])
    def test_refuses_paths_that_no_folder_has(self, saved, path):
        put_modules(saved, *NEW_TYPES, paths=("", "1_Pooling", path))
        with pytest.raises(ModelError, match="is no name of a folder") as caught:
            read(saved)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("module", [3, {}, {"type": 1, "path": ""}, {"type": NEW_TYPES[0], "path": None}])
    def test_refuses_malformed_modules(self, saved, module):
        put(saved, "modules.json", [module])
        with pytest.raises(ModelError, match="every module needs a type and a path"):
            read(saved)

    def test_refuses_normalisation_of_something_else(self, saved):
        put(saved, "2_Normalize/config.json", {"module_input_name": "token_embeddings"})
        with pytest.raises(ModelError, match="'token_embeddings' cannot be computed"):
            read(saved)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("transformer_task", "text-generation"),
            ("module_output_name", "sentence_embedding"),
            ("do_lower_case", True),
        ],
    )
    def test_refuses_transformer_options(self, saved, field, value):
        put(saved, "sentence_bert_config.json", {field: value})
        with pytest.raises(ModelError, match=field):
            read(saved)

    def test_refuses_another_hidden_state(self, saved):
        modality = {"text": {"method": "forward", "method_output_name": "logits"}}
        put(saved, "sentence_bert_config.json", {"modality_config": modality})
        with pytest.raises(ModelError, match="modality_config"):
            read(saved)

    def test_lower_case_is_fine_if_the_tokenizer_does_it(self, saved):
        put(saved, "sentence_bert_config.json", {"do_lower_case": True})
        assert read(saved, lowercase=True) == read_again(saved)

    @pytest.mark.parametrize(
        ("bert", "tokenizer", "expected"),
        [
            ({}, None, None),
            ({"max_seq_length": 7}, {"model_max_length": 5}, 7),
            ({"max_seq_length": None}, {"model_max_length": 5}, 5),
            ({}, {"model_max_length": 5}, 5),
            ({}, {"model_max_length": 10**30}, None),
            ({}, {"model_max_length": 1e30}, None),
            ({"max_seq_length": 32}, None, None),
            ({"max_seq_length": 512}, None, None),
        ],
    )
    def test_longest_text(self, saved, bert, tokenizer, expected):
        put(saved, "sentence_bert_config.json", bert)
        if tokenizer is not None:
            put(saved, "tokenizer_config.json", tokenizer)
        assert read(saved).max_seq_length == expected

    @pytest.mark.parametrize("value", [0, -1, 7.5, "many", True, [5]])
    def test_refuses_longest_text(self, saved, value):
        put(saved, "sentence_bert_config.json", {"max_seq_length": value})
        with pytest.raises(ModelError, match="longest text must be"):
            read(saved)

    def test_refuses_to_cut_at_the_front(self, saved):
        put(saved, "tokenizer_config.json", {"truncation_side": "left"})
        with pytest.raises(ModelError, match="truncation_side"):
            read(saved)

    def test_refuses_prompts(self, saved):
        put(saved, "config_sentence_transformers.json", {"prompts": {"a": 1}})
        with pytest.raises(ModelError, match="prompts must map"):
            read(saved)
        put(saved, "config_sentence_transformers.json", {"default_prompt_name": "query"})
        with pytest.raises(ModelError, match="'query' is not among"):
            read(saved)

    def test_another_similarity_is_said(self, saved):
        put(saved, "config_sentence_transformers.json", {"similarity_fn_name": "dot"})
        with pytest.warns(UserWarning, match="meant to be compared by 'dot'"):
            read(saved)

    @pytest.mark.parametrize(
        "value",
        [
            {},
            {"min": [0] * 6},
            {"min": [0] * 6, "max": "x"},
            {"min": [0, 1], "max": [1]},
            {"min": [2], "max": [1]},
        ],
    )
    def test_refuses_calibration(self, saved, value):
        put(saved, "quantization.json", value)
        with pytest.raises(ModelError, match=r"quantization\.json needs two lists"):
            read(saved)

    def test_refuses_calibration_of_another_width(self, saved):
        put(saved, "quantization.json", {"min": [0] * 5, "max": [1] * 5})
        with pytest.raises(ModelError, match="calibration has 5 dimensions, but the model has 6"):
            read(saved)


def read_again(folder):
    put(folder, "sentence_bert_config.json", {})
    return read(folder)
