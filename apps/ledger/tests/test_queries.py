"""Statements and totals: exact figures, a constant number of queries."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import User
from apps.core.testing import query_budget
from apps.ledger import queries
from apps.ledger.tests import cast

pytestmark = pytest.mark.django_db


def test_who_has_no_account_has_nothing(bek: User) -> None:
    assert queries.balance(bek, "urgent", "RUB") == Decimal("0.00")
    assert queries.available(bek, "urgent", "RUB") == Decimal("0.00")
    assert queries.statement(bek, "urgent", "RUB") == queries.Statement([], None)
    assert queries.house_balance("nothing", "RUB") == Decimal("0.00")
    assert queries.totals() == []


def test_a_statement_is_read_page_by_page_newest_first(aida: User) -> None:
    for number in range(4):
        cast.post(aida, -1, f"take:{number}")
    cast.post(aida, 5, "other book", book="shop")
    with query_budget(1):
        first = queries.statement(aida, "urgent", "RUB", limit=2)
    second = queries.statement(aida, "urgent", "RUB", limit=2, before_version=first.next_version)
    last = queries.statement(aida, "urgent", "RUB", limit=2, before_version=second.next_version)
    assert [[entry.version for entry in page.entries] for page in (first, second, last)] == [[5, 4], [3, 2], [1]]
    assert [page.next_version for page in (first, second, last)] == [4, 2, None]


@pytest.mark.parametrize(("limit", "size"), [(0, 1), (-5, 1), (10_000, 200)])
def test_a_page_is_bounded(bek: User, limit: int, size: int) -> None:
    for number in range(201):
        cast.post(bek, 1, f"k{number}")
    assert len(queries.statement(bek, "urgent", "RUB", limit=limit).entries) == size


def test_totals_of_the_house_by_account(aida: User) -> None:
    cast.post(aida, "-30.10", "take:1")
    cast.post(aida, "-20", "take:2")
    cast.post(aida, "5", "refund:1")
    with query_budget(1):
        topup, revenue = sorted(queries.totals(by=["house"]), key=lambda total: total.house, reverse=True)
    assert revenue == queries.Total(
        house="urgent:revenue",
        currency="RUB",
        credits=Decimal("50.10"),
        debits=Decimal("5.00"),
        balance=Decimal("45.10"),
        count=3,
    )
    assert (topup.house, topup.balance) == ("urgent:topup", Decimal("-100.00"))


def test_totals_of_persons_by_book_and_of_all(aida: User) -> None:
    cast.post(aida, 7, "k", book="shop")
    assert {(total.book, total.balance) for total in queries.totals(by=["book"])} == {
        ("urgent", Decimal("100.00")),
        ("shop", Decimal("7.00")),
    }
    assert [(total.currency, total.balance, total.count) for total in queries.totals()] == [("RUB", Decimal("0.00"), 4)]


def test_totals_by_day_of_one_house_account_within_bounds(aida: User) -> None:
    for number, days in enumerate((0, 0, 1, 2)):
        cast.post(aida, -10, f"take:{number}", happened_at=cast.NOON + timedelta(days=days))
    found = queries.totals(by=["day"], house=cast.HOUSE, since=cast.NOON, until=cast.NOON + timedelta(days=2))
    assert [(total.day, total.balance) for total in found] == [
        (date(2026, 11, 21), Decimal("20.00")),
        (date(2026, 11, 22), Decimal("10.00")),
    ]
