"""An order behind its link: masks, times, proofs, words, pictures (contract florist 1.3, 3.8; defects 11, 20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from apps.core.models import OutboxMessage
from apps.core.testing import outcomes, query_budget, race
from apps.florist.actions import tracking
from apps.florist.models import Comment, Employee, Order, OrderHistory, OrderItem, OrderPhoto, Product, Shop
from apps.florist.queries import masking
from apps.florist.queries import tracking as questions
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller

TOKEN = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v"
TRACKING_KEYS = {
    *("order_number", "status", "created_at", "updated_at", "delivery_method", "delivery_window", "delivery_fee"),
    *("total", "recipient_name", "recipient_phone", "address", "items", "tracking_token", "steps"),
}
STOREFRONT_KEYS = {
    *("id", "orderNumber", "status", "orderDate", "deliveryDate", "deliveryTime", "estimatedTime", "total"),
    *("deliveryFee", "deliveryMethod", "items", "customerData", "bouquetPhoto", "photoRating"),
}
PHOTO_KEYS = {
    *("id", "photo_url", "photo_type", "description", "customer_feedback", "feedback_comment", "created_at"),
}
COMMENT_KEYS = {"id", "text", "author_type", "author_name", "created_at"}
ROOTS = ["/api/public", "/public"]


@pytest.fixture
def order(rosa: Shop) -> Order:
    """Two bouquets for Maria from Ivan, on the way to be paid."""
    product = cast.product(rosa)
    made = Order.objects.create(
        shop=rosa,
        status="new",
        customer=cast.customer(rosa, "Ivan Petrov", source="x"),
        customer_phone="+77011231234",
        recipient_phone="+77029876534",
        recipient_name="Maria Ivanova",
        address="Алматы, ул. Абая 15, кв 23, код 45К",
        delivery_method="delivery",
        delivery_from=datetime(2026, 11, 21, 5, tzinfo=UTC),
        delivery_to=datetime(2026, 11, 21, 7, tzinfo=UTC),
        flower_sum=Decimal(20_000),
        delivery_fee=Decimal(1500),
        total=Decimal(21_500),
        tracking_token=TOKEN,
        order_number="123456789",
    )
    line(made, product)
    return made


def line(order: Order, product: Product) -> OrderItem:
    """Two pieces."""
    return OrderItem.objects.create(
        order=order,
        product=product,
        product_name=product.name,
        product_category=product.category,
        quantity=2,
        price=Decimal(10_000),
        total=Decimal(20_000),
    )


def photo(order: Order, photo_type: str = "pre_delivery", **more: Any) -> OrderPhoto:
    """A picture of our own storage."""
    url = f"/uploads/{'a' * 32}.jpg"
    return OrderPhoto.objects.create(order=order, photo_url=url, photo_type=photo_type, **more)


# ── masks ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("given_phone", "shown"),
    [("+77011231234", "+7 (7**) ***-**-34"), ("+998901234567", "+99********67"), (None, None), ("", None)],
)
def test_phones_are_masked(given_phone: str | None, shown: str | None) -> None:
    assert masking.phone(given_phone) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Алматы, ул. Абая 15, кв 23", "Алматы, ул. Абая ***"),
        ("ул. Абая 15 кв 23 код 45К", "ул. Абая ***"),
        ("Абая 15, у соседки Марины", "Абая ***"),
        ("8 Марта 5, кв 1", "*** Марта ***"),
        ("мкр. 5, д. 12", "мкр. ***"),
        ("Самал-2, 33", "Самал-***, ***"),
        ("Dostyk avenue", "Dostyk avenue"),
        (None, None),
    ],
)
def test_the_street_stays_house_and_flat_go(written: str | None, shown: str | None) -> None:
    """The original showed the flat."""
    assert masking.address(written) == shown


@given(st.text(max_size=60))
def test_no_digit_of_an_address_survives(text: str) -> None:
    assert not any(map(str.isdigit, masking.address(text) or ""))


@pytest.mark.parametrize(("full", "first"), [("Maria Ivanova", "Maria"), ("  ", None), (None, None)])
def test_only_the_first_name_is_shown(full: str | None, first: str | None) -> None:
    assert masking.name(full) == first


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("path", ["/api/tracking", "/api/public/status", "/public/status"])
def test_the_link_shows_the_order_masked(order: Order, path: str) -> None:
    """Defect 20: tracking was always 500."""
    answer = Caller()("GET", f"{path}/{TOKEN}")
    got = answer.json()
    assert (answer.status_code, got.keys()) == (200, TRACKING_KEYS)
    assert (got["recipient_name"], got["recipient_phone"]) == ("Maria", "+7 (7**) ***-**-34")
    assert got["address"] == "Алматы, ул. Абая ***"
    assert got["items"] == [{"product_name": "Red roses", "quantity": 2, "price": 10_000}]
    assert got["delivery_window"] == {"from": "2026-11-21T05:00:00Z", "to": "2026-11-21T07:00:00Z"}
    assert (got["total"], got["delivery_fee"], got["order_number"]) == (21_500, 1500, "123456789")


@pytest.mark.parametrize("root", ROOTS)
def test_the_storefront_reads_its_own_words(order: Order, root: str) -> None:
    picture = photo(order, customer_feedback="like")
    got = Caller()("GET", f"{root}/orders/{TOKEN}").json()
    assert got.keys() == STOREFRONT_KEYS
    assert got["customerData"] == {
        "name": "Ivan",
        "phone": "+7 (7**) ***-**-34",
        "address": "Алматы, ул. Абая ***",
        "recipientName": "Maria",
        "recipientPhone": "+7 (7**) ***-**-34",
    }
    assert (got["deliveryDate"], got["deliveryTime"]) == ("2026-11-21", "10:00-12:00")
    assert got["items"][0].keys() == {"id", "title", "image", "price", "quantity"}
    assert got["bouquetPhoto"].startswith(f"{picture.photo_url}?until=")
    assert (got["photoRating"], got["status"]) == ("like", "preparing")


@pytest.mark.parametrize(
    ("status", "word"),
    [
        *[("new", "preparing"), ("paid", "preparing"), ("assembled", "ready"), ("self_pickup", "ready")],
        *[("delivery", "in_transit"), ("delivered", "delivered"), ("completed", "delivered")],
        *[("cancelled", "cancelled")],
    ],
)
def test_four_words_and_one_more(order: Order, status: str, word: str) -> None:
    Order.objects.update(status=status)
    assert Caller()("GET", f"/api/public/orders/{TOKEN}").json()["status"] == word


def test_a_secret_sender_is_not_named(order: Order) -> None:
    Order.objects.update(is_anonymous=True)
    data = Caller()("GET", f"/api/public/orders/{TOKEN}").json()["customerData"]
    assert (data["name"], data["phone"]) == (None, None)


def test_a_stranger_does_not_learn_whose_phone_he_typed(order: Order) -> None:
    """Defect 11: the checkout looked buyers up by any phone."""
    Order.objects.update(source="storefront")
    assert Caller()("GET", f"/api/public/orders/{TOKEN}").json()["customerData"]["name"] is None
    assert "Ivan" not in Client().get(f"/track/{TOKEN}").content.decode()


def test_steps_have_their_times(order: Order) -> None:
    start = timezone.now()
    for minutes, status in ((5, "paid"), (9, "new"), (10, "paid")):
        row = OrderHistory.objects.create(order=order, event_type="status_changed", new_status=status)
        OrderHistory.objects.filter(pk=row.pk).update(created_at=start + timedelta(minutes=minutes))
    Order.objects.update(status="delivery", assembled_at=start, dispatched_at=start + timedelta(hours=1))
    steps = questions.steps(Order.objects.get())
    assert [step["status"] for step in steps] == ["new", "paid", "assembled", "delivery", "delivered"]
    assert [step["at"] for step in steps] == [
        *(order.created_at, start + timedelta(minutes=10), start, start + timedelta(hours=1), None),
    ]


def test_a_problem_shows_how_far_it_came(order: Order) -> None:
    Order.objects.update(status="issue", status_before_issue="paid", payment_date=timezone.now())
    assert [bool(step["at"]) for step in questions.steps(Order.objects.get())] == [True, True, False, False, False]


def test_pickup_has_its_own_way(order: Order) -> None:
    Order.objects.update(delivery_method="self_pickup", status="new")
    assert [step["status"] for step in questions.steps(Order.objects.get())][3] == "self_pickup"


@pytest.mark.parametrize("field", ["completed_at", "cancelled_at"])
@pytest.mark.parametrize(("days", "status"), [(29, 200), (31, 404)])
def test_a_link_dies_thirty_days_after_the_end(order: Order, field: str, days: int, status: int) -> None:
    word = "completed" if field == "completed_at" else "cancelled"
    Order.objects.update(status=word, **{field: timezone.now() - timedelta(days=days)})
    assert Caller()("GET", f"/api/public/status/{TOKEN}").status_code == status
    assert Caller()("GET", f"/api/public/orders/{TOKEN}/photos").status_code == status


def test_a_wrong_link_is_not_found(order: Order) -> None:
    for path in (f"/api/tracking/{TOKEN[:-1]}x", "/api/public/status/x", "/api/public/orders/none/comments"):
        answer = Caller()("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")


def test_a_closed_shop_shows_nothing(order: Order) -> None:
    Shop.objects.update(is_active=False)
    assert Caller()("GET", f"/api/tracking/{TOKEN}").status_code == 404


def test_a_link_costs_few_questions(order: Order) -> None:
    for _ in range(20):
        line(order, order.items.first().product)
    with query_budget(3):
        questions.masked(questions.by_token(TOKEN))


# ── by number ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("query", "status"),
    [("", 404), ("?last4=1234", 200), ("?last4=4321", 404), ("?last4=6534", 404), ("?last4=", 404), ("?last4=4", 404)],
)
def test_nine_digits_need_four_of_the_buyers_phone(order: Order, query: str, status: int) -> None:
    """Defect 11: nine digits that anybody could count up to opened everything."""
    assert Caller()("GET", f"/api/tracking/123456789{query}").status_code == status


def test_a_number_of_two_shops_wants_the_shop(order: Order, tulip: Shop) -> None:
    Order.objects.create(
        shop=tulip,
        customer_phone="+77771231234",
        delivery_method="self_pickup",
        flower_sum=1,
        total=1,
        tracking_token="other",
        order_number="123456789",
    )
    call = Caller()
    assert call("GET", "/api/tracking/123456789?last4=1234").status_code == 404
    found = call("GET", f"/api/tracking/123456789?last4=1234&shop_id={order.shop_id}").json()
    assert found["tracking_token"] == TOKEN


def test_a_number_is_not_guessed(order: Order) -> None:
    call = Caller()
    statuses = [call("GET", f"/api/tracking/123456789?last4={digits:04}").status_code for digits in range(10)]
    assert set(statuses) == {404}
    answer = call("GET", "/api/tracking/123456789?last4=1234")
    assert (answer.status_code, answer.json()["code"]) == (429, "digits_too_often")


# ── another address ─────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("field", ["last4", "phone_last4", "code"])
@pytest.mark.parametrize("status", ["new", "paid"])
def test_the_buyer_changes_the_address(order: Order, root: str, field: str, status: str) -> None:
    Order.objects.update(status=status)
    body = {"address": "Dostyk 5, flat 1", "recipient_phone": "8 701 000 00 07", field: "1234"}
    answer = Caller()("PATCH", f"{root}/orders/{TOKEN}/address", body)
    assert (answer.status_code, answer.json()) == (
        200,
        {"success": True, "message": "Address updated successfully", "updated_address": "Dostyk 5, flat 1"},
    )
    after = Order.objects.get()
    assert (after.address, after.recipient_phone, after.recipient_name) == (
        *("Dostyk 5, flat 1", "+77010000007", "Maria Ivanova"),
    )
    assert (after.address_needs_clarification, after.version) == (True, order.version + 1)
    row = OrderHistory.objects.get()
    assert (row.event_type, row.by, row.by_text) == ("edited", None, "buyer")
    assert OutboxMessage.objects.filter(event__endswith="OrderEdited").exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"address": "Dostyk 5"}, 403, "digits_wrong"),
        ({"address": "Dostyk 5", "last4": "6534"}, 403, "digits_wrong"),
        ({"address": "x", "last4": "1234"}, 422, None),
        ({"address": "Dostyk 5", "recipient_phone": "12", "last4": "1234"}, 422, None),
    ],
)
def test_a_stranger_does_not(order: Order, body: dict[str, str], status: int, code: str | None) -> None:
    """Defect 11: anybody with the number changed the address."""
    answer = Caller()("PATCH", f"/api/public/orders/{TOKEN}/address", body)
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code
    assert Order.objects.get().address == order.address
    assert not OrderHistory.objects.exists()


@pytest.mark.parametrize(
    ("status", "method"),
    [
        *[("assembled", "delivery"), ("delivery", "delivery"), ("delivered", "delivery"), ("completed", "delivery")],
        *[("issue", "delivery"), ("cancelled", "delivery"), ("new", "self_pickup")],
    ],
)
def test_a_bouquet_that_is_made_keeps_its_address(order: Order, status: str, method: str) -> None:
    Order.objects.update(status=status, delivery_method=method)
    answer = Caller()("PATCH", f"/api/public/orders/{TOKEN}/address", {"address": "Dostyk 5", "last4": "1234"})
    assert (answer.status_code, answer.json()["code"]) == (400, "address_fixed")
    assert Order.objects.get().address == order.address


def test_four_digits_are_not_guessed(order: Order) -> None:
    call, path = Caller(), f"/api/public/orders/{TOKEN}/address"
    right = {"address": "Dostyk 5", "last4": "1234"}
    for _ in range(4):
        assert call("PATCH", path, {**right, "last4": "0000"}).status_code == 403
    assert call("PATCH", path, right).status_code == 200
    assert call("PATCH", path, {**right, "last4": "0000"}).status_code == 403
    answer = call("PATCH", path, right)
    assert (answer.status_code, answer.json()["code"]) == (429, "digits_too_often")


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("root", ROOTS)
def test_the_buyer_speaks_and_sees_what_is_for_him(order: Order, aida: Employee, root: str) -> None:
    """Words among the shop's people were shown to the customer."""
    Comment.objects.create(order=order, user=aida, text="difficult customer")
    Comment.objects.create(order=order, user=aida, text="ready at noon", is_public=True)
    path = f"{root}/orders/{TOKEN}/comments"
    said = Caller()("POST", path, {"text": " please ring twice ", "customer_name": "Ivan"})
    assert said.status_code == 200
    assert said.json().keys() == {"success", "message", "comment_id"}
    got = Caller()("GET", path).json()
    assert [row.keys() for row in got["items"]] == [COMMENT_KEYS] * 2
    assert [(row["text"], row["author_type"], row["author_name"]) for row in got["items"]] == [
        ("ready at noon", "staff", "Aida"),
        ("please ring twice", "customer", "Ivan"),
    ]
    assert got["total"] == 2


@pytest.mark.parametrize("body", [{"text": "", "customer_name": "Ivan"}, {"text": "x", "customer_name": ""}, {}])
def test_empty_words_are_malformed(order: Order, body: dict[str, str]) -> None:
    assert Caller()("POST", f"/api/public/orders/{TOKEN}/comments", body).status_code == 422
    assert not Comment.objects.exists()


def test_an_order_holds_so_many_words(order: Order) -> None:
    Comment.objects.bulk_create(Comment(order=order, text="x", author_type="customer") for _ in range(50))
    answer = Caller()("POST", f"/api/public/orders/{TOKEN}/comments", {"text": "x", "customer_name": "Ivan"})
    assert (answer.status_code, answer.json()["code"]) == (429, "said_enough")
    assert Comment.objects.count() == 50


# ── pictures ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("root", ROOTS)
def test_pictures_of_the_bouquet_are_signed(order: Order, root: str) -> None:
    shown = photo(order)
    photo(order, "process")
    photo(order, "delivery_proof")
    old = photo(order, "delivery_proof")
    OrderPhoto.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    got = Caller()("GET", f"{root}/orders/{TOKEN}/photos").json()
    assert [row["photo_type"] for row in got["items"]] == ["pre_delivery", "delivery_proof"]
    assert got["items"][0].keys() == PHOTO_KEYS
    assert got["items"][0]["photo_url"].startswith(f"{shown.photo_url}?until=")
    assert got["total"] == 2


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("feedback", ["like", "dislike"])
def test_the_buyer_judges_once(order: Order, root: str, feedback: str) -> None:
    shown = photo(order)
    path, body = f"{root}/orders/{TOKEN}/feedback", {"photo_id": shown.pk, "feedback": feedback, "comment": "hm"}
    first = Caller()("POST", path, body)
    assert (first.status_code, first.json().keys()) == (200, {"success", "message"})
    again = Caller()("POST", path, {**body, "feedback": "like"})
    assert (again.status_code, again.json()["code"]) == (400, "feedback_given")
    shown.refresh_from_db()
    assert (shown.customer_feedback, shown.feedback_comment, shown.feedback_date is None) == (feedback, "hm", False)
    told = OutboxMessage.objects.filter(event__endswith="PhotoJudged").first()
    assert told is not None
    assert told.payload == {
        "order_id": order.pk,
        "shop_id": order.shop_id,
        "photo_id": shown.pk,
        "feedback": feedback,
    }


def test_only_pictures_of_this_order_and_for_the_buyer_are_judged(order: Order) -> None:
    inside = photo(order, "process")
    other = Order.objects.create(
        shop=order.shop,
        customer_phone="+77010000001",
        delivery_method="self_pickup",
        flower_sum=1,
        total=1,
        tracking_token="other",
        order_number="000000001",
    )
    for wrong in (inside, photo(other)):
        answer = Caller()("POST", f"/api/public/orders/{TOKEN}/feedback", {"photo_id": wrong.pk, "feedback": "like"})
        assert (answer.status_code, answer.json()["code"]) == (404, "photo_not_found")
    assert (
        Caller()("POST", f"/api/public/orders/{TOKEN}/feedback", {"photo_id": 1, "feedback": "ok"}).status_code == 422
    )
    assert not OrderPhoto.objects.exclude(customer_feedback=None).exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_judgements_at_once_are_one(order: Order) -> None:
    shown = photo(order)
    results = race(10, lambda _: tracking.judge(token=TOKEN, photo_id=shown.pk, feedback="dislike"))
    assert outcomes(results) == {"ok": 1, "PhotoJudgedAlready": 9}


# ── how often ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_thirty_looks_a_minute(order: Order, settings: Settings) -> None:
    settings.FLORIST = replace(settings.FLORIST, public_per_minute=3)
    call = Caller()
    statuses = [call("GET", f"/api/public/status/{TOKEN}").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
