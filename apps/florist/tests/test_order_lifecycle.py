"""On, back, aside and out: each table walked whole, with history, stock and money (contract florist 3.5, 3.11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.core.errors import Invalid
from apps.core.testing import assert_refused, deliver
from apps.florist import errors
from apps.florist.actions import items, lifecycle, payments, showcase
from apps.florist.models import Batch, Employee, Order, OrderHistory, ProductionTask, Shop
from apps.florist.states import CANCEL, FORWARD, ISSUE, ORDER, ROLLBACK
from apps.florist.tests import taking

S = Order.Status
EVERY_PAIR = [(str(old), str(new)) for old in S for new in S]


def method_for(old: str, new: str) -> str:
    return "self_pickup" if "self_pickup" in (old, new) else "delivery"


def last_line(order: Order) -> OrderHistory:
    found = order.history.order_by("-id").first()
    assert found is not None
    return found


# ── The tables, walked whole ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("old", "new"), EVERY_PAIR)
def test_forward_goes_by_its_table(rosa: Shop, bek: Employee, old: str, new: str) -> None:
    order = taking.standing_at(rosa, old, delivery_method=method_for(old, new))
    if new == "cancelled":
        refusal: Any = None if (old, new) in CANCEL else errors.CannotCancel
    else:
        refusal = None if (old, new) in FORWARD else errors.IllegalTransition
    if refusal:
        rows = [Order.objects.all(), OrderHistory.objects.all(), Batch.objects.all()]
        assert_refused(refusal, lambda: lifecycle.move(by=bek, order_id=order.pk, to=new), unchanged=rows)
        return
    lifecycle.move(by=bek, order_id=order.pk, to=new, comment="as agreed")
    moved, line = taking.fresh(order), last_line(order)
    assert (moved.status, moved.version > order.version) == (new, True)
    assert (line.event_type, line.old_status, line.new_status, line.by) == ("status_changed", old, new, bek)
    assert line.comment == "as agreed"


@pytest.mark.parametrize(("old", "new"), EVERY_PAIR)
def test_rollback_goes_by_its_map(rosa: Shop, bek: Employee, old: str, new: str) -> None:
    order = taking.standing_at(rosa, old, delivery_method=method_for(old, new))
    deed = lambda: lifecycle.rollback(by=bek, order_id=order.pk, to=new, reason="pressed by mistake")  # noqa: E731
    if (old, new) not in ROLLBACK:
        assert_refused(errors.CannotRollBack, deed, unchanged=[Order.objects.all(), OrderHistory.objects.all()])
        return
    deed()
    line = last_line(order)
    assert taking.fresh(order).status == new
    assert (line.event_type, line.old_status, line.new_status) == ("status_changed", old, new)
    assert (line.comment, line.by) == ("pressed by mistake", bek)


@pytest.mark.parametrize("old", list(S))
def test_issues_go_by_their_table(rosa: Shop, bek: Employee, old: str) -> None:
    order = taking.standing_at(rosa, old, delivery_method=method_for(old, ""))
    deed = lambda: lifecycle.report_issue(  # noqa: E731
        by=bek, order_id=order.pk, issue_type="wrong_address", comment="No such house"
    )
    if (old, "issue") not in ISSUE:
        assert_refused(errors.IllegalTransition, deed, unchanged=[Order.objects.all(), OrderHistory.objects.all()])
        return
    deed()
    moved, line = taking.fresh(order), last_line(order)
    assert (moved.status, moved.status_before_issue, moved.has_issue) == ("issue", old, True)
    assert (moved.issue_type, moved.issue_comment) == ("wrong_address", "No such house")
    assert (line.event_type, line.old_status, line.new_status) == ("issue_reported", old, "issue")
    assert line.comment == "wrong_address: No such house"


@pytest.mark.parametrize("old", list(S))
def test_cancelling_goes_by_its_table(rosa: Shop, bek: Employee, old: str) -> None:
    order = taking.standing_at(rosa, old, delivery_method=method_for(old, ""))
    deed = lambda: lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")  # noqa: E731
    if (old, "cancelled") not in CANCEL:
        assert_refused(errors.CannotCancel, deed, unchanged=[Order.objects.all(), OrderHistory.objects.all()])
        return
    deed()
    moved, line = taking.fresh(order), last_line(order)
    assert (moved.status, moved.cancel_reason, moved.cancelled_at is not None) == (
        "cancelled",
        "changed his mind",
        True,
    )
    assert (line.event_type, line.old_status, line.new_status) == ("status_changed", old, "cancelled")


def test_the_four_tables_are_the_machine() -> None:
    assert set(ORDER.steps) == set(FORWARD) | set(ROLLBACK) | set(ISSUE) | set(CANCEL)
    assert not set(FORWARD) & (set(ROLLBACK) | set(ISSUE) | set(CANCEL))


@pytest.mark.parametrize(("method", "to"), [("delivery", "self_pickup"), ("self_pickup", "delivery")])
def test_what_is_brought_is_not_picked_up(rosa: Shop, bek: Employee, method: str, to: str) -> None:
    order = taking.standing_at(rosa, "assembled", delivery_method=method)
    assert_refused(errors.IllegalTransition, lambda: lifecycle.move(by=bek, order_id=order.pk, to=to))
    aside = taking.standing_at(rosa, "issue", delivery_method=method)
    assert_refused(errors.CannotRollBack, lambda: lifecycle.rollback(by=bek, order_id=aside.pk, to=to, reason="solved"))


@pytest.mark.parametrize("words", ["", "  "])
def test_going_back_and_out_need_a_reason(rosa: Shop, bek: Employee, words: str) -> None:
    order = taking.standing_at(rosa, "paid")
    for deed in (
        lambda: lifecycle.rollback(by=bek, order_id=order.pk, to="new", reason=words),
        lambda: lifecycle.cancel(by=bek, order_id=order.pk, reason=words),
        lambda: lifecycle.report_issue(by=bek, order_id=order.pk, issue_type="other", comment=words),
    ):
        assert_refused(Invalid, deed, unchanged=[Order.objects.all()])


def test_another_version_is_refused(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    seen = taking.fresh(order).version
    lifecycle.move(by=bek, order_id=order.pk, to="paid", version=seen)
    assert_refused(
        errors.ChangedMeanwhile,
        lambda: lifecycle.move(by=bek, order_id=order.pk, to="assembled", version=seen),
        unchanged=[Order.objects.all()],
    )


# ── Who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_florists_assemble_and_couriers_bring_what_is_theirs(
    rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee, ruslan: Employee
) -> None:
    order = taking.taken(rosa)
    lifecycle.assign_florist(by=bek, order_id=order.pk, florist_id=aida.pk)
    lifecycle.assign_courier(by=bek, order_id=order.pk, courier_id=ruslan.pk)
    for by, to, refusal in (
        (aida, "paid", errors.NotEnoughPermissions),
        (aida, "cancelled", errors.NotEnoughPermissions),
        (ruslan, "paid", errors.NotEnoughPermissions),
        (gulnar, "assembled", errors.OrderNotFound),
    ):
        assert_refused(refusal, lambda by=by, to=to: lifecycle.move(by=by, order_id=order.pk, to=to))
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    assert_refused(errors.NotEnoughPermissions, lambda: lifecycle.move(by=ruslan, order_id=order.pk, to="assembled"))
    lifecycle.move(by=aida, order_id=order.pk, to="assembled")
    assert_refused(errors.NotEnoughPermissions, lambda: lifecycle.move(by=aida, order_id=order.pk, to="delivery"))
    lifecycle.move(by=ruslan, order_id=order.pk, to="delivery")
    lifecycle.move(by=ruslan, order_id=order.pk, to="delivered")
    assert taking.fresh(order).status == "delivered"


def test_a_free_order_is_seen_by_florists_and_moved_by_none(rosa: Shop, aida: Employee) -> None:
    order = taking.standing_at(rosa, "paid")
    for deed in (
        lambda: lifecycle.move(by=aida, order_id=order.pk, to="assembled"),
        lambda: lifecycle.report_issue(by=aida, order_id=order.pk, issue_type="other", comment="?"),
    ):
        assert_refused(errors.NotEnoughPermissions, deed, unchanged=[Order.objects.all()])


def test_the_stranger_finds_no_order(rosa: Shop, dana: Employee) -> None:
    order = taking.standing_at(rosa, "paid")
    for deed in (
        lambda: lifecycle.move(by=dana, order_id=order.pk, to="assembled"),
        lambda: lifecycle.rollback(by=dana, order_id=order.pk, to="new", reason="mine now"),
        lambda: lifecycle.cancel(by=dana, order_id=order.pk, reason="mine now"),
        lambda: lifecycle.report_issue(by=dana, order_id=order.pk, issue_type="other", comment="mine"),
        lambda: lifecycle.assign_florist(by=dana, order_id=order.pk, florist_id=dana.pk),
        lambda: lifecycle.assign_courier(by=dana, order_id=order.pk, courier_id=dana.pk),
    ):
        assert_refused(errors.OrderNotFound, deed, unchanged=[Order.objects.all(), OrderHistory.objects.all()])


@pytest.mark.parametrize("who", ["aida", "ruslan"])
def test_rollback_cancel_and_assignments_are_the_desks(request: pytest.FixtureRequest, rosa: Shop, who: str) -> None:
    by, order = request.getfixturevalue(who), taking.standing_at(rosa, "paid")
    for deed in (
        lambda: lifecycle.rollback(by=by, order_id=order.pk, to="new", reason="because"),
        lambda: lifecycle.cancel(by=by, order_id=order.pk, reason="because"),
        lambda: lifecycle.assign_florist(by=by, order_id=order.pk, florist_id=by.pk),
        lambda: lifecycle.assign_courier(by=by, order_id=order.pk, courier_id=by.pk),
    ):
        assert_refused(errors.NotEnoughPermissions, deed, unchanged=[Order.objects.all()])


def test_only_florists_and_couriers_of_the_shop_are_named(
    rosa: Shop, tulip: Shop, bek: Employee, aida: Employee, ruslan: Employee, dana: Employee
) -> None:
    order = taking.taken(rosa)
    for florist, refusal in ((ruslan, errors.NotAFlorist), (dana, errors.EmployeeNotFound)):
        assert_refused(
            refusal, lambda who=florist: lifecycle.assign_florist(by=bek, order_id=order.pk, florist_id=who.pk)
        )
    for courier, refusal in ((aida, errors.NotACourier), (dana, errors.EmployeeNotFound)):
        assert_refused(
            refusal, lambda who=courier: lifecycle.assign_courier(by=bek, order_id=order.pk, courier_id=who.pk)
        )
    assert_refused(Invalid, lambda: lifecycle.assign_courier(by=bek, order_id=order.pk))
    Employee.objects.filter(pk=aida.pk).update(is_active=False)
    assert_refused(
        errors.EmployeeNotFound, lambda: lifecycle.assign_florist(by=bek, order_id=order.pk, florist_id=aida.pk)
    )
    lifecycle.assign_courier(by=bek, order_id=order.pk, phone="8 777 123 45 67", name="Taxi")
    found = taking.fresh(order)
    assert (found.courier, found.courier_phone, found.courier_name) == (None, "+77771234567", "Taxi")
    assert [row.event_type for row in order.history.all()] == ["created", "courier_assigned"]


# ── Stems ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_stems_are_held_written_off_once_and_come_back(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)  # two bouquets of eleven
    assert taking.stock_of(rosa) == (100, 22)
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    assert taking.stock_of(rosa) == (100, 22)
    for to in ("assembled", "delivery", "delivered", "completed"):
        lifecycle.move(by=bek, order_id=order.pk, to=to)
        assert taking.stock_of(rosa) == (78, 0)


def test_a_rollback_puts_stems_back_and_holds_them(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    for to in ("paid", "assembled", "delivery"):
        lifecycle.move(by=bek, order_id=order.pk, to=to)
    lifecycle.rollback(by=bek, order_id=order.pk, to="assembled", reason="flat tyre")
    assert (taking.stock_of(rosa), taking.fresh(order).dispatched_at) == ((78, 0), None)
    lifecycle.rollback(by=bek, order_id=order.pk, to="paid", reason="wrong ribbon")
    assert (taking.stock_of(rosa), taking.fresh(order).assembled_at) == ((100, 22), None)
    lifecycle.move(by=bek, order_id=order.pk, to="assembled")
    assert taking.stock_of(rosa) == (78, 0)


def test_cancelling_frees_stems_tasks_and_owes_the_money(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa, payment_method="kaspi")
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    deliver()
    assert ProductionTask.objects.filter(order=order).exclude(status="cancelled").count() == 1
    lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")
    deliver()
    found = taking.fresh(order)
    assert taking.stock_of(rosa) == (100, 0)
    assert (found.paid_amount, found.refund_due) == (20_000, 20_000)
    assert not ProductionTask.objects.filter(order=order).exclude(status="cancelled").exists()


def test_an_assembled_bouquet_that_is_cancelled_comes_back(rosa: Shop, bek: Employee) -> None:
    """Defect 13: the original looked at the status after it had overwritten it."""
    order = taking.taken(rosa)
    for to in ("paid", "assembled"):
        lifecycle.move(by=bek, order_id=order.pk, to=to)
    assert taking.stock_of(rosa) == (78, 0)
    lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")
    assert taking.stock_of(rosa) == (100, 0)


def test_flowers_that_left_the_shop_do_not_come_back_by_themselves(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    for to in ("paid", "assembled", "delivery"):
        lifecycle.move(by=bek, order_id=order.pk, to=to)
    lifecycle.report_issue(by=bek, order_id=order.pk, issue_type="delivery_refused", comment="not hers")
    lifecycle.cancel(by=bek, order_id=order.pk, reason="refused")
    assert taking.stock_of(rosa) == (78, 0)


@pytest.mark.parametrize("far", ["delivery", "delivered"])
@pytest.mark.parametrize("back_to", ["new", "paid"])
def test_flowers_that_left_the_shop_are_made_anew_of_others(rosa: Shop, bek: Employee, far: str, back_to: str) -> None:
    order = taking.taken(rosa)
    for to in ("paid", "assembled", "delivery", "delivered")[: 3 if far == "delivery" else 4]:
        lifecycle.move(by=bek, order_id=order.pk, to=to)
    lifecycle.report_issue(by=bek, order_id=order.pk, issue_type="quality_issue", comment="wilted")
    lifecycle.rollback(by=bek, order_id=order.pk, to=back_to, reason="made anew")
    assert taking.stock_of(rosa) == (78, 22)
    for to in ("paid", "assembled")[0 if back_to == "new" else 1 :]:
        lifecycle.move(by=bek, order_id=order.pk, to=to)
    assert taking.stock_of(rosa) == (56, 0)
    lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")
    assert taking.stock_of(rosa) == (78, 0)  # of the second making only


def test_flowers_that_left_are_gone_though_nothing_is_held_before_the_payment(rosa: Shop, bek: Employee) -> None:
    Shop.objects.filter(pk=rosa.pk).update(reserve_at="paid")
    order = taking.taken(rosa)
    for to in ("paid", "assembled", "delivery"):
        lifecycle.move(by=bek, order_id=order.pk, to=to)
    lifecycle.report_issue(by=bek, order_id=order.pk, issue_type="other", comment="lost")
    lifecycle.rollback(by=bek, order_id=order.pk, to="new", reason="asked again")
    assert taking.stock_of(rosa) == (78, 0)
    lifecycle.cancel(by=bek, order_id=order.pk, reason="no more")
    assert taking.stock_of(rosa) == (78, 0)


def test_a_bouquet_of_the_showcase_that_left_does_not_come_back_to_it(rosa: Shop, bek: Employee) -> None:
    product = taking.roses(rosa)
    bouquet = showcase.assemble(by=bek, product_id=product.pk)
    order = taking.taken(rosa, product, pieces=1)
    showcase.sell(by=bek, bouquet_id=bouquet.pk, order_item_id=order.items.get().pk)
    assert taking.stock_of(rosa) == (89, 0)
    for to in ("paid", "assembled", "delivery"):
        lifecycle.move(by=bek, order_id=order.pk, to=to)
    lifecycle.report_issue(by=bek, order_id=order.pk, issue_type="other", comment="lost")
    lifecycle.rollback(by=bek, order_id=order.pk, to="paid", reason="made anew")
    assert taking.stock_of(rosa) == (89, 11)
    lifecycle.cancel(by=bek, order_id=order.pk, reason="no more")
    bouquet.refresh_from_db()
    assert (taking.stock_of(rosa), bouquet.state, bouquet.order_item) == ((89, 0), "sold", None)


def test_an_issue_lets_stems_go_and_the_way_back_holds_them(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    lifecycle.report_issue(by=bek, order_id=order.pk, issue_type="wrong_order", comment="other flowers")
    assert taking.stock_of(rosa) == (100, 0)
    lifecycle.rollback(by=bek, order_id=order.pk, to="paid", reason="solved")
    assert (taking.stock_of(rosa), taking.fresh(order).has_issue) == ((100, 22), False)


def test_the_way_back_is_refused_when_the_stems_went_to_others(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    lifecycle.report_issue(by=bek, order_id=order.pk, issue_type="other", comment="?")
    Batch.objects.update(qty=20)
    deed = lambda: lifecycle.rollback(by=bek, order_id=order.pk, to="new", reason="solved")  # noqa: E731
    assert_refused(errors.StockShort, deed, unchanged=[Order.objects.all(), Batch.objects.all()])


def test_a_shop_that_reserves_at_payment_holds_then(rosa: Shop, bek: Employee) -> None:
    Shop.objects.filter(pk=rosa.pk).update(reserve_at="paid")
    order = taking.taken(rosa)
    assert taking.stock_of(rosa) == (100, 0)
    many = taking.taken(rosa, pieces=10)
    assert_refused(errors.StockShort, lambda: lifecycle.move(by=bek, order_id=many.pk, to="paid"))
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    assert taking.stock_of(rosa) == (100, 22)
    lifecycle.move(by=bek, order_id=many.pk, to="paid", allow_short=True)
    assert (taking.stock_of(rosa), taking.fresh(many).is_backorder) == ((100, 100), True)


# ── Money and figures ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("method", "paid"), [("kaspi", 20_000), ("transfer", 20_000), ("cash", 0), (None, 0)])
def test_paid_pressed_by_a_manager_means_money_unless_it_is_cash(
    rosa: Shop, bek: Employee, method: str | None, paid: int
) -> None:
    order = taking.taken(rosa, payment_method=method)
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    found = taking.fresh(order)
    assert (found.paid_amount, found.outstanding, found.payment_date is not None) == (paid, 20_000 - paid, True)
    lifecycle.rollback(by=bek, order_id=order.pk, to="new", reason="pressed by mistake")
    assert taking.fresh(order).paid_amount == 0
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    assert taking.fresh(order).paid_amount == paid


def test_a_rollback_takes_back_no_more_than_is_there(rosa: Shop, bek: Employee) -> None:
    """A part of what was written down has been handed back already."""
    order = taking.taken(rosa, payment_method="kaspi")
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    items.change(by=bek, order_id=order.pk, item_id=order.items.get().pk, quantity=1)
    payments.pay_back(by=bek, order_id=order.pk)
    lifecycle.rollback(by=bek, order_id=order.pk, to="new", reason="pressed by mistake")
    assert taking.fresh(order).paid_amount == 0


def test_cash_that_really_came_stays_through_a_rollback(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa, payment_method="cash")
    payments.take_cash(by=bek, order_id=order.pk, amount=Decimal(20_000))
    assert taking.fresh(order).status == "paid"
    lifecycle.rollback(by=bek, order_id=order.pk, to="new", reason="not yet")
    assert taking.fresh(order).paid_amount == 20_000


def test_the_buyer_is_counted_when_an_order_is_sold_and_not_when_it_is_given_up(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    deliver()
    figures = lambda: (taking.fresh(order).customer.orders_count, taking.fresh(order).customer.total_spent)  # type: ignore[union-attr] # noqa: E731
    assert figures() == (0, 0)
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    deliver()
    assert figures() == (1, 20_000)
    lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")
    deliver()
    assert figures() == (0, 0)


# ── What tasks and stops call ───────────────────────────────────────────────────────────────────────────────────────
def test_done_tasks_assemble_a_paid_order_and_no_other(rosa: Shop, aida: Employee) -> None:
    order = taking.standing_at(rosa, "paid")
    assert lifecycle.assembled(order_id=order.pk, by=aida).status == "assembled"
    assert lifecycle.assembled(order_id=order.pk, by=aida).status == "assembled"
    assert len(taking.steps_of(order)) == 1
    assert lifecycle.assembled(order_id=taking.standing_at(rosa, "new").pk, by=aida).status == "new"


def test_stops_bring_an_order_there_once(rosa: Shop, ruslan: Employee) -> None:
    order = taking.standing_at(rosa, "assembled")
    for deed in (lifecycle.dispatched, lifecycle.dispatched, lifecycle.delivered, lifecycle.delivered):
        deed(order_id=order.pk, by=ruslan)
    assert taking.steps_of(order) == [("assembled", "delivery"), ("delivery", "delivered")]
    raw = taking.standing_at(rosa, "paid")
    assert_refused(errors.IllegalTransition, lambda: lifecycle.dispatched(order_id=raw.pk, by=ruslan))
    assert_refused(errors.IllegalTransition, lambda: lifecycle.delivered(order_id=raw.pk, by=ruslan))
