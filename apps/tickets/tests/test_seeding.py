"""Sample data shows every screen, comes once, and fits together."""

from __future__ import annotations

import pytest
from django.db.models import F, Q
from pytest_django.fixtures import Settings

from apps.tickets import conf, seeding
from apps.tickets.actions import sessions
from apps.tickets.models import Category, Escalation, Feedback, Follow, Member, SlaClock, StatusLog, Team, Ticket
from apps.tickets.queries import districts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city_districts")]


def test_an_operator_gets_the_whole_city(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TICKETS_SAMPLE_TICKETS")
    assert conf.load().sample_tickets == 5000


def test_the_city_comes_once(settings: Settings) -> None:
    size = settings.TICKETS.sample_tickets
    assert seeding.seed() == f"47 people, 6 teams, {size} tickets"
    assert (Ticket.objects.count(), Category.objects.count(), Team.objects.count()) == (size, 6, 6)
    assert set(Ticket.objects.values_list("status", flat=True)) == set(Ticket.Status.values)
    assert Ticket.objects.values("district").distinct().count() == 39
    before = [model.objects.count() for model in (Member, Ticket, StatusLog, Follow, SlaClock, Feedback)]
    assert seeding.seed() == "already there"
    assert [model.objects.count() for model in (Member, Ticket, StatusLog, Follow, SlaClock, Feedback)] == before


def test_what_was_planted_fits_together() -> None:
    seeding.seed()
    last = Ticket.objects.filter(resolved_at__isnull=True, status__in=("RESOLVED", "CLOSED"))
    assert not last.exists()
    assert not Ticket.objects.filter(created_at__gt=F("updated_at")).exists()
    assert StatusLog.objects.filter(old_status=None).count() == Ticket.objects.count()
    assert Escalation.objects.filter(status="PENDING").count() == Ticket.objects.filter(status="ESCALATED").count()
    assert not SlaClock.objects.filter(Q(stopped_at=None), ~Q(ticket__resolved_at=None)).exists()
    assert not Ticket.objects.exclude(follows__member=F("reporter")).exists()
    near = Ticket.objects.select_related("district")[:20]
    assert all(districts.of_point(row.latitude, row.longitude) is not None for row in near)


def test_its_people_get_in() -> None:
    seeding.seed()
    manager = Member.objects.get(email=seeding.MANAGER)
    assert manager.is_manager and manager.user.check_password(seeding.PASSWORD)
    assert Member.objects.get(email=seeding.OFFICER).team is not None
    assert sessions.open_session(manager).access
