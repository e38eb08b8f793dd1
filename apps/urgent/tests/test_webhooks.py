"""Genuinely signed nonsense: whatever a vendor says, we neither fail nor move money (contract urgent 4.4, D12)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.integrations.sandbox import vendors
from apps.ledger.models import Entry
from apps.urgent.actions import invoices
from apps.urgent.models import Member

pytestmark = pytest.mark.contract

WHATEVER = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ROUNDS: Callable[[Any], Any] = settings(
    max_examples=80,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def mixed(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with the names that we read, each well or badly filled, or missing."""
    return st.fixed_dictionaries({}, optional={name: good | WHATEVER for name, good in known.items()})


NOTICES = mixed(
    update_id=st.integers(1, 10**6),
    update_type=st.just("invoice_paid"),
    payload=mixed(invoice_id=st.integers(), payload=st.text(max_size=80), status=st.just("paid")),
)
PERSON = mixed(id=st.integers(), first_name=st.text(max_size=5), language_code=st.text(max_size=5))
PAYMENT = mixed(
    currency=st.just("XTR"),
    total_amount=st.integers(),
    invoice_payload=st.text(max_size=80),
    telegram_payment_charge_id=st.text(max_size=300),
)
UPDATES = mixed(
    update_id=st.integers(),
    message=mixed(**{"from": PERSON}, text=st.just("/start x"), successful_payment=PAYMENT, refunded_payment=PAYMENT),
    pre_checkout_query=mixed(
        **{"from": PERSON}, id=st.text(max_size=9), currency=st.just("XTR"), total_amount=st.integers()
    ),
)


@pytest.fixture
def a_bill(bek: Member) -> Any:
    return invoices.create(by=bek, amount=100, provider="crypto_bot")


@ROUNDS
@given(said=NOTICES | WHATEVER)
def test_no_signed_notice_of_crypto_bot_is_an_error(a_bill: Any, said: Any) -> None:
    entries = Entry.objects.count()
    notice = vendors.cryptobot.notice(json.dumps(said).encode())
    answer = Client().generic(
        "POST", "/api/balance/webhook/crypto-bot", notice.body, "application/json", headers=notice.headers
    )
    assert answer.status_code in (200, 400)
    assert Entry.objects.count() == entries


@ROUNDS
@given(said=UPDATES | WHATEVER)
def test_no_genuine_update_of_telegram_is_an_error(a_bill: Any, said: Any) -> None:
    entries = Entry.objects.count()
    secret = {"X-Telegram-Bot-Api-Secret-Token": django_settings.INTEGRATIONS.telegram_webhook_secret}
    answer = Client().generic("POST", "/api/bot/webhook", json.dumps(said).encode(), "application/json", headers=secret)
    assert answer.status_code in (200, 400)
    assert Entry.objects.count() == entries
