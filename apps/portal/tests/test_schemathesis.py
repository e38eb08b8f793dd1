"""Schemathesis against the published document: no 5xx, and no answer that the document does not promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.accounts import actions as accounts
from apps.integrations.telegram import TelegramProfile, sign_init_data
from apps.urgent.actions import balance, members, orders, takes
from apps.urgent.models import City, Member, Order
from apps.urgent.queries import cities

pytestmark = [pytest.mark.slow, pytest.mark.contract]

DOCUMENT = "/urgent/openapi.json"
SEED = 20261121
EXAMPLES = 6
"""Per operation, caller and kind of input; the whole stays under a minute."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
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


@pytest.fixture
def operations(db: None) -> Iterator[Iterator[Any]]:
    """Every operation of the document, called in this process and in the test's own transaction."""
    signals = (request_started, request_finished)
    for signal in signals:  # a request must not hang up the connection that holds the transaction
        signal.disconnect(close_old_connections)
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, get_wsgi_application())
    yield (found.ok() for found in schema.get_all_operations())
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_in_the_document(
    operations: Iterator[Any], order_ids: list[str], caller: str, mode: GenerationMode
) -> None:
    headers = _headers(CALLERS[caller])
    called = [_probe(operation, mode, headers, order_ids) for operation in operations]
    assert len(called) >= 30


def _headers(telegram_id: int | None) -> dict[str, str]:
    if telegram_id is None:
        return {"Content-Type": "application/json"}
    token = django_settings.INTEGRATIONS.telegram_bot_token
    proof = sign_init_data(token, {"id": telegram_id, "first_name": "Азиз"}, timezone.now())
    return {"Content-Type": "application/json", "Authorization": f"Bearer {proof}"}


def _probe(operation: Any, mode: GenerationMode, headers: dict[str, str], order_ids: list[str]) -> str:
    """Call one operation with what the document allows, or with what it forbids; often about things that exist."""

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), order_id=st.none() | st.sampled_from(order_ids))
    def call(case: Any, order_id: str | None) -> None:
        if order_id:
            _make_real(case, {"order_id": order_id, "city": CITY, "cities": [CITY], "executor_id": None})
        case.call_and_validate(checks=CHECKS, headers=headers)

    try:
        call()
    except Unsatisfiable:  # without parameters and body nothing can be malformed
        if mode.is_positive:
            raise
    return str(operation.label)


def _make_real(case: Any, facts: dict[str, Any]) -> None:
    """Names of things that exist, where the case names any; everything else stays as it was made up."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in facts.items() if name in part})
