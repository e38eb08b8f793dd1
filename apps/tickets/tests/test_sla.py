"""Promised times: which promise counts, what starts and stops a clock, who hears of a broken one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.core.testing import assert_refused, deliver, outcomes, query_budget, race
from apps.notifications.models import Notification
from apps.tickets import errors
from apps.tickets.actions import comments, escalations, sla, teams, tickets
from apps.tickets.models import Category, Member, SlaClock, SlaPolicy, Team, Ticket
from apps.tickets.queries import sla as questions
from apps.tickets.tests import cast, city
from apps.tickets.tests.city import Phone, Role

pytestmark = pytest.mark.django_db
Kind = SlaClock.Kind
MINUTE = timedelta(minutes=1)


def promise(category: Category | None, team: Team | None, first: int, solved: int) -> SlaPolicy:
    return sla.promise(
        by=None,
        category_id=category.pk if category else None,
        team_id=team.pk if team else None,
        first_response_minutes=first,
        resolution_minutes=solved,
    )


def running(ticket: Ticket) -> set[str]:
    return set(SlaClock.objects.filter(ticket=ticket, stopped_at=None).values_list("kind", flat=True))


def clock(ticket: Ticket, kind: Kind) -> SlaClock:
    return SlaClock.objects.get(ticket=ticket, kind=kind, stopped_at=None)


def make_late(ticket: Ticket, *, minutes: int = 10) -> None:
    SlaClock.objects.filter(ticket=ticket).update(due_at=timezone.now() - minutes * MINUTE)


# Promises -------------------------------------------------------------------------------------------------------------


def test_the_most_exact_promise_counts(lighting: Category, parks: Category, kadikoy_team: Team) -> None:
    def minutes(category: Category, team: Team | None) -> int:
        with query_budget(1):
            found = questions.promise_for(category_id=category.pk, team_id=team.pk if team else None)
        return found.first_response_minutes

    assert minutes(lighting, kadikoy_team) == 24 * 60
    promise(None, kadikoy_team, 40, 400)
    assert minutes(parks, kadikoy_team) == 40
    assert minutes(lighting, kadikoy_team) == 40
    promise(lighting, None, 30, 300)
    assert minutes(lighting, kadikoy_team) == 30
    promise(lighting, kadikoy_team, 20, 200)
    assert minutes(lighting, kadikoy_team) == 20
    assert minutes(lighting, None) == 30
    assert minutes(parks, None) == 24 * 60


def test_a_manager_promises_changes_and_withdraws(mehmet: Member, lighting: Category) -> None:
    phone = Phone(mehmet)
    body = {"category_id": str(lighting.pk), "first_response_minutes": 60, "resolution_minutes": 600}
    made = phone.send("POST", "sla/policies", body)
    assert made.status_code == 201, made.content
    policy_id = made.json()["id"]
    assert made.json() == {**body, "id": policy_id, "team_id": None, "category_name": "Lighting", "team_name": None}
    again = phone.send("POST", "sla/policies/", body)
    assert (again.status_code, again.json()["code"]) == (409, "policy_exists")
    changed = phone.send("PUT", f"sla/policies/{policy_id}", {"first_response_minutes": 5, "resolution_minutes": 50})
    assert (changed.json()["first_response_minutes"], changed.json()["resolution_minutes"]) == (5, 50)
    assert phone.get("sla/policies").json()["total"] == 1
    assert phone.send("DELETE", f"sla/policies/{policy_id}").status_code == 204
    assert phone.send("DELETE", f"sla/policies/{policy_id}").status_code == 404
    figures = {"first_response_minutes": 5, "resolution_minutes": 50}
    assert phone.send("PUT", f"sla/policies/{policy_id}", figures).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"category_id": None},
        {"first_response_minutes": 0},
        {"resolution_minutes": 10**9},
        {"resolution_minutes": None},
        {"category_id": "x"},
    ],
)
def test_a_malformed_promise_is_422(mehmet: Member, lighting: Category, change: dict[str, Any]) -> None:
    body = {"category_id": str(lighting.pk), "first_response_minutes": 60, "resolution_minutes": 600, **change}
    assert Phone(mehmet).send("POST", "sla/policies", body).status_code == 422
    assert not SlaPolicy.objects.exists()


def test_promises_about_unknown_things_are_404(mehmet: Member) -> None:
    figures = {"first_response_minutes": 60, "resolution_minutes": 600}
    for name, code in (("category_id", "category_not_found"), ("team_id", "team_not_found")):
        answer = Phone(mehmet).send("POST", "sla/policies", {name: str(uuid4()), **figures})
        assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_promises_are_the_managers(selin: Member, can: Member, lighting: Category) -> None:
    for member in (selin, can):
        phone = Phone(member)
        assert phone.get("sla/policies").status_code == 403
        assert phone.send("POST", "sla/policies", {}).status_code == 403
        assert phone.send("DELETE", f"sla/policies/{uuid4()}").status_code == 403
    assert Phone().get("sla/policies").status_code == 401
    assert_refused(
        errors.ManagersOnly,
        lambda: sla.promise(
            by=selin, category_id=lighting.pk, team_id=None, first_response_minutes=1, resolution_minutes=1
        ),
        unchanged=[SlaPolicy.objects.all()],
    )


# Clocks ---------------------------------------------------------------------------------------------------------------


def test_a_report_starts_both_clocks(can: Member, lighting: Category, kadikoy_team: Team) -> None:
    promise(lighting, None, 30, 300)
    ticket = cast.report(can, lighting)
    assert running(ticket) == {Kind.FIRST_RESPONSE, Kind.RESOLUTION}
    first, solved = clock(ticket, Kind.FIRST_RESPONSE), clock(ticket, Kind.RESOLUTION)
    assert first.started_at == solved.started_at == ticket.created_at
    assert (first.due_at - ticket.created_at, solved.due_at - ticket.created_at) == (30 * MINUTE, 300 * MINUTE)
    sla.start(ticket_id=str(ticket.pk))
    assert SlaClock.objects.filter(ticket=ticket).count() == 2


def test_a_status_answers_and_a_resolution_solves(lamp: Ticket, selin: Member) -> None:
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    assert running(lamp) == {Kind.RESOLUTION}
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="RESOLVED")
    assert running(lamp) == set()
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    assert running(lamp) == {Kind.RESOLUTION}
    assert SlaClock.objects.filter(ticket=lamp).count() == 3
    assert clock(lamp, Kind.RESOLUTION).started_at > lamp.created_at


def test_an_escalation_answers(lamp: Ticket, selin: Member) -> None:
    escalations.request(by=selin, ticket_id=lamp.pk, reason="The cable belongs to another office")
    assert running(lamp) == {Kind.RESOLUTION}


def test_which_comment_is_an_answer(lamp: Ticket, can: Member, zeynep: Member, selin: Member) -> None:
    both = {Kind.FIRST_RESPONSE, Kind.RESOLUTION}
    comments.add(by=can, ticket_id=lamp.pk, content="Still dark")
    comments.add(by=zeynep, ticket_id=lamp.pk, content="Here too")
    comments.add(by=selin, ticket_id=lamp.pk, content="Who has the key?", is_internal=True)
    assert running(lamp) == both
    comments.add(by=selin, ticket_id=lamp.pk, content="We come tomorrow")
    assert running(lamp) == {Kind.RESOLUTION}


def test_staff_do_not_answer_themselves(selin: Member, lighting: Category) -> None:
    ticket = cast.report(selin, lighting)
    comments.add(by=selin, ticket_id=ticket.pk, content="I saw it on my way home")
    assert Kind.FIRST_RESPONSE in running(ticket)


def test_another_team_has_another_promise(lamp: Ticket, mehmet: Member, sisli_team: Team) -> None:
    promise(None, sisli_team, 7, 77)
    late = clock(lamp, Kind.FIRST_RESPONSE)
    SlaClock.objects.filter(pk=late.pk).update(breached_at=timezone.now())
    tickets.assign(by=mehmet, ticket_id=lamp.pk, team_id=sisli_team.pk)
    assert clock(lamp, Kind.RESOLUTION).due_at == lamp.created_at + 77 * MINUTE
    late.refresh_from_db()
    assert late.due_at == lamp.created_at + 24 * 60 * MINUTE


def dues(ticket: Ticket) -> dict[str, timedelta]:
    """Kind → minutes from the start to the due moment."""
    return {clock.kind: clock.due_at - clock.started_at for clock in SlaClock.objects.filter(ticket=ticket)}


def test_the_tickets_of_a_removed_team_get_the_promise_of_the_new_one(
    lamp: Ticket, can: Member, selin: Member, mehmet: Member, lighting: Category, sisli_team: Team
) -> None:
    """What is answered, solved or late stays as it was, and so does what the new team had before."""
    answered, solved, late, theirs = (cast.report(can, lighting) for _ in range(4))
    for ticket, steps in ((answered, ["IN_PROGRESS"]), (solved, ["IN_PROGRESS", "RESOLVED"])):
        for status in steps:
            tickets.change_status(by=selin, ticket_id=ticket.pk, status=status)
    SlaClock.objects.filter(ticket=late, kind=Kind.FIRST_RESPONSE).update(breached_at=timezone.now())
    Ticket.objects.filter(pk=theirs.pk).update(team=sisli_team)
    promise(None, sisli_team, 7, 77)
    usual = {Kind.FIRST_RESPONSE: 24 * 60 * MINUTE, Kind.RESOLUTION: 7 * 24 * 60 * MINUTE}
    assert dues(lamp) == usual
    teams.remove(by=mehmet, team_id=selin.team_id)  # type: ignore[arg-type]
    lamp.refresh_from_db()
    assert lamp.team == sisli_team
    assert dues(lamp) == {Kind.FIRST_RESPONSE: 7 * MINUTE, Kind.RESOLUTION: 77 * MINUTE}
    assert dues(answered) == dues(late) == {**usual, Kind.RESOLUTION: 77 * MINUTE}
    assert dues(solved) == dues(theirs) == usual


def test_without_any_team_the_promise_of_the_category_holds(
    lamp: Ticket, mehmet: Member, lighting: Category, parks: Category, kadikoy_team: Team
) -> None:
    bench = city.ticket(of=parks, team=kadikoy_team)
    sla.start(ticket_id=str(bench.pk))
    promise(lighting, None, 3, 33)
    teams.remove(by=mehmet, team_id=kadikoy_team.pk)
    assert dues(lamp) == {Kind.FIRST_RESPONSE: 3 * MINUTE, Kind.RESOLUTION: 33 * MINUTE}
    assert dues(bench) == {Kind.FIRST_RESPONSE: 24 * 60 * MINUTE, Kind.RESOLUTION: 7 * 24 * 60 * MINUTE}


@pytest.mark.race
def test_a_ticket_that_is_solved_while_its_team_is_removed_breaks_nothing(
    lamp: Ticket, selin: Member, mehmet: Member, sisli_team: Team
) -> None:
    promise(None, sisli_team, 7, 77)
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    answered = SlaClock.objects.get(ticket=lamp, kind=Kind.FIRST_RESPONSE)

    def run(number: int) -> None:
        if number:
            tickets.change_status(by=mehmet, ticket_id=lamp.pk, status="RESOLVED")
        else:
            teams.remove(by=mehmet, team_id=selin.team_id)  # type: ignore[arg-type]

    assert outcomes(race(2, run)) == {"ok": 2}
    lamp.refresh_from_db()
    assert (lamp.status, lamp.team, running(lamp)) == ("RESOLVED", sisli_team, set())
    assert SlaClock.objects.get(pk=answered.pk).due_at == answered.due_at


def test_a_running_clock_keeps_its_promise(lamp: Ticket, lighting: Category) -> None:
    before = clock(lamp, Kind.RESOLUTION).due_at
    promise(lighting, None, 1, 1)
    assert clock(lamp, Kind.RESOLUTION).due_at == before


# Alerts ---------------------------------------------------------------------------------------------------------------


def told(kind: str = "SLA_BREACHED") -> list[int]:
    return sorted(Notification.objects.filter(kind=kind).values_list("user_id", flat=True))


def test_a_broken_promise_is_told_once_to_the_team_and_managers(
    lamp: Ticket, selin: Member, sinan: Member, mehmet: Member, can: Member
) -> None:
    deliver()
    SlaClock.objects.filter(ticket=lamp, kind=Kind.FIRST_RESPONSE).update(due_at=timezone.now() - MINUTE)
    assert sla.sweep() == 1
    assert sla.sweep() == 0
    deliver()
    deliver()
    assert told() == sorted([selin.user_id, mehmet.user_id])
    message = Notification.objects.filter(kind="SLA_BREACHED").first()
    assert message is not None and message.payload == {"ticket_id": str(lamp.pk)}
    assert message.title == "A citizen waits for an answer too long"
    assert running(lamp) == {Kind.FIRST_RESPONSE, Kind.RESOLUTION}


def test_nothing_is_due_before_its_moment(lamp: Ticket) -> None:
    due = clock(lamp, Kind.FIRST_RESPONSE).due_at
    assert sla.sweep(now=due - MINUTE) == 0
    assert sla.sweep(now=due) == 1


def test_work_done_meanwhile_is_not_announced(lamp: Ticket, selin: Member) -> None:
    deliver()
    make_late(lamp)
    assert sla.sweep() == 2
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="RESOLVED")
    deliver()
    assert told() == []


def test_deleted_tickets_keep_nobody_awake(lamp: Ticket, mehmet: Member) -> None:
    make_late(lamp)
    Ticket.objects.filter(pk=lamp.pk).update(deleted_at=timezone.now())
    sla.sweep()
    deliver()
    assert told() == []
    assert running(lamp) == set()
    assert sla.sweep() == 0


@pytest.mark.race
def test_four_sweeps_at_once_announce_each_clock_once(lamp: Ticket) -> None:
    OutboxMessage.objects.all().delete()
    make_late(lamp)
    assert outcomes(race(4, lambda _: sla.sweep())) == {"ok": 4}
    assert OutboxMessage.objects.filter(event="tickets.PromiseBroken").count() == 2


@pytest.mark.race
def test_starting_at_once_makes_one_clock_of_a_kind(lamp: Ticket) -> None:
    SlaClock.objects.all().delete()
    assert outcomes(race(6, lambda _: sla.start(ticket_id=str(lamp.pk)))) == {"ok": 6}
    assert SlaClock.objects.filter(ticket=lamp).count() == 2


@pytest.mark.race
def test_the_same_promise_at_once_is_made_once(lighting: Category) -> None:
    assert outcomes(race(4, lambda _: promise(lighting, None, 5, 50))) == {"ok": 1, "PolicyExists": 3}


# Figures --------------------------------------------------------------------------------------------------------------


def test_what_runs_late_by_team(lamp: Ticket, free_lamp: Ticket, selin: Member, sinan: Member, mehmet: Member) -> None:
    make_late(lamp, minutes=10)
    make_late(free_lamp, minutes=20)
    assert Phone(mehmet).get("sla/late").json()["total"] == 4
    found = Phone(selin).get("sla/late").json()["items"]
    assert {(row["ticket_id"], row["late_minutes"]) for row in found} == {(str(lamp.pk), 10)}
    assert found[0]["title"] == "Broken lamp" and found[0]["category_name"] == "Lighting"
    assert found[0]["team_name"] == "Kadikoy Lights"
    assert Phone(sinan).get("sla/late").json() == {"items": [], "total": 0}
    assert Phone(city.member(Role.SUPPORT)).get("sla/late").json()["total"] == 0
    assert Phone(city.member()).get("sla/late").status_code == 403


def test_how_promises_are_kept(lamp: Ticket, selin: Member, mehmet: Member, can: Member, lighting: Category) -> None:
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    SlaClock.objects.filter(ticket=lamp, kind=Kind.FIRST_RESPONSE).update(
        stopped_at=lamp.created_at + 90 * MINUTE, due_at=lamp.created_at + 90 * MINUTE
    )
    late = cast.report(can, lighting)
    SlaClock.objects.filter(ticket=late, kind=Kind.FIRST_RESPONSE).update(
        stopped_at=late.created_at + 30 * MINUTE, due_at=late.created_at + 29 * MINUTE
    )
    SlaClock.objects.filter(ticket=late, kind=Kind.RESOLUTION).update(due_at=timezone.now() - MINUTE)
    found = Phone(mehmet).get("analytics/sla").json()["items"]
    assert found == [
        {
            "kind": "FIRST_RESPONSE",
            "category_name": "Lighting",
            "team_name": "Kadikoy Lights",
            "total": 2,
            "kept": 1,
            "broken": 1,
            "running": 0,
            "kept_rate": 50.0,
            "average_minutes": 60.0,
        },
        {
            "kind": "RESOLUTION",
            "category_name": "Lighting",
            "team_name": "Kadikoy Lights",
            "total": 2,
            "kept": 0,
            "broken": 1,
            "running": 1,
            "kept_rate": 0.0,
            "average_minutes": None,
        },
    ]
    table = Phone(mehmet).get("analytics/export/sla").content.decode("utf-8-sig").splitlines()
    assert table[0].split(",")[:3] == ["kind", "category_name", "team_name"]
    assert len(table) == 3
