"""Balance and the developer's recharge (contract urgent 1.1 rows 15 and 16, 3.7, 8.2, 8.3, 8.17)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.testing import race
from apps.ledger.models import Entry
from apps.urgent.models import Member
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller


@pytest.fixture
def on_a_laptop(settings: Settings) -> None:
    settings.URGENT = replace(settings.URGENT, allow_dev_recharge=True)


@pytest.fixture
def in_production(settings: Settings) -> None:
    settings.URGENT = replace(settings.URGENT, allow_dev_recharge=False)


@pytest.mark.contract
def test_the_balance_is_whole_roubles(bek: Member, farid: Member) -> None:
    assert Caller(bek).get("balance").json() == {"balance": 100}
    assert Caller(farid).get("balance").json() == {"balance": 0}
    assert Caller().get("balance").status_code == 401


@pytest.mark.contract
def test_a_recharge_credits_at_once_on_a_laptop(farid: Member, on_a_laptop: None) -> None:
    answer = Caller(farid).post("balance/recharge", {"amount": 50})
    entry = Entry.objects.get(reason="recharge", version__isnull=False)
    assert (answer.status_code, answer.json()) == (
        200,
        {"success": True, "new_balance": 50, "transaction_id": entry.pk},
    )
    assert (entry.amount, entry.reference) == (50, "telegram_stars")
    assert Entry.objects.select_related("account").get(amount=-50).account.name == "urgent:topup:dev"


@pytest.mark.contract
def test_in_production_nobody_credits_himself(farid: Member, in_production: None) -> None:
    answer = Caller(farid).post("balance/recharge", {"amount": 100_000})
    assert (answer.status_code, answer.json()["code"]) == (403, "dev_recharge_off")
    assert not Entry.objects.exists()


def test_staff_may_in_production(in_production: None, db: None) -> None:
    helper = cast.member(cast.EMIL, is_staff=True)
    assert Caller(helper).post("balance/recharge", {"amount": 5}).json()["new_balance"] == 5


@pytest.mark.contract
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": 100_001}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": 1, "method": "m" * 51}, "method"),
        ({"amount": 1, "method": ""}, "method"),
        ({"amount": 1, "method": 7}, "method"),
        ({"amount": 1, "method": "a\nb"}, "method"),
        ({"amount": 1, "method": "a\x00b"}, "method"),
    ],
)
def test_a_malformed_recharge_moves_nothing(farid: Member, on_a_laptop: None, body: dict[str, Any], field: str) -> None:
    answer = Caller(farid).post("balance/recharge", body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert not Entry.objects.exists()


def test_numbers_in_quotes_are_numbers(farid: Member, on_a_laptop: None) -> None:
    assert Caller(farid).post("balance/recharge", {"amount": "10"}).json()["new_balance"] == 10
    assert Caller(farid).post("balance/recharge", {"amount": 10.0}).json()["new_balance"] == 20


def test_a_blocked_member_recharges_nothing(farid: Member, on_a_laptop: None) -> None:
    Member.objects.update(blocked_at=timezone.now())
    assert Caller(farid).post("balance/recharge", {"amount": 1}).status_code == 403


def test_too_many_recharges_are_429(farid: Member, on_a_laptop: None, settings: Settings) -> None:
    settings.URGENT = replace(settings.URGENT, recharges_per_hour=1)
    assert [Caller(farid).post("balance/recharge", {"amount": 1}).status_code for _ in range(2)] == [200, 429]
    assert cast.balance(farid) == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_recharges_at_once_all_count(on_a_laptop: None) -> None:
    farid = cast.member(cast.FARID)
    answers = race(20, lambda _: Caller(farid).post("balance/recharge", {"amount": 10}).json()["new_balance"])
    assert sorted(answers) == list(range(10, 201, 10))
    assert cast.balance(farid) == 200
