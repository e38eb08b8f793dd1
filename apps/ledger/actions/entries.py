"""Movements of money. `write` is the only place in the house that changes a balance (design 3.10)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from apps.core import events
from apps.core.money import Money
from apps.ledger import access, chain, errors
from apps.ledger.actions import accounts
from apps.ledger.actions.accounts import House, Purse
from apps.ledger.events import BalanceChanged
from apps.ledger.models import LARGEST, WORDS_LENGTH, Entry

RESERVED = "ledger:"
"""Keys that begin so belong to the ledger itself (captures and corrections)."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

# `NOT (key = '')` repeats the condition of the partial index word by word: SQLite uses the index only then.
_FIND_KEY = "SELECT id, fingerprint FROM ledger_entry WHERE account_id = %s AND key = %s AND NOT (key = '')"
_MOVE = """
UPDATE ledger_account SET balance = %s, held = %s, version = %s, head = %s
WHERE id = %s AND version = %s AND head = %s AND ROUND(%s - floor, 2) >= 0
"""
_COLUMNS = (
    *("posting", "account_id", "amount", "currency", "balance_before", "balance_after", "version", "key"),
    *("fingerprint", "reason", "reference", "happened_at", "written_at", "by_id", "by_role", "reverses_id"),
    *("previous_hash", "hash"),
)
_FIELDS: dict[str, models.Field[Any, Any]] = {field.attname: field for field in Entry._meta.concrete_fields}
_ROW = f"({', '.join(['%s'] * len(_COLUMNS))})"
_INSERT = f"INSERT INTO ledger_entry ({', '.join(_COLUMNS)}) VALUES {_ROW}, {_ROW} RETURNING id, account_id"  # noqa: S608 - our own column names


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What both legs of a posting have in common, checked."""

    by_id: int | None
    by_role: str
    key: str
    fingerprint: str
    reason: str
    reference: str
    happened_at: datetime
    reverses_id: int | None = None


def post(
    *,
    by: Any,
    holder: models.Model,
    book: str,
    amount: Money,
    key: str,
    reason: str,
    house: str,
    reference: str = "",
    happened_at: datetime | None = None,
) -> Entry:
    """Move `amount` between a person's account and an account of the house, and return the person's entry.

    A positive amount credits the person and debits `house`, a negative one does the opposite. The account is opened
    with its first movement. The same key with the same content returns the first entry and moves nothing.
    Four statements inside the caller's transaction. Raises NotEnoughBalance, KeyReused, WrongAmount, WrongWords,
    BalanceTooLarge.
    """
    check_amount(amount)
    check_words(book=(book, 40), key=(key, WORDS_LENGTH), house=(house, WORDS_LENGTH))
    check_key(key)
    content = ("post", holder.pk, book, amount.minor_units(), amount.currency, house, reason, reference)
    draft = make_draft(by, key, content, reason, reference, happened_at)
    with accounts.in_transaction():
        purse, house_id = accounts.lock_with_house(
            holder_id=holder.pk, book=book, currency=amount.currency, house=house, opens=amount.amount > 0
        )
        if found := earlier(purse, draft):
            return found
        _ensure_covered(purse, amount.amount)
        target = House(house_id, house) if house_id else accounts.house_account(house, amount.currency)
        return write(draft, amount.amount, purse, target)


def transfer(
    *,
    by: Any,
    giver: models.Model,
    taker: models.Model,
    book: str,
    amount: Money,
    key: str,
    reason: str,
    reference: str = "",
) -> Entry:
    """Move a positive `amount` from one person to another in the same book; returns the giver's entry.

    The key belongs to the giver's account. Raises as `post` does, and SameAccount.
    """
    check_amount(amount, positive=True)
    check_words(book=(book, 40), key=(key, WORDS_LENGTH))
    check_key(key)
    if giver.pk == taker.pk:
        raise errors.SameAccount()
    content = ("transfer", giver.pk, taker.pk, book, amount.minor_units(), amount.currency, reason, reference)
    draft = make_draft(by, key, content, reason, reference, None)
    with accounts.in_transaction():
        known = accounts.find(giver.pk, taker.pk, book=book, currency=amount.currency)
        if (source := known.get(giver.pk)) is None:
            raise errors.NotEnoughBalance()
        target = known.get(taker.pk) or accounts.open_account(holder=taker, book=book, currency=amount.currency).pk
        purses = accounts.lock(source, target)
        return earlier(purses[source], draft) or write(draft, -amount.amount, purses[source], purses[target])


def reverse(*, by: Any, entry: Entry, key: str, reason: str) -> Entry:
    """Take a posting back in full, once; the new entry refers to the original. Floors hold here too.

    `entry` may be either leg. Raises AlreadyReversed, NotReversible, and as `post` does.
    """
    check_words(key=(key, WORDS_LENGTH))
    check_key(key)
    legs = list(Entry.objects.filter(posting=entry.posting).select_related("account"))
    original = next(leg for leg in legs if leg.key)
    twin = next(leg for leg in legs if not leg.key)
    if original.reverses_id:
        raise errors.NotReversible()
    content = ("reverse", original.pk, reason)
    draft = make_draft(by, key, content, reason, original.reference, None, reverses_id=original.pk)
    with accounts.in_transaction():
        purses = accounts.lock(original.account_id, twin.account_id)
        purse = purses[original.account_id]
        if found := earlier(purse, draft):
            return found
        if Entry.objects.filter(reverses=original).exists():
            raise errors.AlreadyReversed()
        target = purses.get(twin.account_id) or House(twin.account_id, twin.account.name)
        return write(draft, -original.amount, purse, target)


def check_amount(amount: Money, *, positive: bool = False) -> None:
    """Raise WrongAmount for zero, a wrong sign, parts of the smallest coin, or more than a column holds."""
    too_fine = not amount.amount.is_finite() or not amount.is_exact()
    if too_fine or not amount or abs(amount.amount) > LARGEST or (positive and amount.amount < 0):
        raise errors.WrongAmount()


def check_words(**words: tuple[str, int]) -> None:
    """Raise WrongWords for a text that is empty, longer than its limit, or holds what a database cannot keep."""
    for field, (text, longest) in words.items():
        if not text or len(text) > longest or _UNPRINTABLE.search(text):
            raise errors.WrongWords(field=field, longest=longest)


def check_key(key: str) -> None:
    """Raise WrongWords for a key of the ledger's own name space."""
    if key.startswith(RESERVED):
        raise errors.WrongWords(field="key", longest=WORDS_LENGTH)


def make_draft(
    by: Any,
    key: str,
    content: tuple[object, ...],
    reason: str,
    reference: str,
    happened_at: datetime | None,
    *,
    reverses_id: int | None = None,
) -> Draft:
    """Check the words of a posting and say who does it. Raises WrongWords."""
    check_words(reason=(reason, WORDS_LENGTH), reference=(reference or "-", WORDS_LENGTH))
    return Draft(
        by_id=None if by is None else access.person_of(by).pk,
        by_role="system" if by is None else by._meta.label_lower,
        key=key,
        fingerprint=chain.digest(*content),
        reason=reason,
        reference=reference,
        happened_at=happened_at or timezone.now(),
        reverses_id=reverses_id,
    )


def earlier(purse: Purse, draft: Draft) -> Entry | None:
    """The entry that this key has already written. Raises KeyReused when its content was another.

    A statement of its own after the lock: under READ COMMITTED only a fresh statement sees what we have waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIND_KEY, [purse.id, draft.key])
        row = cursor.fetchone()
    if row is None:
        return None
    if row[1] != draft.fingerprint:
        raise errors.KeyReused()
    return Entry.objects.get(pk=row[0])


def write(draft: Draft, amount: Decimal, purse: Purse, target: Purse | House) -> Entry:
    """Add `amount` to the locked `purse`, take it from `target`, and return the purse's entry.

    Refuses before the first write, so a caller may catch the refusal and go on in the same transaction.
    """
    amount = amount.quantize(accounts.CENT)
    _ensure_covered(purse, amount)
    if isinstance(target, Purse):
        _ensure_covered(target, -amount)
    posting, now = uuid.uuid4(), timezone.now()
    near = _leg(draft, amount, purse, target, posting, now, keyed=True)
    far = _leg(draft, -amount, target, purse, posting, now, keyed=False)
    # Without a savepoint a failure in here dooms the caller's transaction: half a posting cannot be committed.
    with transaction.atomic(savepoint=False):
        for side, leg in sorted(((purse, near), (target, far)), key=lambda pair: pair[0].id):
            if isinstance(side, Purse):
                _move(side, leg)
        ids = _insert(near, far)
    for side, leg in ((purse, near), (target, far)):
        leg.id = ids[leg.account_id]
        if isinstance(side, Purse):
            events.publish(_changed(side, leg))
    return near


def _ensure_covered(purse: Purse, change: Decimal) -> None:
    if change < 0 and purse.available + change < 0:
        raise errors.NotEnoughBalance()
    if purse.balance + change > LARGEST:
        raise errors.BalanceTooLarge()


def _leg(
    draft: Draft,
    amount: Decimal,
    side: Purse | House,
    other: Purse | House,
    posting: uuid.UUID,
    now: datetime,
    *,
    keyed: bool,
) -> Entry:
    entry = Entry(
        posting=posting,
        account_id=side.id,
        amount=amount,
        currency=_currency(side, other),
        reason=draft.reason,
        reference=draft.reference,
        happened_at=draft.happened_at,
        written_at=now,
        by_id=draft.by_id,
        by_role=draft.by_role,
    )
    if keyed:
        entry.key, entry.fingerprint, entry.reverses_id = draft.key, draft.fingerprint, draft.reverses_id
    if isinstance(side, Purse):
        entry.balance_before, entry.balance_after = side.balance, side.balance + amount
        entry.version, entry.previous_hash = side.version + 1, side.head
        entry.hash = chain.seal(_link(entry, other))
    return entry


def _currency(*sides: Purse | House) -> str:
    return next(side.currency for side in sides if isinstance(side, Purse))


def _link(entry: Entry, twin: Purse | House) -> chain.Link:
    return chain.Link(
        previous_hash=entry.previous_hash,
        posting=entry.posting.hex,
        account_id=entry.account_id,
        version=entry.version or 0,
        amount=_hundredths(entry.amount),
        currency=entry.currency,
        balance_before=_hundredths(entry.balance_before),
        balance_after=_hundredths(entry.balance_after),
        key=entry.key,
        fingerprint=entry.fingerprint,
        reason=entry.reason,
        reference=entry.reference,
        happened_at=chain.moment(entry.happened_at),
        written_at=chain.moment(entry.written_at),
        by_id=entry.by_id,
        by_role=entry.by_role,
        reverses_id=entry.reverses_id,
        twin_account_id=twin.id,
        twin_name=twin.name,
    )


def _hundredths(amount: Decimal | None) -> int:
    return int((amount or Decimal(0)) * 100)


def _move(purse: Purse, leg: Entry) -> None:
    """Write the new balance where the account is still as we locked it and the floor holds."""
    spendable = (leg.balance_after or Decimal(0)) - purse.held
    new = [leg.balance_after, purse.held, leg.version, leg.hash]
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [*new, purse.id, purse.version, purse.head, spendable])
        if cursor.rowcount != 1:
            raise errors.AccountBusy()


def _insert(*legs: Entry) -> dict[int, int]:
    """Write both legs in one statement; account id → entry id."""
    params = [_FIELDS[name].get_db_prep_save(getattr(leg, name), connection) for leg in legs for name in _COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, params)
        rows = cursor.fetchall()
    for leg in legs:
        leg._state.adding, leg._state.db = False, connection.alias
    return {account_id: entry_id for entry_id, account_id in rows}


def _changed(purse: Purse, leg: Entry) -> BalanceChanged:
    return BalanceChanged(
        entry_id=leg.id,
        holder_id=purse.holder_id,
        book=purse.book,
        currency=purse.currency,
        amount=str(leg.amount),
        balance=str(leg.balance_after),
        reason=leg.reason,
        reference=leg.reference,
    )
