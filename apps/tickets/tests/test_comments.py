"""Comments, internal ones too (contract tickets 1.4, 3, D19, D20, C6)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.core.testing import query_budget
from apps.tickets.actions import comments
from apps.tickets.models import Comment, Member, Ticket
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db


def say(by: Member, ticket: Ticket, content: str = "It is still dark", **more: Any) -> Any:
    return Caller(by).post(f"tickets/{ticket.pk}/comments", {"content": content, **more})


def test_anybody_comments_on_any_ticket(can: Member, zeynep: Member, sinan: Member, lamp: Ticket) -> None:
    for by in (can, zeynep, sinan):
        assert say(by, lamp).status_code == 201
    answer = say(zeynep, lamp, "  Here too  ").json()
    assert set(answer) == {"id", "ticket_id", "user_id", "user_name", "content", "is_internal", "created_at"}
    assert (answer["content"], answer["user_name"], answer["is_internal"]) == ("Here too", "Zeynep", False)


def test_internal_words_are_for_staff(can: Member, sinan: Member, mehmet: Member, lamp: Ticket) -> None:
    refused = say(can, lamp, is_internal=True)
    assert (refused.status_code, refused.json()["code"]) == (403, "internal_for_staff")
    for by in (sinan, mehmet):
        assert say(by, lamp, "Crane is booked", is_internal=True).status_code == 201
    assert Comment.objects.filter(is_internal=True).count() == 2


def test_citizens_neither_read_nor_count_internal_words(can: Member, selin: Member, lamp: Ticket) -> None:
    """D20."""
    say(selin, lamp, "Crane is booked", is_internal=True)
    say(selin, lamp, "We are coming")
    for by, seen in ((can, ["We are coming"]), (selin, ["We are coming", "Crane is booked"])):
        caller = Caller(by)
        listed = caller.get(f"tickets/{lamp.pk}/comments").json()
        assert ([row["content"] for row in listed["items"]], listed["total"]) == (seen, len(seen))
        whole = caller.get(f"tickets/{lamp.pk}").json()
        assert ([row["content"] for row in whole["comments"]], whole["comment_count"]) == (seen, len(seen))
    assert Caller(can).get("tickets/my").json()["items"][0]["comment_count"] == 1
    assert Caller(selin).get("tickets/").json()["items"][0]["comment_count"] == 2


def test_a_reporter_who_comments_is_not_named_to_strangers(can: Member, zeynep: Member, lamp: Ticket) -> None:
    """C6: else his own comment would tell who reported."""
    say(can, lamp, "Any news?")
    say(zeynep, lamp, "Here too")
    names = [row["user_name"] for row in Caller(zeynep).get(f"tickets/{lamp.pk}/comments").json()["items"]]
    assert names == ["Zeynep", None]
    names = [row["user_name"] for row in Caller(can).get(f"tickets/{lamp.pk}/comments").json()["items"]]
    assert names == ["Zeynep", "Can"]


@pytest.mark.parametrize("body", [{"content": "   "}, {"content": "c" * 2001}, {"content": None}, {}])
def test_malformed_comments_are_422(can: Member, lamp: Ticket, body: dict[str, Any]) -> None:
    assert Caller(can).post(f"tickets/{lamp.pk}/comments", body).status_code == 422
    assert not Comment.objects.exists()


def test_unknown_tickets_are_404(can: Member) -> None:
    assert Caller(can).get(f"tickets/{uuid4()}/comments").status_code == 404
    assert Caller(can).post(f"tickets/{uuid4()}/comments", {"content": "Hello"}).status_code == 404


def test_lists_are_bounded_and_cost_the_same(can: Member, lamp: Ticket) -> None:
    """D19."""
    Comment.objects.bulk_create(Comment(ticket=lamp, author=can, content=f"No {n}") for n in range(230))
    caller, path = Caller(can), f"tickets/{lamp.pk}/comments"
    with query_budget(5):
        body = caller.get(path).json()
    assert (len(body["items"]), body["total"]) == (200, 230)
    assert len(caller.get(path, page=2).json()["items"]) == 30
    assert caller.get(path, page_size=201).status_code == 422
    assert len(caller.get(f"tickets/{lamp.pk}").json()["comments"]) == 200


def test_a_comment_stays_when_its_author_is_removed(can: Member, lamp: Ticket, mehmet: Member) -> None:
    comments.add(by=can, ticket_id=lamp.pk, content="Hello")
    Caller(mehmet).delete(f"users/{can.pk}")
    [row] = Caller(mehmet).get(f"tickets/{lamp.pk}/comments").json()["items"]
    assert (row["content"], row["user_name"]) == ("Hello", "Can")
