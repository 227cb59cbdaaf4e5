"""tokenizer.json, vocab.json with merges.txt, tokenizer_config.json: written, read back, and refused."""

import json

import pytest

from minigpt2.errors import ModelError, OutputError, UsageError
from minigpt2.tokenizer import BPETokenizer, ByteTokenizer, load_tokenizer, save_vocabulary, train_bpe
from minigpt2.tokenizer.byte_alphabet import CHARACTER_OF_BYTE

TEXTS = ["", "low lower", " LOW  Lower\n", "<|endoftext|>low", "日本語 🙂 é", "ΟΔΟΣ İ", "x" * 300]


def same_ids(a, b):
    return all(
        a.encode(text, allow_special=special) == b.encode(text, allow_special=special)
        for text in TEXTS
        for special in (False, True)
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"lowercase": True}, {"add_prefix_space": True}, {"lowercase": True, "add_prefix_space": True}],
)
def test_saved_and_loaded(make_tokenizer, tmp_path, options):
    tokenizer = make_tokenizer(special_tokens=["<|pad|>", "<|endoftext|>"], **options)
    folder = tokenizer.save(tmp_path / "model", model_max_length=128)
    assert sorted(p.name for p in folder.iterdir()) == ["tokenizer.json", "tokenizer_config.json"]
    for path in (folder, folder / "tokenizer.json"):
        loaded = load_tokenizer(path)
        assert isinstance(loaded, BPETokenizer)
        assert same_ids(loaded, tokenizer)
        assert (loaded.eos_id, loaded.pad_id, loaded.merges) == (261, 260, tokenizer.merges)
        assert (loaded.lowercase, loaded.add_prefix_space) == (
            tokenizer.lowercase,
            tokenizer.add_prefix_space,
        )


def test_saved_as_one_file(tokenizer, tmp_path):
    path = tokenizer.save(tmp_path / "mine.json")
    assert path.is_file()
    assert same_ids(load_tokenizer(path), tokenizer)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.json"]


def test_a_trained_tokenizer_survives(tmp_path):
    trained = train_bpe(["The low, lower and lowest. LOW!"] * 3, 280, lowercase=True)
    assert same_ids(load_tokenizer(trained.save(tmp_path)), trained)


def test_config_says_what_other_libraries_need(make_tokenizer, tmp_path):
    make_tokenizer(special_tokens=["<|endoftext|>", "<|pad|>"]).save(tmp_path, model_max_length=512)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text()) == {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "padding_side": "right",
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|pad|>",
        "model_max_length": 512,
    }


def test_config_chooses_end_and_padding(make_tokenizer, tmp_path):
    make_tokenizer(special_tokens=["<a>", "<b>"], eos_token="<b>", pad_token="<a>").save(tmp_path)
    loaded = load_tokenizer(tmp_path)
    assert (loaded.eos_token, loaded.pad_token) == ("<b>", "<a>")
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    config["pad_token"] = {"content": "<b>", "lstrip": False}  # an AddedToken of older versions
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert load_tokenizer(tmp_path).pad_token == "<b>"


def test_vocabulary_and_merges(tokenizer, tmp_path):
    save_vocabulary(tokenizer, tmp_path)
    assert (tmp_path / "merges.txt").read_text(encoding="utf-8") == "#version: 0.2\nl o\nlo w\ne r\nĠ low\n"
    vocabulary = json.loads((tmp_path / "vocab.json").read_text(encoding="utf-8"))
    assert vocabulary["Ġlow"] == 259
    assert vocabulary["<|endoftext|>"] == 260
    for path in (tmp_path, tmp_path / "vocab.json", tmp_path / "merges.txt"):
        loaded = load_tokenizer(path)
        assert loaded.special_tokens == {"<|endoftext|>": 260}
        assert same_ids(loaded, tokenizer)


def test_vocabulary_without_version_line_and_with_a_prefix_space(make_tokenizer, tmp_path):
    save_vocabulary(make_tokenizer(), tmp_path)
    (tmp_path / "merges.txt").write_text("l o\r\nlo w\r\ne r\r\nĠ low\r\n\r\n", encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"add_prefix_space": true}')
    assert same_ids(load_tokenizer(tmp_path), make_tokenizer(add_prefix_space=True))


def test_a_merge_that_begins_with_a_number_sign_is_no_version_line(make_tokenizer, tmp_path):
    tokenizer = make_tokenizer([(b"#", b"!"), (b"#!", b"#")])
    save_vocabulary(tokenizer, tmp_path)
    merges = (tmp_path / "merges.txt").read_text().removeprefix("#version: 0.2\n")
    (tmp_path / "merges.txt").write_text(merges)
    assert load_tokenizer(tmp_path).encode("#!#") == [257]


def test_byte_tokenizer_as_vocabulary(tmp_path):
    save_vocabulary(ByteTokenizer(), tmp_path)
    assert isinstance(load_tokenizer(tmp_path), ByteTokenizer)
    assert load_tokenizer(tmp_path).special_tokens == ByteTokenizer().special_tokens


@pytest.mark.parametrize("option", ["lowercase", "add_prefix_space"])
def test_vocabulary_cannot_hold_normalizers(make_tokenizer, tmp_path, option):
    with pytest.raises(UsageError, match=f"cannot hold {option}: save a tokenizer.json"):
        save_vocabulary(make_tokenizer(**{option: True}), tmp_path)


def test_a_special_token_spelled_like_another_token_is_not_written(make_tokenizer, tmp_path):
    with pytest.raises(UsageError, match="special token 'Ġlow' is spelled like an ordinary token"):
        make_tokenizer(special_tokens=["Ġlow"]).save(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def document(tokenizer, tmp_path):
    """A good tokenizer.json to spoil, and how to load what became of it."""
    tokenizer.save(tmp_path / "tokenizer.json")
    content = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))

    class Document(dict):
        def load(self):
            (tmp_path / "tokenizer.json").write_text(json.dumps(self), encoding="utf-8")
            return load_tokenizer(tmp_path)

    return Document(content)


@pytest.mark.parametrize(
    "change",
    [
        {"truncation": {"max_length": 4}, "padding": {"strategy": "BatchLongest", "pad_id": 0}},
        {"normalizer": {"type": "Sequence", "normalizers": []}},
        {
            "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [{"type": "ByteLevel", "add_prefix_space": False}],
            }
        },
        {"post_processor": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False}},
        {
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{"Sequence": {"id": "A", "type_id": 0}}],
            }
        },
        {"decoder": None},
    ],
)
def test_parts_that_leave_the_ids_alone(document, tokenizer, change):
    document |= change
    assert same_ids(document.load(), tokenizer)


def test_both_spellings_of_merges(document, tokenizer):
    assert document["model"]["merges"] == ["l o", "lo w", "e r", "Ġ low"]
    document["model"]["merges"] = [["l", "o"], ["lo", "w"], ["e", "r"], ["Ġ", "low"]]
    assert same_ids(document.load(), tokenizer)
    del document["model"]["type"]  # as in files before 0.9
    assert same_ids(document.load(), tokenizer)


def test_lowercase_within_a_sequence(document, make_tokenizer):
    document["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}
    assert same_ids(document.load(), make_tokenizer(lowercase=True))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("model", {"type": "WordPiece", "vocab": {}}, "model WordPiece is not implemented, only BPE"),
        ("model", {"type": "Unigram", "vocab": []}, "model Unigram"),
        ("model", None, "model none"),
        ("normalizer", {"type": "NFC"}, "normalizer NFC is not implemented"),
        ("normalizer", {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, {"type": "NFD"}]}, "NFD"),
        ("pre_tokenizer", {"type": "Whitespace"}, "pre_tokenizer Whitespace"),
        ("pre_tokenizer", None, "pre_tokenizer none"),
        (
            "pre_tokenizer",
            {"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "ByteLevel"}]},
            "pre_tokenizer Sequence",
        ),
        ("pre_tokenizer", {"type": "Sequence", "pretokenizers": 5}, "pre_tokenizer Sequence"),
        ("pre_tokenizer", {"type": "Sequence", "pretokenizers": {"a": 1}}, "pre_tokenizer Sequence"),
        ("pre_tokenizer", {"type": "ByteLevel", "add_prefix_space": 1}, "must be true or false, not 1"),
        ("pre_tokenizer", {"type": "two\nlines"}, "pre_tokenizer {'type'"),
        ("pre_tokenizer", {"type": "ByteLevel", "use_regex": False}, "without its own split pattern"),
        (
            "post_processor",
            {"type": "TemplateProcessing", "single": [5]},
            "post_processor TemplateProcessing",
        ),
        ("post_processor", {"type": "RobertaProcessing"}, "post_processor RobertaProcessing"),
        (
            "post_processor",
            {
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<|endoftext|>"}}, {"Sequence": {"id": "A"}}],
            },
            "post_processor TemplateProcessing is not implemented, only none that adds tokens",
        ),
        (
            "post_processor",
            {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "BertProcessing"}]},
            "post_processor BertProcessing",
        ),
        ("decoder", {"type": "WordPiece"}, "decoder WordPiece"),
        ("added_tokens", {"<|x|>": 1}, "added_tokens must be a list"),
    ],
)
def test_parts_that_are_not_implemented(document, part, value, message):
    document[part] = value
    with pytest.raises(ModelError, match=message) as caught:
        document.load()
    assert "tokenizer.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("dropout", 0.1),
        ("continuing_subword_prefix", "##"),
        ("end_of_word_suffix", "</w>"),
        ("ignore_merges", True),
    ],
)
def test_model_options_that_are_not_implemented(document, option, value):
    document["model"][option] = value
    with pytest.raises(ModelError, match=f"model option {option}="):
        document.load()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"single_word": True}, "single_word, which is not implemented"),
        ({"lstrip": True}, "lstrip, which is not implemented"),
        ({"rstrip": True}, "rstrip, which is not implemented"),
        ({"special": False}, "is not special"),
        ({"id": 7}, "has the ids 260 and 7"),
        ({"id": "7"}, "needs a content and an id"),
        ({"content": ""}, "needs a content and an id"),
    ],
)
def test_added_tokens_that_cannot_be_used(document, change, message):
    document["added_tokens"][0] |= change
    with pytest.raises(ModelError, match=message):
        document.load()


def test_an_added_token_is_normalized_only_where_nothing_is_normalized(document, tokenizer):
    document["added_tokens"][0]["normalized"] = True  # as in the published GPT-2
    assert same_ids(document.load(), tokenizer)
    document["normalizer"] = {"type": "Lowercase"}
    with pytest.raises(ModelError, match="looked for in lower-cased text"):
        document.load()


def test_added_tokens_outside_the_model_vocabulary(document, tokenizer):
    del document["model"]["vocab"]["<|endoftext|>"]
    assert same_ids(document.load(), tokenizer)
    document["added_tokens"].append(document["added_tokens"][0] | {"content": "<|b|>", "id": 262})
    with pytest.raises(ModelError, match=r"262 tokens need the ids 0 to 261, but 261 is missing"):
        document.load()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["vocab"].update({"lo": 5}), "id 5 is given to both"),
        (lambda m: m["vocab"].update({"lo": 999}), "but 256 is missing"),
        (lambda m: m["vocab"].update({"lo": -1}), "token 'lo' has id -1, not a whole number"),
        (lambda m: m["vocab"].update({"lo": 2.5}), "token 'lo' has id 2.5"),
        (lambda m: m["vocab"].update({"lo": True}), "token 'lo' has id True"),
        (lambda m: m["vocab"].update({"日": 261}), r"token '日' holds '\\u65e5', which stands for no byte"),
        (
            lambda m: m["vocab"].update(lowest=m["vocab"].pop("low")),
            r"merge 1 \(lo w\): its result 'low' is not in the vocabulary",
        ),
        (lambda m: m["vocab"].pop("a"), "lacks 1 of the 256 bytes, first 0x61"),
        (lambda m: m.update(vocab=["a"]), "the vocabulary must be an object"),
        (lambda m: m.update(merges={"l": "o"}), "merges must be a list"),
        (lambda m: m["merges"].append("l"), "merge 4 must be two tokens, not 'l'"),
        (lambda m: m["merges"].append("l o w"), "merge 4 must be two tokens"),
        (lambda m: m["merges"].append(["l", 5]), "merge 4 must be two tokens"),
        (
            lambda m: m["merges"].append("x yz"),
            r"merge 4 \(x yz\): its right part 'yz' is not in the vocabulary",
        ),
        (lambda m: m["merges"].append("日 l"), "stands for no byte"),
    ],
)
def test_models_that_cannot_be_used(document, change, message):
    change(document["model"])
    with pytest.raises(ModelError, match=message) as caught:
        document.load()
    assert "tokenizer.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made(tokenizer, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot make the folder"):
        tokenizer.save(tmp_path / "file")
    with pytest.raises(OutputError, match="cannot make the folder"):
        tokenizer.save(tmp_path / ("a" * 300))


def test_files_that_are_no_tokenizer(tmp_path):
    with pytest.raises(
        ModelError, match=r"holds no tokenizer: it needs tokenizer\.json, or vocab\.json with"
    ):
        load_tokenizer(tmp_path)
    with pytest.raises(ModelError, match=r"no tokenizer at .*absent"):
        load_tokenizer(tmp_path / "absent")
    path = tmp_path / "tokenizer.json"
    for content in (b"", b'{"model": ', b"[1]", b'{"a": 1, "a": 2}', b"\xff\xfe{}"):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=r"tokenizer\.json"):
            load_tokenizer(path)


def test_a_vocabulary_that_gives_a_token_twice(tokenizer, tmp_path):
    save_vocabulary(tokenizer, tmp_path)
    text = (tmp_path / "vocab.json").read_text(encoding="utf-8")
    (tmp_path / "vocab.json").write_text(text.replace("{", '{"lo": 3,', 1), encoding="utf-8")
    with pytest.raises(ModelError, match=r"vocab\.json.*'lo' stands twice"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"l o w", "line 3 must be two tokens"),
        (b"low", "line 3 must be"),
        (b"l \xff", "line 3, byte 3 .* is not UTF-8"),
    ],
)
def test_bad_lines_in_merges(tokenizer, tmp_path, line, message):
    save_vocabulary(tokenizer, tmp_path)
    (tmp_path / "merges.txt").write_bytes(b"#version: 0.2\nl o\n" + line + b"\n")
    with pytest.raises(ModelError, match=rf"merges\.txt: {message}"):
        load_tokenizer(tmp_path)


def test_merges_missing(tokenizer, tmp_path):
    save_vocabulary(tokenizer, tmp_path)
    (tmp_path / "merges.txt").unlink()
    with pytest.raises(ModelError, match="holds no tokenizer"):
        load_tokenizer(tmp_path)
    with pytest.raises(ModelError, match=r"merges\.txt"):
        load_tokenizer(tmp_path / "vocab.json")


def test_a_byte_vocabulary_in_another_order_is_no_byte_tokenizer(tmp_path):
    vocabulary = {character: 255 - byte for byte, character in enumerate(CHARACTER_OF_BYTE)}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("")
    loaded = load_tokenizer(tmp_path)
    assert isinstance(loaded, BPETokenizer)
    assert loaded.encode("a") == [255 - ord("a")]


def test_a_write_that_fails_leaves_the_old_file(tokenizer, tmp_path, monkeypatch):
    path = tokenizer.save(tmp_path / "t.json")
    before = path.read_bytes()

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("minigpt2.tokenizer.files.write_json", fail)
    with pytest.raises(KeyboardInterrupt):
        tokenizer.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["t.json"]
