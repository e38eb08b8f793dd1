"""What stands in the README and in the facts is what the code does."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path

import pytest

from apps.core.events import Event
from apps.payments import access, events, states
from apps.payments.actions.click import NOTES
from apps.payments.actions.payme import METHODS
from apps.payments.models import Payment

README = (Path(__file__).parent.parent / "README.md").read_text()


@pytest.mark.parametrize("machine", [states.PAYMENTS, states.REFUNDS], ids=["payments", "refunds"])
def test_the_readme_prints_the_tables_of_states(machine: states.Machine) -> None:
    assert machine.as_markdown() in README


def test_the_readme_prints_who_may_do_what() -> None:
    matrix = "\n".join(line for line in (access.__doc__ or "").splitlines() if line.startswith("|"))
    assert matrix in README


def test_the_readme_has_the_seven_headings() -> None:
    headings = [line.removeprefix("## ") for line in README.splitlines() if line.startswith("## ")]
    assert headings == ["Words", "States", "Who may do what", "Money", "Outside world", "Jobs", "Decisions"]


def test_every_ending_can_still_be_paid() -> None:
    """A late success is never ignored (contract shop 4.4.4)."""
    for status in Payment.Status.values:
        if status not in (*Payment.SETTLED,):
            assert "paid" in states.PAYMENTS.allowed_from(status), status


def test_the_methods_and_codes_are_complete() -> None:
    assert set(METHODS) == {
        *("CheckPerformTransaction", "CreateTransaction", "PerformTransaction", "CancelTransaction"),
        *("CheckTransaction", "GetStatement", "SetFiscalData", "ChangePassword"),
    }
    assert sorted(NOTES, reverse=True) == [0, -1, -2, -3, -4, -5, -6, -7, -8, -9]


KINDS = [kind for _name, kind in inspect.getmembers(events, inspect.isclass) if kind.__module__ == events.__name__]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_facts_survive_json(kind: type[Event]) -> None:
    samples = {"int": 1, "str": "x", "bool": True}
    fact = kind(**{field.name: samples[str(field.type)] for field in dataclasses.fields(kind)})
    assert kind(**json.loads(json.dumps(dataclasses.asdict(fact)))) == fact
