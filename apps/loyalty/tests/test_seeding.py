"""The sample restaurant: every screen has rows, the books are true, the second run adds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.core.testing import deliver
from apps.ledger import queries as ledger
from apps.loyalty import seeding
from apps.loyalty.models import (
    Card,
    CashbackTransaction,
    Client,
    DeletedPhone,
    IikoJob,
    IikoNotice,
    IikoReconciliation,
    News,
    Product,
    Staff,
)
from apps.loyalty.queries import levels, stats
from apps.loyalty.tests import restaurant
from apps.notifications.models import Device, Notification

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def planted(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Planted once; each test takes its own changes back, and the last one everything."""
    around = transaction.atomic()
    around._from_testcase = True  # type: ignore[attr-defined]  # as every test's own transaction says of itself
    with django_db_blocker.unblock(), around:
        yield seeding.seed()
        transaction.set_rollback(True)


def test_a_year_with_true_books(planted: str) -> None:
    assert planted.startswith("200 guests, 8 staff, ")
    assert Client.objects.living().count() == 196
    assert set(Client.objects.values_list("level", flat=True)) >= {"SILVER", "GOLD", "PREMIUM"}
    assert ledger.audit().faults == []
    for client in Client.objects.select_related("purse")[:40]:
        assert client.balance == (client.transactions.aggregate(total=Sum("amount"))["total"] or Decimal(0))
        assert client.level == levels.level_of(client.points)
    assert not CashbackTransaction.objects.filter(balance_after__lt=0).exists()
    rows = CashbackTransaction.objects.filter(kind__in=("accrual", "payment")).order_by("pk").select_related("entry")
    hours = [row.created_at for row in rows]
    assert hours == sorted(hours)
    assert hours[0] < timezone.now() - timedelta(days=250)
    assert [row.entry.happened_at for row in rows] == hours


def test_every_screen_has_rows_and_the_second_run_adds_none(planted: str) -> None:
    before = CashbackTransaction.objects.count()
    assert seeding.seed() == "guests already there"
    assert (CashbackTransaction.objects.count(), Client.objects.count()) == (before, 200)
    assert set(IikoJob.objects.values_list("state", flat=True)) == {"success", "paused", "failed", "pending"}
    assert IikoNotice.objects.filter(state="parked").count() == 3
    counts = [model.objects.count() for model in (DeletedPhone, Card, News, Product, IikoReconciliation, Device)]
    assert counts == [4, 196, 4, 9, 2, 6]
    assert min(row["clients_count"] for row in stats.waiters()) > 0
    assert Staff.objects.filter(role="MANAGER").count() == 2


def test_old_movements_ring_nobody_and_the_queue_leaves_purses_alone(planted: str) -> None:
    deliver()
    assert not OutboxMessage.objects.filter(delivered_at=None).exists()
    newest = CashbackTransaction.objects.exclude(kind="added").select_related("client").order_by("-pk")
    heard = sum(not row.client.is_deleted for row in newest[: seeding.TOLD])
    assert Notification.objects.filter(kind__startswith="cashback_").count() == heard + 5
    held = stats.totals()["held"]
    restaurant.drain()
    assert stats.totals()["held"] == held
