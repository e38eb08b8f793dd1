"""The life of a ticket by hand (contract tickets 1.4, 3, C7, C8, D5, D25)."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from apps.core.testing import outcomes, query_budget, race
from apps.tickets.actions import escalations, tickets
from apps.tickets.models import Member, StatusLog, Ticket
from apps.tickets.states import NEVER_BY_HAND, TICKET
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db
Status = Ticket.Status

BY_HAND = {
    ("NEW", "IN_PROGRESS"),
    ("NEW", "ESCALATED"),
    ("IN_PROGRESS", "RESOLVED"),
    ("IN_PROGRESS", "ESCALATED"),
    ("ESCALATED", "IN_PROGRESS"),
    ("RESOLVED", "CLOSED"),
    ("RESOLVED", "IN_PROGRESS"),
    ("CLOSED", "IN_PROGRESS"),
}
"""The contract's table, written down a second time on purpose."""


def move(by: Member, ticket: Ticket, status: str, **more: Any) -> Any:
    return Caller(by).patch(f"tickets/{ticket.pk}/status", {"status": status, **more})


def lines(ticket: Ticket) -> list[tuple[str | None, str]]:
    return list(StatusLog.objects.filter(ticket=ticket).order_by("created_at").values_list("old_status", "new_status"))


@pytest.mark.parametrize(("origin", "to"), list(product(Status.values, Status.values)))
def test_the_whole_table(mehmet: Member, lamp: Ticket, origin: str, to: str) -> None:
    cast.in_status(lamp, origin)
    answer = move(mehmet, lamp, to)
    lamp.refresh_from_db()
    if (origin, to) in BY_HAND:
        assert (answer.status_code, answer.json()["status"], lamp.status) == (200, to, to)
        assert lines(lamp)[-1] == (origin, to)
    else:
        assert answer.status_code == 400
        assert answer.json()["detail"] == f"Invalid status transition from {origin} to {to}"
        assert (lamp.status, len(lines(lamp))) == (origin, 1)


def test_the_table_of_the_code_holds_that_and_what_only_requests_and_merges_do() -> None:
    assert {(str(a), str(b)) for a, b in TICKET.steps} == BY_HAND | {(str(a), str(b)) for a, b in NEVER_BY_HAND}


@pytest.mark.parametrize("spelling", ["in_progress", "In_Progress", " IN_PROGRESS "])
def test_any_case_goes_in_and_upper_case_comes_out(selin: Member, lamp: Ticket, spelling: str) -> None:
    """C8."""
    assert move(selin, lamp, spelling).json()["status"] == "IN_PROGRESS"
    caller = Caller(selin)
    assert caller.get("tickets/", status_filter="in_progress").json()["total"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"status": "DONE"},
        {"status": None},
        {},
        {"status": 5},
        {"status": "RESOLVED", "comment": "c" * 1001},
    ],
)
def test_malformed_steps_are_422(mehmet: Member, lamp: Ticket, body: dict[str, Any]) -> None:
    assert Caller(mehmet).patch(f"tickets/{lamp.pk}/status", body).status_code == 422
    lamp.refresh_from_db()
    assert lamp.status == "NEW"


def test_the_comment_stands_in_the_history(selin: Member, lamp: Ticket) -> None:
    move(selin, lamp, "IN_PROGRESS", comment=" On our way ")
    line = Caller(selin).get(f"tickets/{lamp.pk}").json()["status_logs"][0]
    assert (line["old_status"], line["new_status"], line["comment"]) == ("NEW", "IN_PROGRESS", "On our way")
    assert (line["changed_by_id"], line["changed_by_name"]) == (str(selin.pk), "Selin")


# Who ------------------------------------------------------------------------------------------------------------------
def test_support_moves_its_own_teams_tickets_only(
    selin: Member, sinan: Member, can: Member, lamp: Ticket, free_lamp: Ticket
) -> None:
    other = move(sinan, lamp, "IN_PROGRESS")
    assert (other.status_code, other.json()["code"]) == (403, "other_teams_ticket")
    assert "your team" in other.json()["detail"]
    free = move(selin, free_lamp, "IN_PROGRESS")
    assert (free.status_code, free.json()["code"]) == (403, "ticket_unassigned")
    assert "unassigned" in free.json()["detail"]
    assert move(can, lamp, "IN_PROGRESS").status_code == 403
    assert {lines(lamp)[-1], lines(free_lamp)[-1]} == {(None, "NEW")}
    assert move(selin, lamp, "IN_PROGRESS").status_code == 200


def test_a_manager_moves_any_and_unknown_ones_are_404(mehmet: Member, free_lamp: Ticket) -> None:
    assert move(mehmet, free_lamp, "IN_PROGRESS").status_code == 200
    assert Caller(mehmet).patch(f"tickets/{uuid4()}/status", {"status": "RESOLVED"}).status_code == 404


def test_whoever_begins_the_work_of_his_team_has_it(selin: Member, mehmet: Member, lamp: Ticket) -> None:
    assert move(selin, lamp, "IN_PROGRESS").json()["assignee_id"] == str(selin.pk)
    colleague = cast.person("Kemal", cast.Role.SUPPORT, selin.team)
    move(colleague, lamp, "RESOLVED")
    move(colleague, lamp, "IN_PROGRESS")
    lamp.refresh_from_db()
    assert lamp.assignee == selin


def test_a_manager_outside_the_team_does_not_get_it(mehmet: Member, lamp: Ticket) -> None:
    assert move(mehmet, lamp, "IN_PROGRESS").json()["assignee_id"] is None


# Times ----------------------------------------------------------------------------------------------------------------
def test_resolved_at_is_set_kept_by_closing_and_cleared_by_reopening(selin: Member, lamp: Ticket) -> None:
    """D25, C7."""
    move(selin, lamp, "IN_PROGRESS")
    resolved = move(selin, lamp, "RESOLVED").json()["resolved_at"]
    assert resolved
    assert move(selin, lamp, "CLOSED").json()["resolved_at"] == resolved
    assert move(selin, lamp, "IN_PROGRESS").json()["resolved_at"] is None
    assert move(selin, lamp, "RESOLVED").json()["resolved_at"] > resolved
    assert move(selin, lamp, "IN_PROGRESS").json()["resolved_at"] is None


# Side doors -----------------------------------------------------------------------------------------------------------
def test_while_a_request_waits_nobody_moves_the_ticket_by_hand(selin: Member, mehmet: Member, lamp: Ticket) -> None:
    """D25: the decision would find a ticket that has moved on."""
    escalations.request(by=selin, ticket_id=lamp.pk, reason="We need a crane for this")
    for by in (selin, mehmet):
        answer = move(by, lamp, "IN_PROGRESS")
        assert answer.status_code == 400
        assert "transition" in answer.json()["detail"]
    lamp.refresh_from_db()
    assert lamp.status == "ESCALATED"


def test_one_step_costs_a_constant_number_of_queries(selin: Member, lamp: Ticket) -> None:
    for number in range(10):
        tickets.follow(by=cast.person(f"Fan{number}"), ticket_id=lamp.pk)
    with query_budget(16):
        tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")


# Races ----------------------------------------------------------------------------------------------------------------
@pytest.mark.race
def test_eight_officers_begin_one_ticket_and_one_wins(selin: Member, lamp: Ticket) -> None:
    """D5: one success, one line of history, seven clear refusals."""
    officers = [cast.person(f"Officer{number}", cast.Role.SUPPORT, selin.team) for number in range(8)]
    results = race(8, lambda n: tickets.change_status(by=officers[n], ticket_id=lamp.pk, status="IN_PROGRESS"))
    assert outcomes(results) == {"ok": 1, "IllegalTransition": 7}
    winner = next(n for n, result in enumerate(results) if isinstance(result, Ticket))
    lamp.refresh_from_db()
    assert (lamp.status, lamp.assignee) == ("IN_PROGRESS", officers[winner])
    assert lines(lamp) == [(None, "NEW"), ("NEW", "IN_PROGRESS")]
