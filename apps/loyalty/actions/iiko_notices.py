"""What iiko tells us of a purse: proved, kept once, posted once, whatever the order (contract loyalty 4.6)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import DataError, transaction
from django.db.models import Q
from django.utils import timezone

from apps.core import idempotency
from apps.core.errors import Refused
from apps.loyalty import access, errors
from apps.loyalty.actions import cashback
from apps.loyalty.models import CashbackTransaction, Client, IikoNotice

log = logging.getLogger(__name__)

Kind = CashbackTransaction.Kind
State = IikoNotice.State

KINDS: dict[str, Kind] = {
    "Accrual": Kind.ACCRUAL,
    "PayFromWallet": Kind.PAYMENT,
    "Correction": Kind.CORRECTION,
    "RefillWallet": Kind.REFILL,
    "RefillWalletFromOrder": Kind.REFILL_FROM_ORDER,
    "WelcomeBonus": Kind.WELCOME,
}
"""iiko's word → ours. `SimplePush` and words that we do not know move nothing."""

SIMPLE_PUSH = "SimplePush"
FURTHEST_FUTURE = timedelta(minutes=5)
"""A moment further ahead than this comes from a wrong clock or a local time: then the order of arrival counts."""

LONGEST_EVENT_ID = 100

KEPT_DAYS = 365
PARKED_MATCHED_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One notice as it came, well formed. `phone` is normalised; a missing `amount` is None."""

    kind: str
    amount: Decimal | None = None
    balance: Decimal | None = None
    event_id: str = ""
    uoc_id: str = ""
    customer_id: str = ""
    wallet_id: str = ""
    phone: str = field(default="", repr=False)
    order_id: str = ""
    order_number: str = ""
    terminal_group_id: str = ""
    changed_on: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """What became of it: `processed` with a transaction, or `ignored` with a reason."""

    status: str
    kind: str
    reason: str = ""
    transaction_id: int | None = None
    amount: Decimal | None = None


def receive(*, heard: Heard, now: datetime | None = None) -> Answer:
    """Post one notice, once. A guest whom we do not know yet is refused, but the notice stays and is posted later.

    Raises `NoticeWithoutGuest`, `NoticeWithoutSum`, `GuestUnknown`.
    """
    if heard.kind not in KINDS:
        reason = "" if heard.kind == SIMPLE_PUSH else "unsupported_type"
        return Answer("ignored", heard.kind, reason)
    if not (heard.wallet_id or heard.customer_id):
        raise errors.NoticeWithoutGuest()
    if heard.amount is None:
        raise errors.NoticeWithoutSum()
    if heard.amount == 0:
        return Answer("ignored", heard.kind, "zero_sum")
    answer = _keep(heard, now or timezone.now())
    if answer is None:  # outside the transaction: the parked row stays
        raise errors.GuestUnknown()
    return answer


def _keep(heard: Heard, now: datetime) -> Answer | None:
    """The row of this event, made or found, and posted if its guest is known. None: it is parked."""
    with transaction.atomic():
        client = _guest_of(heard)  # before the notice: `match` locks in this order too
        notice, _ = IikoNotice.objects.select_for_update().get_or_create(
            key=key_of(heard), defaults={**_row(heard), "received_at": now}
        )
        if notice.state == State.APPLIED:
            return Answer("ignored", heard.kind, "duplicate")
        if client is None:
            return None
        moved = _post(notice, client, now)
    return Answer("processed", heard.kind, transaction_id=moved.pk, amount=notice.amount)


def key_of(heard: Heard) -> str:
    """What makes it the same event: its id, else what it says."""
    if 0 < len(heard.event_id) <= LONGEST_EVENT_ID:
        return heard.event_id
    said = [heard.customer_id or heard.wallet_id, heard.uoc_id, heard.kind, str(heard.amount), str(heard.changed_on)]
    return f"said:{idempotency.fingerprint([heard.event_id] if heard.event_id else said)}"


def signed(kind: str, amount: Decimal) -> Decimal:
    """The movement of the purse: spending goes down and earning up whatever sign was sent, the rest as sent."""
    if kind == "PayFromWallet":
        return -abs(amount)
    return abs(amount) if kind == "Accrual" else amount


def _row(heard: Heard) -> dict[str, object]:
    return {
        "state": State.PARKED,
        "kind": heard.kind,
        "amount": signed(heard.kind, heard.amount or Decimal(0)),
        "balance": heard.balance,
        "customer_id": heard.customer_id,
        "wallet_id": heard.wallet_id,
        "phone": heard.phone,
        "event_id": heard.event_id,
        "uoc_id": heard.uoc_id,
        "order_id": heard.order_id,
        "order_number": heard.order_number,
        "terminal_group_id": heard.terminal_group_id,
        "changed_on": heard.changed_on,
    }


def _guest_of(heard: Heard) -> Client | None:
    """By the guest's id, else by the purse, else by the number alone of somebody who has no ids yet.

    A number that is told must be the client's own: one guest's notice never reaches another's purse.
    """
    living = Client.objects.living().select_for_update()
    by_ids = [Q(iiko_customer_id=heard.customer_id)] if heard.customer_id else []
    by_ids += [Q(iiko_wallet_id=heard.wallet_id)] if heard.wallet_id else []
    for question in by_ids:
        if client := living.filter(question).first():
            return client if heard.phone in ("", client.phone) else None
    if not heard.phone:
        return None
    return living.filter(phone=heard.phone, iiko_customer_id=None, iiko_wallet_id=None).first()


def _post(notice: IikoNotice, client: Client, now: datetime) -> CashbackTransaction:
    """Move the purse and close the row; the caller holds the transaction and both rows."""
    told = cashback.Told(
        kind=KINDS[notice.kind],
        branch_id=settings.LOYALTY.iiko_terminals.get(notice.terminal_group_id),
        uoc_id=notice.uoc_id,
        order_id=notice.order_id,
        order_number=notice.order_number[:32],
    )
    moved = cashback.apply_iiko_change(
        client_id=client.pk,
        amount=notice.amount,
        key=notice.key,
        told=told,
        at=_believed(notice.changed_on, notice.received_at),
        balance=notice.balance,
    )
    notice.client, notice.state, notice.applied_at, notice.transaction_id = client, State.APPLIED, now, moved.pk
    notice.save(update_fields=["client", "state", "applied_at", "transaction_id"])
    return moved


def _believed(changed_on: datetime | None, received_at: datetime) -> datetime:
    if changed_on is None or changed_on > received_at + FURTHEST_FUTURE:
        return received_at
    return changed_on


def match(*, client: Client, now: datetime | None = None) -> int:
    """Post what was parked for this guest, oldest first; returns how many. The caller holds the client's row locked.

    One that cannot be posted stays parked and stands in nobody's way.
    """
    mine = Q(phone=client.phone, customer_id="", wallet_id="")
    if client.iiko_customer_id:
        mine |= Q(customer_id=client.iiko_customer_id)
    if client.iiko_wallet_id:
        mine |= Q(wallet_id=client.iiko_wallet_id, customer_id="")
    parked = IikoNotice.objects.select_for_update().filter(mine, state=State.PARKED, phone__in=("", client.phone))
    rows = list(parked.order_by("changed_on", "id")[:PARKED_MATCHED_AT_ONCE])
    return sum(_posted(notice, client, now or timezone.now()) for notice in rows)


def _posted(notice: IikoNotice, client: Client, now: datetime) -> bool:
    try:
        with transaction.atomic():
            _post(notice, client, now)
    except (Refused, DataError) as problem:
        log.error("parked notice cannot be posted", extra={"notice_id": notice.pk, "problem": type(problem).__name__})
        return False
    return True


def look_again(*, by: Any, notice_id: int, now: datetime | None = None) -> IikoNotice:
    """Staff look for the guest of a parked notice once more, and post it. Raises `ManagersOnly`, `NoticeNotParked`,
    `GuestUnknown`.
    """
    access.ensure_manager(by, "loyalty.change_iikonotice")
    said = IikoNotice.objects.filter(pk=notice_id).first()
    if said is None:
        raise errors.NoticeNotParked()
    with transaction.atomic():
        heard = Heard(kind=said.kind, customer_id=said.customer_id, wallet_id=said.wallet_id, phone=said.phone)
        client = _guest_of(heard)  # before the notice: everybody locks in this order
        notice = IikoNotice.objects.select_for_update().filter(pk=notice_id, state=State.PARKED).first()
        if notice is None:
            raise errors.NoticeNotParked()
        if client is None:
            raise errors.GuestUnknown()
        _post(notice, client, now or timezone.now())
    return notice


def prune(*, days: int = KEPT_DAYS, now: datetime | None = None) -> int:
    """Forget notices older than `days`, posted or not; their movements stay in the ledger."""
    until = (now or timezone.now()) - timedelta(days=days)
    return IikoNotice.objects.filter(received_at__lt=until).delete()[0]


def moment(text: str) -> datetime | None:
    """iiko's time in UTC: ISO or with a space, UTC where no offset is told; None for anything else."""
    try:
        read = datetime.fromisoformat(text.strip())
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the second: an hour before the year 1 or after 9999
        return None
