"""The standing people and purses of the ledger's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission

from apps.accounts.models import User
from apps.core.money import Money
from apps.ledger import actions as ledger
from apps.ledger.models import Account, Correction, Entry, Hold

BOOK, CURRENCY, HOUSE = "urgent", "RUB", "urgent:revenue"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ONE_PM = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)


def person(name: str) -> User:
    """Somebody with a name and nothing else."""
    return User.objects.create_user(username=name)


def staff(name: str, *rights: str) -> User:
    """A member of staff with these rights of the ledger."""
    worker = User.objects.create_user(username=name, is_staff=True)
    worker.user_permissions.add(*Permission.objects.filter(content_type__app_label="ledger", codename__in=rights))
    return User.objects.get(pk=worker.pk)


def rub(amount: str | int) -> Money:
    """So many roubles."""
    return Money(Decimal(amount), CURRENCY)


def post(holder: User, amount: str | int, key: str, **changes: Any) -> Entry:
    """A posting with everything filled in."""
    words = {"by": holder, "book": BOOK, "reason": "a reason", "house": HOUSE, **changes}
    return ledger.post(holder=holder, amount=rub(amount), key=key, **words)


def set_aside(holder: User, amount: str | int, key: str, **changes: Any) -> Hold:
    """A hold that lasts until one o'clock."""
    words = {"by": holder, "book": BOOK, "reason": "a hold", "house": HOUSE, "expires_at": ONE_PM, **changes}
    return ledger.hold(holder=holder, amount=rub(amount), key=key, **words)


def purse(holder: User) -> Account:
    """The person's account as it stands in the database."""
    return Account.objects.get(holder=holder, book=BOOK, currency=CURRENCY)


def books() -> list[Any]:
    """Every row of the ledger, for refusals that must change nothing."""
    return [model.objects.all() for model in (Account, Entry, Hold, Correction)]
