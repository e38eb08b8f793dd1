"""Sample data shows every screen, comes once, and keeps out of production."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from apps.core.testing import deliver
from apps.ledger import queries as ledger
from apps.payments.models import Payment
from apps.portal import demo, roles, ticking
from apps.portal.tests.cast import person
from apps.urgent.conf import PROVIDERS, TOPUP
from apps.urgent.models import Complaint, Invoice, Member, Order, Review, Take
from apps.urgent.queries import members as figures

pytestmark = pytest.mark.django_db


def seed(*args: str) -> str:
    out = StringIO()
    call_command("seed", *args, stdout=out)
    return out.getvalue()


def counts() -> list[int]:
    return [model.objects.count() for model in (Member, Order, Take, Review, Complaint, Invoice)]


def test_every_screen_has_something_to_show() -> None:
    seed()
    assert set(Order.objects.values_list("status", flat=True)) == set(Order.Status.values)
    assert set(Review.objects.values_list("status", flat=True)) == set(Review.Status.values)
    assert set(Complaint.objects.values_list("status", flat=True)) == set(Complaint.Status.values)
    bills = Payment.objects.filter(purpose=TOPUP)
    assert {"paid", "cancelled", "failed"} <= set(bills.values_list("status", flat=True))
    assert set(bills.values_list("method", flat=True)) == set(PROVIDERS)
    assert set(Order.objects.filter(status="active").values_list("takes_count", flat=True)) == {0, 1, 2, 3}
    assert Order.objects.count() >= 60
    assert Member.objects.count() == 12


def test_balances_and_counters_are_true() -> None:
    seed()
    assert figures.mismatches() == []
    report = ledger.audit()
    assert (report.faults, set(report.sums.values())) == ([], {0})
    paid = Invoice.objects.exclude(entry=None).aggregate(total=Sum("amount"))["total"]
    kept = sum(take.price for take in Take.objects.filter(refunded_at=None))
    assert sum(figures.roubles(member) for member in Member.objects.select_related("user")) == paid - kept


def test_seeding_twice_adds_nothing() -> None:
    seed()
    before = counts()
    assert "already there" in seed()
    assert counts() == before


def test_a_later_start_finds_fresh_active_orders() -> None:
    seed()
    with time_machine.travel(timezone.now() + timedelta(hours=3), tick=True):
        ticking.run_job("settle due orders")
        assert not Order.objects.filter(status="active").exists()
        assert "12 fresh orders" in seed()
        assert Order.objects.filter(status="active").count() == 12


def test_sample_data_survives_the_outbox() -> None:
    seed()
    deliver()


def test_a_real_database_is_refused(settings: Any) -> None:
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="--force-demo"):
        seed()
    assert counts() == [0] * 6
    seed("--force-demo")
    assert person(demo.ADMIN).is_superuser


def test_a_production_start_refuses_the_sample_people(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seed()
    settings.EMBEDDED = False
    monkeypatch.setattr("apps.portal.management.commands.check_start.call_command", lambda *args, **options: None)
    with pytest.raises(CommandError, match=", ".join(sorted(demo.STAFF))):
        call_command("check_start", stdout=StringIO())
    for name in demo.STAFF:
        found = person(name)
        found.set_password("another-password-than-the-published-one")
        found.save(update_fields=["password"])
    call_command("check_start", stdout=StringIO())


def test_a_superuser_of_any_name_with_the_published_password_is_found() -> None:
    from django.contrib.auth import get_user_model

    get_user_model().objects.create_superuser(username="boss", password=demo.PASSWORD)
    assert demo.people_with_the_demo_password() == ["boss"]


def test_the_city_and_the_restaurants_have_their_people() -> None:
    """Every role of theirs belongs to somebody who does nothing else."""
    seed()
    wanted = {name for name in roles.ROLES if name.startswith(("City", "Restaurant"))}
    held = {role: [name for name, (_does, theirs) in demo.STAFF.items() if role in theirs] for role in wanted}
    assert len(wanted) == 5 and all(len(people) == 1 for people in held.values())
    for role, (name,) in held.items():
        found = person(name)
        assert list(found.groups.values_list("name", flat=True)) == [role]
        assert (found.is_staff, found.is_superuser, found.check_password(demo.PASSWORD)) == (True, False, True)


def test_an_embedded_start_allows_them() -> None:
    seed()
    out = StringIO()
    call_command("check_start", stdout=out)
    assert "Ready to start." in out.getvalue()
