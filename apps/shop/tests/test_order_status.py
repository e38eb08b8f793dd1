"""The table of states walked completely, by buyer, administrator, payment and stranger (contract shop 1.6, 3.4, D7)."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.core import states
from apps.core.models import OutboxMessage, StepLog
from apps.core.testing import assert_refused
from apps.shop import errors
from apps.shop.actions import orders
from apps.shop.models import Customer, Order, OrderItem, Slipper
from apps.shop.states import ORDER, SET_BY_PAYMENT
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller

S = Order.Status
STEPS = {(str(origin), str(to)) for origin, to in ORDER.steps}
REACHED_BY = {
    S.PENDING: [],
    S.CONFIRMED: [S.CONFIRMED],
    S.PREPARING: [S.CONFIRMED, S.PREPARING],
    S.READY: [S.CONFIRMED, S.PREPARING, S.READY],
    S.DELIVERED: [S.CONFIRMED, S.PREPARING, S.READY, S.DELIVERED],
    S.CANCELLED: [S.CANCELLED],
    S.REFUNDED: [S.CONFIRMED, S.REFUNDED],
}


def world() -> list[QuerySet[Any]]:
    return [rows.objects.all() for rows in (Order, OrderItem, Slipper, StepLog, OutboxMessage)]


def in_state(buyer: Customer, status: str) -> Order:
    """An order that was brought there by the table's own steps."""
    order = cast.order(buyer, (cast.slipper(quantity=10), 3))
    for step in REACHED_BY[S(status)]:
        if step == S.CONFIRMED:
            assert orders.confirm(order_id=order.pk)
        elif step == S.REFUNDED:
            orders.mark_refunded(order_id=order.pk)
        else:
            orders.set_status(by=None, order_id=order.pk, status=step)
    order.refresh_from_db()
    assert order.status == status
    return order


def test_the_table_is_the_contract_s() -> None:
    paid = ("confirmed", "preparing", "ready", "delivered")
    assert {
        ("pending", "confirmed"),
        ("pending", "cancelled"),
        ("cancelled", "confirmed"),
        *zip(paid, paid[1:], strict=False),
        *((status, "refunded") for status in paid),
    } == STEPS


@pytest.mark.parametrize(("origin", "to"), list(product(S.values, S.values)))
def test_what_an_administrator_may_set(anora: Customer, bobur: Customer, origin: str, to: str) -> None:
    order = in_state(bobur, origin)
    answer = Caller(anora).put(f"orders/{order.pk}", {"status": to})
    if to == origin:
        wanted = (200, origin)
    elif (origin, to) in STEPS and to not in SET_BY_PAYMENT:
        wanted = (200, to)
    else:
        wanted = (409, origin)
    assert (answer.status_code, Order.objects.get(pk=order.pk).status) == wanted
    if answer.status_code == 409:
        assert answer.json()["code"] == ("only_payment_sets_status" if to in SET_BY_PAYMENT else "illegal_status")


@pytest.mark.parametrize(("origin", "to"), list(product(S.values, S.values)))
def test_what_a_buyer_may_set(bobur: Customer, origin: str, to: str) -> None:
    order = in_state(bobur, origin)
    answer = Caller(bobur).put(f"orders/{order.pk}", {"status": to})
    after = Order.objects.get(pk=order.pk).status
    if to == origin:
        assert (answer.status_code, after) == (200, origin)
    elif to == S.CANCELLED:
        assert (answer.status_code, after) == ((200, to) if origin == S.PENDING else (409, origin))
    else:
        assert (answer.status_code, answer.json()["code"], after) == (403, "may_not_handle_orders", origin)


@pytest.mark.parametrize("origin", S.values)
def test_what_a_stranger_may_do_is_nothing(bobur: Customer, farid: Customer, origin: str) -> None:
    order = in_state(bobur, origin)
    for deed in (
        lambda: orders.set_status(by=farid, order_id=order.pk, status="cancelled"),
        lambda: orders.set_status(by=farid, order_id=order.pk, status=origin),
        lambda: orders.change(by=farid, order_id=order.pk, changes={"notes": "mine"}),
        lambda: orders.delete(by=farid, order_id=order.pk),
        lambda: orders.begin_payment(by=farid, order_id=order.pk),
    ):
        assert_refused(errors.OrderOfAnother, deed, unchanged=world())


def test_a_stranger_gets_403_on_every_path(bobur: Customer, farid: Customer) -> None:
    order, call = cast.order(bobur, (cast.slipper(), 1)), Caller(farid)
    answers = [call.get(f"orders/{order.pk}"), call.put(f"orders/{order.pk}", {}), call.delete(f"orders/{order.pk}")]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert answers[0].json()["code"] == "order_of_another"
    assert call.get("orders/").json() == []
    nobody = Caller()
    assert [nobody(method, f"orders/{order.pk}", {}).status_code for method in ("GET", "PUT", "DELETE")] == [401] * 3


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_order_is_404(bobur: Customer, method: str) -> None:
    for number in ("999999", str(2**63 - 1)):
        assert Caller(bobur)(method, f"orders/{number}", {}).json()["code"] == "order_not_found"
    assert Caller(bobur)(method, "orders/abc", {}).status_code == 422
    assert Caller(bobur)(method, f"orders/{2**63}", {}).status_code == 422


# ── By hand what money decides otherwise ────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("origin", "to", "ends"),
    [
        (origin, to, (origin, to) in STEPS and origin != S.CANCELLED)
        for origin in S.values
        for to in sorted(SET_BY_PAYMENT)
    ],
)
def test_an_administrator_overrides_with_a_reason(
    anora: Customer, bobur: Customer, origin: str, to: str, ends: bool
) -> None:
    order = in_state(bobur, origin)
    if origin == to:
        return
    answer = Caller(anora).put(f"orders/{order.pk}", {"status": to, "reason": "money in cash, receipt 41"})
    assert answer.status_code == (200 if ends else 409)
    order.refresh_from_db()
    assert order.status == (to if ends else origin)
    if ends:
        last = states.history(order).last()
        assert last is not None
        assert (last.from_status, last.to_status, last.by, last.reason) == (
            *(origin, to),
            *(f"shop.customer:{anora.pk}", "money in cash, receipt 41"),
        )


@pytest.mark.parametrize("reason", ["", "   "])
def test_an_override_without_a_reason_is_refused(anora: Customer, bobur: Customer, reason: str) -> None:
    order = in_state(bobur, S.PENDING)
    assert_refused(
        errors.OnlyPaymentSetsStatus,
        lambda: orders.set_status(by=anora, order_id=order.pk, status=S.CONFIRMED, reason=reason),
        unchanged=world(),
    )


def test_staff_need_the_right_for_each_deed(bobur: Customer) -> None:
    order = in_state(bobur, S.PENDING)
    clerk = User.objects.create_user(username="clerk", is_staff=True)
    deed = lambda status: orders.set_status(by=clerk, order_id=order.pk, status=status, reason="cash")  # noqa: E731
    assert_refused(errors.MayNotHandleOrders, lambda: deed(S.CANCELLED), unchanged=world())
    clerk = with_right(clerk, "advance_order")
    assert_refused(errors.MayNotHandleOrders, lambda: deed(S.CONFIRMED), unchanged=world())
    clerk = with_right(clerk, "override_order")
    assert deed(S.CONFIRMED).status == S.CONFIRMED
    assert deed(S.PREPARING).status == S.PREPARING
    clerk.is_active = False
    clerk.save()
    assert_refused(errors.MayNotHandleOrders, lambda: deed(S.READY), unchanged=world())


def with_right(person: User, codename: str) -> User:
    person.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label="shop"))
    return User.objects.get(pk=person.pk)


# ── Words of old clients ────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("PENDING", "pending"),
        ("PAID", "confirmed"),
        ("paid", "confirmed"),
        (" Confirmed ", "confirmed"),
        ("REFUNDED", "refunded"),
        ("Cancelled", "cancelled"),
        ("PREPARING", "preparing"),
    ],
)
def test_old_words_in_any_case_mean_ours(anora: Customer, bobur: Customer, word: str, meant: str) -> None:
    origin = {"pending": S.PENDING, "confirmed": S.PENDING, "cancelled": S.PENDING}.get(meant, S.CONFIRMED)
    order = in_state(bobur, origin)
    answer = Caller(anora).put(f"orders/{order.pk}", {"status": word, "reason": "by hand"})
    assert (answer.status_code, answer.json()["status"]) == (200, meant)


@pytest.mark.parametrize("status", ["shipped", "", 7, [], {}])
def test_unknown_words_are_422(anora: Customer, bobur: Customer, status: Any) -> None:
    order = in_state(bobur, S.PENDING)
    assert Caller(anora).put(f"orders/{order.pk}", {"status": status}).status_code == 422


# ── Notes and the total ─────────────────────────────────────────────────────────────────────────────────────────────
def test_the_total_and_other_columns_are_never_written(bobur: Customer, anora: Customer) -> None:
    order = in_state(bobur, S.PENDING)
    body = {"total_amount": 0, "user_id": anora.pk, "paid_at": "2026-01-01", "notes": "ring twice"}
    for caller in (bobur, anora):
        answer = Caller(caller).put(f"orders/{order.pk}", body)
        assert (answer.status_code, answer.json()["total_amount"], answer.json()["user_id"]) == (200, 150000, bobur.pk)
    order.refresh_from_db()
    assert (order.notes, order.total_amount, order.paid_at) == ("ring twice", 150_000, None)
    assert Caller(bobur).put(f"orders/{order.pk}", {"notes": None}).json()["notes"] is None
    assert Caller(bobur).put(f"orders/{order.pk}", {"status": None}).json()["status"] == "pending"
    assert Caller(bobur).put(f"orders/{order.pk}", {"notes": "x" * 501}).status_code == 422


def test_a_buyer_writes_notes_only_while_the_order_is_pending(bobur: Customer, anora: Customer) -> None:
    order = in_state(bobur, S.CONFIRMED)
    answer = Caller(bobur).put(f"orders/{order.pk}", {"notes": "late"})
    assert (answer.status_code, answer.json()["code"]) == (409, "order_not_pending")
    assert Caller(anora).put(f"orders/{order.pk}", {"notes": "shelf 4"}).json()["notes"] == "shelf 4"


def test_notes_of_a_refused_change_are_not_kept(bobur: Customer) -> None:
    order = in_state(bobur, S.PENDING)
    both = {"notes": "new", "status": S.CONFIRMED}
    assert_refused(
        errors.MayNotHandleOrders,
        lambda: orders.change(by=bobur, order_id=order.pk, changes=both),
        unchanged=world(),
    )


# ── Facts, stamps, history ──────────────────────────────────────────────────────────────────────────────────────────
def test_every_step_is_stamped_and_kept(bobur: Customer, anora: Customer) -> None:
    order = in_state(bobur, S.READY)
    orders.set_status(by=anora, order_id=order.pk, status=S.DELIVERED, reason="courier 7")
    order.refresh_from_db()
    assert None not in (order.paid_at, order.delivered_at)
    assert (order.cancelled_at, order.refunded_at) == (None, None)
    assert [(row.from_status, row.to_status, row.by, row.reason) for row in states.history(order)] == [
        ("pending", "confirmed", "system", ""),
        ("confirmed", "preparing", "system", ""),
        ("preparing", "ready", "system", ""),
        ("ready", "delivered", f"shop.customer:{anora.pk}", "courier 7"),
    ]


def test_who_cancelled_is_known(bobur: Customer, anora: Customer) -> None:
    mine, hers = in_state(bobur, S.PENDING), in_state(bobur, S.PENDING)
    assert orders.cancel(by=bobur, order_id=mine.pk).cancelled_by == "buyer"
    assert orders.cancel(by=anora, order_id=hers.pk, reason="no such colour").cancelled_by == "staff"
    hers.refresh_from_db()
    assert hers.cancelled_at is not None


def test_repeating_a_status_changes_nothing(bobur: Customer, anora: Customer) -> None:
    order = in_state(bobur, S.CANCELLED)
    before = StepLog.objects.count()
    for who in (bobur, anora):
        assert orders.cancel(by=who, order_id=order.pk).status == S.CANCELLED
    assert StepLog.objects.count() == before
