"""The reporter's mark (contract tickets 1.4, 3, D9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from apps.core.testing import outcomes, race
from apps.tickets.actions import feedback
from apps.tickets.models import Feedback, Member, Ticket
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(lamp: Ticket) -> Ticket:
    """Can's lamp, repaired."""
    return cast.in_status(lamp, "RESOLVED")


def rate(by: Member, ticket: Ticket, **body: Any) -> Any:
    return Caller(by).post(f"feedback/tickets/{ticket.pk}", body)


@pytest.mark.parametrize("status", ["RESOLVED", "CLOSED"])
def test_the_reporter_rates_finished_work(can: Member, lamp: Ticket, status: str) -> None:
    cast.in_status(lamp, status)
    answer = rate(can, lamp, rating=4, comment=" Quick ")
    assert answer.status_code == 201
    body = answer.json()
    assert {name: body[name] for name in ("ticket_id", "user_id", "user_name", "rating", "comment", "updated_at")} == {
        "ticket_id": str(lamp.pk),
        "user_id": str(can.pk),
        "user_name": "Can",
        "rating": 4,
        "comment": "Quick",
        "updated_at": None,
    }
    assert Caller(can).get(f"tickets/{lamp.pk}").json()["has_feedback"] is True


@pytest.mark.parametrize("status", ["NEW", "IN_PROGRESS", "ESCALATED"])
def test_unfinished_work_is_not_rated(can: Member, lamp: Ticket, status: str) -> None:
    cast.in_status(lamp, status)
    answer = rate(can, lamp, rating=5)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_finished")
    assert not Feedback.objects.exists()


def test_only_the_reporter_rates(zeynep: Member, selin: Member, mehmet: Member, done: Ticket) -> None:
    for by in (zeynep, selin, mehmet):
        answer = rate(by, done, rating=1)
        assert (answer.status_code, answer.json()["code"]) == (403, "only_the_reporter")
        assert "reporter" in answer.json()["detail"]
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    "body", [{"rating": 0}, {"rating": 6}, {"rating": 4.5}, {}, {"rating": 4, "comment": "c" * 1001}]
)
def test_malformed_marks_are_422(can: Member, done: Ticket, body: dict[str, Any]) -> None:
    assert rate(can, done, **body).status_code == 422
    assert not Feedback.objects.exists()


def test_one_mark_per_ticket(can: Member, done: Ticket) -> None:
    rate(can, done, rating=4)
    answer = rate(can, done, rating=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "feedback_exists")
    assert Feedback.objects.get().rating == 4


def test_it_survives_reopening(can: Member, selin: Member, done: Ticket) -> None:
    rate(can, done, rating=2)
    Caller(selin).patch(f"tickets/{done.pk}/status", {"status": "IN_PROGRESS"})
    assert Caller(can).get(f"feedback/tickets/{done.pk}").json()["rating"] == 2


def test_strangers_read_the_mark_without_the_name(can: Member, zeynep: Member, selin: Member, done: Ticket) -> None:
    path = f"feedback/tickets/{done.pk}"
    assert Caller(can).get(path).status_code == 404
    rate(can, done, rating=5)
    names = [Caller(by).get(path).json()["user_name"] for by in (can, selin, zeynep)]
    assert names == ["Can", "Can", None]
    assert Caller().get(path).status_code == 401
    assert Caller(can).get(f"feedback/tickets/{uuid4()}").status_code == 404
    assert Caller(can).post(f"feedback/tickets/{uuid4()}", {"rating": 5}).status_code == 404


def test_the_author_changes_it_within_a_day(can: Member, zeynep: Member, done: Ticket) -> None:
    path = f"feedback/tickets/{done.pk}"
    assert Caller(can).patch(path, {"rating": 1}).status_code == 404
    rate(can, done, rating=5, comment="Fine")
    changed = Caller(can).patch(path, {"rating": 3}).json()
    assert (changed["rating"], changed["comment"]) == (3, "Fine")
    assert changed["updated_at"]
    assert Caller(can).patch(path, {"comment": None}).json()["comment"] is None
    assert Caller(can).patch(path, {"rating": None}).status_code == 422
    stranger = Caller(zeynep).patch(path, {"rating": 1})
    assert (stranger.status_code, stranger.json()["code"]) == (403, "not_the_author")
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=5)):
        late = Caller(can).patch(path, {"rating": 1})
    assert (late.status_code, late.json()["detail"]) == (403, "Feedback can only be edited within 24 hours")
    assert Feedback.objects.get().rating == 3


@pytest.mark.race
def test_eight_marks_at_once_are_one(can: Member, done: Ticket) -> None:
    kinds = outcomes(race(8, lambda n: feedback.give(by=can, ticket_id=done.pk, rating=n % 5 + 1)))
    assert kinds == {"ok": 1, "FeedbackExists": 7}
