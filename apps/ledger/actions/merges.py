"""Money of persons who turn out to be one human, and of those who were two after all."""

from __future__ import annotations

from decimal import Decimal

from apps.accounts.models import User
from apps.core.money import Money
from apps.ledger.actions import entries
from apps.ledger.actions.accounts import open_account
from apps.ledger.models import Account, Entry

MERGED, UNMERGED = "persons merged", "merge undone"


def merge_purses(*, merge_id: int, keep_id: int, gone_id: int) -> list[Entry]:
    """Move what the person that goes may spend to the one that stays, book by book; one entry each.

    Held money stays on its account until the hold ends: the product that holds it knows that account.
    """
    keep, gone = User.objects.get(pk=keep_id), User.objects.get(pk=gone_id)
    full = [account for account in Account.objects.filter(holder=gone).order_by("id") if _movable(account) > 0]
    return [_move(account, gone, keep, merge_id) for account in full]


def _movable(account: Account) -> Decimal:
    """What is there and not held; a floor below zero is a credit line, which is nobody's money."""
    movable: Decimal = account.balance - account.held - max(account.floor, Decimal(0))
    return movable


def _move(account: Account, gone: User, keep: User, merge_id: int) -> Entry:
    open_account(holder=keep, book=account.book, currency=account.currency, floor=account.floor)
    return entries.transfer(
        by=None,
        giver=gone,
        taker=keep,
        book=account.book,
        amount=Money(_movable(account), account.currency),
        key=f"merge:{merge_id}",
        reason=MERGED,
        reference=_reference(merge_id),
    )


def unmerge_purses(*, merge_id: int, gone_id: int) -> list[Entry]:
    """Move back what the merge moved, or what is left of it: a person cannot be made to owe by an undone merge."""
    moved = (
        Entry.objects.filter(key=f"merge:{merge_id}", reason=MERGED).select_related("account__holder").order_by("id")
    )
    returned = [_give_back(entry, merge_id) for entry in moved]
    return [entry for entry in returned if entry is not None]


def _give_back(given: Entry, merge_id: int) -> Entry | None:
    received = Entry.objects.exclude(pk=given.pk).select_related("account__holder").get(posting=given.posting)
    giver, taker = received.account.holder, given.account.holder
    amount = min(received.amount, received.account.available)
    if giver is None or taker is None or amount <= 0:
        return None
    return entries.transfer(
        by=None,
        giver=giver,
        taker=taker,
        book=given.account.book,
        amount=Money(amount, given.currency),
        key=f"unmerge:{merge_id}:{given.pk}",
        reason=UNMERGED,
        reference=_reference(merge_id),
    )


def _reference(merge_id: int) -> str:
    return f"merge:{merge_id}"
