"""A buyer, a bank, and a list of the facts that were announced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.core import events
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.payments import events as facts
from apps.payments.models import Payment
from apps.payments.tests import cast

KINDS = (
    facts.PaymentSettled,
    facts.PaymentHeld,
    facts.PaymentFailed,
    facts.RefundSettled,
    facts.RefundFailed,
    facts.SurplusTaken,
    facts.LookNeeded,
)


@pytest.fixture(autouse=True)
def _ways_in(client: Client) -> None:
    """Payme and Click reach our webhooks."""
    vendors.payme.carry = cast.through(client)
    vendors.click.carry = cast.through(client)


@pytest.fixture
def aida(db: None) -> User:
    """The buyer."""
    return cast.person("aida")


@pytest.fixture
def bank() -> FakeOctoBank:
    """OCTO."""
    return vendors.octo


@pytest.fixture
def payment(aida: User) -> Payment:
    """150 000 soum for order 41, waiting for the buyer."""
    return cast.start(aida)


@pytest.fixture
def paid(client: Client, payment: Payment) -> Payment:
    """The same, paid."""
    return cast.pay(client, payment)


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """The facts announced during the test, in their order."""
    heard: list[Any] = []
    for kind in KINDS:
        events.on(kind)(heard.append)
    yield heard
    for kind in KINDS:
        events._now[kind.label()].remove(heard.append)


@pytest.fixture
def falling() -> Iterator[list[str]]:
    """A product whose handlers fall over money for the references in this list: at first the cast's own."""
    broken = [cast.REFERENCE]

    def fall(event: facts.PaymentSettled | facts.RefundSettled) -> None:
        if event.reference in broken:
            raise RuntimeError("a fault of the product")

    kinds: tuple[type[events.Event], ...] = (facts.PaymentSettled, facts.RefundSettled)
    for kind in kinds:
        events.on(kind)(fall)
    yield broken
    for kind in kinds:
        events._now[kind.label()].remove(fall)
