"""The buyer's page: works without JavaScript, says what happened, hides what a stranger may not read (contract 3.8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apps.florist.models import Comment, Order, OrderItem, OrderPhoto, Shop
from apps.florist.tests import cast

TOKEN = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v"
PAGE = f"/track/{TOKEN}"


@pytest.fixture
def order(rosa: Shop) -> Order:
    """Paid, for Maria at noon."""
    product = cast.product(rosa)
    made = Order.objects.create(
        shop=rosa,
        status="paid",
        customer=cast.customer(rosa, "Ivan Petrov"),
        customer_phone="+77011231234",
        recipient_phone="+77029876534",
        recipient_name="Maria Ivanova",
        address="Abai street 15, flat 23",
        delivery_method="delivery",
        delivery_from=datetime(2026, 11, 21, 5, tzinfo=UTC),
        delivery_to=datetime(2026, 11, 21, 7, tzinfo=UTC),
        flower_sum=Decimal(20_000),
        delivery_fee=Decimal(1500),
        total=Decimal(21_500),
        tracking_token=TOKEN,
        order_number="123456789",
        payment_date=datetime(2026, 11, 20, 5, tzinfo=UTC),
    )
    OrderItem.objects.create(
        order=made,
        product=product,
        product_name="Red roses",
        product_category="bouquet",
        quantity=2,
        price=Decimal(10_000),
        total=Decimal(20_000),
    )
    return made


def browser(language: str = "en") -> Client:
    """A phone without JavaScript."""
    return Client(headers={"Accept-Language": language})


def shown(client: Client, path: str = PAGE) -> str:
    """The page's text."""
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_tells_how_far_it_is_and_hides_the_rest(order: Order) -> None:
    text = shown(browser())
    for words in (
        "123456789",
        "Order confirmed",
        "Red roses",
        "Maria",
        "+7 (7**) ***-**-34",
        "Abai street ***",
        "Ivan",
    ):
        assert words in text, words
    for secret in ("Ivanova", "Petrov", "flat 23", "+77029876534", "+77011231234", "1234<"):
        assert secret not in text, secret
    assert text.count('class="done"') == 2
    assert text.count('aria-current="step"') == 1
    assert "10:00" in text  # the shop's clock
    assert f'data-socket="/florist/ws/track/{TOKEN}"' in text


def test_nobody_keeps_or_indexes_it(order: Order) -> None:
    answer = browser().get(PAGE)
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("status", ["issue", "cancelled"])
def test_trouble_is_told_in_words(order: Order, status: str) -> None:
    Order.objects.update(status=status, status_before_issue="paid")
    text = shown(browser())
    assert 'aria-current="step"' not in text
    assert ("cancelled" if status == "cancelled" else "problem") in text


def test_a_dead_link_says_so(order: Order) -> None:
    answer = browser().get("/track/none")
    assert answer.status_code == 404
    assert browser().get("/track/%00").status_code == 404
    assert 'role="alert"' in answer.content.decode()
    assert browser().post("/track/none/comment", {"text": "x", "customer_name": "y"}).status_code == 404


def test_the_address_changes_with_four_digits(order: Order) -> None:
    client, path = browser(), f"{PAGE}/address"
    wrong = client.post(path, {"address": "Dostyk 5", "last4": "0000"}, follow=True)
    assert "last four digits" in wrong.content.decode()
    assert Order.objects.get().address == order.address
    right = client.post(path, {"address": "Dostyk 5", "last4": "1234", "recipient_phone": ""}, follow=True)
    assert right.redirect_chain == [(PAGE, 302)]
    assert 'class="success"' in right.content.decode()
    changed = Order.objects.get()
    assert (changed.address, changed.address_needs_clarification) == ("Dostyk 5", True)


def test_a_malformed_form_says_what_is_wrong(order: Order) -> None:
    answer = browser().post(f"{PAGE}/address", {"address": "x", "last4": ""}, follow=True)
    text = answer.content.decode()
    assert 'class="error"' in text
    assert "New address" in text
    assert Order.objects.get().address == order.address


def test_no_form_for_an_address_that_is_fixed(order: Order) -> None:
    assert f'action="{PAGE}/address"' in shown(browser())
    Order.objects.update(status="assembled")
    assert f'action="{PAGE}/address"' not in shown(browser())


def test_a_word_to_the_shop(order: Order) -> None:
    Comment.objects.create(order=order, text="internal remark")
    client = browser()
    client.post(f"{PAGE}/comment", {"text": "ring <b>twice</b>", "customer_name": "Ivan"})
    text = shown(client)
    assert "ring &lt;b&gt;twice&lt;/b&gt;" in text
    assert "internal remark" not in text


def test_the_picture_is_approved_once(order: Order) -> None:
    photo = OrderPhoto.objects.create(order=order, photo_url=f"/uploads/{'a' * 32}.jpg", photo_type="pre_delivery")
    client = browser()
    assert f'action="{PAGE}/feedback"' in shown(client)
    body = {"photo_id": photo.pk, "feedback": "dislike", "comment": "too small"}
    assert "Thank you" in client.post(f"{PAGE}/feedback", body, follow=True).content.decode()
    text = shown(client)
    assert f'action="{PAGE}/feedback"' not in text
    assert "too small" in text
    again = client.post(f"{PAGE}/feedback", {**body, "feedback": "like"}, follow=True)
    assert "already" in again.content.decode()
    photo.refresh_from_db()
    assert photo.customer_feedback == "dislike"


def test_found_by_number_and_digits(order: Order) -> None:
    client = browser()
    assert "nine digits" in shown(client, "/track/")
    found = client.post("/track/", {"number": "123456789", "last4": "1234"})
    assert (found.status_code, found["Location"]) == (302, PAGE)
    wrong = client.post("/track/", {"number": "123456789", "last4": "0000"})
    assert wrong.status_code == 422
    assert "There is no such order" in wrong.content.decode()


def test_the_language_is_chosen_and_kept(order: Order) -> None:
    client = browser("tr")
    assert '<html lang="ru"' in shown(client)
    chosen = client.post("/track/language", {"language": "kk", "next": PAGE})
    assert chosen["Location"] == PAGE
    assert '<html lang="kk"' in shown(client)
    away = client.post("/track/language", {"language": "en", "next": "//evil.example/"})
    assert away["Location"] == "/track/"


def test_every_deed_is_a_post(order: Order) -> None:
    for deed in ("address", "comment", "feedback", "pay"):
        assert browser().get(f"{PAGE}/{deed}").status_code == 405, deed
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"{PAGE}/comment", {"text": "x", "customer_name": "y"}).status_code == 403


def test_gateways_are_offered_where_they_take_the_currency(order: Order) -> None:
    assert f'action="{PAGE}/pay"' not in shown(browser())
    refused: Any = browser().post(f"{PAGE}/pay", {"method": "payme"})
    assert refused.status_code == 409
    Shop.objects.update(currency="UZS")
    assert f'action="{PAGE}/pay"' in shown(browser())
    Order.objects.update(paid_amount=21_500)
    assert f'action="{PAGE}/pay"' not in shown(browser())


def test_thirty_looks_a_minute(order: Order, settings: Settings) -> None:
    settings.FLORIST = replace(settings.FLORIST, public_per_minute=2)
    client = browser()
    assert [client.get(PAGE).status_code for _ in range(3)] == [200, 200, 429]
