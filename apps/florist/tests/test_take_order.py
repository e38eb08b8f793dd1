"""Orders come into being in one way: prices, phones, buyers and stems are the shop's (contract florist 1.2)."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.core.errors import Invalid
from apps.core.idempotency import KeyReused, KeyTooLong
from apps.core.phones import InvalidPhone
from apps.core.testing import assert_refused
from apps.florist import errors
from apps.florist.actions import lifecycle, orders
from apps.florist.actions.orders import OrderDraft
from apps.florist.actions.pricing import LineWish
from apps.florist.models import Batch, Customer, Employee, Order, OrderHistory, Product, ProductVariant, Shop
from apps.florist.tests import cast

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)


@pytest.fixture
def roses(rosa: Shop) -> Product:
    """Eleven stems of Red Naomi, of which there are a hundred."""
    found = cast.product(rosa)
    cast.recipe(found)
    cast.batch(rosa)
    return found


def draft(roses: Product, **more: Any) -> OrderDraft:
    """Two bouquets to be brought."""
    usual = {
        "customer_phone": "+77015550101",
        "delivery_method": "delivery",
        "items": (LineWish(roses.pk, 2),),
        "address": "Abay 10, 5",
    }
    return OrderDraft(**{**usual, **more})


def take(by: Any, shop: Shop, what: OrderDraft, **more: Any) -> Order:
    return orders.create(by=by, shop=shop, draft=what, now=NOW, **more)


def test_an_order_has_the_shops_prices_a_buyer_and_held_stems(rosa: Shop, bek: Employee, roses: Product) -> None:
    order = take(bek, rosa, draft(roses, customer_phone="8 701 555-01-01", customer_name="Ivan", card_text="Love"))
    order.refresh_from_db()
    assert (order.status, order.source, order.customer_phone) == ("new", "crm", "+77015550101")
    assert (order.flower_sum, order.delivery_fee, order.total) == (20_000, 0, 20_000)
    assert (order.recipient_phone, order.address_needs_clarification) == ("+77015550101", False)
    assert order.customer is not None
    assert (order.customer.name, order.customer.addresses.get().usage_count) == ("Ivan", 1)
    [item] = order.items.all()
    assert (item.product_name, item.quantity, item.price, item.total, item.is_reserved) == (
        roses.name, 2, 10_000, 20_000, True,
    )  # fmt: skip
    assert Batch.objects.get().reserved_qty == 22
    [row] = order.history.all()
    assert (row.event_type, row.new_status, row.by) == ("created", "new", bek)
    assert len(order.tracking_token) >= 43
    assert len(order.order_number) == 9


def test_the_sale_price_counts(rosa: Shop, bek: Employee, roses: Product) -> None:
    Product.objects.update(sale_price=7_500)
    assert take(bek, rosa, draft(roses)).total == 15_000


def test_money_is_exact(rosa: Shop, bek: Employee, roses: Product) -> None:
    """Defect 25: the original counted in floats."""
    Product.objects.update(cost_price=Decimal("0.01"), retail_price=Decimal("0.10"))
    order = take(bek, rosa, draft(roses, items=(LineWish(roses.pk, 3),)))
    order.refresh_from_db()
    assert (order.total, order.items.get().total) == (Decimal("0.30"), Decimal("0.30"))
    edited = orders.edit(by=bek, order_id=order.pk, changes={"delivery_fee": Decimal("0.60")})
    assert edited.total == Decimal("0.90")


def test_a_size_has_its_own_price_and_stems(rosa: Shop, bek: Employee, roses: Product) -> None:
    size = ProductVariant.objects.create(product=roses, name="premium", factor=Decimal("1.40"))
    order = take(bek, rosa, draft(roses, items=(LineWish(roses.pk, 1, size.pk),)))
    [item] = order.items.all()
    assert (item.price, item.factor, item.product_name) == (14_000, Decimal("1.40"), "Red roses (premium)")
    assert Batch.objects.get().reserved_qty == 16  # 11 × 1.4 = 15.4, rounded up


def test_a_known_buyer_keeps_his_name(rosa: Shop, bek: Employee, roses: Product) -> None:
    known = cast.customer(rosa, "Ivan")
    order = take(bek, rosa, draft(roses, customer_phone=known.phone, customer_name="Pyotr"))
    known.refresh_from_db()
    assert (order.customer_id, known.name) == (known.pk, "Ivan")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"customer_phone": "abc"}, InvalidPhone),
        ({"recipient_phone": "12"}, InvalidPhone),
        ({"items": ()}, Invalid),
        ({"items": (LineWish(999_999, 1),)}, errors.ProductNotFound),
        ({"zone_id": 999_999}, errors.ZoneNotFound),
        ({"florist_id": 999_999}, errors.EmployeeNotFound),
        ({"courier_id": 999_999}, errors.EmployeeNotFound),
    ],
)
def test_what_does_not_fit_is_refused(
    rosa: Shop, bek: Employee, roses: Product, changes: dict[str, Any], refusal: type[Exception]
) -> None:
    what = draft(roses, **changes)
    rows = [Order.objects.all(), Customer.objects.all(), Batch.objects.all(), OrderHistory.objects.all()]
    assert_refused(refusal, lambda: take(bek, rosa, what), unchanged=rows)  # type: ignore[type-var]


@pytest.mark.parametrize("quantity", [0, -3, 1001])
def test_pieces_are_one_to_a_thousand(rosa: Shop, bek: Employee, roses: Product, quantity: int) -> None:
    what = draft(roses, items=(LineWish(roses.pk, quantity),))
    assert_refused(Invalid, lambda: take(bek, rosa, what), unchanged=[Order.objects.all()])


def test_another_shops_rows_are_not_there(
    rosa: Shop, tulip: Shop, bek: Employee, dana: Employee, roses: Product
) -> None:
    theirs, size = cast.product(tulip), ProductVariant.objects.create(product=roses, name="VIP", factor=2)
    mine = cast.product(rosa, "Peonies")
    for what, refusal in (
        (draft(theirs), errors.ProductNotFound),
        (draft(mine, items=(LineWish(mine.pk, 1, size.pk),)), errors.VariantNotFound),
        (draft(roses, florist_id=dana.pk), errors.EmployeeNotFound),
    ):
        assert_refused(refusal, lambda what=what: take(bek, rosa, what), unchanged=[Order.objects.all()])
    assert_refused(errors.ShopNotFound, lambda: take(dana, rosa, draft(roses)), unchanged=[Order.objects.all()])


def test_what_is_off_sale_or_deleted_is_not_sold(rosa: Shop, bek: Employee, roses: Product) -> None:
    Product.objects.update(is_active=False)
    assert_refused(errors.ProductNotForSale, lambda: take(bek, rosa, draft(roses)))
    Product.objects.update(is_active=True, deleted_at=NOW)
    assert_refused(errors.ProductNotFound, lambda: take(bek, rosa, draft(roses)))


@pytest.mark.parametrize("who", ["aida", "ruslan"])
def test_florists_and_couriers_take_no_orders(
    request: pytest.FixtureRequest, rosa: Shop, roses: Product, who: str
) -> None:
    by = request.getfixturevalue(who)
    assert_refused(errors.NotEnoughPermissions, lambda: take(by, rosa, draft(roses)), unchanged=[Order.objects.all()])


def test_short_stems_refuse_unless_a_manager_takes_it_as_a_backorder(rosa: Shop, bek: Employee, roses: Product) -> None:
    many = draft(roses, items=(LineWish(roses.pk, 10),))
    refused = assert_refused(
        errors.StockShort, lambda: take(bek, rosa, many), unchanged=[Order.objects.all(), Batch.objects.all()]
    )
    [short] = refused.shortages
    assert (short.variety, short.needed, short.available) == ("Red Naomi", 110, 100)
    order = take(bek, rosa, many, allow_short=True)
    assert order.is_backorder
    assert Batch.objects.get().reserved_qty == 100


def test_a_shop_may_hold_stems_from_payment_on(rosa: Shop, bek: Employee, roses: Product) -> None:
    Shop.objects.filter(pk=rosa.pk).update(reserve_at="paid")
    take(bek, rosa, draft(roses))
    assert Batch.objects.get().reserved_qty == 0


def test_the_same_key_is_the_same_order(rosa: Shop, bek: Employee, roses: Product) -> None:
    first = take(bek, rosa, draft(roses), key="form-1")
    assert take(bek, rosa, draft(roses), key="form-1") == first
    assert_refused(
        KeyReused, lambda: take(bek, rosa, draft(roses, comment="other"), key="form-1"), unchanged=[Order.objects.all()]
    )
    assert (Order.objects.count(), Batch.objects.get().reserved_qty) == (1, 22)
    assert_refused(KeyTooLong, lambda: take(bek, rosa, draft(roses), key="k" * 65), unchanged=[Order.objects.all()])


def test_strangers_prices_are_not_looked_at(rosa: Shop, roses: Product) -> None:
    what = draft(roses, delivery_fee=Decimal(1), total=Decimal(1), flower_sum=Decimal(1))
    order = take(None, rosa, what, source="storefront")
    assert (order.flower_sum, order.discount, order.total) == (20_000, 0, 20_000)
    assert order.reserved_until == NOW + timedelta(minutes=30)
    assert order.history.get().by_text == "buyer"


def test_orders_of_strangers_are_on_the_clock_those_of_the_desk_are_not(
    rosa: Shop, bek: Employee, roses: Product
) -> None:
    for_cash = draft(roses, payment_method="cash")
    assert take(None, rosa, for_cash, source="storefront").reserved_until == NOW + timedelta(minutes=30)
    assert take(bek, rosa, for_cash).reserved_until is None


def test_strangers_name_an_address(rosa: Shop, bek: Employee, roses: Product) -> None:
    nowhere = draft(roses, address=" ")
    assert_refused(Invalid, lambda: take(None, rosa, nowhere, source="storefront"))
    assert take(bek, rosa, nowhere).address_needs_clarification


def test_an_order_without_lines_is_the_sum_that_the_desk_names(rosa: Shop, bek: Employee, roses: Product) -> None:
    typed = draft(roses, items=(), flower_sum=Decimal(15_000), delivery_fee=Decimal(1_500), total=Decimal(16_000))
    order = take(bek, rosa, typed)
    assert (order.flower_sum, order.delivery_fee, order.discount, order.total) == (15_000, 1_500, 500, 16_000)
    over = dataclasses.replace(typed, total=Decimal(20_000))
    assert_refused(Invalid, lambda: take(bek, rosa, over), unchanged=[Order.objects.all()])


def test_florist_and_courier_are_named_at_once(
    rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee, roses: Product
) -> None:
    order = take(bek, rosa, draft(roses, florist_id=aida.pk, courier_id=ruslan.pk))
    assert (order.assigned_florist, order.courier, order.courier_phone) == (aida, ruslan, ruslan.phone)
    assert_refused(errors.NotAFlorist, lambda: take(bek, rosa, draft(roses, florist_id=ruslan.pk)))
    assert_refused(errors.NotACourier, lambda: take(bek, rosa, draft(roses, courier_id=aida.pk)))


def test_a_backorder_goes_on_without_being_asked_again(rosa: Shop, bek: Employee, roses: Product) -> None:
    order = take(bek, rosa, draft(roses, items=(LineWish(roses.pk, 20),)), allow_short=True)
    assert lifecycle.move(by=bek, order_id=order.pk, to="paid").is_backorder
    assert lifecycle.move(by=bek, order_id=order.pk, to="assembled").status == "assembled"
