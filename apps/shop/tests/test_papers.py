"""What stands in the README and in the facts is what the code does."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from pathlib import Path

import pytest

from apps.core.events import Event
from apps.shop import events
from apps.shop.states import ORDER

HERE = Path(__file__).parent
README = (HERE.parent / "README.md").read_text("utf-8")
HEADINGS = ["Words", "States", "Who may do what", "Money", "Outside world", "Jobs", "Decisions"]
KINDS = [kind for _name, kind in inspect.getmembers(events, inspect.isclass) if kind.__module__ == events.__name__]


def test_the_readme_prints_the_table_of_states() -> None:
    assert f"<!-- order -->\n{ORDER.as_markdown()}\n" in README


def test_the_headings_are_the_house_s() -> None:
    found = [line.removeprefix("## ") for line in README.splitlines() if line.startswith("## ")]
    assert found[: len(HEADINGS)] == HEADINGS


def test_every_test_file_it_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+\.py)`", README))
    assert {"test_order_status.py", "test_cart.py"} <= named
    assert [name for name in sorted(named) if not (HERE / name).exists()] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_facts_survive_json(kind: type[Event]) -> None:
    samples = {"int": 1, "str": "x", "bool": True, "list[int]": [1, 2]}
    fact = kind(**{field.name: samples[str(field.type)] for field in dataclasses.fields(kind)})
    assert kind(**json.loads(json.dumps(dataclasses.asdict(fact)))) == fact
