"""Gateways' transactions and keys in the back office: read, never written, the key itself not shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.payments.models import Attempt, GatewayKey, Payment
from apps.payments.tests import cast


@pytest.fixture
def desk(db: None, settings: Any) -> Client:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)
    client = Client()
    client.force_login(User.objects.create_superuser(username="boss", password="a-long-password-1"))
    return client


def attempt(payment: Payment, number: str) -> Attempt:
    return Attempt.objects.create(
        payment=payment, method="click", vendor_id=number, amount=payment.amount, state=Attempt.State.PERFORMED
    )


def cost(desk: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        desk.get(url)
    return len(seen)


def test_attempts_are_listed_in_a_constant_number_of_queries(desk: Client, payment: Payment) -> None:
    attempt(payment, "first")
    url = reverse("admin:payments_attempt_changelist")
    desk.get(url)
    page = desk.get(url).content.decode()
    assert "first" in page and "150\u202f000.00 UZS" in page
    few = cost(desk, url)
    for number in range(10):
        attempt(payment, f"more{number}")
    assert cost(desk, url) == few


def test_an_attempt_is_found_by_the_gateways_number(desk: Client, payment: Payment) -> None:
    attempt(payment, "5305e3bab097f420a62ced0b")
    attempt(payment, "another")
    page = desk.get(reverse("admin:payments_attempt_changelist"), {"q": "another"}).content.decode()
    assert "another" in page and "5305e3bab097f420a62ced0b" not in page


def test_an_attempt_is_read_and_never_written(desk: Client, payment: Payment) -> None:
    row = attempt(payment, "first")
    url = reverse("admin:payments_attempt_change", args=[row.pk])
    assert desk.get(url).status_code == 200
    assert desk.post(url, {"state": "1"}).status_code == 403
    assert desk.post(reverse("admin:payments_attempt_delete", args=[row.pk])).status_code == 403


def test_a_key_shows_its_day_and_not_itself(desk: Client) -> None:
    key = GatewayKey.objects.create(method="payme", digest="d1" * 32, changed_at=timezone.now())
    for url in (
        reverse("admin:payments_gatewaykey_changelist"),
        reverse("admin:payments_gatewaykey_change", args=[key.pk]),
    ):
        page = desk.get(url).content.decode()
        assert "Payme" in page and key.digest not in page
    assert desk.post(reverse("admin:payments_gatewaykey_change", args=[key.pk]), {"digest": "0"}).status_code == 403


def test_both_need_their_right(payment: Payment, settings: Any) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)
    client = Client()
    client.force_login(cast.staff("reader", "view_payment"))
    for name in ("attempt", "gatewaykey"):
        assert client.get(reverse(f"admin:payments_{name}_changelist")).status_code == 403
