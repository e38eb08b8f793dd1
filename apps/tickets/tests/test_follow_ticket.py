"""Following (contract tickets 1.4, D5)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.core.testing import outcomes, race
from apps.tickets.actions import tickets
from apps.tickets.models import Follow, Member, Ticket
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db


def test_following_is_201_also_when_repeated(zeynep: Member, lamp: Ticket) -> None:
    caller, path = Caller(zeynep), f"tickets/{lamp.pk}/follow"
    for _ in range(2):
        answer = caller.post(path)
        assert (answer.status_code, set(answer.json())) == (201, {"message"})
    body = caller.get(f"tickets/{lamp.pk}").json()
    assert (body["follower_count"], body["is_following"]) == (2, True)


def test_unfollowing_is_204_always(zeynep: Member, lamp: Ticket) -> None:
    caller, path = Caller(zeynep), f"tickets/{lamp.pk}/follow"
    caller.post(path)
    for _ in range(2):
        answer = caller.delete(path)
        assert (answer.status_code, answer.content) == (204, b"")
    assert caller.get(f"tickets/{lamp.pk}").json()["follower_count"] == 1
    assert caller.delete(f"tickets/{uuid4()}/follow").status_code == 204


def test_unknown_tickets_are_404_and_bad_ids_422(zeynep: Member) -> None:
    assert Caller(zeynep).post(f"tickets/{uuid4()}/follow").status_code == 404
    assert Caller(zeynep).post("tickets/x/follow").status_code == 422
    assert Caller().post(f"tickets/{uuid4()}/follow").status_code == 401


@pytest.mark.race
def test_eight_clicks_follow_once(zeynep: Member, lamp: Ticket) -> None:
    results = race(8, lambda _: tickets.follow(by=zeynep, ticket_id=lamp.pk))
    assert outcomes(results) == {"ok": 8}
    assert results.count(True) == 1
    assert Follow.objects.filter(member=zeynep).count() == 1
