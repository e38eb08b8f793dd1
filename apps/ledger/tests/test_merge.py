"""Money follows a person who turns out to be another, and comes back when that was wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction

from apps.accounts.events import MergeUndone, PersonsMerged
from apps.accounts.models import User
from apps.core import events
from apps.ledger import actions, queries
from apps.ledger.models import Entry
from apps.ledger.tests import cast

pytestmark = pytest.mark.django_db


def publish(kind: type[PersonsMerged] | type[MergeUndone], keep: User, gone: User) -> None:
    with transaction.atomic():
        events.publish(kind(merge_id=7, keep_id=keep.pk, gone_id=gone.pk))


def test_what_may_be_spent_moves_book_by_book(aida: User, bek: User) -> None:
    cast.post(aida, 5, "k", book="shop")
    cast.set_aside(aida, 30, "h")
    publish(PersonsMerged, keep=bek, gone=aida)
    assert (queries.balance(bek, "urgent", "RUB"), queries.balance(bek, "shop", "RUB")) == (
        Decimal("70.00"),
        Decimal("5.00"),
    )
    assert (queries.balance(aida, "urgent", "RUB"), queries.available(aida, "urgent", "RUB")) == (
        Decimal("30.00"),
        Decimal("0.00"),
    )
    assert queries.audit().is_clean


def test_hearing_it_twice_moves_it_once(aida: User, bek: User) -> None:
    publish(PersonsMerged, keep=bek, gone=aida)
    publish(PersonsMerged, keep=bek, gone=aida)
    assert queries.balance(bek, "urgent", "RUB") == Decimal("100.00")


def test_undoing_moves_it_back_once(aida: User, bek: User) -> None:
    publish(PersonsMerged, keep=bek, gone=aida)
    publish(MergeUndone, keep=bek, gone=aida)
    publish(MergeUndone, keep=bek, gone=aida)
    assert (queries.balance(aida, "urgent", "RUB"), queries.balance(bek, "urgent", "RUB")) == (
        Decimal("100.00"),
        Decimal("0.00"),
    )
    assert queries.audit().is_clean


def test_undoing_moves_back_what_is_left(aida: User, bek: User) -> None:
    publish(PersonsMerged, keep=bek, gone=aida)
    cast.post(bek, -60, "take:1")
    publish(MergeUndone, keep=bek, gone=aida)
    assert (queries.balance(aida, "urgent", "RUB"), queries.balance(bek, "urgent", "RUB")) == (
        Decimal("40.00"),
        Decimal("0.00"),
    )


def test_undoing_when_all_is_spent_moves_nothing(aida: User, bek: User) -> None:
    publish(PersonsMerged, keep=bek, gone=aida)
    cast.post(bek, -100, "take:1")
    before = Entry.objects.count()
    publish(MergeUndone, keep=bek, gone=aida)
    assert Entry.objects.count() == before


def test_a_credit_line_is_nobodys_money_and_moves_with_the_purse(aida: User, bek: User) -> None:
    actions.open_account(holder=aida, book="loyalty:1", currency="RUB", floor=Decimal(-1000))
    cast.post(aida, 5, "k", book="loyalty:1")
    publish(PersonsMerged, keep=bek, gone=aida)
    assert queries.balance(bek, "loyalty:1", "RUB") == Decimal("5.00")
    assert queries.available(bek, "loyalty:1", "RUB") == Decimal("1005.00")
    assert queries.available(aida, "loyalty:1", "RUB") == Decimal("1000.00")
    assert queries.audit().is_clean


def test_a_debt_stays_where_it_is(aida: User, bek: User) -> None:
    actions.open_account(holder=aida, book="loyalty:1", currency="RUB", floor=Decimal(-1000))
    cast.post(aida, -5, "k", book="loyalty:1")
    publish(PersonsMerged, keep=bek, gone=aida)
    assert queries.balance(aida, "loyalty:1", "RUB") == Decimal("-5.00")
    assert queries.balance(bek, "loyalty:1", "RUB") == Decimal("0.00")
