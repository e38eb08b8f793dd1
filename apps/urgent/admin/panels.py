"""Small tables beside a row: money and history, read only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core import states
from apps.core.admin import amount
from apps.ledger.models import Entry


def table(headers: Sequence[Any], rows: Iterable[Sequence[Any]]) -> SafeString:
    """A table in Unfold's looks; every cell is escaped."""
    shown = {"headers": [str(header) for header in headers], "rows": [list(row) for row in rows]}
    return SafeString(render_to_string("urgent/admin/panel.html", {"table": shown}))


def moment(at: Any) -> str:
    """A time as staff read it, or a dash."""
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else "–"


def history(obj: models.Model) -> SafeString:
    """The steps of one row: when, what, who, why."""
    rows = [
        (moment(step.at), f"{step.from_status} → {step.to_status}", step.by, step.reason)
        for step in states.history(obj)
    ]
    return table((_("when"), _("step"), _("who"), _("why")), rows)


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
