"""Cashback comes and goes (contract loyalty 3.5, 3.6, 4.6): each movement is an entry of the ledger and a row of ours.

The restaurant's system has the last word: what it says a purse holds is what the ledger holds afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.core import events, idempotency
from apps.core.access import ensure
from apps.core.money import Money
from apps.ledger import actions as ledger
from apps.ledger.models import Account, Entry
from apps.loyalty import access, errors
from apps.loyalty.conf import CURRENCY
from apps.loyalty.events import BalanceDoubted, CashbackChanged
from apps.loyalty.models import CashbackTransaction, Client, Staff
from apps.loyalty.queries import levels

HOUSE_ADDED = "loyalty:added"
"""Where cashback comes from that managers give."""
HOUSE_IIKO = "loyalty:iiko"
"""The other side of everything that the restaurant's system tells."""

SMALLEST_SPEND = Decimal(50_000)
"""UZS that must be asked for, and be there, to spend cashback (contract loyalty 3.6)."""
GIFT = Decimal(-35_000)
"""A payment of exactly this is the gift; it is noted once (contract loyalty 4.6)."""

Kind = CashbackTransaction.Kind
Source = CashbackTransaction.Source
EARNS_NO_POINTS = frozenset({Kind.REFILL_FROM_ORDER, Kind.LEVELLING})
IS_NO_GIFT = frozenset({Kind.LEVELLING, Kind.TAKEN})
"""Only what the till reports can be the gift."""


@dataclass(frozen=True)
class Told:
    """What a movement is about, as far as whoever reported it knew."""

    kind: str
    source: str = Source.MANUAL
    branch_id: int | None = None
    uoc_id: str = ""
    order_id: str = ""
    order_number: str = ""
    note: str = ""


def add(
    *,
    by: Any,
    client_id: int,
    amount: Decimal,
    source: str = Source.MANUAL,
    branch_id: int | None = None,
    key: str = "",
    note: str = "",
) -> CashbackTransaction:
    """A manager gives cashback. The same `key` with the same content gives it once.

    Raises `ManagersOnly`, `ClientNotFound`, `idempotency.KeyReused`, `ledger.BalanceTooLarge`.
    """
    access.ensure_manager(by, "loyalty.add_cashback")
    told = Told(kind=Kind.ADDED, source=source, branch_id=branch_id, note=note)
    if not key:
        return _add(by, client_id, amount, told)
    content = [client_id, str(amount), source, branch_id]
    return _once(by, key, content, lambda: _add(by, client_id, amount, told))


def take(*, by: Any, client_id: int, amount: Decimal, note: str, key: str) -> CashbackTransaction:
    """Staff take cashback off, never more than there is. The same `key` with the same content takes it once.

    Raises `ManagersOnly`, `ClientNotFound`, `NotEnoughCashback`, `idempotency.KeyReused`.
    """
    access.ensure_manager(by, "loyalty.take_cashback")
    told = Told(kind=Kind.TAKEN, note=note)
    return _once(by, key, ["take", client_id, str(amount)], lambda: _take(by, client_id, amount, told))


def _once(by: Any, key: str, content: list[Any], deed: Callable[[], CashbackTransaction]) -> CashbackTransaction:
    scope = f"loyalty:add:{by.pk if by else 0}"
    answer = idempotency.once(scope=scope, key=key, content=content, run=lambda: (200, deed().pk))
    return CashbackTransaction.objects.get(pk=answer.body)


def _take(by: Any, client_id: int, amount: Decimal, told: Told) -> CashbackTransaction:
    with transaction.atomic():
        client = _locked(client_id)
        ensure(_held(client) >= amount, errors.NotEnoughCashback)
        return _move(client, -amount, told, by=by, house=HOUSE_ADDED)


def _add(by: Any, client_id: int, amount: Decimal, told: Told) -> CashbackTransaction:
    with transaction.atomic():
        client = _locked(client_id)
        return _move(client, amount, told, by=by, house=HOUSE_ADDED)


def apply_iiko_change(
    *,
    client_id: int,
    amount: Decimal,
    key: str,
    told: Told,
    at: datetime | None = None,
    balance: Decimal | None = None,
) -> CashbackTransaction:
    """Book what the restaurant's system reports: a signed `amount`, exactly once per `key` (at most 128 characters).

    `at` is the moment of the change there, `balance` what the purse held after it. A newer balance than the last one
    is the truth: the difference is levelled in a row of its own before the movement. A movement older than the last
    balance is part of that balance already and is levelled away. Raises `ClientNotFound`.
    """
    with transaction.atomic():
        client = _locked(client_id)
        if known := CashbackTransaction.objects.filter(iiko_event_id=key).first():
            return known
        at = _in_order(client, amount, at, balance)
        _level(client, _surplus(client, amount, at, balance), key, told)
        if balance is not None and _is_news(client, at):
            _note_proof(client, at)
        return _move(client, amount, told, house=HOUSE_IIKO, event_id=key, at=at)


def set_iiko_balance(*, client_id: int, balance: Decimal, at: datetime, key: str) -> CashbackTransaction | None:
    """The restaurant's system was asked at `at` and says the purse holds `balance`: level the difference, if any.

    A balance older than the last one changes nothing. Raises `ClientNotFound`.
    """
    with transaction.atomic():
        client = _locked(client_id)
        if not _is_news(client, at):
            return None
        _note_proof(client, at)
        return _level(client, balance - _held(client), key, Told(kind=Kind.LEVELLING))


def _locked(client_id: int) -> Client:
    return Client.objects.living().select_related("user").lock(errors.ClientNotFound, pk=client_id)


def _held(client: Client) -> Decimal:
    found = Account.objects.filter(loyalty_client=client).values_list("balance", flat=True).get()
    return Decimal(found)


def _is_news(client: Client, at: datetime | None) -> bool:
    return client.balance_as_of is None or at is None or at >= client.balance_as_of


def _in_order(client: Client, amount: Decimal, at: datetime | None, balance: Decimal | None) -> datetime | None:
    """`at`, put behind the last balance when both are of one second and the sums say that it follows from that one.

    iiko's clock may tell no more than seconds. Unless order and sums agree iiko is asked, behind our back.
    """
    last = client.balance_as_of
    if balance is None or at is None or last is None or at.replace(microsecond=0) != last.replace(microsecond=0):
        return at
    follows = balance == _held(client) + amount
    if not follows or at < last:
        events.publish(BalanceDoubted(client_id=client.pk))
    return max(at, last) if follows else at


def _surplus(client: Client, amount: Decimal, at: datetime | None, balance: Decimal | None) -> Decimal:
    """What has to be levelled so that the movement ends at the newest proven balance."""
    if not _is_news(client, at):
        return -amount
    return Decimal(0) if balance is None else balance - amount - _held(client)


def _note_proof(client: Client, at: datetime | None) -> None:
    client.balance_as_of = at or timezone.now()
    client.save(update_fields=["balance_as_of"])


def _level(client: Client, difference: Decimal, key: str, told: Told) -> CashbackTransaction | None:
    if not difference:
        return None
    levelling = Told(kind=Kind.LEVELLING, branch_id=told.branch_id)
    return _move(client, difference, levelling, house=HOUSE_IIKO, event_id=f"{key}:level"[:128])


def _move(
    client: Client,
    amount: Decimal,
    told: Told,
    *,
    house: str,
    by: Any = None,
    event_id: str = "",
    at: datetime | None = None,
) -> CashbackTransaction:
    """One movement: entry, row, points, gift, fact. The guest's row is locked."""
    entry = _post(client, amount, told, house, by, event_id, at)
    row = CashbackTransaction.objects.create(
        client=client,
        staff=by if isinstance(by, Staff) else None,
        entry=entry,
        amount=amount,
        balance_after=entry.balance_after,
        source=told.source,
        kind=told.kind,
        branch_id=told.branch_id,
        iiko_event_id=event_id or None,
        iiko_uoc_id=told.uoc_id or None,
        order_id=told.order_id,
        order_number=told.order_number,
        note=told.note,
    )
    _reward(client, amount, told)
    events.publish(
        CashbackChanged(
            client_id=client.pk,
            transaction_id=row.pk,
            amount=str(amount),
            balance=str(row.balance_after),
            kind=told.kind,
        )
    )
    return row


def _post(
    client: Client, amount: Decimal, told: Told, house: str, by: Any, event_id: str, at: datetime | None
) -> Entry:
    return ledger.post(
        by=by,
        holder=client.user,
        book=client.book,
        amount=Money(amount, CURRENCY),
        key=f"iiko:{event_id}" if event_id else f"added:{uuid.uuid4().hex}",
        reason=told.kind,
        house=house,
        reference=told.order_number,
        happened_at=at,
    )


def _reward(client: Client, amount: Decimal, told: Told) -> None:
    """Points and level for what was credited; the gift when this was it."""
    changed = []
    if amount > 0 and told.kind not in EARNS_NO_POINTS:
        client.points += levels.points_for(client.level, amount)
        client.level = levels.level_of(client.points)
        changed = ["points", "level"]
    if amount == GIFT and told.kind not in IS_NO_GIFT and not client.giftget:
        client.giftget = True
        changed.append("giftget")
    if changed:
        client.updated_at = timezone.now()
        client.save(update_fields=[*changed, "updated_at"])


def ensure_can_spend(*, by: Any, client_id: int, amount: Decimal) -> Decimal:
    """Whether a guest may spend `amount` now, and the balance. Only a question: the till in the restaurant deducts.

    Raises `ManagersOnly`, `ClientNotFound`, `AmountBelowMinimum`, `BalanceBelowMinimum`, `NotEnoughCashback`.
    """
    access.ensure_manager(by)
    client = Client.objects.living().select_related("purse").filter(pk=client_id).first()
    if client is None:
        raise errors.ClientNotFound()
    ensure(amount >= SMALLEST_SPEND, errors.AmountBelowMinimum, minimum=int(SMALLEST_SPEND))
    ensure(client.balance >= SMALLEST_SPEND, errors.BalanceBelowMinimum, minimum=int(SMALLEST_SPEND))
    ensure(client.balance >= amount, errors.NotEnoughCashback)
    return client.balance
