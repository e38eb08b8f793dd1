"""The page says what the code does."""

from __future__ import annotations

from pathlib import Path

PAGE = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
HEADINGS = ["Words", "States", "Who may do what", "Money", "Outside world", "Jobs", "Decisions"]


def test_the_headings_are_the_house_s() -> None:
    found = [line.removeprefix("## ") for line in PAGE.splitlines() if line.startswith("## ")]
    assert found[: len(HEADINGS)] == HEADINGS


def test_every_file_it_names_exists() -> None:
    here = Path(__file__).parent
    named = {word.strip("`") for word in PAGE.replace(";", " ").replace(",", " ").split() if word.startswith("`test_")}
    assert named
    assert [name for name in sorted(named) if not (here / name).exists()] == []
