"""What stands in the README and in the facts is what the code does."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from apps.core.events import Event
from apps.ledger import access, events, states

README = (Path(__file__).parent.parent / "README.md").read_text()


@pytest.mark.parametrize("machine", [states.HOLDS, states.CORRECTIONS], ids=["holds", "corrections"])
def test_the_readme_prints_the_tables_of_states(machine: states.Machine) -> None:
    assert machine.as_markdown() in README


def test_the_readme_prints_who_may_do_what() -> None:
    matrix = "\n".join(line for line in (access.__doc__ or "").splitlines() if line.startswith("|"))
    assert matrix in README


def test_the_readme_has_the_seven_headings() -> None:
    headings = [line.removeprefix("## ") for line in README.splitlines() if line.startswith("## ")]
    assert headings == [
        "Words",
        "States",
        "Who may do what",
        "Money",
        "Outside world",
        "Jobs",
        "Decisions",
    ]


FACTS = [
    events.BalanceChanged(1, 2, "urgent", "RUB", "-30.00", "70.00", "take", "order:1"),
    events.HoldEnded(1, 2, "urgent", "captured", "order:1"),
    events.CorrectionDecided(1, "approved"),
    events.AuditFailed(3),
]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_facts_survive_json(fact: Event) -> None:
    assert type(fact)(**json.loads(json.dumps(dataclasses.asdict(fact)))) == fact
