"""Money beside a row, read only."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core.admin import amount
from apps.core.panels import moment, table
from apps.ledger.models import Entry


def money(entries: Iterable[Entry]) -> SafeString:
    """Ledger entries of persons, newest first."""
    rows = [
        (
            moment(entry.happened_at),
            str(entry.account.holder),
            entry.reason,
            amount(entry.amount, entry.currency),
            amount(entry.balance_after, entry.currency),
            entry.reference,
        )
        for entry in entries
    ]
    return table((_("when"), _("whose"), _("what for"), _("amount"), _("balance after"), _("reference")), rows)
