"""Stems set aside, let go, written off once, put back, substituted (contract florist 3.11, defect 12)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F, Sum

from apps.core.testing import assert_refused, outcomes, query_budget, race
from apps.florist import errors
from apps.florist.actions import stock
from apps.florist.errors import Shortage
from apps.florist.models import (
    Batch,
    Employee,
    Movement,
    Order,
    OrderItem,
    Product,
    ProductionTask,
    Shop,
    ShowcaseBouquet,
    StockReservation,
    Substitution,
)
from apps.florist.queries import stock as questions
from apps.florist.queries.recipes import Flower
from apps.florist.tests import cast

HELD, GONE, FREE = StockReservation.State.HELD, StockReservation.State.WRITTEN_OFF, StockReservation.State.RELEASED


def order_of(where: Shop, *lines: tuple[Product, int], factor: str = "1") -> Order:
    """An order as a row, without the rules of taking one."""
    number = str(100_000_000 + Order.objects.count())
    sums = sum((product.current_price * pieces for product, pieces in lines), Decimal(0))
    order = Order.objects.create(
        shop=where,
        customer_phone="+77010000001",
        delivery_method="self_pickup",
        flower_sum=sums,
        total=sums,
        tracking_token=f"t{where.pk}-{number}-{lines[0][0].pk}-{Order.objects.count()}",
        order_number=number,
    )
    for product, pieces in lines:
        OrderItem.objects.create(
            order=order,
            product=product,
            product_name=product.name,
            product_category=product.category,
            quantity=pieces,
            factor=Decimal(factor),
            price=product.current_price,
            total=product.current_price * pieces,
        )
    return order


def figures(*batches: Batch) -> list[tuple[int, int]]:
    """Stock and reserved of each, as they are now."""
    return [Batch.objects.values_list("qty", "reserved_qty").get(pk=batch.pk) for batch in batches]


def books_agree() -> None:
    """Σ movements = stock, Σ held = reserved, nothing below zero: the nightly check finds nothing."""
    assert questions.faults() == []
    assert not Batch.objects.filter(reserved_qty__gt=F("qty")).exists()
    for batch in Batch.objects.all():
        assert batch.movements.aggregate(total=Sum("quantity"))["total"] == batch.qty


@pytest.fixture
def roses(rosa: Shop) -> Product:
    """Eleven Red Naomi of 60 cm."""
    product = cast.product(rosa)
    cast.recipe(product)
    return product


def test_reserving_takes_the_oldest_delivery_first(rosa: Shop, bek: Employee, roses: Product) -> None:
    new = cast.batch(rosa, qty=50, delivery_date="2026-11-10")
    old = cast.batch(rosa, qty=15, delivery_date="2026-11-01")
    order = order_of(rosa, (roses, 2))
    stock.reserve(order, by=bek)
    assert figures(old, new) == [(15, 15), (50, 7)]
    item = order.items.get()
    assert item.is_reserved and item.reserved_at is not None
    rows = StockReservation.objects.order_by("pk").values_list("batch_id", "qty", "state", "for_variety")
    assert list(rows) == [(old.pk, 15, HELD, "Red Naomi"), (new.pk, 7, HELD, "Red Naomi")]
    books_agree()


def test_reserving_again_takes_nothing_more(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch = cast.batch(rosa)
    order = order_of(rosa, (roses, 1))
    stock.reserve(order, by=bek)
    stock.reserve(order, by=bek)
    assert figures(batch) == [(100, 11)]


def test_old_flagged_hidden_and_foreign_batches_are_skipped(
    rosa: Shop, tulip: Shop, bek: Employee, roses: Product
) -> None:
    today = questions.today_of(rosa)
    cast.batch(rosa, expires_on=today - timedelta(days=1))
    cast.batch(rosa, to_write_off=True)
    cast.batch(rosa, hidden=True)
    cast.batch(rosa, height_cm=70)
    cast.batch(tulip)
    last_day = cast.batch(rosa, qty=5, expires_on=today)
    order = order_of(rosa, (roses, 1))
    refused = assert_refused(
        errors.StockShort, lambda: stock.reserve(order, by=bek), unchanged=[Batch.objects, StockReservation.objects]
    )
    assert refused.shortages == (Shortage("Red Naomi", 60, needed=11, available=5),)
    assert figures(last_day) == [(5, 0)]


def test_every_shortage_is_named_and_nothing_is_taken(rosa: Shop, bek: Employee, roses: Product) -> None:
    cast.recipe(roses, "Eucalyptus", 3, None)
    cast.recipe(roses, "Gypsophila", 2, 50)
    cast.batch(rosa, qty=10)
    cast.batch(rosa, "Gypsophila", qty=10, height_cm=50)
    order = order_of(rosa, (roses, 1))
    refused = assert_refused(
        errors.StockShort,
        lambda: stock.reserve(order, by=bek),
        unchanged=[Batch.objects, StockReservation.objects, OrderItem.objects],
    )
    assert refused.shortages == (Shortage("Red Naomi", 60, 11, 10), Shortage("Eucalyptus", None, 3, 0))
    assert stock.shortages_of(list(order.items.all())) == refused.shortages


def test_exact_heights_choose_before_any_height(rosa: Shop, bek: Employee, roses: Product) -> None:
    any_height = cast.product(rosa, "Any roses")
    cast.recipe(any_height, "Red Naomi", 5, None)
    tall, short = cast.batch(rosa, qty=11), cast.batch(rosa, qty=5, height_cm=40, delivery_date="2026-11-12")
    order = order_of(rosa, (any_height, 1), (roses, 1))
    stock.reserve(order, by=bek)
    assert figures(tall, short) == [(11, 11), (5, 5)]


def test_sizes_and_fractions_are_rounded_up_per_line(rosa: Shop, bek: Employee) -> None:
    product = cast.product(rosa)
    cast.recipe(product, "Eucalyptus", height_cm=None)
    product.components.update(quantity=Decimal("0.5"))
    batch = cast.batch(rosa, "Eucalyptus")
    stock.reserve(order_of(rosa, (product, 3), factor="1.40"), by=bek)  # 0.5 × 3 × 1.4 = 2.1
    assert figures(batch) == [(100, 3)]


def test_a_backorder_takes_what_there_is_and_is_filled_later(rosa: Shop, bek: Employee, roses: Product) -> None:
    first = cast.batch(rosa, qty=4)
    order = order_of(rosa, (roses, 1))
    stock.reserve(order, by=bek, allow_short=True)
    assert figures(first) == [(4, 4)] and not order.items.get().is_reserved
    second = cast.batch(rosa, qty=20)
    stock.reserve(order, by=bek)
    assert figures(first, second) == [(4, 4), (20, 7)] and order.items.get().is_reserved
    books_agree()


def test_release_lets_go_and_may_be_repeated(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch = cast.batch(rosa)
    order = order_of(rosa, (roses, 1))
    stock.reserve(order, by=bek)
    stock.release(order, by=bek)
    stock.release(order, by=bek)
    assert figures(batch) == [(100, 0)]
    assert StockReservation.objects.get().state == FREE and not order.items.get().is_reserved
    stock.reserve(order, by=bek)
    assert figures(batch) == [(100, 11)]
    books_agree()


def test_one_line_alone_is_reserved_and_released(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch = cast.batch(rosa)
    order = order_of(rosa, (roses, 1), (roses, 2))
    first, second = order.items.all()
    stock.reserve(order, by=bek)
    stock.release_line(first, by=bek)
    assert figures(batch) == [(100, 22)] and not first.is_reserved
    second.refresh_from_db()
    assert second.is_reserved
    stock.reserve_line(first, by=bek)
    assert figures(batch) == [(100, 33)] and first.is_reserved
    Batch.objects.update(hidden=True)
    stock.release_line(first, by=bek)
    assert_refused(errors.StockShort, lambda: stock.reserve_line(first, by=bek), unchanged=[Batch.objects])


def test_write_off_happens_once_with_one_movement_a_batch(rosa: Shop, bek: Employee, roses: Product) -> None:
    old, new = cast.batch(rosa, qty=15), cast.batch(rosa, delivery_date="2026-11-10")
    order = order_of(rosa, (roses, 1), (roses, 1))
    stock.reserve(order, by=bek)
    stock.write_off(order, by=bek)
    stock.write_off(order, by=bek)
    assert figures(old, new) == [(0, 0), (93, 0)]
    out = Movement.objects.filter(reason="order").order_by("pk")
    assert list(out.values_list("warehouse_item_id", "type", "quantity", "qty_before", "qty_after", "unit_cost")) == [
        (old.pk, "out", -15, 15, 0, Decimal(300)),
        (new.pk, "out", -7, 100, 93, Decimal(300)),
    ]
    assert {(row.reference_type, row.reference_id, row.created_by) for row in out} == {("order", order.pk, bek)}
    assert all(item.is_written_off and item.written_off_at for item in order.items.all())
    books_agree()


def test_write_off_without_reservation_takes_free_stock_and_never_goes_below_zero(
    rosa: Shop, bek: Employee, roses: Product
) -> None:
    batch = cast.batch(rosa, qty=16)
    first, second = order_of(rosa, (roses, 1)), order_of(rosa, (roses, 1))
    stock.write_off(first, by=bek)
    stock.write_off(second, by=bek)
    assert figures(batch) == [(0, 0)]
    assert list(Movement.objects.filter(reason="order").order_by("pk").values_list("quantity", flat=True)) == [-11, -5]
    assert first.items.get().is_reserved and not second.items.get().is_reserved
    books_agree()


def test_a_write_off_leaves_the_stems_of_others_alone(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch = cast.batch(rosa, qty=15)
    reserved, quick = order_of(rosa, (roses, 1)), order_of(rosa, (roses, 1))
    stock.reserve(reserved, by=bek)
    stock.write_off(quick, by=bek)
    assert figures(batch) == [(11, 11)]
    stock.write_off(reserved, by=bek)
    assert figures(batch) == [(0, 0)]


def test_a_rollback_returns_stems_and_keeps_them_reserved(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch = cast.batch(rosa, qty=30)
    order = order_of(rosa, (roses, 1))
    stock.reserve(order, by=bek)
    stock.write_off(order, by=bek)
    stock.put_back(order, by=bek)
    stock.put_back(order, by=bek)
    assert figures(batch) == [(30, 11)]
    back = Movement.objects.get(reason="return")
    assert (back.type, back.quantity, back.qty_after) == ("in", 11, 30)
    item = order.items.get()
    assert item.is_reserved and not item.is_written_off and item.written_off_at is None
    books_agree()
    stock.write_off(order, by=bek)
    assert figures(batch) == [(19, 0)]
    books_agree()


def test_an_edited_recipe_does_not_change_what_is_reserved(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch = cast.batch(rosa, qty=50)
    order = order_of(rosa, (roses, 1))
    stock.reserve(order, by=bek)
    roses.components.update(quantity=25)
    stock.write_off(order, by=bek)
    assert figures(batch) == [(39, 0)]


def test_a_piece_sold_off_the_showcase_needs_no_stems(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch = cast.batch(rosa, qty=50)
    order = order_of(rosa, (roses, 2))
    ShowcaseBouquet.objects.create(shop=rosa, product=roses, state="sold", order_item=order.items.get())
    stock.reserve(order, by=bek)
    assert figures(batch) == [(50, 11)]
    stock.release(order, by=bek)
    shown = ShowcaseBouquet.objects.get()
    assert (shown.state, shown.order_item) == ("shown", None)


def test_the_stem_list_names_batches_and_what_is_missing(rosa: Shop, bek: Employee, roses: Product) -> None:
    cast.recipe(roses, "Eucalyptus", 3, None)
    batch = cast.batch(rosa, qty=4)
    order = order_of(rosa, (roses, 1))
    item = order.items.get()
    stock.reserve(order, by=bek, allow_short=True)
    stems = questions.stem_list([item.pk])[item.pk]
    assert [(stem.variety, stem.height_cm, stem.qty, stem.missing) for stem in stems] == [
        ("Eucalyptus", None, 3, 3),
        ("Red Naomi", 60, 4, 0),
        ("Red Naomi", 60, 7, 7),
    ]
    assert [(part.batch_id, part.sku, part.qty) for part in stems[1].batches] == [(batch.pk, batch.sku, 4)]
    assert len({stem.key for stem in stems}) == 3
    with query_budget(4):
        questions.stem_list([item.pk])


# ── Substitution ────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def making(rosa: Shop, bek: Employee, aida: Employee, roses: Product) -> Any:
    """An order with eleven reserved roses, its task, and another variety beside."""
    red = cast.batch(rosa, qty=20)
    pink = cast.batch(rosa, "Pink Avalanche", qty=6, cost=Decimal(350))
    order = order_of(rosa, (roses, 1))
    stock.reserve(order, by=bek)
    task = ProductionTask.objects.create(shop=rosa, order=order, task_type="bouquet", florist=aida)
    return order, task, red, pink


def swap(making: Any, by: Employee, qty: int = 3, **other: Any) -> Any:
    order, task, red, pink = making
    given = {"instead_of": red.pk, "to_batch_id": pink.pk, "order_item": order.items.get(), "task": task, **other}
    return stock.substitute(by=by, qty=qty, reason="wilted", **given)


@pytest.mark.parametrize("written_off", [False, True])
def test_a_substitute_takes_over_the_place(making: Any, aida: Employee, written_off: bool) -> None:
    order, _task, red, pink = making
    if written_off:
        stock.write_off(order, by=aida)
    made = swap(making, aida)
    assert figures(red, pink) == ([(12, 0), (3, 0)] if written_off else [(20, 8), (6, 3)])
    assert (made.qty, made.cost_difference, made.by) == (3, Decimal(150), aida)
    stems = questions.stem_list([order.items.get().pk])[order.items.get().pk]
    assert [(stem.variety, stem.qty, stem.instead_of) for stem in stems] == [
        ("Pink Avalanche", 3, "Red Naomi"),
        ("Red Naomi", 8, ""),
    ]
    books_agree()
    if not written_off:
        stock.write_off(order, by=aida)
        assert figures(red, pink) == [(12, 0), (3, 0)]
        books_agree()


def test_substitution_refuses_more_than_there_is(
    making: Any, rosa: Shop, tulip: Shop, aida: Employee, ruslan: Employee
) -> None:
    foreign, white = cast.batch(tulip, "Pink Avalanche").pk, cast.batch(rosa, "White").pk
    watched = [Batch.objects, StockReservation.objects, Movement.objects, Substitution.objects]
    for refusal, deed in (
        (errors.StockShort, lambda: swap(making, aida, 7)),
        (errors.NothingToSubstitute, lambda: swap(making, aida, 12, to_batch_id=white)),
        (errors.NothingToSubstitute, lambda: swap(making, aida, 0)),
        (errors.BatchNotFound, lambda: swap(making, aida, to_batch_id=foreign)),
        (errors.NotEnoughPermissions, lambda: swap(making, ruslan)),
    ):
        assert_refused(refusal, deed, unchanged=watched)


@pytest.mark.parametrize("written_off", [False, True])
def test_a_flower_that_is_missing_is_replaced(
    rosa: Shop, bek: Employee, aida: Employee, roses: Product, written_off: bool
) -> None:
    red, pink = cast.batch(rosa, qty=8), cast.batch(rosa, "Pink Avalanche", qty=6, cost=Decimal(350))
    order = order_of(rosa, (roses, 1))
    stock.reserve(order, by=bek, allow_short=True)
    if written_off:
        stock.write_off(order, by=bek)
    task = ProductionTask.objects.create(shop=rosa, order=order, task_type="bouquet", florist=aida)
    making = order, task, red, pink
    missing = Flower("Red Naomi", 60)
    watched = [Batch.objects, StockReservation.objects, Movement.objects, Substitution.objects]
    for flower, qty in ((missing, 4), (Flower("White", 60), 1), (missing, 0)):
        take = lambda flower=flower, qty=qty: swap(making, aida, qty, instead_of=flower)  # noqa: E731
        assert_refused(errors.NothingToSubstitute, take, unchanged=watched)
    made = swap(making, aida, 2, instead_of=missing)
    assert (made.from_batch, made.for_variety, made.for_height_cm, made.cost_difference) == (
        *(None, "Red Naomi", 60),
        made.to_batch.stem_cost * 2,
    )
    assert not order.items.get().is_reserved
    swap(making, aida, 1, instead_of=missing)
    assert order.items.get().is_reserved
    assert figures(red, pink) == ([(0, 0), (3, 0)] if written_off else [(8, 8), (6, 3)])
    stems = questions.stem_list([order.items.get().pk])[order.items.get().pk]
    assert [(stem.variety, stem.qty, stem.missing) for stem in stems] == [("Pink Avalanche", 3, 0), ("Red Naomi", 8, 0)]
    books_agree()
    if not written_off:
        stock.write_off(order, by=aida)
        assert figures(red, pink) == [(0, 0), (3, 0)]
        books_agree()
        stock.put_back(order, by=aida)
        assert figures(red, pink) == [(8, 8), (6, 3)]


# ── Room for waste ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_reservations_move_to_other_batches_when_stems_are_lost(rosa: Shop, bek: Employee, roses: Product) -> None:
    wilted, fresh = cast.batch(rosa, qty=22), cast.batch(rosa, qty=8, delivery_date="2026-11-10")
    first, second = order_of(rosa, (roses, 1)), order_of(rosa, (roses, 1))
    stock.reserve(first, by=bek)
    stock.reserve(second, by=bek)
    assert stock.make_room({wilted.pk: 10}, by=bek) == 4  # twelve go, the newest order's first; eight find a place
    assert figures(wilted, fresh) == [(22, 10), (8, 8)]
    assert (first.items.get().is_reserved, second.items.get().is_reserved) == (False, False)
    books_agree()
    assert stock.make_room({wilted.pk: 10}, by=bek) == stock.make_room({fresh.pk: 8}, by=bek) == 0


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.race
def test_two_hundred_orders_on_scarce_stock_oversell_nothing(rosa: Shop, bek: Employee) -> None:
    varieties = ["Red Naomi", "Avalanche", "Eucalyptus"]
    batches = [cast.batch(rosa, name, qty=100, delivery_date=f"2026-11-0{n}") for name in varieties for n in (1, 2)]
    products = [cast.product(rosa, f"P{number}") for number in range(3)]
    for number, product in enumerate(products):
        for name in (varieties[number], varieties[(number + 1) % 3]):
            cast.recipe(product, name, 5)
    orders = [order_of(rosa, (products[number % 3], 1)) for number in range(200)]

    def reserve(number: int) -> list[str]:
        return [outcome(lambda order=order: stock.reserve(order, by=bek)) for order in orders[number::40]]

    results = race(40, reserve)
    assert not outcomes(results).keys() - {"ok"}, results
    done = [word for result in results for word in result]
    assert len(done) == 200 and set(done) == {"ok", "StockShort"}
    held = StockReservation.objects.aggregate(total=Sum("qty"))["total"]
    assert held == 10 * done.count("ok") == Batch.objects.aggregate(total=Sum("reserved_qty"))["total"]
    for name in varieties[:2]:
        assert sum(batch.available_qty for batch in Batch.objects.filter(variety=name)) >= 0
    # What was refused is refused for a reason: no product fits into what is left.
    left = {name: sum(batch.available_qty for batch in Batch.objects.filter(variety=name)) for name in varieties}
    assert all(left[varieties[n]] < 5 or left[varieties[(n + 1) % 3]] < 5 for n in range(3))
    assert len(batches) == 6
    books_agree()


def outcome(deed: Any) -> str:
    """`ok`, or the refusal's class; anything else is loud."""
    try:
        deed()
    except errors.StockShort:
        return "StockShort"
    return "ok"


@pytest.mark.race
def test_one_order_written_off_released_and_reserved_at_once_adds_up(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch = cast.batch(rosa, qty=100)
    order = order_of(rosa, (roses, 1))
    deeds = (stock.reserve, stock.write_off, stock.release, stock.put_back)
    results = race(24, lambda number: deeds[number % 4](order, by=bek))
    assert outcomes(results) == {"ok": 24}
    stock.write_off(order, by=bek)
    assert figures(batch) == [(89, 0)]
    books_agree()


@pytest.mark.race
def test_orders_substitutions_and_lost_stems_do_not_deadlock(
    rosa: Shop, bek: Employee, aida: Employee, roses: Product
) -> None:
    red, pink = cast.batch(rosa, qty=300), cast.batch(rosa, "Pink Avalanche", qty=300)
    pinks = cast.product(rosa, "Pinks")
    cast.recipe(pinks, "Pink Avalanche", 11)
    orders = [order_of(rosa, (roses if number % 2 else pinks, 1)) for number in range(24)]
    tasks = []
    for order in orders:
        stock.reserve(order, by=bek)
        tasks.append(ProductionTask.objects.create(shop=rosa, order=order, task_type="bouquet", florist=aida))

    def work(number: int) -> None:
        order, (old, new) = orders[number], ((red, pink) if number % 2 else (pink, red))
        item = order.items.get()
        stock.substitute(
            by=aida, task=tasks[number], order_item=item, instead_of=old.pk, to_batch_id=new.pk, qty=2, reason="r"
        )
        stock.write_off(order, by=bek)

    assert outcomes(race(24, work)) == {"ok": 24}
    assert figures(red, pink) == [(300 - 132, 0), (300 - 132, 0)]
    books_agree()
