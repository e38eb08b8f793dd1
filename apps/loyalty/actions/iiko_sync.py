"""The deeds at iiko: read a guest into our rows, write a profile, strike somebody off (contract loyalty 4.1, 4.4).

Called by the queue (`iiko_jobs`), one at a time per guest and never while a database transaction is open: iiko may
take seconds. Every deed may be repeated.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.integrations.guests import Guest, GuestCard, GuestChanges, GuestWallet
from apps.integrations.ports import VendorUnsure, port
from apps.loyalty.actions import cashback, iiko_notices
from apps.loyalty.models import Card, Client, IikoJob, IikoReconciliation

BONUS_WALLET = 1
CARD_PREFIX, CARD_DIGITS, TRACK_DIGITS = "8600", 16, 20
MAKING_TRIES, MAKING_PAUSE_SECONDS = 2, 1
"""iiko shows a new guest a moment after it has made one."""

BALANCE = "cashback_balance"

FIELDS = {
    "name": "name",
    "surname": "surname",
    "middle_name": "middle_name",
    "date_of_birth": "birthday",
    "email": "email",
    "gender": "gender",
}
"""Field of a client → field of the guest's record."""


@dataclass
class Report:
    """What one reading of a guest did; the manager's sync button shows it (contract loyalty 1.4, row 33)."""

    changed_fields: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    operations: list[dict[str, str]] = field(default_factory=list)
    error: str = ""
    levelled: Decimal = Decimal(0)

    def did(self, operation: str, status: str = "success", reason: str = "") -> None:
        """Note one step."""
        self.operations.append(
            {"operation": operation, "status": status, **({"reason": reason} if reason else {})},
        )


class GuestNotShown(VendorUnsure):
    """iiko took a new or struck-off guest and does not show them: a try that counts, in the contract's word (4.4)."""

    def __init__(self) -> None:
        super().__init__("iiko_customer_create_failed")


# The three deeds of the queue ----------------------------------------------------------------------------------------


def sync_user(job: IikoJob) -> str:
    """Read the guest; with `create` in the payload make them when iiko has none. Answers a word for the job's row.

    Raises the errors of the port, `GuestNotShown`.
    """
    client = Client.objects.living().filter(pk=job.client_id).first()
    if client is None:
        return "user_deleted"
    report = read_guest(client, creates=job.payload.get("create") is True)
    if number := job.payload.get("reconciliation"):
        _note_reconciliation(int(number), report)
    return report.error or "ok"


def flush_profile(job: IikoJob) -> str:
    """Write the fields that the payload names, as the client's row has them now. Raises the errors of the port."""
    client = Client.objects.living().filter(pk=job.client_id).first()
    if client is None:
        return "user_deleted"
    names = [name for name in FIELDS if name in job.payload]
    if names:
        guest_id = client.iiko_customer_id or ""
        port("loyalty_system").save_guest(phone=client.phone, guest_id=guest_id, changes=_changes(client, names))
    return "ok"


def mark_deleted(job: IikoJob) -> str:
    """Strike the guest of a deleted account off, unless the number or the guest belongs to a living account by now.

    Whoever registers between our look and iiko's answer has a sync job waiting behind this one, and that one brings
    the guest back. Raises the errors of the port.
    """
    guest_id = str(job.payload.get("guest_id") or "")
    if _belongs_to_a_living(job.phone, guest_id):
        return "superseded by a new account"
    guest = port("loyalty_system").find_guest(phone=job.phone)
    if guest is None or guest.is_deleted:
        return "nobody to strike off"
    if guest_id and guest.guest_id != guest_id:
        return "the number belongs to another guest"
    if _belongs_to_a_living(job.phone, guest.guest_id):
        return "superseded by a new account"
    port("loyalty_system").save_guest(phone=job.phone, guest_id=guest.guest_id, changes=GuestChanges(is_deleted=True))
    return "ok"


def _belongs_to_a_living(phone: str, guest_id: str) -> bool:
    living = Client.objects.living()
    return living.filter(phone=phone).exists() or bool(guest_id) and living.filter(iiko_customer_id=guest_id).exists()


def _note_reconciliation(number: int, report: Report) -> None:
    IikoReconciliation.objects.filter(pk=number).update(
        checked_count=F("checked_count") + 1,
        differing_count=F("differing_count") + int(report.levelled != 0),
        missing_count=F("missing_count") + int(report.error == "iiko_customer_not_found"),
        levelled_total=F("levelled_total") + abs(report.levelled),
    )


# Reading a guest -----------------------------------------------------------------------------------------------------


def read_guest(client: Client, *, creates: bool, is_strict: bool = False) -> Report:
    """Bring iiko's knowledge of a guest into our rows: ids, purse, cards, and whatever we did not know.

    `is_strict` wants a balance and says in `error` why there is none. Raises the errors of the port, `GuestNotShown`.
    """
    report = Report()
    began = timezone.now()
    guest = _find(client, creates, report)
    if guest is not None and is_strict and not guest.wallets:
        began, guest = timezone.now(), _read(client.phone, report)
    Client.objects.filter(pk=client.pk).update(iiko_read_at=began)
    if guest is None:
        report.error = "iiko_customer_not_found"
        return report
    if is_strict and (reason := _why_no_balance(guest)):
        report.error = f"cashback_not_refreshed:{reason}"
        return report
    if _merge(client.pk, guest, began, report):
        _hang_card(client.pk, guest.guest_id, report)
    return report


def _find(client: Client, creates: bool, report: Report) -> Guest | None:
    guest = _read(client.phone, report)
    if guest is not None and guest.is_deleted:
        return _bring(client.phone, guest.guest_id, GuestChanges(is_deleted=False), "reactivate", report)
    if guest is None and creates:
        return _bring(client.phone, "", _changes(client, FIELDS), "create", report)
    return guest


def _bring(phone: str, guest_id: str, changes: GuestChanges, step: str, report: Report) -> Guest:
    """Write the guest and read them again, once more if they do not show. Raises `GuestNotShown`."""
    for number in range(MAKING_TRIES):
        if number:
            time.sleep(MAKING_PAUSE_SECONDS)
        port("loyalty_system").save_guest(phone=phone, guest_id=guest_id, changes=changes)
        report.did(step)
        again = _read(phone, report)
        if again is not None and not again.is_deleted:
            return again
    raise GuestNotShown()


def _read(phone: str, report: Report) -> Guest | None:
    guest = port("loyalty_system").find_guest(phone=phone)
    report.did("read", *(() if guest else ("skipped", "not_found")))
    return guest


def _changes(client: Client, names: Iterable[str]) -> GuestChanges:
    """Fields of a client for iiko; a text that we do not have clears theirs, a birthday cannot be cleared."""
    told: dict[str, Any] = {FIELDS[name]: getattr(client, name) or "" for name in names}
    if "birthday" in told:
        told["birthday"] = told["birthday"] or None
    if told.get("gender") not in (None, "male", "female"):
        told["gender"] = ""
    return GuestChanges(**told)


def _wallet(guest: Guest) -> GuestWallet | None:
    """The bonus purse, else the first: one rule for its id and its balance."""
    wallets = [wallet for wallet in guest.wallets if wallet.wallet_id]
    return next((wallet for wallet in wallets if wallet.kind == BONUS_WALLET), wallets[0] if wallets else None)


def _why_no_balance(guest: Guest) -> str:
    wallet = _wallet(guest)
    if wallet is None:
        return "wallets_empty"
    if wallet.is_garbled:
        return "balance_parse_error"
    return "balance_missing" if wallet.balance is None else ""


# Merging -------------------------------------------------------------------------------------------------------------


def _merge(client_id: int, guest: Guest, began: datetime, report: Report) -> bool:
    """Write what iiko told; False when the guest has left meanwhile."""
    wallet = _wallet(guest)
    with transaction.atomic():
        client = Client.objects.living().select_for_update().filter(pk=client_id).first()
        if client is None:
            report.error = "user_deleted"
            return False
        _take_ids(client, guest.guest_id, wallet.wallet_id if wallet else "", report)
        _fill_blanks(client, guest, report)
        client.updated_at = timezone.now()
        client.save()
        for card in guest.cards:
            _keep_card(client, card, report)
        # First what iiko told of each movement, then the sum: the other way round each would be levelled away again.
        if iiko_notices.match(client=client):
            report.changed_fields.append(BALANCE)
        if wallet is not None and wallet.balance is not None:
            _level(client, wallet.balance, began, report)
    report.did("merge")
    return True


def _level(client: Client, balance: Decimal, began: datetime, report: Report) -> None:
    """The purse becomes what iiko said when we began to ask; a notice that came later knows better."""
    key = f"sync:{client.pk}:{began.isoformat()}"
    moved = cashback.set_iiko_balance(client_id=client.pk, balance=balance, at=began, key=key)
    if moved is not None:
        report.levelled = moved.amount
        if BALANCE not in report.changed_fields:
            report.changed_fields.append(BALANCE)


def _take_ids(client: Client, guest_id: str, wallet_id: str, report: Report) -> None:
    """Ids are iiko's to give: an older row of ours that holds one loses it."""
    for name, told in (("iiko_customer_id", guest_id), ("iiko_wallet_id", wallet_id)):
        if told and getattr(client, name) != told:
            if Client.objects.filter(**{name: told}).exclude(pk=client.pk).update(**{name: None}):
                report.warnings.append(f"{name}_moved")
            setattr(client, name, told)
            report.changed_fields.append(name)


def _fill_blanks(client: Client, guest: Guest, report: Report) -> None:
    """What the guest told us themselves stays."""
    told = {
        "name": (guest.name or guest.full_name)[:150],
        "surname": guest.surname[:100],
        "middle_name": guest.middle_name[:100],
        "date_of_birth": guest.birthday,
        "gender": guest.gender,
        "email": guest.email[:320],
    }
    for name, value in told.items():
        if not value or getattr(client, name):
            continue
        if name == "email" and Client.objects.filter(email=value).exists():
            report.warnings.append("email_taken")
            continue
        setattr(client, name, value)
        report.changed_fields.append(name)


def _keep_card(client: Client, told: GuestCard, report: Report) -> None:
    number, track = re.sub(r"\D", "", told.number)[:32], told.track[:64]
    if not number:
        return
    known = {"client": client, "iiko_card_id": told.card_id[:64] or None, "attached_at": timezone.now()}
    owner = Card.objects.filter(card_number=number).values_list("client_id", flat=True).first()
    try:
        with transaction.atomic():
            Card.objects.update_or_create(
                card_number=number, defaults=known, create_defaults={**known, "card_track": track or number}
            )
    except IntegrityError:
        report.warnings.append("card_track_taken")
        return
    if owner not in (None, client.pk):
        report.warnings.append("card_moved")
    if owner != client.pk:
        report.changed_fields.append("cards")


def _hang_card(client_id: int, guest_id: str, report: Report) -> None:
    """A guest without a card gets one; a card that iiko has not taken yet is brought there again."""
    card = Card.objects.filter(client_id=client_id).order_by("attached_at", "id").first() or _new_card(client_id)
    if card is None or card.attached_at is not None:
        return
    card_id = port("loyalty_system").add_card(guest_id=guest_id, number=card.card_number, track=card.card_track)
    Card.objects.filter(pk=card.pk).update(attached_at=timezone.now(), iiko_card_id=card_id or None)
    report.changed_fields.append("cards")
    report.did("card")


def _new_card(client_id: int) -> Card | None:
    """None when the guest has left meanwhile."""
    with transaction.atomic():
        if not Client.objects.living().select_for_update().filter(pk=client_id).exists():
            return None
        number = CARD_PREFIX + _digits(CARD_DIGITS - len(CARD_PREFIX))
        return Card.objects.create(client_id=client_id, card_number=number, card_track=_digits(TRACK_DIGITS))


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}d}"
