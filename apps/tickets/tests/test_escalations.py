"""Escalations: one waits per ticket (contract tickets 1.5, 3, D4, D5, D9, D25)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.core.testing import deliver, outcomes, query_budget, race
from apps.tickets.actions import escalations, tickets
from apps.tickets.models import Escalation, Member, StatusLog, Team, Ticket
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db
REASON = "We need a crane, and the crane needs a permit"


def ask(by: Member, ticket: Ticket, reason: str = REASON) -> Any:
    return Caller(by).post("escalations", {"ticket_id": str(ticket.pk), "reason": reason})


def decide(by: Member, escalation: Any, verdict: str = "approve", body: Any = None) -> Any:
    path = f"escalations/{getattr(escalation, 'pk', escalation)}/{verdict}"
    return Caller(by).patch(path, {} if body is None else body)


@pytest.fixture
def asked(selin: Member, lamp: Ticket) -> Escalation:
    """Selin asks about the lamp."""
    return escalations.request(by=selin, ticket_id=lamp.pk, reason=REASON)


# Asking ---------------------------------------------------------------------------------------------------------------
def test_a_request_escalates_the_ticket(selin: Member, lamp: Ticket) -> None:
    """D4: 201, and whoever listens is told after commit."""
    answer = ask(selin, lamp, f"  {REASON}  ")
    assert answer.status_code == 201
    body = answer.json()
    expected = {
        "ticket_id": str(lamp.pk),
        "ticket_title": "Broken lamp",
        "reason": REASON,
        "status": "PENDING",
        "requester_id": str(selin.pk),
        "requester_name": "Selin",
        "reviewer_id": None,
        "reviewer_name": None,
        "review_comment": None,
        "reviewed_at": None,
    }
    assert {name: body[name] for name in expected} == expected
    assert set(body) == {*expected, "id", "created_at"}
    whole = Caller(selin).get(f"tickets/{lamp.pk}").json()
    assert (whole["status"], whole["has_escalation"], whole["can_escalate"]) == ("ESCALATED", True, False)
    assert (whole["status_logs"][0]["old_status"], whole["status_logs"][0]["comment"]) == ("NEW", REASON)
    deliver()


def test_the_history_holds_the_first_hundred_letters(selin: Member, lamp: Ticket) -> None:
    ask(selin, lamp, "r" * 2000)
    assert StatusLog.objects.get(ticket=lamp, new_status="ESCALATED").comment == "r" * 100


@pytest.mark.parametrize("status", ["NEW", "IN_PROGRESS", "RESOLVED", "CLOSED", "ESCALATED"])
def test_any_status_can_be_escalated(selin: Member, lamp: Ticket, status: str) -> None:
    cast.in_status(lamp, status)
    assert ask(selin, lamp).status_code == 201
    lamp.refresh_from_db()
    assert (lamp.status, lamp.resolved_at) == ("ESCALATED", None)


def test_only_the_team_that_has_it_asks(
    can: Member, sinan: Member, mehmet: Member, lamp: Ticket, free_lamp: Ticket, selin: Member, kadikoy_team: Team
) -> None:
    for by, ticket, code in (
        (can, lamp, "staff_only"),
        (sinan, lamp, "other_teams_ticket"),
        (mehmet, lamp, "other_teams_ticket"),
        (selin, free_lamp, "ticket_unassigned"),
    ):
        answer = ask(by, ticket)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert not Escalation.objects.exists()
    manager = cast.person("Murat", cast.Role.MANAGER, kadikoy_team)
    assert ask(manager, lamp).status_code == 201


@pytest.mark.parametrize("reason", ["too short", " " * 20, "r" * 2001])
def test_malformed_reasons_are_422(selin: Member, lamp: Ticket, reason: str) -> None:
    assert ask(selin, lamp, reason).status_code == 422
    assert not Escalation.objects.exists()


def test_unknown_tickets_are_404(selin: Member) -> None:
    assert Caller(selin).post("escalations", {"ticket_id": str(uuid4()), "reason": REASON}).status_code == 404
    assert Caller(selin).post("escalations", {"ticket_id": "x", "reason": REASON}).status_code == 422


def test_a_second_request_waits_its_turn(selin: Member, mehmet: Member, lamp: Ticket, asked: Escalation) -> None:
    waiting = ask(selin, lamp)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "escalation_pending")
    decide(mehmet, asked, "reject")
    assert ask(selin, lamp).status_code == 201
    decide(mehmet, Escalation.objects.get(status="PENDING"), "approve")
    third = ask(selin, lamp)
    assert (third.status_code, third.json()["code"]) == (403, "escalation_approved")
    assert "already approved" in third.json()["detail"]
    assert Escalation.objects.count() == 2


# Deciding -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("verdict", "status"), [("approve", "APPROVED"), ("reject", "REJECTED")])
def test_either_way_the_ticket_goes_back_to_work(
    mehmet: Member, lamp: Ticket, asked: Escalation, verdict: str, status: str
) -> None:
    answer = decide(mehmet, asked, verdict, {"comment": "Permit is coming"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["reviewer_name"], body["review_comment"]) == (status, "Mehmet", "Permit is coming")
    assert body["reviewed_at"]
    lamp.refresh_from_db()
    assert lamp.status == "IN_PROGRESS"
    line = StatusLog.objects.filter(ticket=lamp).first()
    assert line is not None
    assert (line.old_status, line.new_status, line.changed_by) == ("ESCALATED", "IN_PROGRESS", mehmet)


def test_what_is_decided_stays_decided(mehmet: Member, lamp: Ticket, asked: Escalation) -> None:
    decide(mehmet, asked)
    lines = StatusLog.objects.count()
    for verdict in ("approve", "reject"):
        answer = decide(mehmet, asked, verdict)
        assert (answer.status_code, answer.json()["code"]) == (403, "already_reviewed")
    asked.refresh_from_db()
    assert (asked.status, StatusLog.objects.count()) == ("APPROVED", lines)


def test_a_ticket_that_has_moved_on_is_left_alone(mehmet: Member, lamp: Ticket, asked: Escalation) -> None:
    """D25: no false line of history."""
    cast.in_status(lamp, "CLOSED")
    lines = StatusLog.objects.count()
    assert decide(mehmet, asked).status_code == 200
    lamp.refresh_from_db()
    assert (lamp.status, StatusLog.objects.count()) == ("CLOSED", lines)


def test_only_managers_decide_and_a_body_is_needed(
    can: Member, selin: Member, mehmet: Member, asked: Escalation
) -> None:
    assert {decide(by, asked).status_code for by in (can, selin)} == {403}
    assert Caller(mehmet).patch(f"escalations/{asked.pk}/approve").status_code == 422
    assert decide(mehmet, asked, body={"comment": "c" * 1001}).status_code == 422
    assert {decide(mehmet, uuid4(), verdict).status_code for verdict in ("approve", "reject")} == {404}
    asked.refresh_from_db()
    assert asked.status == "PENDING"


# Reading --------------------------------------------------------------------------------------------------------------
def test_support_sees_its_own_teams_and_managers_all(
    can: Member, selin: Member, sinan: Member, mehmet: Member, asked: Escalation
) -> None:
    """D9."""
    for by, total, status in ((selin, 1, 200), (mehmet, 1, 200), (sinan, 0, 404)):
        caller = Caller(by)
        body = caller.get("escalations").json()
        assert (body["total"], len(body["items"]), set(body)) == (total, total, {"items", "total"})
        assert caller.get(f"escalations/{asked.pk}").status_code == status
    loner = cast.person("Loner", cast.Role.SUPPORT)
    assert Caller(loner).get("escalations").json() == {"items": [], "total": 0}
    assert Caller(can).get("escalations").status_code == 403
    assert Caller(can).get(f"escalations/{asked.pk}").status_code == 403


def test_why_it_was_escalated_is_read_by_those_who_read_requests(
    can: Member, zeynep: Member, selin: Member, sinan: Member, mehmet: Member, lamp: Ticket, asked: Escalation
) -> None:
    """D9: neither the reporter nor a stranger gets by the history what the list of requests would not tell him."""
    decide(mehmet, asked, "reject", {"comment": "Ask the neighbours first"})
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="ESCALATED", comment="They refuse")
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS", comment="They agreed")
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="RESOLVED", comment="New bulb")
    inside = ["New bulb", "They agreed", "They refuse", "Ask the neighbours first", REASON, None]
    for by, words in (
        *((by, inside) for by in (selin, mehmet)),
        *((by, ["New bulb", None, None, None, None, None]) for by in (can, zeynep, sinan)),
    ):
        lines = Caller(by).get(f"tickets/{lamp.pk}").json()["status_logs"]
        assert [line["comment"] for line in lines] == words, by
        steps = [line["new_status"] for line in lines]
        assert steps == ["RESOLVED", "IN_PROGRESS", "ESCALATED", "IN_PROGRESS", "ESCALATED", "NEW"]


def test_lists_are_filtered_paged_and_cost_the_same(mehmet: Member, asked: Escalation, lamp: Ticket) -> None:
    for number in range(6):
        Escalation.objects.create(ticket=lamp, requester=asked.requester, reason=f"No {number}", status="REJECTED")
    caller = Caller(mehmet)
    with query_budget(4):
        body = caller.get("escalations", status_filter="rejected", page_size=4).json()
    assert ([row["reason"] for row in body["items"]], body["total"]) == (["No 5", "No 4", "No 3", "No 2"], 6)
    assert caller.get("escalations", ticket_id=str(lamp.pk)).json()["total"] == 7
    assert caller.get("escalations", ticket_id=str(uuid4())).json()["total"] == 0
    assert caller.get("escalations", status_filter="MAYBE").status_code == 422
    assert caller.get("escalations", page_size="101").status_code == 422


def test_requests_of_deleted_tickets_vanish(mehmet: Member, asked: Escalation, lamp: Ticket) -> None:
    Ticket.objects.filter(pk=lamp.pk).update(deleted_at=asked.created_at)
    assert Caller(mehmet).get("escalations").json()["total"] == 0
    assert decide(mehmet, asked).status_code == 404


# Races ----------------------------------------------------------------------------------------------------------------
@pytest.mark.race
def test_eight_requests_at_once_leave_one_pending(selin: Member, lamp: Ticket) -> None:
    kinds = outcomes(race(8, lambda _: escalations.request(by=selin, ticket_id=lamp.pk, reason=REASON)))
    assert kinds == {"ok": 1, "EscalationWaiting": 7}
    assert Escalation.objects.filter(ticket=lamp, status="PENDING").count() == 1


@pytest.mark.race
def test_approving_and_rejecting_at_once_have_one_winner(mehmet: Member, selin: Member, lamp: Ticket) -> None:
    asked = escalations.request(by=selin, ticket_id=lamp.pk, reason=REASON)
    verdicts = ["APPROVED", "REJECTED"] * 4
    results = race(8, lambda n: escalations.decide(by=mehmet, escalation_id=asked.pk, verdict=verdicts[n]))
    assert outcomes(results) == {"ok": 1, "AlreadyReviewed": 7}
    winner = next(result for result in results if isinstance(result, Escalation))
    asked.refresh_from_db()
    lamp.refresh_from_db()
    assert (asked.status, lamp.status) == (winner.status, "IN_PROGRESS")
    assert StatusLog.objects.filter(ticket=lamp).count() == 3


@pytest.mark.race
def test_asking_and_moving_at_once_never_deadlock(selin: Member, lamp: Ticket) -> None:
    def run(number: int) -> None:
        if number % 2:
            escalations.request(by=selin, ticket_id=lamp.pk, reason=REASON)
        else:
            tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")

    kinds = outcomes(race(6, run))
    assert set(kinds) <= {"ok", "IllegalTransition", "EscalationWaiting"}, kinds
    lamp.refresh_from_db()
    assert lamp.status == "ESCALATED"
