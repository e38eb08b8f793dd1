"""Two reports of one trouble become one; a manager or the back office says so."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission

from apps.accounts.models import User
from apps.core.models import StepLog
from apps.core.testing import assert_refused, outcomes, race
from apps.tickets import errors
from apps.tickets.actions import comments, duplicates, escalations, tickets
from apps.tickets.models import Category, Follow, Member, SlaClock, StatusLog, Team, Ticket
from apps.tickets.queries import open311, public
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db
Status = Ticket.Status


@pytest.fixture
def twin(zeynep: Member, lighting: Category, kadikoy_team: Team) -> Ticket:
    """Zeynep's report of the same lamp."""
    return cast.report(zeynep, lighting, title="Dark lamp")


def clerk(*rights: str) -> User:
    """Staff of the back office without a membership."""
    found = User.objects.create_user(username=f"clerk{User.objects.count()}", is_staff=True)
    found.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return found


def merge(by: Any, twin: Ticket, lamp: Ticket, reason: str = "") -> Ticket:
    return duplicates.merge(by=by, duplicate_id=twin.pk, original_id=lamp.pk, reason=reason)


def as_it_is(*rows: Ticket) -> list[Any]:
    """Everything that a refusal must leave alone."""
    ids = [row.pk for row in rows]
    return [
        list(Ticket.objects.filter(pk__in=ids).order_by("pk").values()),
        list(StatusLog.objects.filter(ticket__in=ids).order_by("pk").values()),
        list(Follow.objects.filter(ticket__in=ids).order_by("pk").values()),
    ]


def test_the_duplicate_closes_and_says_where_it_went(mehmet: Member, lamp: Ticket, twin: Ticket) -> None:
    assert merge(mehmet, twin, lamp, "Same corner").pk == lamp.pk
    twin.refresh_from_db()
    lamp.refresh_from_db()
    assert (twin.status, twin.duplicate_of_id, twin.resolved_at) == ("CLOSED", lamp.pk, None)
    assert (lamp.status, lamp.duplicate_of_id) == ("NEW", None)
    line = StatusLog.objects.filter(ticket=twin).order_by("-created_at")[0]
    assert (line.old_status, line.new_status, line.changed_by) == ("NEW", "CLOSED", mehmet)
    assert line.comment == f"Duplicate of Broken lamp ({lamp.pk})"
    assert not SlaClock.objects.filter(ticket=twin, stopped_at=None).exists()


def test_why_a_manager_thinks_so_is_for_the_back_office(
    mehmet: Member, can: Member, lamp: Ticket, twin: Ticket
) -> None:
    """Neither neighbours nor the street nor Open311's clients read it."""
    merge(mehmet, twin, lamp, "Zeynep reports everything twice")
    assert StepLog.objects.get(object_id=str(twin.pk)).reason == "Zeynep reports everything twice"
    assert not StatusLog.objects.filter(comment__contains="twice").exists()
    told = Caller(can).get(f"tickets/{twin.pk}").json()["status_logs"][0]["comment"]
    street = public.ticket(twin.pk)["lines"][0]["comment"]
    (noted,) = open311.one(twin.pk)
    assert told == street == noted["status_notes"] == f"Duplicate of Broken lamp ({lamp.pk})"


@pytest.mark.parametrize("status", Status.values)
def test_from_every_status(mehmet: Member, lamp: Ticket, twin: Ticket, status: str) -> None:
    cast.in_status(twin, status)
    merge(mehmet, twin, lamp)
    twin.refresh_from_db()
    assert (twin.status, twin.duplicate_of_id) == ("CLOSED", lamp.pk)


def test_followers_come_along_and_words_stay_where_they_were(
    mehmet: Member, can: Member, zeynep: Member, selin: Member, lamp: Ticket, twin: Ticket
) -> None:
    comments.add(by=zeynep, ticket_id=twin.pk, content="It flickers")
    for member in (selin, can):
        tickets.follow(by=member, ticket_id=twin.pk)
    merge(mehmet, twin, lamp)
    assert set(Follow.objects.filter(ticket=lamp).values_list("member", flat=True)) == {can.pk, zeynep.pk, selin.pk}
    told = Caller(zeynep).get(f"tickets/{twin.pk}").json()
    assert (told["status"], told["comments"][0]["content"]) == ("CLOSED", "It flickers")
    assert "TICKET_STATUS_CHANGED" in cast.told(zeynep)


def test_what_was_merged_before_belongs_to_the_last_original(
    mehmet: Member, can: Member, lighting: Category, lamp: Ticket, twin: Ticket
) -> None:
    third = cast.report(can, lighting, title="No light")
    merge(mehmet, third, twin)
    merge(mehmet, twin, lamp)
    assert set(lamp.duplicates.all()) == {twin, third}


def test_again_is_free(mehmet: Member, lamp: Ticket, twin: Ticket) -> None:
    merge(mehmet, twin, lamp)
    before = as_it_is(lamp, twin)
    assert merge(mehmet, twin, lamp, "again").pk == lamp.pk
    assert as_it_is(lamp, twin) == before


def test_reopening_undoes_it(mehmet: Member, lamp: Ticket, twin: Ticket) -> None:
    merge(mehmet, twin, lamp)
    tickets.change_status(by=mehmet, ticket_id=twin.pk, status="IN_PROGRESS")
    twin.refresh_from_db()
    assert (twin.status, twin.duplicate_of_id) == ("IN_PROGRESS", None)


def test_nobody_closes_open_work_by_hand_because_merges_do(mehmet: Member, lamp: Ticket) -> None:
    answer = Caller(mehmet).patch(f"tickets/{lamp.pk}/status", {"status": "CLOSED"})
    assert (answer.status_code, answer.json()["code"]) == (400, "illegal_transition")


def test_citizens_and_support_may_not(can: Member, selin: Member, lamp: Ticket, twin: Ticket) -> None:
    before = as_it_is(lamp, twin)
    for by in (can, selin):
        assert_refused(errors.ManagersOnly, lambda by=by: merge(by, twin, lamp))
    assert as_it_is(lamp, twin) == before


def test_the_back_office_may_by_its_right(lamp: Ticket, twin: Ticket) -> None:
    before = as_it_is(lamp, twin)
    assert_refused(errors.NotYourRight, lambda: merge(clerk("view_ticket"), twin, lamp))
    assert as_it_is(lamp, twin) == before
    staff = clerk("handle_ticket")
    merge(staff, twin, lamp)
    assert StatusLog.objects.get(ticket=twin, new_status="CLOSED").changed_by is None
    assert StepLog.objects.get(object_id=str(twin.pk)).by == f"accounts.user:{staff.pk}"


def test_what_does_not_go_together(mehmet: Member, can: Member, lighting: Category, lamp: Ticket, twin: Ticket) -> None:
    third = cast.report(can, lighting, title="No light")
    merge(mehmet, third, lamp)
    before = as_it_is(lamp, twin, third)
    assert_refused(errors.MergeIntoItself, lambda: merge(mehmet, lamp, lamp))
    assert_refused(errors.AlreadyMerged, lambda: merge(mehmet, twin, third))
    assert_refused(errors.AlreadyMerged, lambda: merge(mehmet, third, twin))
    assert_refused(
        errors.TicketNotFound, lambda: duplicates.merge(by=mehmet, duplicate_id=twin.pk, original_id=uuid4())
    )
    assert as_it_is(lamp, twin, third) == before


def test_a_waiting_request_is_decided_first(mehmet: Member, selin: Member, lamp: Ticket, twin: Ticket) -> None:
    escalations.request(by=selin, ticket_id=twin.pk, reason="We need a crane here")
    before = as_it_is(lamp, twin)
    assert_refused(errors.EscalationWaiting, lambda: merge(mehmet, twin, lamp))
    assert as_it_is(lamp, twin) == before


def test_what_others_reported_too_is_not_deleted_any_more(
    mehmet: Member, can: Member, lamp: Ticket, twin: Ticket
) -> None:
    """Else their reports would end in nothing."""
    merge(mehmet, twin, lamp)
    before = as_it_is(lamp, twin)
    answer = Caller(can).delete(f"tickets/{lamp.pk}")
    assert (answer.status_code, answer.json()["code"]) == (403, "others_reported_it")
    assert as_it_is(lamp, twin) == before


@pytest.mark.race
def test_an_original_is_deleted_before_the_merge_or_not_at_all(
    mehmet: Member, can: Member, lamp: Ticket, twin: Ticket
) -> None:
    def run(number: int) -> Any:
        if number % 2:
            return merge(mehmet, twin, lamp)
        return tickets.delete(by=can, ticket_id=lamp.pk)

    assert set(outcomes(race(4, run))) <= {"ok", "TicketNotFound", "OthersReportedIt"}
    lamp.refresh_from_db()
    twin.refresh_from_db()
    assert (lamp.deleted_at is None) == (twin.duplicate_of_id == lamp.pk)


@pytest.mark.race
def test_eight_managers_merge_once(lamp: Ticket, twin: Ticket) -> None:
    managers = [cast.person(f"Manager{number}", cast.Role.MANAGER) for number in range(8)]
    assert outcomes(race(8, lambda number: merge(managers[number], twin, lamp))) == {"ok": 8}
    assert StatusLog.objects.filter(ticket=twin, new_status="CLOSED").count() == 1
    assert Follow.objects.filter(ticket=lamp).count() == 2


@pytest.mark.race
def test_crosswise_only_one_direction_wins(mehmet: Member, lamp: Ticket, twin: Ticket) -> None:
    results = race(4, lambda n: merge(mehmet, twin, lamp) if n % 2 else merge(mehmet, lamp, twin))
    assert outcomes(results) == {"ok": 2, "AlreadyMerged": 2}
    assert Ticket.objects.filter(duplicate_of=None).count() == 1
