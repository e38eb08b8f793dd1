"""Schemathesis against the published document of the shop: no 5xx, and no answer that the document does not promise."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from schemathesis import GenerationMode

from apps.integrations.conf import FAKE_PORTS
from apps.portal.tests.probing import operations_of, probe
from apps.shop.actions import cart, catalogue, orders, placing, sessions
from apps.shop.actions.placing import Wish
from apps.shop.models import Customer, Order

pytestmark = [pytest.mark.slow, pytest.mark.contract]

DOCUMENT = "/shop/openapi.json"
CALLERS = ("anonymous", "buyer", "administrator")


@pytest.fixture(autouse=True)
def _open_doors(settings: Settings) -> None:
    """Every vendor behaves; the global limits are off."""
    settings.PORTS = FAKE_PORTS
    settings.SHOP = replace(settings.SHOP, rate_limit_requests=0, notify_rate_limit_requests=0, login_rate_limit=0)


@pytest.fixture
def people(db: None) -> dict[str, Customer]:
    """A buyer and an administrator."""
    made = {name: sessions.register(name=name, password="a good password", surname="K") for name in CALLERS[1:]}
    Customer.objects.filter(name="administrator").update(is_admin=True)
    return made


@pytest.fixture
def real(people: dict[str, Customer]) -> list[dict[str, Any]]:
    """Things that exist, orders of both people in several states among them."""
    shelf = catalogue.add_category(by=None, name="Shelf")
    soft = catalogue.add(by=None, name="Soft", size="42", price=Decimal("50000.5"), quantity=100, category_id=shelf.pk)
    line = cart.add(by=people["buyer"], slipper_id=soft.pk, quantity=2).items.get()
    facts = {"slipper_id": soft.pk, "category_id": shelf.pk, "item_id": line.pk, "customer_id": people["buyer"].pk}
    facts["items"] = [{"slipper_id": soft.pk, "quantity": 1}]
    return [{**facts, "order_id": order.pk} for order in _orders(people, soft.pk)]


def _orders(people: dict[str, Customer], slipper_id: int) -> list[Order]:
    fresh, paid, gone, hers = (
        placing.place(by=by, wishes=[Wish(slipper_id, 1)])
        for by in (people["buyer"], people["buyer"], people["buyer"], people["administrator"])
    )
    orders.confirm(order_id=paid.pk)
    orders.cancel(by=None, order_id=gone.pk)
    return [fresh, paid, gone, hers]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_in_the_document(
    people: dict[str, Customer], real: list[dict[str, Any]], caller: str, mode: GenerationMode
) -> None:
    with operations_of(DOCUMENT) as operations:
        # a token for each: signing out and a new password end the session that did so
        called = [probe(operation, mode, _headers(people.get(caller)), real) for operation in operations]
    assert len(called) >= 35


def _headers(who: Customer | None) -> dict[str, str]:
    plain = {"Accept-Encoding": "identity"}
    return {**plain, "Authorization": f"Bearer {sessions.open_session(who).access}"} if who else plain
