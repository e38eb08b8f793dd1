# ruff: noqa: S608 - the burglar writes his SQL himself

"""`ledger verify` finds whatever has been done past the ledger, on either side of a posting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import User
from apps.core import events
from apps.core.testing import query_budget
from apps.ledger import actions as ledger
from apps.ledger import queries, tasks
from apps.ledger.events import AuditFailed
from apps.ledger.models import Entry
from apps.ledger.tests import cast

pytestmark = pytest.mark.django_db


@contextmanager
def burglary() -> Iterator[Callable[[str], None]]:
    """SQL of somebody who owns the database: triggers and checks are out of the way while he works."""
    lift, restore = _locks()
    with connection.cursor() as cursor:
        for sql in lift:
            cursor.execute(sql)
        yield cursor.execute
        for sql in restore:
            cursor.execute(sql)


def _locks() -> tuple[list[str], list[str]]:
    if connection.vendor == "postgresql":
        checks = [
            f"ALTER TABLE {table} DROP CONSTRAINT {name}"
            for table, name in (
                ("ledger_entry", "entry_is_chained_or_a_house_leg"),
                ("ledger_account", "account_not_below_floor"),
                ("ledger_account", "account_is_of_a_person_or_of_the_house"),
            )
        ]
        return ["SET CONSTRAINTS ALL IMMEDIATE", "ALTER TABLE ledger_entry DISABLE TRIGGER USER", *checks], []
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_entry'")
        triggers = cursor.fetchall()
    lift = [f"DROP TRIGGER {name}" for name, _ in triggers] + ["PRAGMA ignore_check_constraints = ON"]
    return lift, [sql for _, sql in triggers] + ["PRAGMA ignore_check_constraints = OFF"]


@pytest.fixture
def history(aida: User, bek: User) -> User:
    """Aida: 100 in, 30 out, 10 to Bek, 5 held. Ten entries in five postings, with the corrections of a neighbour."""
    cast.post(aida, -30, "take:1", reference="order:1")
    ledger.transfer(by=aida, giver=aida, taker=bek, book="urgent", amount=cast.rub(10), key="gift", reason="a gift")
    cast.set_aside(aida, 5, "h1")
    return aida


def test_true_books_are_clean(history: User) -> None:
    report = queries.audit()
    assert report.faults == []
    assert (report.account_count, report.entry_count, report.sums) == (2, 4, {"RUB": Decimal("0.00")})


PERSON_LEG = "(SELECT id FROM ledger_entry WHERE key = 'take:1')"
TWIN = "(SELECT id FROM ledger_entry WHERE version IS NULL AND reference = 'order:1')"
OTHER = "(SELECT id FROM ledger_account WHERE name = 'urgent:topup')"
BEKS = "(SELECT a.id FROM ledger_account a JOIN accounts_user u ON u.id = a.holder_id WHERE u.username = 'bek')"
AIDAS = BEKS.replace("bek", "aida")
BEK = "(SELECT id FROM accounts_user WHERE username = 'bek')"

TAMPERING = [
    *(
        f"UPDATE ledger_entry SET {change} WHERE id = {leg}"
        for leg in (PERSON_LEG, TWIN)
        for change in (
            "amount = amount + 1",
            "amount = -amount",
            "currency = 'USD'",
            "reason = 'another'",
            "reference = 'order:2'",
            "happened_at = '2020-01-01 00:00:00'",
            "written_at = '2020-01-01 00:00:00'",
            "by_role = 'somebody'",
            f"by_id = {BEK}",
            f"account_id = {OTHER}",
        )
    ),
    *(
        f"UPDATE ledger_entry SET {change} WHERE id = {PERSON_LEG}"
        for change in (
            "balance_before = balance_before - 1",
            "balance_after = balance_after + 1",
            "balance_before = balance_before + 1, balance_after = balance_after + 1",
            "key = 'take:2'",
            "key = ''",
            "fingerprint = 'x'",
            "hash = 'x'",
            "previous_hash = 'x'",
            "version = 9",
            "version = NULL",
            f"account_id = {BEKS}",
            "posting = '00000000000000000000000000000000'",
            f"reverses_id = {TWIN}",
        )
    ),
    f"DELETE FROM ledger_entry WHERE id = {PERSON_LEG}",
    f"DELETE FROM ledger_entry WHERE id = {TWIN}",
    f"DELETE FROM ledger_entry WHERE id IN ({PERSON_LEG}, {TWIN})",
    "DELETE FROM ledger_entry WHERE reason = 'a gift'",
    "DELETE FROM ledger_entry",
    *(
        f"UPDATE ledger_account SET {change} WHERE id = {AIDAS}"
        for change in (
            "balance = balance + 1",
            "held = held - 1",
            "held = 0",
            "version = version + 1",
            "version = 0",
            "head = 'x'",
            "floor = 99",
            "currency = 'USD'",
            "book = 'shop'",
        )
    ),
    f"UPDATE ledger_account SET balance = 1 WHERE id = {BEKS}",
    f"UPDATE ledger_account SET name = 'mine' WHERE id = {OTHER}",
    "UPDATE ledger_hold SET amount = amount + 1",
    "UPDATE ledger_hold SET status = 'voided'",
]


@pytest.mark.parametrize("sql", TAMPERING)
def test_whatever_is_tampered_with_is_found(history: User, sql: str) -> None:
    with burglary() as execute:
        execute(sql)
    report = queries.audit()
    assert not report.is_clean
    assert report.fault_count == len(report.faults)


def test_an_added_row_is_found(history: User) -> None:
    columns = "posting, account_id, amount, currency, key, fingerprint, reason, reference, happened_at, written_at"
    columns += ", by_role, hash, previous_hash"
    with burglary() as execute:
        execute(f"INSERT INTO ledger_entry ({columns}) SELECT {columns} FROM ledger_entry WHERE id = {TWIN}")
    assert "entry" in str(queries.audit().faults[0])


def test_one_accounts_audit_looks_at_that_account_only(history: User, bek: User) -> None:
    with burglary() as execute:
        execute(f"UPDATE ledger_entry SET reason = 'another' WHERE id = {PERSON_LEG}")
    assert queries.audit(account_id=cast.purse(bek).pk).is_clean
    found = queries.audit(account_id=cast.purse(history).pk)
    assert (found.entry_count, found.fault_count) == (3, 2)


def test_the_faults_name_the_row(history: User) -> None:
    entry = Entry.objects.get(key="take:1")
    with burglary() as execute:
        execute(f"UPDATE ledger_entry SET amount = amount - 1 WHERE id = {PERSON_LEG}")
    assert [str(fault) for fault in queries.audit().faults] == [
        f"account {entry.account_id} entry {entry.pk}: balance before, amount and balance after do not add up",
        f"account {entry.account_id} entry {entry.pk}: its twin leg has another amount",
        f"account {entry.account_id} entry {entry.pk}: content does not fit its hash",
        "all entries in RUB sum to -1.00, not to zero",
    ]


def test_the_command_says_that_all_is_well(history: User) -> None:
    said = StringIO()
    call_command("ledger", "verify", stdout=said)
    assert "RUB: all entries sum to 0.00" in said.getvalue()
    assert "The books are true: 4 entries of 2 accounts" in said.getvalue()


def test_the_command_names_the_broken_row_and_exits_with_1(history: User) -> None:
    with burglary() as execute:
        execute(f"UPDATE ledger_entry SET reason = 'another' WHERE id = {PERSON_LEG}")
    said = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("ledger", "verify", stdout=StringIO(), stderr=said)
    assert stopped.value.code == 1
    assert f"entry {Entry.objects.get(key='take:1').pk}: content does not fit its hash" in said.getvalue()


def test_the_nightly_audit_shouts(history: User, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[events.Event] = []
    monkeypatch.setitem(events._now, AuditFailed.label(), [heard.append])
    assert tasks.audit_ledger() == 0
    assert heard == []
    with burglary() as execute:
        execute("UPDATE ledger_hold SET status = 'voided'")
    assert tasks.audit_ledger(unknown="extra") == 1
    assert heard == [AuditFailed(fault_count=1)]


@pytest.mark.parametrize("sql", ["UPDATE ledger_entry SET reason = 'x'", "DELETE FROM ledger_entry"])
def test_the_database_itself_refuses_to_change_or_delete_an_entry(history: User, sql: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert queries.audit().is_clean


def test_the_audit_takes_a_constant_number_of_statements(history: User) -> None:
    with query_budget(5):
        queries.audit()
