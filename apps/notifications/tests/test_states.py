"""The table of steps in the README is the table in the code."""

from pathlib import Path

from apps.notifications.states import MACHINE


def test_the_readme_prints_the_table():
    assert MACHINE.as_markdown() in (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
