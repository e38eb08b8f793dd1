"""Small tables on a guest's page, read only; each is one query and bounded."""

from __future__ import annotations

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as people
from apps.core.admin import amount
from apps.core.panels import moment, table
from apps.loyalty.admin.saving import branch_name
from apps.loyalty.conf import PRODUCT
from apps.loyalty.models import Client
from apps.notifications import queries as notifications

SHOWN = 30
"""Rows of each table; the whole is in the list of that kind."""


def movements(client: Client) -> SafeString:
    """What came and went, newest first."""
    rows = [
        (
            moment(row.created_at),
            row.get_kind_display(),
            amount(row.amount),
            amount(row.balance_after),
            branch_name(row.branch_id),
            row.order_number or "–",
            str(row.staff or "–"),
            row.note or "–",
        )
        for row in client.transactions.select_related("staff").order_by("-id")[:SHOWN]
    ]
    headers = (_("when"), _("what"), _("amount"), _("balance after"), _("branch"), _("order"), _("by"), _("why"))
    return table(headers, rows)


def cards(client: Client) -> SafeString:
    """The guest's cards."""
    rows = [(row.card_number, row.card_track, moment(row.attached_at)) for row in client.cards.all()[:SHOWN]]
    return table((_("number"), _("track"), _("attached in iiko")), rows)


def jobs(client: Client) -> SafeString:
    """What iiko still has to hear, and has heard."""
    rows = [
        (moment(row.created_at), row.get_operation_display(), row.get_state_display(), row.attempts, row.outcome or "–")
        for row in client.iiko_jobs.order_by("-id")[:SHOWN]
    ]
    return table((_("asked"), _("operation"), _("state"), _("attempts"), _("outcome")), rows)


def notices(client: Client) -> SafeString:
    """What iiko told us."""
    rows = [
        (moment(row.received_at), row.kind, amount(row.amount), amount(row.balance), row.get_state_display())
        for row in client.iiko_notices.order_by("-id")[:SHOWN]
    ]
    return table((_("received"), _("transaction type"), _("amount"), _("balance after"), _("state")), rows)


def devices(client: Client) -> SafeString:
    """Where we push; the tokens themselves are nobody's business."""
    found = notifications.devices(user_id=client.user_id, product=PRODUCT)[:SHOWN]
    rows = [(row.platform or row.kind, row.language or "–", moment(row.seen_at)) for row in found]
    return table((_("platform"), _("language"), _("last seen")), rows)


def sign_ins(client: Client) -> SafeString:
    """The last times at the door."""
    entries = people.login_log(product=PRODUCT, user=client.user)[:SHOWN]
    rows = [
        (moment(row.at), row.get_event_display(), "✓" if row.is_success else "✗", row.address or "–") for row in entries
    ]
    return table((_("when"), _("event"), _("success"), _("address")), rows)
