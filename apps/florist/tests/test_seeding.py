"""The sample shops: planted once, and so that the checks of the night find nothing."""

from __future__ import annotations

import pytest
from django.db.models import Count, F, Sum

from apps.florist import seeding
from apps.florist.models import Batch, CourierDay, Customer, Employee, Order, Shop, StockReservation
from apps.florist.seeding import samples

pytestmark = pytest.mark.django_db


def test_the_samples_add_up_and_come_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "DAYS", 9)
    monkeypatch.setattr(samples, "CUSTOMERS", 12)
    assert seeding.seed().startswith("2 shops, 13 seats, 24 buyers")
    assert seeding.seed() == "already there"
    assert Employee.objects.values("user").distinct().count() == 12
    assert not Batch.objects.annotate(moved=Sum("movements__quantity")).exclude(moved=F("qty")).exists()
    held = StockReservation.objects.filter(state="held").values("batch").annotate(stems=Sum("qty"))
    assert {row["batch"]: row["stems"] for row in held} == dict(
        Batch.objects.filter(reserved_qty__gt=0).values_list("pk", "reserved_qty")
    )
    assert set(Order.objects.values_list("status", flat=True)) >= {*samples.TODAY, "completed"}


def test_figures_of_buyers_and_couriers_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "DAYS", 6)
    monkeypatch.setattr(samples, "CUSTOMERS", 5)
    seeding.seed()
    shop = Shop.objects.earliest("pk")
    sold = Order.objects.filter(shop=shop, status__in=Order.PAID_OR_LATER)
    spent = sold.aggregate(n=Count("pk"), sum=Sum("total"))
    counted = Customer.objects.filter(shop=shop).aggregate(n=Sum("orders_count"), sum=Sum("total_spent"))
    assert counted == spent
    assert CourierDay.objects.filter(cash_handed=F("cash_expected")).count() == CourierDay.objects.count() > 0
