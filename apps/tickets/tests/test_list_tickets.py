"""Lists and the whole ticket: who sees what, at which price (contract tickets 1.1, 1.4, C6, D8, D9, D18, D19)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.core.testing import query_budget
from apps.tickets.actions import tickets
from apps.tickets.api.ticket_shapes import TicketDetail
from apps.tickets.models import Category, Follow, Member, StatusLog, Ticket
from apps.tickets.tests import cast, city
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db


def titles(by: Member, path: str, **query: Any) -> list[str]:
    answer = Caller(by).get(path, **query)
    assert answer.status_code == 200, answer.content
    return [row["title"] for row in answer.json()["items"]]


def some(by: Member, category: Category, *names: str, **more: Any) -> list[Ticket]:
    """Tickets, the last one the newest."""
    return [
        city.ticket(of=category, by=by, title=name, days_ago=len(names) - place, **more)
        for place, name in enumerate(names)
    ]


def test_staff_list_all_newest_first_with_filters(
    can: Member, selin: Member, lighting: Category, parks: Category
) -> None:
    some(can, lighting, "one", "two", "three", team=selin.team)
    some(can, parks, "bench")
    cast.in_status(Ticket.objects.get(title="two"), "RESOLVED")
    assert titles(selin, "tickets/") == ["bench", "three", "two", "one"]
    assert titles(selin, "tickets/", status_filter="resolved") == ["two"]
    assert titles(selin, "tickets/", category_id=str(parks.pk)) == ["bench"]
    assert titles(selin, "tickets/", team_id=str(selin.team_id), page=2, page_size=2) == ["one"]
    body = Caller(selin).get("tickets/", page=3, page_size=2).json()
    assert body == {"items": [], "total": 4, "page": 3, "page_size": 2}


@pytest.mark.parametrize(
    "query",
    [
        {"status_filter": "DONE"},
        {"category_id": "x"},
        {"team_id": "x"},
        {"page": "0"},
        {"page_size": "101"},
        {"page_size": "0"},
        {"page": "99999999999999"},
    ],
)
def test_bad_filters_are_422(mehmet: Member, query: dict[str, str]) -> None:
    assert Caller(mehmet).get("tickets/", **query).status_code == 422


def test_each_list_holds_what_its_name_says(can: Member, zeynep: Member, selin: Member, lighting: Category) -> None:
    mine, hers, other = (*some(can, lighting, "mine"), *some(zeynep, lighting, "hers", "other"))
    Ticket.objects.filter(pk=other.pk).update(team=selin.team)
    for ticket, member in ((mine, can), (hers, zeynep), (hers, can)):
        Follow.objects.create(ticket=ticket, member=member)
    assert titles(can, "tickets/my") == ["mine"]
    assert titles(can, "tickets/followed") == ["hers"]
    assert set(titles(can, "tickets/all")) == {"mine", "hers"}
    assert titles(selin, "tickets/assigned") == ["other"]
    assert titles(zeynep, "tickets/my", status_filter="NEW", category_id=str(lighting.pk)) == ["other", "hers"]


def test_support_without_a_team_has_nothing_assigned(lighting: Category, can: Member) -> None:
    """D8: not all unassigned tickets."""
    some(can, lighting, "free")
    assert titles(cast.person("Loner", cast.Role.SUPPORT), "tickets/assigned") == []


def test_citizens_list_only_their_own(can: Member, lamp: Ticket) -> None:
    for path in ("tickets/", "tickets/assigned"):
        answer = Caller(can).get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "staff_only")


# C6 -------------------------------------------------------------------------------------------------------------------
def test_a_stranger_reads_a_ticket_without_the_names_of_its_people(
    can: Member, zeynep: Member, selin: Member, lamp: Ticket
) -> None:
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS", comment="On our way")
    for by, reporter, officer, assignee in (
        (can, "Can", "Selin", None),
        (selin, "Can", "Selin", str(selin.pk)),
        (zeynep, None, None, None),
    ):
        body = Caller(by).get(f"tickets/{lamp.pk}").json()
        assert (body["reporter_name"], body["assignee_id"]) == (reporter, assignee)
        assert body["status_logs"][0]["changed_by_name"] == officer
        assert body["status_logs"][0]["comment"] == "On our way"
        assert can.phone_number not in str(body)


def test_followed_tickets_of_others_do_not_name_them_either(can: Member, zeynep: Member, lamp: Ticket) -> None:
    tickets.follow(by=zeynep, ticket_id=lamp.pk)
    for path in ("tickets/followed", "tickets/all"):
        [row] = Caller(zeynep).get(path).json()["items"]
        assert (row["reporter_name"], row["reporter_id"]) == (None, str(can.pk))


# The whole ticket -----------------------------------------------------------------------------------------------------
def test_a_whole_ticket_has_everything_newest_first(can: Member, selin: Member, lamp: Ticket) -> None:
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="RESOLVED")
    body = Caller(can).get(f"tickets/{lamp.pk}").json()
    steps = [(line["old_status"], line["new_status"]) for line in body["status_logs"]]
    assert steps == [("IN_PROGRESS", "RESOLVED"), ("NEW", "IN_PROGRESS"), (None, "NEW")]
    flags = {name: body[name] for name in ("has_feedback", "has_escalation", "can_escalate", "is_following")}
    assert flags == {"has_feedback": False, "has_escalation": False, "can_escalate": True, "is_following": True}
    assert (body["photos"], body["comments"]) == ([], [])


def test_a_ticket_without_a_team_cannot_be_escalated(mehmet: Member, free_lamp: Ticket) -> None:
    found = Caller(mehmet).get(f"tickets/{free_lamp.pk}").json()
    assert found["can_escalate"] is False
    assert set(found) == set(TicketDetail.model_fields)


def test_unknown_is_404_and_malformed_422(can: Member) -> None:
    assert Caller(can).get(f"tickets/{uuid4()}").status_code == 404
    answer = Caller(can).get("tickets/not-a-uuid")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["path", "ticket_id"])


def test_history_is_bounded(can: Member, lamp: Ticket) -> None:
    """D19."""
    StatusLog.objects.bulk_create(StatusLog(ticket=lamp, new_status="NEW", changed_by=can) for _ in range(250))
    assert len(Caller(can).get(f"tickets/{lamp.pk}").json()["status_logs"]) == 200


# Price ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["tickets/", "tickets/my", "tickets/assigned", "tickets/followed", "tickets/all"])
def test_a_page_costs_four_queries_whatever_its_size(selin: Member, can: Member, lighting: Category, path: str) -> None:
    """D18. Two of them sign the caller in."""
    for by in (selin, can):
        for ticket in some(by, lighting, *"abcdefghij", team=selin.team):
            Follow.objects.create(ticket=ticket, member=selin)
    caller = Caller(selin)
    with query_budget(4):
        assert len(caller.get(path, page_size=100).json()["items"]) >= 10


def test_a_whole_ticket_costs_six_queries(selin: Member, lamp: Ticket) -> None:
    caller = Caller(selin)
    with query_budget(6):
        caller.get(f"tickets/{lamp.pk}")
