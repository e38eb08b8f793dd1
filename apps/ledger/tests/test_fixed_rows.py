"""`core.rows`: fixed SQL brings what the ORM would bring, on either database."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Session, User
from apps.core.rows import FixedPairs, FixedRows
from apps.ledger.models import Account

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 5, 4, 3, 2, 1, 654321, tzinfo=UTC)


@pytest.fixture
def session() -> Session:
    user = User.objects.create(phone="+998901234567", first_name="Ali", tokens_valid_from=MOMENT)
    return Session.objects.create(user=user, audience="x", subject="1", created_at=MOMENT, expires_at=MOMENT)


def values(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_instances_equal_those_of_the_orm(session: Session, django_assert_num_queries: Any) -> None:
    rows = FixedRows(User, "SELECT {columns} FROM accounts_user u WHERE u.id = %s", table="u")
    with django_assert_num_queries(1):
        (found,) = rows.models(session.user_id)
    assert values(found) == values(User.objects.get())
    assert not found._state.adding
    assert rows.models(session.user_id + 1) == []


def test_types_of_the_model_come_back(session: Session) -> None:
    """UUIDs and moments are texts on SQLite."""
    (found,) = FixedRows(Session, "SELECT {columns} FROM accounts_session s", table="s").models()
    assert values(found) == values(session)


def test_dicts_of_some_columns(session: Session) -> None:
    account = Account.objects.create(
        holder=session.user, book="b", name="", head="x", currency="UZS", balance=Decimal("12.30"), floor=0
    )
    rows = FixedRows(
        Account,
        "SELECT {columns}, 7 FROM ledger_account a WHERE a.id = %s",
        table="a",
        only=["id", "balance"],
        also=["seven"],
    )
    assert rows.dicts(account.pk) == [{"id": account.pk, "balance": Decimal("12.30"), "seven": 7}]
    (found,) = rows.models(account.pk)
    assert (found.seven, found.get_deferred_fields() >= {"book", "currency"}) == (7, True)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_opened_anew_changes_nothing(session: Session) -> None:
    rows = FixedRows(Session, "SELECT {columns} FROM accounts_session s", table="s")
    before = values(rows.models()[0])
    if connection.vendor == "postgresql":  # the memory of SQLite would be gone
        connection.close()
    assert values(rows.models()[0]) == before


def test_two_models_come_in_one_statement(session: Session, django_assert_num_queries: Any) -> None:
    sql = """
    SELECT {first}, {second} FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id WHERE s.subject = %s
    """
    pairs = FixedPairs(Session, User, sql, tables=("s", "u"))
    with django_assert_num_queries(1):
        [(found, user)] = pairs.models("1")
    assert (values(found), values(user)) == (values(session), values(User.objects.get()))
    assert pairs.models("2") == []
