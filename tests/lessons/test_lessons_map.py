"""`lessons/README.md` says of every lesson what its header says, and names only what there is."""

import re

from lesson_files import LESSONS, ROOT

from minigpt2.cli.learn import ACTIONS
from minigpt2.learn.cells import read_lesson
from minigpt2.learn.exercises import list_exercises

TEXT = (ROOT / "lessons" / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d\d) \| \[(.+)\]\((.+)\) \| (\w+) \| (\d+) \| (\S.*) \|(.*)\|$", re.MULTILINE)
LESSON_COUNT = 20


def rows():
    """number -> title, file, level, minutes, what it answers, what it builds on"""
    return {int(number): rest for number, *rest in ROW.findall(TEXT)}


def test_every_lesson_is_listed_as_its_header_says(lesson, lesson_path):
    title, file, level, minutes, _, _ = rows()[lesson.number]
    listed = title, file, level, int(minutes)
    assert listed == (lesson.title, lesson_path.name, lesson.level, lesson.minutes)


def test_the_map_lists_nothing_else():
    numbers = [int(row[0]) for row in ROW.findall(TEXT)]
    assert numbers == list(range(1, LESSON_COUNT + 1))
    assert len(LESSONS) <= LESSON_COUNT


def test_a_lesson_builds_on_earlier_ones():
    for number, (*_, needs) in rows().items():
        needed = [int(word) for word in needs.replace(",", " ").split()]
        assert all(earlier < number for earlier in needed), number
        assert number == 1 or needed, number


def test_the_plans_of_courses_have_their_sessions_and_no_lesson_twice():
    plans = re.findall(r"^\| (\d+) \(.+?\) \| ([\d, ·]+) \|$", TEXT, re.MULTILINE)
    assert len(plans) == 2
    for sessions, plan in plans:
        parts = plan.split(" · ")
        taught = [int(number) for number in re.findall(r"\d\d", plan)]
        assert len(parts) == int(sessions)
        assert len(taught) == len(set(taught))
        assert set(taught) <= set(range(1, LESSON_COUNT + 1))


def test_headings_that_are_quoted_exist():
    (heading,) = re.findall(r'10 from "([^"]+)"', " ".join(TEXT.split()))
    (path,) = [path for path in LESSONS if path.name.startswith("10_")]
    assert re.search(rf"^# #+ {heading}$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert read_lesson(path).number == 10


def test_commands_name_what_there_is():
    commands = re.findall(r"^    minigpt2 learn ?(.*)$", TEXT, re.MULTILINE)
    assert len(commands) > 8
    exercises = {exercise.name for exercise in list_exercises()}
    for command in commands:
        words = command.partition("#")[0].split()
        if words and words[0] in ACTIONS and words[0] != "exercises":
            assert words[1] in exercises, command
        elif words:
            assert words[0] == "exercises" or words[0].isdecimal() or words[0] == "--notebooks", command


def test_prose_is_at_most_120_columns():
    for line in TEXT.splitlines():
        assert line.startswith("|") or len(line) <= 120, line
