"""Setting money aside: hold, then capture, void, or the time runs out.

Order of locks: the hold (the scarce row), then the account. `hold` itself locks the account and inserts; it never
waits for a hold, so the two orders cannot meet in a circle.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from apps.core import states
from apps.core.money import Money
from apps.ledger import chain, errors
from apps.ledger.actions import accounts, entries
from apps.ledger.actions.accounts import Purse
from apps.ledger.models import WORDS_LENGTH, Entry, Hold

log = logging.getLogger(__name__)

_SET_HELD = """
UPDATE ledger_account SET held = %s WHERE id = %s AND version = %s AND ROUND(balance - %s - floor, 2) >= 0
"""


def hold(
    *,
    by: Any,
    holder: models.Model,
    book: str,
    amount: Money,
    key: str,
    reason: str,
    house: str,
    expires_at: datetime,
    reference: str = "",
) -> Hold:
    """Set a positive `amount` aside until `expires_at`; what is captured later goes to `house`.

    The balance stays, what is available shrinks. Same key and content: the first hold. Raises as `post` does.
    """
    entries.check_amount(amount, positive=True)
    entries.check_words(
        book=(book, 40), key=(key, WORDS_LENGTH), house=(house, WORDS_LENGTH), reason=(reason, WORDS_LENGTH)
    )
    entries.check_words(reference=(reference or "-", WORDS_LENGTH))
    content = ("hold", holder.pk, book, amount.minor_units(), amount.currency, house, reason, reference)
    fingerprint = chain.digest(*content)
    with accounts.in_transaction():
        purse, _ = accounts.lock_with_house(
            holder_id=holder.pk, book=book, currency=amount.currency, house=house, opens=False
        )
        if found := Hold.objects.filter(account_id=purse.id, key=key).first():
            return _same(found, fingerprint)
        if purse.available < amount.amount:
            raise errors.NotEnoughBalance()
        with transaction.atomic(savepoint=False):
            _set_held(purse, purse.held + amount.amount)
            return Hold.objects.create(
                account_id=purse.id,
                amount=amount.amount.quantize(accounts.CENT),
                currency=amount.currency,
                house=house,
                key=key,
                fingerprint=fingerprint,
                reason=reason,
                reference=reference,
                expires_at=expires_at,
            )


def capture(*, by: Any, hold: Hold, amount: Money | None = None, now: datetime | None = None) -> Entry:
    """Take `amount` (all when not given) of what is held; the rest is free again. Returns the entry.

    Repeating with the same amount returns the same entry. Raises HoldExpired from the very moment the time is over,
    HoldSettled when it was voided, expired or captured with another amount, CaptureTooLarge, WrongAmount.
    """
    taken = amount or Money(hold.amount, hold.currency)
    entries.check_amount(taken, positive=True)
    with transaction.atomic():
        fresh = _locked(hold)
        if fresh.status == Hold.Status.CAPTURED and fresh.entry and -fresh.entry.amount == taken.amount:
            return fresh.entry
        _ensure_capturable(fresh, taken, now or timezone.now())
        purse = accounts.lock(fresh.account_id)[fresh.account_id]
        content = ("capture", fresh.pk, taken.minor_units(), taken.currency)
        key = f"{entries.RESERVED}capture:{fresh.pk}"
        draft = entries.make_draft(by, key, content, fresh.reason, fresh.reference, now)
        target = accounts.house_account(fresh.house, fresh.currency)
        entry = entries.write(draft, -taken.amount, replace(purse, held=purse.held - fresh.amount), target)
        Hold.objects.filter(pk=fresh.pk).update(entry=entry)
        states.step(fresh, Hold.Status.CAPTURED, by=by)
    return entry


def void(*, by: Any, hold: Hold, reason: str = "") -> Hold:
    """Give back what is held. Repeating, also after the time ran out, is free. Raises HoldSettled after a capture."""
    with transaction.atomic():
        fresh = _locked(hold)
        if fresh.status in (Hold.Status.VOIDED, Hold.Status.EXPIRED):
            return fresh
        return _release(fresh, Hold.Status.VOIDED, by, reason)


def expire_holds(*, now: datetime | None = None, limit: int = 500) -> int:
    """Give back what is held past its time, at most `limit` holds, oldest first; returns how many.

    Any number of sweeps may run side by side and be killed: each hold is a transaction of its own, and one that a
    neighbour works on is skipped.
    """
    due = Hold.objects.filter(status=Hold.Status.HELD, expires_at__lte=now or timezone.now())
    ids = due.order_by("expires_at", "id").values_list("id", flat=True)[:limit]
    return sum(_expire(hold_id) for hold_id in list(ids))


def _expire(hold_id: int) -> bool:
    try:
        with transaction.atomic():
            held = Hold.objects.filter(pk=hold_id, status=Hold.Status.HELD)
            fresh = held.select_for_update(skip_locked=True, of=("self",)).first()
            if fresh is None:
                return False
            _release(fresh, Hold.Status.EXPIRED, None, "")
            return True
    except (DatabaseError, errors.AccountBusy):  # one broken row must not stop the sweep; the audit names it
        log.exception("a hold could not expire", extra={"hold_id": hold_id})
        return False


def _locked(hold: Hold) -> Hold:
    return Hold.objects.select_for_update(of=("self",)).select_related("entry", "account").get(pk=hold.pk)


def _same(found: Hold, fingerprint: str) -> Hold:
    if found.fingerprint != fingerprint:
        raise errors.KeyReused()
    return found


def _ensure_capturable(hold: Hold, taken: Money, now: datetime) -> None:
    states.machine_of(Hold).find(hold.status, Hold.Status.CAPTURED)
    if taken.currency != hold.currency:
        raise errors.WrongAmount()
    if taken.amount > hold.amount:
        raise errors.CaptureTooLarge(held=hold.amount)
    if hold.expires_at <= now:
        raise errors.HoldExpired()


def _release(hold: Hold, status: str, by: Any, reason: str) -> Hold:
    ended = states.step(hold, status, by=by, reason=reason)
    purse = accounts.lock(hold.account_id)[hold.account_id]
    _set_held(purse, purse.held - hold.amount)
    return ended


def _set_held(purse: Purse, held: Decimal) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SET_HELD, [held, purse.id, purse.version, held])
        if cursor.rowcount != 1:
            raise errors.AccountBusy()
