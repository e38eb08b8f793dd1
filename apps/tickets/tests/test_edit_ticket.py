"""Editing and deleting a ticket (contract tickets 1.4, D9, D12)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.core.testing import outcomes, race
from apps.tickets.actions import categories, tickets
from apps.tickets.models import Category, Edit, Member, Ticket
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db


def edit(by: Member, ticket: Ticket, **changes: Any) -> Any:
    return Caller(by).patch(f"tickets/{ticket.pk}", changes)


def test_the_reporter_edits_while_it_is_new(can: Member, lamp: Ticket, parks: Category) -> None:
    answer = edit(can, lamp, title=" A  new title ", category_id=str(parks.pk))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["title"], body["category_name"], body["description"]) == ("A new title", "Parks", lamp.description)
    assert body["team_id"] == str(lamp.team_id)
    cast.in_status(lamp, "IN_PROGRESS")
    answer = edit(can, lamp, title="Too late now")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_new_any_more")


def test_staff_edit_until_it_is_closed(selin: Member, sinan: Member, mehmet: Member, lamp: Ticket) -> None:
    for by in (selin, sinan, mehmet):  # any team's: a portable rule
        assert edit(by, lamp, title=f"Edited by {by.name}").status_code == 200
    cast.in_status(lamp, "CLOSED")
    answer = edit(mehmet, lamp, title="After the end")
    assert (answer.status_code, answer.json()["code"]) == (403, "ticket_closed")


def test_a_stranger_edits_nothing(zeynep: Member, lamp: Ticket) -> None:
    answer = edit(zeynep, lamp, title="Mine now, thanks")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_ticket")
    lamp.refresh_from_db()
    assert lamp.title == "Broken lamp"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"title": None}, 422),
        ({"title": "abc"}, 422),
        ({"description": None}, 422),
        ({"category_id": None}, 422),
        ({"category_id": str(uuid4())}, 404),
        ({}, 200),
    ],
)
def test_what_may_be_changed(can: Member, lamp: Ticket, changes: dict[str, Any], status: int) -> None:
    """D12: an explicit null was a 500."""
    assert edit(can, lamp, **changes).status_code == status
    assert not Edit.objects.exists()


def test_a_closed_category_may_stay_but_not_be_chosen(can: Member, lamp: Ticket, parks: Category) -> None:
    Category.objects.update(is_active=False)
    assert edit(can, lamp, category_id=str(lamp.category_id), title="Still a lamp").status_code == 200
    assert edit(can, lamp, category_id=str(parks.pk)).status_code == 404


def test_every_edit_leaves_a_trace(selin: Member, lamp: Ticket) -> None:
    """D9."""
    edit(selin, lamp, title="Lamp in Moda", description=lamp.description)
    [trace] = Edit.objects.all()
    assert (trace.by, trace.field, trace.old, trace.new) == (selin, "title", "Broken lamp", "Lamp in Moda")


def test_unknown_and_deleted_tickets_are_404_and_bad_ids_422(can: Member, lamp: Ticket) -> None:
    caller = Caller(can)
    assert caller.patch(f"tickets/{uuid4()}", {"title": "Whatever"}).status_code == 404
    assert caller.patch("tickets/x", {"title": "Whatever"}).status_code == 422
    caller.delete(f"tickets/{lamp.pk}")
    assert edit(can, lamp, title="From the grave").status_code == 404


# Deleting -------------------------------------------------------------------------------------------------------------
def test_the_reporter_takes_a_new_ticket_back(can: Member, mehmet: Member, lamp: Ticket) -> None:
    caller, path = Caller(can), f"tickets/{lamp.pk}"
    answer = caller.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert caller.delete(path).status_code == 404
    assert caller.get(path).status_code == 404
    assert caller.get("tickets/my").json()["total"] == 0
    assert Caller(mehmet).get("tickets/").json()["total"] == 0
    lamp.refresh_from_db()
    assert lamp.deleted_at is not None


def test_nobody_else_deletes_not_even_a_manager(selin: Member, zeynep: Member, mehmet: Member, lamp: Ticket) -> None:
    for by in (selin, zeynep, mehmet):
        assert Caller(by).delete(f"tickets/{lamp.pk}").status_code == 403
    lamp.refresh_from_db()
    assert lamp.deleted_at is None


@pytest.mark.parametrize("status", ["IN_PROGRESS", "RESOLVED", "CLOSED", "ESCALATED"])
def test_what_has_begun_stays(can: Member, lamp: Ticket, status: str) -> None:
    cast.in_status(lamp, status)
    answer = Caller(can).delete(f"tickets/{lamp.pk}")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_new_any_more")


@pytest.mark.race
def test_deleting_and_beginning_at_once_have_one_winner(can: Member, selin: Member, lamp: Ticket) -> None:
    def run(number: int) -> None:
        if number:
            tickets.delete(by=can, ticket_id=lamp.pk)
        else:
            tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")

    results = race(2, run)
    assert sum(result is None for result in results) == 1
    lamp.refresh_from_db()
    assert (lamp.deleted_at is None) == (lamp.status == "IN_PROGRESS")


@pytest.mark.race
def test_a_category_that_is_deleted_meanwhile_is_404_and_nothing_worse(
    can: Member, mehmet: Member, lamp: Ticket, parks: Category
) -> None:
    def run(number: int) -> None:
        if number == 0:
            categories.remove(by=mehmet, category_id=parks.pk)
        else:
            tickets.edit(by=can, ticket_id=lamp.pk, changes={"category_id": parks.pk})

    kinds = outcomes(race(4, run))
    assert set(kinds) <= {"ok", "CategoryNotFound"}, kinds
    lamp.refresh_from_db()
    assert lamp.category.name in ("Lighting", "Other")
