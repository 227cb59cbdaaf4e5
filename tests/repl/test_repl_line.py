"""What a typed line means."""

import contextlib

import pytest
from work import lines_run

from minigpt2.errors import UsageError
from minigpt2.repl.line import FORMS, Option, parse_arguments, parse_line, split_texts

OPTIONS = (
    Option("--html", "a page", "FILE"),
    Option("--all", "all of them"),
    Option("--top-k", "a whole number", "N", int),
)


def parse(rest, form):
    return parse_arguments("x", rest, form, OPTIONS, "/x A | B")


def chosen(**options):
    return {"html": None, "all": False, "top_k": None} | options


@pytest.mark.parametrize(
    ("typed", "command", "rest"),
    [
        ("a cat", None, "a cat"),
        ("  a cat \n", None, "a cat"),
        ("//etc is a folder", None, "/etc is a folder"),
        ("/sim a | b", "sim", "a | b"),
        ("/SIM\ta", "sim", "a"),
        ("/sim\na\nb", "sim", "a\nb"),
        ("/quit", "quit", ""),
        ("/", "", ""),
        ("/?", "?", ""),
        ("", None, ""),
        ("#3", None, "#3"),
    ],
)
def test_sentences_and_commands(typed, command, rest):
    assert parse_line(typed) == (typed, command, rest)


@pytest.mark.parametrize(
    ("rest", "words", "options"),
    [
        ("", [], {}),
        ("a  b\tc", ["a", "b", "c"], {}),
        ('"a b" c', ["a b", "c"], {}),
        ("'a \"b' c", ['a "b', "c"], {}),
        ("don't", ["don't"], {}),
        ('5"x', ['5"x'], {}),
        ('"it\'s "\'"so"\'', ['it\'s "so"'], {}),
        ('"" x', ["", "x"], {}),
        (r"C:\new\file", [r"C:\new\file"], {}),
        ("-3 - --- --5", ["-3", "-", "---", "--5"], {}),
        ("a --all b", ["a", "b"], {"all": True}),
        ("--html p.html a", ["a"], {"html": "p.html"}),
        ('--html="my page.html" a', ["a"], {"html": "my page.html"}),
        ("a --html 'my page.html'", ["a"], {"html": "my page.html"}),
        ("--html=a=b", [], {"html": "a=b"}),
        ("--html=", [], {"html": ""}),
        ("--top-k -3", [], {"top_k": -3}),
        ("--top-k 3 --top-k=4", [], {"top_k": 4}),
        ("-- --all", ["--all"], {}),
        ("'--all'", ["--all"], {}),
        ('--html "--all"', [], {"html": "--all"}),
    ],
)
def test_words_and_options(rest, words, options):
    got = parse(rest, "words")
    assert (got.words, got.options) == (words, chosen(**options))
    assert got.texts == ()


@pytest.mark.parametrize(
    ("rest", "texts", "options"),
    [
        ("", [], {}),
        ("a cat | a dog", ["a cat", "a dog"], {}),
        ("a|b|c", ["a", "b", "c"], {}),
        (r"a \| b | c", ["a | b", "c"], {}),
        (r"\|", ["|"], {}),
        (r"a \ | b", ["a \\", "b"], {}),
        ('"a | b"', ['"a', 'b"'], {}),
        ("--all a | b", ["a", "b"], {"all": True}),
        ("--html='x y' --all -- --z | b", ["--z", "b"], {"html": "x y", "all": True}),
        ("a --all", ["a --all"], {}),
        ("-5 degrees | --5", ["-5 degrees", "--5"], {}),
    ],
)
def test_texts(rest, texts, options):
    got = parse(rest, "texts")
    assert (got.texts, got.options, got.words) == (texts, chosen(**options), ())


def test_one_text_is_taken_as_it_stands():
    assert parse(r"""don't "panic" | \| \ """, "text").texts == [r"""don't "panic" | \| \ """.strip()]
    assert parse("--all  a  b ", "text").texts == ["a  b"]
    assert parse("", "text").texts == []


@pytest.mark.parametrize(
    ("rest", "form", "message"),
    [
        ("x y", "none", "/x takes no argument, but 'x y' stands behind it (usage: /x A | B)"),
        ("|", "texts", "text 1 of 2 is empty (usage: /x A | B)"),
        ("a | | c", "texts", "text 2 of 3 is empty"),
        ('"a b', "words", "/x: the quotation mark \" before 'a b' is never closed (usage: /x A | B)"),
        ("--html 'a", "words", "/x: the quotation mark ' before 'a' is never closed"),
        ("--html", "words", "/x: --html needs a value: --html FILE (usage: /x A | B)"),
        ("--html --all", "words", "/x: --html needs a value"),
        ("--html --", "text", "/x: --html needs a value"),
        ("--all=1", "words", "/x: --all takes no value"),
        ("--al", "texts", "/x has no option '--al': did you mean --all?"),
        ("--zzz", "words", "/x has no option '--zzz': it has --html, --all, --top-k"),
        ("--top-k many", "text", "/x: --top-k is 'many': a whole number (usage: /x A | B)"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_usage(rest, form, message):
    with pytest.raises(UsageError) as error:
        parse(rest, form)
    assert message in str(error.value)
    assert str(error.value).endswith("(usage: /x A | B)")


def test_splitting_undoes_escaping():
    texts = ["a", "b | c", "|", "d\\e", "||"]
    assert split_texts(" | ".join(text.replace("|", r"\|") for text in texts)) == texts


@pytest.mark.parametrize("form", FORMS)
def test_long_lines_take_linear_time(form):
    pieces = ("'\"", "\\|", "|", "a", "--x", "--all ", "--html=", '"a"', " ", "\\", "- ", '"')

    def read(characters):
        for piece in pieces:
            with contextlib.suppress(UsageError):
                parse(piece * (characters // len(piece)), form)

    assert lines_run(lambda: read(20_000)) < 6 * lines_run(lambda: read(5000))  # 16 times were quadratic
    read(200_000)


@pytest.mark.parametrize("rest", ["--" + "x" * 100_000, '"' + "x" * 100_000, "--top-k " + "x" * 100_000])
def test_errors_are_short_however_long_the_line(rest):
    with pytest.raises(UsageError) as error:
        parse(rest, "words")
    assert len(str(error.value)) < 250
