"""`manage.py ledger verify` over a million entries: under a minute."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from apps.accounts.models import User
from apps.ledger.chain import Link, genesis, moment, seal
from apps.ledger.models import Account
from bench import people
from bench.stage import Stage

ACCOUNTS, POSTINGS = 1_000, 500
WANTED_SECONDS = 60
HOUSE = "bench:house"
_COLUMNS = (
    "posting, account_id, amount, currency, balance_before, balance_after, version, key, fingerprint, reason,"
    " reference, happened_at, written_at, by_id, by_role, reverses_id, previous_hash, hash"
)


def run(at: Stage) -> None:
    entries = 2 * ACCOUNTS * POSTINGS
    at.title(f"Ledger: verify {entries} entries of {ACCOUNTS} persons")
    _write()
    people.settle_tables("ledger_entry", "ledger_account")
    started = time.perf_counter()
    said = at.house.run("ledger", "verify", timeout=300)
    seconds = time.perf_counter() - started
    at.say("verify said", said.strip().splitlines()[-1])
    at.want("ledger: seconds / a minute", seconds / WANTED_SECONDS, most=1)


def _write() -> None:
    """Chains as the actions would leave them, by COPY: a million posts would take half an hour."""
    house = Account.objects.create(name=HOUSE, currency="RUB")
    users = User.objects.bulk_create(User(first_name=f"Holder {n}") for n in range(ACCOUNTS))
    accounts = Account.objects.bulk_create(
        Account(holder=user, book="bench", currency="RUB", head=genesis(user.pk, "bench", "RUB")) for user in users
    )
    with connection.cursor() as cursor, cursor.copy(f"COPY ledger_entry ({_COLUMNS}) FROM STDIN") as copy:
        for account in accounts:
            for row in _chain(account, house):
                copy.write_row(row)
    Account.objects.bulk_update(accounts, ["head", "version", "balance"], batch_size=500)


def _chain(account: Account, house: Account) -> Iterator[tuple[Any, ...]]:
    """Both legs of every posting of one person: a rouble each."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    head, balance = account.head, 0
    for version in range(1, POSTINGS + 1):
        posting, at = uuid.uuid4(), at + timedelta(seconds=1)
        link = Link(
            head, posting.hex, account.pk, version, 100, "RUB", balance, balance + 100, f"k{version}", "", "bench", "",
            moment(at), moment(at), None, "system", None, house.pk, HOUSE,
        )  # fmt: skip
        previous, head = head, seal(link)
        shared = ("bench", "", at, at, None, "system", None)
        yield (
            posting,
            account.pk,
            1,
            "RUB",
            balance // 100,
            balance // 100 + 1,
            version,
            f"k{version}",
            "",
            *shared,
            previous,
            head,
        )
        yield (posting, house.pk, -1, "RUB", None, None, None, "", "", *shared, "", "")
        balance += 100
    account.head, account.version, account.balance = head, POSTINGS, balance // 100  # type: ignore[assignment]
