"""Orders over HTTP: exact shapes, codes and roles of every row (contract florist 1.0, 1.2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.core.testing import deliver, query_budget
from apps.florist.actions import comments, lifecycle, runs
from apps.florist.actions.runs import StopWish
from apps.florist.models import Employee, Order, OrderItem, Product, Shop
from apps.florist.tests import cast, taking
from apps.florist.tests.cast import Caller

ROW = {
    "id", "created_at", "updated_at", "status", "customer_phone", "recipient_phone", "recipient_name", "address",
    "address_needs_clarification", "delivery_method", "delivery_window", "flower_sum", "delivery_fee", "total",
    "has_pre_delivery_photos", "has_issue", "issue_type", "issue_comment", "tracking_token", "payment_method",
    "payment_date", "card_text", "delivery_time_text", "source",
}  # fmt: skip
FULL = ROW | {"customer_id", "customer", "items", "assigned_florist", "courier"}
DETAIL = FULL | {"history", "comments", "photos"}
LINE = {"id", "order_id", "product_id", "quantity", "price", "total", "product_name", "product_category"}


def body(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return json.loads(answer.content)


def with_items(product: Product, **more: Any) -> dict[str, Any]:
    """What the CRM posts."""
    return {
        "customer_phone": "8 (701) 555-01-01",
        "delivery_method": "delivery",
        "address": "Abay 10, 5",
        "items": [{"product_id": product.pk, "quantity": 2, "price": 1}],
        **more,
    }


# ── Taking ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_order_with_items_costs_what_the_shop_says(rosa: Shop, bek: Employee) -> None:
    """The client's price of 1 is not looked at."""
    roses = taking.roses(rosa)
    made = body(Caller(bek)("POST", "/api/orders/with-items", with_items(roses)), 201)
    assert set(made) == FULL
    assert (made["total"], made["customer_phone"], made["source"]) == (20_000, "+77015550101", "crm")
    [line] = made["items"]
    assert set(line) == LINE
    assert (line["price"], line["total"], line["product_name"]) == (10_000, 20_000, "Red roses")
    assert set(made["customer"]) == {"id", "name", "phone", "email", "orders_count", "total_spent"}


def test_an_order_without_lines_is_taken(bek: Employee) -> None:
    """Defect 20: `comment` had no column, so the original always answered 500."""
    typed = {
        "customer_phone": "+77015550101",
        "delivery_method": "self_pickup",
        "flower_sum": 15_000,
        "total": 15_000,
        "comment": "ring twice",
        "delivery_window": {"from_time": "2026-12-01T10:00:00", "to_time": "2026-12-01T12:00:00"},
    }
    made = body(Caller(bek)("POST", "/api/orders/", typed), 201)
    assert set(made) == ROW
    assert (made["payment_method"], made["source"], made["total"]) == ("cash", "api", 15_000)
    assert made["delivery_window"] == {"from": "2026-12-01T05:00:00Z", "to": "2026-12-01T07:00:00Z"}
    assert Order.objects.get().comment == "ring twice"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"items": []}, 422),
        ({"items": [{"product_id": 999_999, "quantity": 1}]}, 404),
        ({"items": [{"product_id": 0, "quantity": 1}]}, 422),
        ({"customer_phone": "1"}, 422),
        ({"customer_phone": None}, 422),
        ({"delivery_method": "drone"}, 422),
        ({"zone_id": 999_999}, 404),
        ({"delivery_window": {"from": "tomorrow"}}, 422),
        ({"payment_method": "barter"}, 422),
        ({"florist_id": 999_999}, 404),
        ({"surprise": 1}, 422),
    ],
)
def test_bad_orders_are_refused_and_leave_nothing(
    rosa: Shop, bek: Employee, changes: dict[str, Any], status: int
) -> None:
    answer = Caller(bek)("POST", "/api/orders/with-items", with_items(taking.roses(rosa), **changes))
    assert answer.status_code == status, answer.content
    assert not Order.objects.exists()


@pytest.mark.parametrize("quantity", [-3, 0, 1001, 1.5, "two", None])
def test_minus_three_bouquets_are_refused(rosa: Shop, bek: Employee, quantity: Any) -> None:
    """The original took −3 pieces with a total of −1500."""
    line = {"product_id": taking.roses(rosa).pk, "quantity": quantity}
    answer = Caller(bek)("POST", "/api/orders/with-items", with_items(taking.roses(rosa), items=[line]))
    assert (answer.status_code, Order.objects.count()) == (422, 0)


def test_missing_stems_are_listed_and_a_backorder_is_a_word_of_the_desk(rosa: Shop, bek: Employee) -> None:
    many = with_items(taking.roses(rosa), items=[{"product_id": Product.objects.get().pk, "quantity": 10}])
    refused = body(Caller(bek)("POST", "/api/orders/with-items", many), 409)
    assert refused["code"] == "stock_short"
    assert refused["shortages"] == [{"variety": "Red Naomi", "height_cm": 60, "needed": 110, "available": 100}]
    body(Caller(bek)("POST", "/api/orders/with-items", {**many, "allow_backorder": True}), 201)


def test_a_form_sent_twice_is_one_order(rosa: Shop, bek: Employee) -> None:
    form = with_items(taking.roses(rosa))
    call = Caller(bek)
    first = body(call("POST", "/api/orders/with-items", form, **{"Idempotency-Key": "f1"}), 201)
    assert body(call("POST", "/api/orders/with-items", form, **{"Idempotency-Key": "f1"}), 201)["id"] == first["id"]
    other = call("POST", "/api/orders/with-items", {**form, "comment": "x"}, **{"Idempotency-Key": "f1"})
    assert (other.status_code, Order.objects.count()) == (409, 1)


# ── Looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_list_has_lines_buyer_and_florist(rosa: Shop, bek: Employee, aida: Employee) -> None:
    """Defect 21: the original built them and stripped them."""
    first, second = taking.taken(rosa), taking.taken(rosa)
    lifecycle.assign_florist(by=bek, order_id=second.pk, florist_id=aida.pk)
    page = body(Caller(bek)("GET", "/api/orders/"))
    assert (page["total"], [row["id"] for row in page["items"]]) == (2, [second.pk, first.pk])
    assert set(page["items"][0]) == FULL
    assert page["items"][0]["assigned_florist"] == {"id": aida.pk, "name": "Aida", "phone": aida.phone}
    assert [set(line) for line in page["items"][0]["items"]] == [LINE]


def test_one_order_has_history_comments_and_photos(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    lifecycle.move(by=bek, order_id=order.pk, to="paid", comment="by phone")
    comments.add(by=bek, order_id=order.pk, text="Ring twice")
    found = body(Caller(bek)("GET", f"/api/orders/{order.pk}"))
    assert set(found) == DETAIL
    assert [set(row) for row in found["history"]] == [
        {"id", "event_type", "old_status", "new_status", "comment", "created_at", "user"}
    ] * 3
    told = [(row["event_type"], row["old_status"], row["new_status"], row["user"]) for row in found["history"]]
    assert told == [
        ("created", None, "new", "system"),
        ("status_changed", "new", "paid", "Bek"),
        ("comment_added", None, None, "Bek"),
    ]
    [word] = found["comments"]
    assert set(word) == {"id", "text", "created_at", "author_type", "user"}
    assert word["user"] == {"id": bek.pk, "name": "Bek"}


def test_a_page_of_a_hundred_takes_the_same_queries_as_one_of_two(rosa: Shop, bek: Employee, aida: Employee) -> None:
    product = taking.roses(rosa)
    orders = [
        Order(
            shop=rosa, customer_phone="+77015550101", delivery_method="delivery", flower_sum=1, total=1,
            tracking_token=f"t{number}", order_number=str(100_000_000 + number), assigned_florist=aida,
            customer=cast.customer(rosa) if number % 50 == 0 else None,
        )
        for number in range(120)
    ]  # fmt: skip
    Order.objects.bulk_create(orders)
    OrderItem.objects.bulk_create(
        OrderItem(
            order=order, product=product, product_name="x", product_category="bouquet", quantity=1, price=1, total=1
        )
        for order in orders
    )
    call = Caller(bek)
    with query_budget(6):
        page = body(call("GET", "/api/orders/?limit=100"))
    assert (len(page["items"]), page["total"]) == (100, 120)
    with query_budget(6):
        assert len(body(call("GET", "/api/orders/?limit=2"))["items"]) == 2
    # One order: its people and lines, history, comments with their number, photos; two to know who asks.
    with query_budget(8):
        body(call("GET", f"/api/orders/{orders[0].pk}"))


def test_pages_follow_each_other(rosa: Shop, bek: Employee) -> None:
    ids = [taking.taken(rosa, pieces=1).pk for _ in range(5)][::-1]
    call = Caller(bek)
    for query, wanted in (
        ("limit=2", ids[:2]),
        ("skip=2&limit=2", ids[2:4]),
        ("page=3&limit=2", ids[4:]),
        ("page=9&limit=2", []),
    ):
        assert [row["id"] for row in body(call("GET", f"/api/orders/?{query}"))["items"]] == wanted


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=0", "limit=101", "skip=-1", "page=0", "status=nonsense", "dateFrom=yesterday", "dateTo=13-13",
     "delivery_date=x", "florist_id=abc", "courier_id=0"],
)  # fmt: skip
def test_malformed_questions_are_422(bek: Employee, query: str) -> None:
    """The original answered an empty 200 on SQLite, and took limit=−1."""
    assert Caller(bek)("GET", f"/api/orders/?{query}").status_code == 422


def test_filters(rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee) -> None:
    window = (datetime(2026, 12, 1, 5, tzinfo=UTC), datetime(2026, 12, 1, 7, tzinfo=UTC))
    plain = taking.taken(rosa)
    late = taking.taken(rosa, window=window, florist_id=aida.pk, courier_id=ruslan.pk, pieces=1)
    lifecycle.move(by=bek, order_id=late.pk, to="paid")
    Order.objects.filter(pk=plain.pk).update(source="storefront")
    call = Caller(bek)
    for query, wanted in (
        ("status=all", {plain.pk, late.pk}),
        ("status=new", {plain.pk}),
        ("status=paid", {late.pk}),
        ("delivery_date=2026-12-01", {late.pk}),
        ("delivery_date=2026-12-02", set()),
        (f"florist_id={aida.pk}", {late.pk}),
        (f"courier_id={ruslan.pk}", {late.pk}),
        ("source=storefront", {plain.pk}),
    ):
        page = body(call("GET", f"/api/orders/?{query}"))
        assert ({row["id"] for row in page["items"]}, page["total"]) == (wanted, len(wanted)), query


def test_the_last_day_of_a_period_belongs_to_it(rosa: Shop, bek: Employee) -> None:
    """The original cut off the day of `dateTo`; days are the shop's (UTC+5)."""
    order = taking.taken(rosa)
    Order.objects.filter(pk=order.pk).update(created_at=datetime(2026, 11, 20, 18, 59, tzinfo=UTC))  # 23:59 there
    call = Caller(bek)
    for query, count in (
        ("dateFrom=2026-11-20&dateTo=2026-11-20", 1),
        ("date_from=2026-11-20&date_to=2026-11-20", 1),
        ("dateTo=2026-11-19", 0),
        ("dateFrom=2026-11-21", 0),
        ("dateTo=2026-11-20T23:58:00", 0),
        ("dateTo=2026-11-20T18:59:00Z", 1),
        ("dateFrom=2026-11-20T18:59:00%2B00:00", 1),
    ):
        assert body(call("GET", f"/api/orders/?{query}"))["total"] == count, query


def test_search_reads_phones_in_any_spelling_names_and_ids(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(
        rosa, customer_phone="+77015550101", recipient_phone="+77079998877", recipient_name="Айгерим Ба_ева"
    )
    taking.taken(rosa, customer_phone="+77010000000", pieces=1)
    call = Caller(bek)
    for text in (
        *("8 701 555 01 01", "+77015550101", "7015550101", "555-01", "9998877"),
        *("айгерим", "ба_ева", f"%23{order.pk}", order.order_number),
    ):
        found = body(call("GET", f"/api/orders/?search={text.replace('+', '%2B')}"))
        assert [row["id"] for row in found["items"]] == [order.pk], text
    assert body(call("GET", "/api/orders/?search=nobody"))["total"] == 0
    assert body(call("GET", "/api/orders/?search=%25"))["total"] == 0


# ── Changing ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_address_window_and_mark_are_edited(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    changes = {
        "address": "Dostyk 1",
        "address_needs_clarification": True,
        "delivery_window": {"date": "2026-12-01", "time": "10:00-12:00"},
        "recipient_phone": "8 707 999 88 77",
    }
    made = body(Caller(bek)("PATCH", f"/api/orders/{order.pk}", changes))
    assert set(made) == ROW
    assert (made["address"], made["address_needs_clarification"]) == ("Dostyk 1", True)
    assert made["delivery_window"] == {"from": "2026-12-01T05:00:00Z", "to": "2026-12-01T07:00:00Z"}
    assert made["recipient_phone"] == "+77079998877"
    line = order.history.order_by("-id").first()
    assert line is not None
    assert (line.event_type, line.by) == ("edited", bek)
    assert body(Caller(bek)("GET", "/api/orders/?search=9998877"))["total"] == 1


def test_a_day_without_a_time_is_kept_in_words(rosa: Shop, bek: Employee) -> None:
    call, day = Caller(bek), {"date": "2026-12-01", "time": None}
    asked = with_items(taking.roses(rosa), delivery_window=day, delivery_time_text="after work")
    made = body(call("POST", "/api/orders/with-items", asked), 201)
    assert (made["delivery_window"], made["delivery_time_text"]) == (None, "2026-12-01, after work")
    where, later = f"/api/orders/{made['id']}", {"date": "2026-12-02"}
    assert body(call("PATCH", where, {"delivery_window": later}))["delivery_time_text"] == "2026-12-02"
    assert body(call("PATCH", where, {"delivery_window": None}))["delivery_time_text"] == "2026-12-02"


def test_another_buyer_is_noted_and_the_former_counted_anew(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    deliver()
    former = taking.fresh(order).customer
    assert former is not None
    assert former.orders_count == 1
    body(Caller(bek)("PATCH", f"/api/orders/{order.pk}", {"customer_phone": "8 702 000 11 22"}))
    deliver()
    former.refresh_from_db()
    found = taking.fresh(order).customer
    assert found is not None
    assert (found.phone, found.orders_count, former.orders_count) == ("+77020001122", 1, 0)


def test_nothing_changed_leaves_no_line(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    body(Caller(bek)("PATCH", f"/api/orders/{order.pk}", {"address": order.address}))
    assert order.history.count() == 1
    assert taking.fresh(order).version == taking.fresh(order).version


def test_sums_are_the_servers(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    call = Caller(bek)
    made = body(call("PATCH", f"/api/orders/{order.pk}", {"delivery_fee": 1_500}))
    assert (made["delivery_fee"], made["total"]) == (1_500, 21_500)
    made = body(call("PATCH", f"/api/orders/{order.pk}", {"total": 21_000}))
    assert (made["total"], taking.fresh(order).discount) == (21_000, 500)
    for wrong in ({"total": 99_000}, {"flower_sum": 1}, {"delivery_fee": -1}, {"total": -1}):
        assert call("PATCH", f"/api/orders/{order.pk}", wrong).status_code == 422, wrong
    assert taking.fresh(order).total == 21_000


def test_an_order_that_is_over_is_not_edited(rosa: Shop, bek: Employee) -> None:
    for status in ("completed", "cancelled"):
        order = taking.standing_at(rosa, status, pieces=1)
        assert Caller(bek)("PATCH", f"/api/orders/{order.pk}", {"address": "x"}).status_code == 409


def test_another_version_is_409(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    seen = taking.fresh(order).version
    call = Caller(bek)
    body(call("PATCH", f"/api/orders/{order.pk}", {"address": "A", "version": seen}))
    assert call("PATCH", f"/api/orders/{order.pk}", {"address": "B", "version": seen}).status_code == 409


def test_steps_over_http(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    call, where = Caller(bek), f"/api/orders/{order.pk}"
    assert body(call("PATCH", f"{where}/status", {"status": "paid"}))["status"] == "paid"
    refused = body(call("PATCH", f"{where}/status", {"status": "delivered"}), 409)
    assert refused["detail"] == "Cannot change status from paid to delivered"
    aside = body(call("PATCH", f"{where}/issue", {"issueType": "delivery_refused", "comment": "not hers"}))
    assert (aside["status"], aside["has_issue"], aside["issue_type"]) == ("issue", True, "delivery_refused")
    back = body(call("POST", f"{where}/rollback-status", {"target_status": "paid", "reason": "solved"}))
    assert (back["status"], back["has_issue"], set(back)) == ("paid", False, ROW)
    assert call("POST", f"{where}/rollback-status", {"target_status": "delivered", "reason": "x"}).status_code == 400
    gone = body(call("POST", f"{where}/cancel", {"cancellation_reason": "changed his mind"}))
    assert gone["status"] == "cancelled"
    assert call("POST", f"{where}/cancel", {"cancellation_reason": "again"}).status_code == 400
    on_the_way = taking.standing_at(rosa, "delivery")
    answer = call("POST", f"/api/orders/{on_the_way.pk}/cancel", {"cancellation_reason": "late"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "tail", "wrong"),
    [
        ("PATCH", "/status", {"status": "flying"}),
        ("PATCH", "/status", {}),
        ("PATCH", "/issue", {"issue_type": "bored", "comment": "x"}),
        ("PATCH", "/issue", {"issue_type": "other"}),
        ("POST", "/rollback-status", {"target_status": "new"}),
        ("POST", "/rollback-status", {"target_status": "new", "reason": "  "}),
        ("POST", "/cancel", {"cancellation_reason": ""}),
        ("POST", "/assign-florist", {}),
        ("POST", "/assign-courier", {}),
        ("POST", "/items", {"product_id": 1, "quantity": 0}),
        ("POST", "/payments", {"amount": 0}),
        ("POST", "/pay", {"method": "octo", "return_url": "javascript:alert(1)"}),
    ],
)
def test_malformed_deeds_are_422(rosa: Shop, bek: Employee, method: str, tail: str, wrong: dict[str, Any]) -> None:
    order = taking.standing_at(rosa, "paid")
    assert Caller(bek)(method, f"/api/orders/{order.pk}{tail}", wrong).status_code == 422
    assert taking.fresh(order).status == "paid"


def test_florist_in_the_query_or_in_the_body(rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    order = taking.taken(rosa)
    call, where = Caller(bek), f"/api/orders/{order.pk}/assign-florist"
    assert set(body(call("POST", f"{where}?florist_id={aida.pk}"))) == {"detail"}
    assert taking.fresh(order).assigned_florist == aida
    body(call("POST", where, {"florist_id": gulnar.pk}))
    assert taking.fresh(order).assigned_florist == gulnar
    assert call("POST", where, {"florist_id": bek.pk}).status_code == 400
    assert call("POST", where, {"florist_id": 999_999}).status_code == 404


def test_courier_by_id_or_from_outside(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order = taking.taken(rosa)
    call, where = Caller(bek), f"/api/orders/{order.pk}/assign-courier"
    made = body(call("POST", where, {"courier_id": ruslan.pk}))
    assert (set(made), made["courier"]["id"]) == (FULL, ruslan.pk)
    made = body(call("POST", where, {"courier_phone": "87771234567", "courier_name": "Taxi"}))
    assert made["courier"] == {"id": None, "name": "Taxi", "phone": "+77771234567"}
    assert call("POST", where, {"courier_id": bek.pk}).status_code == 400


# ── Who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
DESK = (
    ("POST", "/api/orders/", {}),
    ("POST", "/api/orders/with-items", {}),
    ("PATCH", "/api/orders/{id}", {}),
    ("POST", "/api/orders/{id}/rollback-status", {}),
    ("POST", "/api/orders/{id}/cancel", {}),
    ("POST", "/api/orders/{id}/assign-florist", {}),
    ("POST", "/api/orders/{id}/assign-courier", {}),
    ("POST", "/api/orders/{id}/items", {}),
    ("PATCH", "/api/orders/{id}/items/{item}", {}),
    ("DELETE", "/api/orders/{id}/items/{item}", None),
    ("POST", "/api/orders/{id}/pay", {}),
    ("POST", "/api/orders/{id}/refund", {}),
    ("GET", "/api/statistics", None),
    ("GET", "/api/dashboard", None),
)
OWN = (
    ("GET", "/api/orders/{id}", None, 200),
    ("PATCH", "/api/orders/{id}/status", {"status": "assembled"}, 200),
    ("PATCH", "/api/orders/{id}/issue", {"issue_type": "other", "comment": "x"}, 200),
    ("GET", "/api/orders/{id}/items", None, 200),
    ("GET", "/api/orders/{id}/photos", None, 200),
    ("POST", "/api/orders/{id}/photos", {"url": "https://example.com/a.jpg"}, 201),
    ("GET", "/api/orders/{id}/comments", None, 200),
    ("POST", "/api/orders/{id}/comments", {"text": "Hello"}, 201),
    ("GET", "/api/orders/{id}/payments", None, 200),
    ("POST", "/api/orders/{id}/payments", {"amount": 1}, 201),
)


@pytest.mark.parametrize("who", ["aida", "ruslan"])
@pytest.mark.parametrize(("method", "route", "given"), DESK)
def test_the_desks_routes_are_403_for_florists_and_couriers(
    request: pytest.FixtureRequest, rosa: Shop, who: str, method: str, route: str, given: Any
) -> None:
    by = request.getfixturevalue(who)
    order = taking.taken(rosa, florist_id=by.pk if who == "aida" else None, courier_id=by.pk if who != "aida" else None)
    item = OrderItem.objects.get()
    answer = Caller(by)(method, route.format(id=order.pk, item=item.pk), given)
    assert answer.status_code == 403, answer.content


@pytest.mark.parametrize(("method", "route", "given", "status"), OWN)
def test_florists_reach_their_own_orders(
    rosa: Shop, aida: Employee, gulnar: Employee, method: str, route: str, given: Any, status: int
) -> None:
    mine, hers = (taking.standing_at(rosa, "paid", florist_id=who.pk) for who in (aida, gulnar))
    assert Caller(aida)(method, route.format(id=mine.pk), given).status_code == status
    assert Caller(aida)(method, route.format(id=hers.pk), given).status_code == 404


@pytest.mark.parametrize(("method", "route", "given", "status"), [row for row in OWN if "status" not in row[1]])
def test_couriers_reach_their_own_orders(
    rosa: Shop, bek: Employee, ruslan: Employee, method: str, route: str, given: Any, status: int
) -> None:
    mine, other = taking.standing_at(rosa, "paid", courier_id=ruslan.pk), taking.standing_at(rosa, "paid", pieces=1)
    # What he takes in cash is counted by his stops.
    runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(mine.pk)])
    assert Caller(ruslan)(method, route.format(id=mine.pk), given).status_code == status
    assert Caller(ruslan)(method, route.format(id=other.pk), given).status_code == 404


STRANGERS = [(method, route, given) for method, route, given, _status in OWN] + [
    row for row in DESK if "{id}" in row[1]
]
WELL_FORMED: dict[str, Any] = {
    "/rollback-status": {"target_status": "new", "reason": "x"},
    "/cancel": {"cancellation_reason": "x"},
    "/assign-florist": {"florist_id": 1},
    "/assign-courier": {"courier_phone": "+77771234567"},
    "/pay": {"method": "octo"},
    "/items": {"product_id": 1, "quantity": 1},
}


@pytest.mark.parametrize(("method", "route", "given"), STRANGERS)
def test_the_next_shop_finds_nothing(rosa: Shop, dana: Employee, method: str, route: str, given: Any) -> None:
    """Defect 2: rows of another shop were read and written."""
    order = taking.standing_at(rosa, "paid")
    before = (Order.objects.values().get(), list(order.history.values()))
    tail = route.partition("{id}")[2]
    where = route.format(id=order.pk, item=OrderItem.objects.get().pk)
    answer = Caller(dana)(method, where, WELL_FORMED.get(tail, given))
    assert answer.status_code == 404, answer.content
    assert (Order.objects.values().get(), list(order.history.values())) == before
    assert body(Caller(dana)("GET", "/api/orders/"))["total"] == 0


@pytest.mark.parametrize(
    ("method", "route", "given"),
    [*STRANGERS, ("GET", "/api/orders/", None), ("PATCH", "/api/comments/1", {}), ("DELETE", "/api/comments/1", None)],
)
def test_nobody_is_401(rosa: Shop, method: str, route: str, given: Any) -> None:
    """Defect 3: status, issue, lines, assignments and payments had no authentication at all."""
    order = taking.standing_at(rosa, "paid")
    answer = Caller()(method, route.format(id=order.pk, item=1), given)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_switched_off_manager_sees_no_orders(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    Employee.objects.filter(pk=bek.pk).update(permissions={"orders": False})
    for where in ("/api/orders/", f"/api/orders/{order.pk}", "/api/statistics"):
        assert Caller(bek)("GET", where).status_code == 403


def test_couriers_see_no_buyer(rosa: Shop, ruslan: Employee) -> None:
    order = taking.taken(rosa, courier_id=ruslan.pk, is_anonymous=True)
    [row] = body(Caller(ruslan)("GET", "/api/orders/"))["items"]
    whole = body(Caller(ruslan)("GET", f"/api/orders/{order.pk}"))
    for found in (row, whole):
        assert (found["customer"], found["customer_id"], found["customer_phone"]) == (None, None, "+770****0101")
        assert found["recipient_phone"] == order.recipient_phone


@pytest.mark.parametrize("tail", ["", "/"])
def test_both_forms_of_every_address_answer(rosa: Shop, bek: Employee, tail: str) -> None:
    order = taking.taken(rosa)
    for where in ("/api/orders", f"/api/orders/{order.pk}", f"/api/orders/{order.pk}/items", "/api/statistics"):
        assert Caller(bek)("GET", f"{where}{tail}").status_code == 200
    assert Caller(bek)("PATCH", f"/api/orders/{order.pk}/status{tail}", {"status": "paid"}).status_code == 200


def test_unknown_and_huge_ids_are_no_errors_of_ours(bek: Employee) -> None:
    for number, status in ((999_999, 404), (0, 422), (10**30, 422), ("abc", 422)):
        assert Caller(bek)("GET", f"/api/orders/{number}").status_code == status


@pytest.mark.parametrize(
    "query",
    ["dateTo=9999-12-31", "dateFrom=0001-01-01", "delivery_date=9999-12-31", "dateFrom=0001-01-01T00:00:00%2B05:00",
     "search=%00", "skip=1000001", "page=100001"],
)  # fmt: skip
def test_the_ends_of_the_calendar_are_422(bek: Employee, query: str) -> None:
    assert Caller(bek)("GET", f"/api/orders/?{query}").status_code == 422
    assert Caller(bek)("GET", "/api/delivery-windows?date=9999-12-31").status_code == 422


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"payment_date": "2026-12-01T10:00:00"}, 200),
        ({"payment_date": "0001-01-01T00:00:00+05:00"}, 422),
        ({"delivery_window": {"from": "9999-12-31T23:59:59", "to": "9999-12-31T23:59:59"}}, 422),
        ({"delivery_fee": "NaN"}, 422),
        ({"delivery_fee": 1e30}, 422),
        ({"delivery_fee": 0.001}, 422),
        ({"address": "a\x00b"}, 422),
        ({"address": None, "recipient_phone": None, "payment_method": None, "customer_phone": None}, 200),
    ],
)
def test_odd_values_are_no_errors_of_ours(rosa: Shop, bek: Employee, given: dict[str, Any], status: int) -> None:
    order = taking.taken(rosa)
    answer = Caller(bek)("PATCH", f"/api/orders/{order.pk}", given)
    assert answer.status_code == status, answer.content
    if given.get("payment_date") and status == 200:
        assert json.loads(answer.content)["payment_date"] == "2026-12-01T05:00:00Z"
    if "customer_phone" in given:
        assert (taking.fresh(order).address, taking.fresh(order).customer_phone) == (None, "+77015550101")


def test_times_go_out_in_utc(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    shown = body(Caller(bek)("GET", f"/api/orders/{order.pk}"))["created_at"]
    assert shown.endswith("Z")
    assert timezone.now() - datetime.fromisoformat(shown) < timedelta(minutes=5)


def test_the_seeds_bare_list_is_had_without_its_envelope(rosa: Shop, bek: Employee) -> None:
    taking.taken(rosa)
    page = Caller(bek)("GET", "/api/orders/").json()
    assert Caller(bek)("GET", "/api/orders/?envelope=0").json() == page["items"]
    assert len(page["items"]) == page["total"] == 1
