"""`minigpt2 evaluate`"""

import json

import pytest

import minigpt2
from minigpt2.evaluation.tasks import evaluate, open_sets

HEADER = "id\tsentence1\tsentence2\tlabel\n"
WORDS = ("cat", "dog", "bird", "cow", "hen", "fox", "owl", "bee")


@pytest.fixture
def folder(tmp_path):
    """pairs.tsv, dev.tsv (0/1), scores.tsv, x-train.tsv, x-test.tsv, and the BEIR folder search/"""
    pairs = [(f"the {a} ran", f"the {a} ran off" if i % 2 else "rain fell") for i, a in enumerate(WORDS)]
    write = {
        "pairs.tsv": HEADER + "".join(f"{i}\t{a}\t{b}\t{i % 2}\n" for i, (a, b) in enumerate(pairs)),
        "dev.tsv": HEADER + "1\ta cat\ta cat ran\t1\n2\ta cat\train\t0\n",
        "scores.tsv": HEADER + "".join(f"{i}\t{a}\t{b}\t{i / 2}\n" for i, (a, b) in enumerate(pairs)),
        "x-train.tsv": "text\tlabel\n" + "".join(f"the {a}\t{'ab'[i % 2]}\n" for i, a in enumerate(WORDS)),
        "x-test.tsv": "text\tlabel\nthe cat\ta\nthe dog\tb\n",
    }
    for name, content in write.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    search = tmp_path / "search"
    search.mkdir()
    (search / "corpus.jsonl").write_text("".join(f'{{"_id": "{a}", "text": "the {a}"}}\n' for a in WORDS))
    (search / "queries.jsonl").write_text("".join(f'{{"_id": "{a}", "text": "a {a}"}}\n' for a in WORDS))
    (search / "qrels-test.tsv").write_text("".join(f"{a}\t{a}\t1\n" for a in WORDS))
    return tmp_path


ALL = ("pairs.tsv", "scores.tsv", "x-train.tsv", "x-test.tsv", "search")


def test_json_holds_what_the_library_measures(cli, tiny_model, folder):
    paths = [folder / name for name in ALL]
    code, out, err = cli("evaluate", tiny_model, *paths, "--dev", folder / "dev.tsv", "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["model"] == tiny_model
    assert [one["name"] for one in answer["sets"]] == ["pairs", "scores", "x", "search"]
    encoder = minigpt2.load(tiny_model)
    for shown, one in zip(answer["sets"], open_sets(paths, dev=folder / "dev.tsv"), strict=True):
        expected = evaluate(one, encoder, name="tiny")
        assert (shown["task"], shown["notes"], shown["path"]) == (one.task, one.notes, str(one.data.path))
        assert shown["collapse"] == expected.collapse._asdict()
        for system, wanted in zip(shown["systems"], expected.results, strict=True):
            assert (system["name"], system["metrics"]) == (wanted.name, wanted.metrics)
            assert system["seconds"] >= 0.0


def test_both_ways_to_name_the_model(cli, tiny_model, folder):
    file = folder / "scores.tsv"
    options = ("--no-baselines", "--json")
    answers = [
        json.loads(cli("evaluate", *argv, *options)[1])
        for argv in ((tiny_model, file), (file, "--model", tiny_model), ("--model", tiny_model, file))
    ]
    for answer in answers:
        for one in answer["sets"]:
            (system,) = one["systems"]
            del system["seconds"]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["model"] == tiny_model
    code, _, err = cli("evaluate", "nano", file, "--model", tiny_model)
    assert (code, err) == (2, f"minigpt2: error: two models: {tiny_model} (--model) and nano; give one\n")


def test_a_bundled_name_and_the_default(cli, folder):
    for argv in (["nano"], []):
        _, out, _ = cli("evaluate", *argv, folder / "scores.tsv", "--no-baselines")
        assert out.splitlines()[-1].startswith("scores  nano  spearman")


def test_a_pipe_gets_lines_that_begin_with_the_set(cli, tiny_model, folder):
    code, out, err = cli("evaluate", tiny_model, *(folder / name for name in ALL))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert {line.split()[0] for line in lines} == {"pairs", "scores", "x", "search"}
    assert "pairs  # 8 pairs, 50.0% positive" in lines
    assert "x  # 2 texts, 2 classes; learned from 8 texts of x-train.tsv" in lines
    unigrams = next(line for line in lines if line.startswith("pairs  unigrams"))
    assert "  auc 100.00  average_precision 100.00  accuracy 100.00  f1 100.00  threshold  0.375 " in unigrams
    assert "f1_threshold" not in out
    assert any(line.startswith("search  bigrams       ndcg@10") for line in lines)
    assert any(line.startswith("x  majority      knn_accuracy  50.00") for line in lines)


def test_limit_and_what_shapes_a_vector(cli, tiny_model, folder):
    options = ("--limit", 4, "--truncate-dim", 6, "--prompt-name", "query", "--dtype", "float64")
    _, out, _ = cli("evaluate", tiny_model, folder / "scores.tsv", *options, "--no-baselines", "--json")
    (shown,) = json.loads(out)["sets"]
    assert shown["notes"][0].startswith("4 of 8 pairs")
    assert shown["collapse"]["dimensions"] == 6
    (one,) = open_sets([folder / "scores.tsv"], limit=4)
    encoder = minigpt2.load(tiny_model, dtype="float64")
    expected = evaluate(one, encoder, prompt_name="query", truncate_dim=6, with_baselines=False)
    assert shown["systems"][0]["metrics"] == pytest.approx(expected.results[0].metrics, abs=1e-12)


@pytest.mark.parametrize("columns", [80, 160])
def test_a_terminal_gets_a_table_a_set_and_an_overview(on_a_terminal, tiny_model, folder, columns):
    paths = [folder / name for name in ALL]
    shown = on_a_terminal("evaluate", tiny_model, *paths, "--no-color", COLUMNS=str(columns))
    assert "\x1b" not in shown
    lines = [line.rstrip() for line in shown.splitlines()]
    assert max(map(len, lines)) <= columns
    assert sum("seconds" in line for line in lines) == 4
    overview = lines[lines.index(" all sets") :]
    assert ("random words" in overview[1]) == (columns == 160)
    rows = [
        line.split() for line in overview if line.split()[:1] and line.split()[0] in ("pairs", "x", "search")
    ]
    assert [row[:2] for row in rows] == [
        ["pairs", "AUC"],
        ["x", "probe"],
        ["x", "v-measure"],
        ["search", "nDCG@10"],
    ]
    assert rows[0][-1] == "50.00"  # majority


def test_one_set_needs_no_overview(on_a_terminal, tiny_model, folder):
    assert "all sets" not in on_a_terminal("evaluate", tiny_model, folder / "scores.tsv", "--no-baselines")


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        ([], 2, "evaluate needs at least one file"),
        (["nano"], 2, "evaluate needs at least one file or BEIR folder, and nano was taken for the model"),
        (["none.tsv"], 3, "cannot read none.tsv: no such file or directory"),
        (["nano", "empty"], 3, "empty is a folder without corpus.jsonl"),
        (["empty", "scores.tsv"], 3, "config.json is missing"),
        (["scores.tsv", "--limit", "0"], 2, "argument --limit: '0' is not a whole number of at least 1"),
        (["scores.tsv", "--dev", "dev.tsv"], 2, "--dev chooses thresholds for 0/1 pairs"),
        (
            ["pairs.tsv", "--dev", "scores.tsv"],
            3,
            "scores.tsv: line 3, column 4: the label 0.5 is neither 0 nor 1",
        ),
        (["pairs.tsv", "--train", "x-train.tsv"], 2, "--train is for files of text and label"),
        (["scores.tsv", "--prompt-name", "query"], 2, "no prompt called 'query'"),
    ],
)
def test_refused(cli, folder, monkeypatch, argv, code, message):
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    got, out, err = cli("evaluate", *argv)
    assert (got, out) == (code, "")
    assert err.startswith("minigpt2: error: ")
    assert err.count("\n") == 1
    assert message in err


def test_a_bad_file_is_refused_before_anything_is_computed(cli, folder, monkeypatch):
    (folder / "bad.tsv").write_text(HEADER + "1\ta\tb\n", encoding="utf-8")
    monkeypatch.setattr("minigpt2.cli.evaluate.open_encoder", lambda args: pytest.fail("too late"))
    code, out, err = cli("evaluate", folder / "scores.tsv", folder / "bad.tsv")
    assert (code, out) == (3, "")
    assert "bad.tsv: line 2 has 3 columns, not 4" in err
