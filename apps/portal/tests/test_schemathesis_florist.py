"""Schemathesis against the published document of the flower shops: no 5xx, no answer that it does not promise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from schemathesis import GenerationMode

from apps.accounts import tokens
from apps.florist import seeding
from apps.florist.models import Employee, Order
from apps.florist.seeding import samples
from apps.integrations.conf import FAKE_PORTS
from apps.portal.tests.probing import operations_of, probe

pytestmark = [pytest.mark.slow, pytest.mark.contract]

DOCUMENT = "/florist/openapi.json"
EXAMPLES = 2
CALLERS = ("nobody", "admin", "florist")


@pytest.fixture
def people(db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> dict[str, Employee]:
    """The owner and a florist of a sample shop; every vendor behaves, strangers are not slowed down."""
    settings.PORTS = FAKE_PORTS
    settings.FLORIST = replace(settings.FLORIST, public_per_minute=0, login_limit=0, otp_per_minute=0, otp_per_hour=0)
    for name, value in (("DAYS", 2), ("CUSTOMERS", 5), ("ORDERS_A_DAY", (3, 1))):
        monkeypatch.setattr(samples, name, value)
    seeding.seed()
    shop = Employee.objects.earliest("pk").shop
    return {role: Employee.objects.filter(shop=shop, role=role).earliest("pk") for role in CALLERS[1:]}


@pytest.fixture
def real(people: dict[str, Employee]) -> list[dict[str, Any]]:
    """Things of that shop, orders in several states among them."""
    shop = people["admin"].shop
    orders = Order.objects.filter(shop=shop).prefetch_related("items", "tasks").order_by("-pk")[:8]
    return [
        {
            "shop_id": shop.pk,
            "order_id": order.pk,
            "token": order.tracking_token,
            "customer_id": order.customer_id,
            "product_id": order.items.all()[0].product_id,
            "item_id": order.items.all()[0].pk,
            "task_id": task.pk,
            "florist_id": people["florist"].pk,
            "user_id": people["florist"].pk,
            "courier_id": Employee.objects.filter(shop=shop, role="courier").earliest("pk").pk,
        }
        for order in orders
        for task in order.tasks.all()
    ]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_in_the_document(
    people: dict[str, Employee], real: list[dict[str, Any]], caller: str, mode: GenerationMode
) -> None:
    with operations_of(DOCUMENT) as operations:
        # a token for each: signing out and a new password end the session that did so
        called = [probe(operation, mode, _headers(people.get(caller)), real, EXAMPLES) for operation in operations]
    assert len(called) >= 100


def _headers(who: Employee | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.issue(who.user, 'florist', who.pk).access}"} if who else {}
