"""`minigpt2 learn --all`: every cell runs, and the numbers in the text are what the code has computed."""

import re


def rows_of(run):
    """The table at the end: number of a lesson -> its seconds, and how it went."""
    table = re.findall(r"^(\d\d) · .+  (\d+\.\d)  +\d+\.\d  (\w+)$", run.out, re.MULTILINE)
    return {number: (float(seconds), how) for number, seconds, how in table}


def test_it_runs_through_and_says_the_truth(lesson_path, all_run, capsys):
    seconds, how = rows_of(all_run)[lesson_path.name[:2]]
    with capsys.disabled():
        print(f"\n{lesson_path.stem}: {seconds:.1f} s", end=" ")
    problems = [line for line in all_run.err.splitlines() if lesson_path.name in line]
    assert (how, problems) == ("ok", []), all_run.err


def test_the_exit_code_says_whether_one_has_failed(lesson_path, all_run):
    failed = any(how != "ok" for _, how in rows_of(all_run).values())
    assert all_run.code == int(failed), all_run.err
