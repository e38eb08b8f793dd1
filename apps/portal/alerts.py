"""Telling staff what machines noticed: whoever may do something about it finds it on his start page and in his mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.notifications import actions as notifications
from apps.notifications import queries
from apps.notifications.actions import Saying
from apps.notifications.channels import INBOX, MAIL, register_kind
from apps.notifications.models import Notification

PRODUCT = "house"
SHOWN = 10
"""Unread alerts on the start page."""


@dataclass(frozen=True)
class Alert:
    """One sort of alert: who has to know, in which words, and the screen where something can be done."""

    kind: str
    right: str
    label: str | Promise
    title: str | Promise
    body: str | Promise = ""
    screen: str = "admin:index"


LOOK_NEEDED = Alert(
    "look_needed",
    "payments.handle_payment",
    _("A payment needs a look"),
    _("Payment {payment_id} needs a look"),
    "{purpose} {reference}: {why}",
    "admin:payments_payment_change",
)
SURPLUS_TAKEN = Alert(
    "surplus_taken",
    "payments.handle_payment",
    _("Paid twice"),
    _("{purpose} {reference} was paid twice"),
    _("{amount} {currency} of payment {payment_id} are on their way back"),
    "admin:payments_payment_change",
)
PAYMENTS_AUDIT = Alert(
    "payments_audit",
    "payments.handle_payment",
    _("The audit of payments found faults"),
    _("The audit of payments found {fault_count} faults"),
    screen="admin:payments_report",
)
LEDGER_AUDIT = Alert(
    "ledger_audit",
    "ledger.verify_account",
    _("The audit of the books found faults"),
    _("The audit of the books found {fault_count} faults"),
    screen="admin:ledger_account_changelist",
)
ORDERS_AND_MONEY = Alert(
    "orders_and_money",
    "payments.handle_payment",
    _("Orders of the shop and their money disagree"),
    _("{count} orders of the shop and their money disagree"),
    _("Orders {order_ids}"),
    "admin:shop_order_changelist",
)
LOW_STOCK = Alert(
    "goods_run_out",
    "shop.edit_stock",
    _("A product runs out"),
    _("{name}, size {size}: {quantity} left"),
    screen="admin:shop_slipper_change",
)
CODES_FAIL = Alert(
    "codes_fail",
    "accounts.view_smsspend",
    _("Texted codes are not typed in"),
    _("Of {sent_count} codes to {prefix} only {proved_count} were typed in"),
    _("Pumping, or a broken route"),
    "admin:accounts_smsspend_changelist",
)
SMS_CAP = Alert(
    "sms_cap",
    "accounts.view_smsspend",
    _("The day's money for codes is used up"),
    _("The day's money for codes is used up"),
    _("Phones without Telegram cannot sign in until midnight UTC"),
    "admin:accounts_smsspend_changelist",
)
FLOWER_STOCK = Alert(
    "flower_stock",
    "florist.check_shop",
    _("Stock of a flower shop does not add up"),
    _("Stock of flower shop {shop_id} does not add up: {faults} faults"),
    screen="admin:florist_batch_faults",
)
ALERTS = (
    *(LOOK_NEEDED, SURPLUS_TAKEN, PAYMENTS_AUDIT, LEDGER_AUDIT, ORDERS_AND_MONEY, LOW_STOCK, CODES_FAIL, SMS_CAP),
    FLOWER_STOCK,
)


def register() -> None:
    """Make the kinds known, so that people can switch their letters off."""
    for alert in ALERTS:
        register_kind(alert.kind, (INBOX, MAIL), alert.label, product=PRODUCT)


def ring(alert: Alert, *, key: str, facts: Mapping[str, Any], row: int | None = None) -> list[Notification]:
    """Tell everybody who holds the alert's right, in his language; the same key tells nobody twice.

    `row` is what the screen shows, for screens of one row.
    """
    address = reverse(alert.screen, args=[] if row is None else [row])
    saying = Saying(
        product=PRODUCT,
        kind=alert.kind,
        title=alert.title,
        body=alert.body,
        facts=dict(facts),
        link=("", f"{settings.PUBLIC_URL.rstrip('/')}{address}"),
        key=f"{alert.kind}:{key}",
    )
    return notifications.tell_many(users=accounts.staff_with(alert.right), saying=saying)


def unread(person: Any) -> list[Notification]:
    """What the start page shows this person, newest first."""
    return queries.inbox(user_id=person.pk, product=PRODUCT, limit=SHOWN, unread_only=True)


def mark_read(*, by: Any) -> int:
    """This person has read all of it; returns how many were new."""
    return notifications.mark_all_read(by=by, product=PRODUCT)
