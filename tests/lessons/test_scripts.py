"""`python lessons/05_….py`"""

LIMIT = 20.0  # seconds on a core


def test_it_runs_alone_in_time(lesson_path, script_run, capsys):
    with capsys.disabled():
        print(f"\n{lesson_path.stem}: {script_run.seconds:.1f} s", end=" ")
    assert (script_run.code, script_run.err) == (0, "")
    assert script_run.seconds <= LIMIT
