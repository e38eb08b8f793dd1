"""Schemathesis against the published document of urgent: no 5xx, and no answer that the document does not promise."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from schemathesis import GenerationMode

from apps.accounts import actions as accounts
from apps.integrations.telegram import TelegramProfile, sign_init_data
from apps.portal.tests.probing import operations_of, probe
from apps.urgent.actions import balance, members, orders, takes
from apps.urgent.models import City, Member, Order
from apps.urgent.queries import cities

pytestmark = [pytest.mark.slow, pytest.mark.contract]

DOCUMENT = "/urgent/openapi.json"
CLIENT, EXECUTOR = 500_000_001, 500_000_002
CALLERS = {"anonymous": None, "client": CLIENT, "executor": EXECUTOR}
CITY = "Москва"


@pytest.fixture
def order_ids(db: None) -> list[str]:
    """Real orders in several states, so that calls get past the first 404."""
    City.objects.get_or_create(name=CITY)
    cities.forget()
    client, executor = _member(CLIENT), _member(EXECUTOR)
    balance.recharge(by=executor, amount=100, method="test")
    fresh, taken, done, gone = (_place(client, number) for number in range(4))
    for order in (taken, done):
        takes.take(by=executor, order_id=order.pk)
    orders.complete(by=client, order_id=done.pk)
    orders.delete(by=client, order_id=gone.pk)
    return [order.pk for order in (fresh, taken, done, gone)]


def _member(telegram_id: int) -> Member:
    profile = TelegramProfile(id=telegram_id, first_name="Азиз", auth_date=timezone.now())
    return members.join(user=accounts.person_from_telegram(profile))


def _place(by: Member, number: int) -> Order:
    words = {"category": "Другое", "description": "Нужен мастер на час, сегодня", "city": CITY}
    return orders.place(by=by, contact=f"@client_{number}", **words)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_in_the_document(order_ids: list[str], caller: str, mode: GenerationMode) -> None:
    headers = _headers(CALLERS[caller])
    real = [{"order_id": pk, "city": CITY, "cities": [CITY], "executor_id": None} for pk in order_ids]
    with operations_of(DOCUMENT) as operations:
        called = [probe(operation, mode, headers, real) for operation in operations]
    assert len(called) >= 30


def _headers(telegram_id: int | None) -> dict[str, str]:
    if telegram_id is None:
        return {"Content-Type": "application/json"}
    token = django_settings.INTEGRATIONS.telegram_bot_token
    proof = sign_init_data(token, {"id": telegram_id, "first_name": "Азиз"}, timezone.now())
    return {"Content-Type": "application/json", "Authorization": f"Bearer {proof}"}
