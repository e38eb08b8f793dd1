"""What runs low, what gets old, whether the books agree (contract florist 3.11, 3.18)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.core.testing import query_budget
from apps.florist.actions import batches, categories, stock, stock_watch
from apps.florist.models import Batch, Employee, Order, Shop, StockAlert
from apps.florist.queries import stock as questions
from apps.florist.queries.stock import Fault
from apps.florist.tasks import stock as tasks
from apps.florist.tests import cast
from apps.florist.tests.test_reserve_stock import order_of


def told(kind: str) -> list[dict[str, object]]:
    """Payloads of the facts that were announced, as one of their listeners hears them."""
    rows = OutboxMessage.objects.filter(event__endswith=kind).order_by("pk")
    return [row.payload for row in rows if row.handler == rows[0].handler]


def test_a_variety_that_runs_low_is_told_once_per_fall(rosa: Shop, bek: Employee) -> None:
    today = timezone.now().date()
    batch = cast.batch(rosa, "Tulip", qty=20, delivery_date=today)
    cast.batch(rosa, "Rose", qty=15, delivery_date=today)
    assert tasks.watch_stock() == 0
    batches.adjust(by=bek, batch_id=batch.pk, stems=-6, words="x")
    assert tasks.watch_stock() == 1
    assert tasks.watch_stock() == 0
    assert [(row["variety"], row["available"]) for row in told("StockRanLow")] == [("Tulip", 14)]
    batches.adjust(by=bek, batch_id=batch.pk, stems=6, words="x")
    assert tasks.watch_stock() == 0 and not StockAlert.objects.exists()
    batches.adjust(by=bek, batch_id=batch.pk, stems=-20, words="x")
    assert tasks.watch_stock() == 1


def test_reserved_old_and_flagged_stems_are_not_free(rosa: Shop, bek: Employee) -> None:
    today = questions.today_of(rosa)
    category = categories.ensure(rosa)[0]
    category.min_stock = 3
    category.save()
    more = {"category": category, "delivery_date": today}
    cast.batch(rosa, qty=12, **more)
    cast.batch(rosa, qty=50, expires_on=today - timedelta(days=1), **more)
    cast.batch(rosa, qty=50, to_write_off=True, **more)
    product = cast.product(rosa)
    cast.recipe(product)
    assert [(row.available, row.minimum, row.is_low) for row in questions.by_variety(rosa)] == [(12, 3, False)]
    stock.reserve(order_of(rosa, (product, 1)), by=bek)
    with query_budget(1):
        [row] = questions.by_variety(rosa)
    assert (row.qty, row.available, row.is_low) == (112, 1, True)


def test_varieties_of_long_ago_are_not_missed(rosa: Shop) -> None:
    today = questions.today_of(rosa)
    cast.batch(rosa, "Old", qty=0, delivery_date=today - timedelta(days=61))
    cast.batch(rosa, "New", qty=0, delivery_date=today - timedelta(days=59))
    assert [row.variety for row in questions.by_variety(rosa)] == ["New"]


def test_old_stems_are_told_once(rosa: Shop, tulip: Shop) -> None:
    today = questions.today_of(rosa)
    cast.batch(rosa, qty=30, expires_on=today, delivery_date=today)
    cast.batch(rosa, qty=10, expires_on=today + timedelta(days=1), delivery_date=today)
    cast.batch(tulip, qty=30, delivery_date=today)
    assert stock_watch.look(shop_id=rosa.pk) == 1
    assert stock_watch.look(shop_id=rosa.pk) == stock_watch.look(shop_id=tulip.pk) == 0
    assert [(row["shop_id"], row["stems"]) for row in told("StockExpires")] == [(rosa.pk, 40)]
    Shop.objects.update(is_active=False)
    assert stock_watch.open_shops() == []


def test_the_nightly_check_finds_every_kind_of_fault(rosa: Shop, bek: Employee) -> None:
    product = cast.product(rosa)
    cast.recipe(product)
    wrong_sum, wrong_reserve = cast.batch(rosa, "A", qty=10), cast.batch(rosa, "B", qty=10)
    batch = cast.batch(rosa)
    order = order_of(rosa, (product, 1))
    stock.reserve(order, by=bek)
    assert tasks.check_stock() == 0 and told("StockDisagrees") == []
    Batch.objects.filter(pk=wrong_sum.pk).update(qty=11)
    Batch.objects.filter(pk=wrong_reserve.pk).update(reserved_qty=2)
    Order.objects.filter(pk=order.pk).update(status="cancelled")
    assert tasks.check_stock() == 3
    with query_budget(3):
        found = questions.faults()
    assert found == [
        Fault("sum", rosa.pk, wrong_sum.pk, expected=10, found=11),
        Fault("reserved", rosa.pk, wrong_reserve.pk, expected=0, found=2),
        Fault("orphan", rosa.pk, batch.pk, expected=0, found=11),
    ]
    assert [(row["shop_id"], row["faults"]) for row in told("StockDisagrees")] == [(rosa.pk, 3)]
