"""`minigpt2 learn 5 --all`: every cell runs, and the numbers in the text are what the code has computed."""


def test_it_runs_through_and_says_the_truth(lesson, lesson_path, all_run):
    assert all_run.code == 0, all_run.err
    assert all_run.err == ""
    assert lesson.title in all_run.out
    last = all_run.out.rstrip().splitlines()[-1]
    assert last.startswith(f"{lesson_path.name[:2]} · ")
    assert last.endswith("ok")
