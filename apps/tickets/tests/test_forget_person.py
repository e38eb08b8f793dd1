"""Who is forgotten leaves no name, phone or place behind: an erased person, a sender of Open311 (design 3.8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.core.testing import deliver
from apps.notifications import actions as notifications
from apps.notifications.models import Notification
from apps.tickets.actions import comments, escalations, open311, photos, tickets
from apps.tickets.models import Category, Comment, Member, Photo, ServiceRequest, Team, Ticket
from apps.tickets.tasks.open311 import forget_senders
from apps.tickets.tests import cast, city
from apps.tickets.tests.cast import Caller, told
from apps.tickets.tests.city import KADIKOY

pytestmark = pytest.mark.django_db


def named(name: str) -> int:
    """Messages that name somebody, in any inbox."""
    deliver()
    return Notification.objects.filter(body__contains=name).count()


def erase(member: Member) -> None:
    accounts.erase(by=member.user, user=member.user)
    deliver()


# An erased person -----------------------------------------------------------------------------------------------------
def test_other_peoples_inboxes_name_him_no_more(
    can: Member, zeynep: Member, selin: Member, lighting: Category, kadikoy_team: Team
) -> None:
    lamp, other = (cast.report(zeynep, lighting) for _ in range(2))
    tickets.follow(by=can, ticket_id=lamp.pk)
    tickets.follow(by=can, ticket_id=other.pk)
    tickets.unfollow(by=can, ticket_id=other.pk)
    comments.add(by=can, ticket_id=lamp.pk, content="Here too")
    comments.add(by=selin, ticket_id=lamp.pk, content="On our way")
    assert named("Can") == 4  # two follows; the comment for Zeynep and for the team
    before = len(told(zeynep))
    erase(can)
    assert (named("Can"), named("Selin commented"), len(told(zeynep))) == (0, 1, before - 3)
    said = Comment.objects.get(author=can)
    assert (said.content, Caller(zeynep).get(f"tickets/{lamp.pk}").json()["comments"][1]["user_name"]) == (
        "Here too",
        "—",
    )


def test_who_asked_for_a_decision_is_named_no_more(selin: Member, mehmet: Member, lamp: Ticket) -> None:
    escalations.request(by=selin, ticket_id=lamp.pk, reason="We need a crane here")
    assert named("Selin asks") == 1
    erase(selin)
    assert (named("Selin"), told(mehmet)) == (0, [])


def test_nobody_else_loses_a_message(can: Member, zeynep: Member, lamp: Ticket) -> None:
    """The same key of another product, and what others did, stays."""
    said = comments.add(by=zeynep, ticket_id=lamp.pk, content="Here too")
    notifications.tell(user=can.user, product="shop", kind="order", title="Zeynep sent it", key=f"comment:{said.pk}")
    before = Notification.objects.filter(user=can.user, product="tickets").count()
    erase(cast.person("Ayla"))
    deliver()
    assert Notification.objects.filter(user=can.user, product="tickets").count() > before
    erase(zeynep)
    assert named("Zeynep commented") == 0
    assert Notification.objects.filter(product="shop").count() == 1


def test_where_he_took_his_pictures_is_forgotten(can: Member, selin: Member, lamp: Ticket) -> None:
    photos.add(by=can, ticket_id=lamp.pk, file=city.picture(gps=KADIKOY))
    photos.add(by=selin, ticket_id=lamp.pk, file=city.picture(gps=KADIKOY), photo_type=Photo.Type.PROOF)
    erase(can)
    shown = {row["photo_type"]: row for row in Caller(selin).get(f"tickets/{lamp.pk}").json()["photos"]}
    assert shown["REPORT"]["taken_at_place"] is None
    assert shown["PROOF"]["taken_at_place"] == {"latitude": KADIKOY[0], "longitude": KADIKOY[1]}
    assert list(Photo.objects.filter(uploaded_by=can).values_list("latitude", "longitude")) == [(None, None)]


# A sender of Open311 --------------------------------------------------------------------------------------------------
PERSONAL = {
    "account_id": "77",
    "device_id": "phone-1",
    "first_name": "Ali",
    "last_name": "Veli",
    "email": "ali@example.com",
    "phone": "+905550000001",
}


@pytest.fixture
def key(db: None) -> Any:
    """A city app's."""
    return open311.issue_key(by=None, name="City app", member=city.member())[0]


def reported(key: Any, category: Category, *, days_ago: float = 0, **more: str) -> ServiceRequest:
    told = open311.Report(
        str(category.pk), *KADIKOY, description=f"Dark for {days_ago}", media_url="https://pics.example/1.jpg", **more
    )
    found = open311.report(key=key, report=told)
    ServiceRequest.objects.filter(pk=found.pk).update(created_at=timezone.now() - timedelta(days=days_ago))
    found.refresh_from_db()
    return found


def personal(request: ServiceRequest) -> dict[str, str]:
    request.refresh_from_db()
    return {name: getattr(request, name) for name in PERSONAL}


def test_what_a_sender_told_of_himself_goes_in_time(
    key: Any, lighting: Category, settings: Any, city_districts: None
) -> None:
    days = settings.TICKETS.open311_sender_days
    old, older = (reported(key, lighting, days_ago=days + more, **PERSONAL) for more in (1, 2))
    young, bare = reported(key, lighting, days_ago=days - 1, **PERSONAL), reported(key, lighting, days_ago=days + 3)
    prints = {request.pk: request.fingerprint for request in (old, older, young, bare)}
    assert forget_senders() == 2
    for request in (old, older):
        assert personal(request) == dict.fromkeys(PERSONAL, "")
        assert request.fingerprint != prints[request.pk]
        assert (request.media_url, request.ticket.deleted_at) == ("https://pics.example/1.jpg", None)
    assert (personal(young), young.fingerprint) == (PERSONAL, prints[young.pk])
    assert forget_senders() == 0


def test_an_operator_may_keep_it_for_good(key: Any, lighting: Category, settings: Any, city_districts: None) -> None:
    request = reported(key, lighting, days_ago=5000, **PERSONAL)
    settings.TICKETS = replace(settings.TICKETS, open311_sender_days=0)
    assert open311.forget_senders() == 0
    assert personal(request) == PERSONAL
