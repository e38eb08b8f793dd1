"""What stands in the README is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from apps.core.states import Machine
from apps.florist import states

HERE = Path(__file__).parent
README = (HERE.parent / "README.md").read_text(encoding="utf-8")
MACHINES = {name.lower(): found for name, found in vars(states).items() if isinstance(found, Machine)}


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_the_readme_prints_the_tables_of_states(name: str) -> None:
    assert MACHINES[name].as_markdown() in README


def test_the_readme_names_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_\w+\.py)`", README))
    assert named == {name for name in named if (HERE / name).exists()}
    assert {path.name for path in HERE.glob("test_*.py")} - named <= {"test_papers.py", "test_seeding.py"}


def test_no_two_shapes_share_a_name() -> None:
    """The document knows shapes by their names: two of one name would be shown as one."""
    names: dict[str, set[str]] = {}
    pending = list(BaseModel.__subclasses__())
    while pending:
        shape = pending.pop()
        pending += shape.__subclasses__()
        if shape.__module__.startswith("apps.florist.api"):
            names.setdefault(shape.__name__, set()).add(shape.__module__)
    assert {name: where for name, where in names.items() if len(where) > 1} == {}
