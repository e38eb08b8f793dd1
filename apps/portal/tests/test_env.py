"""Every variable that the code reads is in `.env.example` and in the README's table, and nothing else is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
VARIABLE = re.compile(r"^#?\s?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
READ_NAMES = (
    "import json; from config import settings; from apps.core import env; print(json.dumps(sorted(env.names())))"
)
MODES: dict[str, dict[str, str]] = {
    "embedded": {},
    "production": {
        "DATABASE_URL": "postgres://db/mahalla",
        "REDIS_URL": "redis://redis/0",
        "DB_POOL": "1",
        "PUBLIC_URL": "https://mahalla.example",
    },
}
"""Some variables are read in one mode only."""


@cache
def names() -> set[str]:
    """What a fresh process reads while it loads the settings, in all modes together."""
    found: set[str] = set()
    for extra in MODES.values():
        clean = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/tmp"), "PYTHONPATH": str(ROOT), **extra}
        out = subprocess.run(
            [sys.executable, "-c", READ_NAMES], env=clean, capture_output=True, text=True, check=True, cwd=ROOT
        )
        found |= set(json.loads(out.stdout))
    return found


def in_example() -> list[str]:
    return VARIABLE.findall((ROOT / ".env.example").read_text(encoding="utf-8"))


def in_readme() -> set[str]:
    """Every name in the first column of the table under "Environment"."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Environment")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}


def of_compose() -> set[str]:
    """What only the compose file and its proxy read."""
    files = [ROOT / "docker-compose.yml", *(path for path in (ROOT / "deploy").glob("*") if path.is_file())]
    return {name for file in files for name in re.findall(r"\{\$?([A-Z][A-Z0-9_]+)", file.read_text(encoding="utf-8"))}


def test_env_example_lists_exactly_what_is_read() -> None:
    listed = set(in_example())
    assert names() - listed == set(), "read, but not explained in .env.example"
    assert listed - names() - of_compose() == set(), "in .env.example, but read by nobody"


def test_env_example_names_nothing_twice() -> None:
    listed = in_example()
    assert len(listed) == len(set(listed))


def test_env_example_explains_every_group() -> None:
    """A comment stands above each variable, or above the first of its unbroken group."""
    blocks = (ROOT / ".env.example").read_text(encoding="utf-8").split("\n\n")
    assert [block for block in blocks if VARIABLE.search(block) and not block.strip().startswith("#")] == []


def test_the_readme_names_only_what_is_read() -> None:
    assert in_readme()
    assert in_readme() - names() == set()


@pytest.mark.parametrize("word", ["/root/", "/Users/", "/home/"])
def test_no_paper_names_a_place_of_one_machine(word: str) -> None:
    papers = [ROOT / "README.md", ROOT / ".env.example", ROOT / "CHANGELOG.md", *(ROOT / "apps").glob("**/README.md")]
    assert [paper.name for paper in papers if paper.exists() and word in paper.read_text(encoding="utf-8")] == []
