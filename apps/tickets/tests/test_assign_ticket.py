"""Claiming and handing over (contract tickets 1.4, C4)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.core.testing import outcomes, race
from apps.tickets.actions import teams, tickets
from apps.tickets.models import Member, Team, Ticket
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db


def assign(by: Member, ticket: Ticket, team: Any) -> Any:
    return Caller(by).patch(f"tickets/{ticket.pk}/assign", {"team_id": str(getattr(team, "pk", team))})


def test_a_manager_assigns_any(mehmet: Member, lamp: Ticket, free_lamp: Ticket, sisli_team: Team) -> None:
    for ticket in (lamp, free_lamp):
        answer = assign(mehmet, ticket, sisli_team)
        assert answer.status_code == 200
        assert (answer.json()["team_name"], answer.json()["assignee_id"]) == ("Sisli Lights", None)


def test_support_claims_a_free_ticket_for_its_own_team(selin: Member, free_lamp: Ticket, sisli_team: Team) -> None:
    refused = assign(selin, free_lamp, sisli_team)
    assert (refused.status_code, refused.json()["code"]) == (403, "other_teams_ticket")
    answer = assign(selin, free_lamp, selin.team)
    assert answer.status_code == 200
    assert (answer.json()["team_id"], answer.json()["assignee_id"]) == (str(selin.team_id), str(selin.pk))


def test_support_hands_its_own_over_and_then_it_is_gone(selin: Member, lamp: Ticket, sisli_team: Team) -> None:
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    answer = assign(selin, lamp, sisli_team)
    assert (answer.status_code, answer.json()["team_name"]) == (200, "Sisli Lights")
    assert answer.json()["assignee_id"] is None
    again = assign(selin, lamp, selin.team)
    assert (again.status_code, again.json()["code"]) == (403, "other_teams_ticket")


def test_support_without_a_team_assigns_nothing(lamp: Ticket, free_lamp: Ticket, sisli_team: Team) -> None:
    loner = cast.person("Loner", cast.Role.SUPPORT)
    assert {assign(loner, ticket, sisli_team).status_code for ticket in (lamp, free_lamp)} == {403}


def test_citizens_never_do(can: Member, lamp: Ticket, sisli_team: Team) -> None:
    answer = assign(can, lamp, sisli_team)
    assert (answer.status_code, answer.json()["code"]) == (403, "staff_only")


def test_unknown_tickets_and_teams_are_404(mehmet: Member, lamp: Ticket, sisli_team: Team) -> None:
    assert assign(mehmet, lamp, uuid4()).json()["code"] == "team_not_found"
    assert Caller(mehmet).patch(f"tickets/{uuid4()}/assign", {"team_id": str(sisli_team.pk)}).status_code == 404
    assert assign(mehmet, lamp, "x").status_code == 422
    lamp.refresh_from_db()
    assert lamp.team is not None and lamp.team != sisli_team


def test_the_same_team_again_changes_nothing(selin: Member, lamp: Ticket) -> None:
    before = Ticket.objects.values().get(pk=lamp.pk)
    assert assign(selin, lamp, selin.team).status_code == 200
    assert Ticket.objects.values().get(pk=lamp.pk) == before


@pytest.mark.race
def test_eight_officers_of_eight_teams_claim_one_ticket_and_one_wins(free_lamp: Ticket) -> None:
    officers = [cast.person(f"Officer{number}", cast.Role.SUPPORT, cast.team(f"Team {number}")) for number in range(8)]
    results = race(8, lambda n: tickets.assign(by=officers[n], ticket_id=free_lamp.pk, team_id=officers[n].team_id))
    assert outcomes(results) == {"ok": 1, "OtherTeamsTicket": 7}
    winner = officers[next(n for n, result in enumerate(results) if isinstance(result, Ticket))]
    free_lamp.refresh_from_db()
    assert (free_lamp.team, free_lamp.assignee) == (winner.team, winner)


@pytest.mark.race
def test_assigning_to_a_team_that_is_being_deleted_never_breaks(
    mehmet: Member, free_lamp: Ticket, sisli_team: Team
) -> None:
    def run(number: int) -> None:
        if number == 0:
            teams.remove(by=mehmet, team_id=sisli_team.pk)
        else:
            tickets.assign(by=mehmet, ticket_id=free_lamp.pk, team_id=sisli_team.pk)

    kinds = outcomes(race(4, run))
    assert set(kinds) <= {"ok", "TeamNotFound"}, kinds
    free_lamp.refresh_from_db()
    assert free_lamp.team is None
