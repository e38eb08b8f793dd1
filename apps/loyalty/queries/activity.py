"""What happened last: the newest of the login log, the movements of cashback and the news (contract loyalty 3.11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import AuthLog
from apps.loyalty.models import CashbackTransaction, News
from apps.loyalty.queries import logs

SHOWN = 10


@dataclass(frozen=True)
class Happening:
    """One line; `words` may have one placeholder, filled with `what`."""

    id: str
    type: str
    words: str | Promise
    what: str
    created_at: datetime
    status: str


CODE, DOOR, MOVED, TOLD = _("Code: {what}"), _("Sign-in: {what}"), _("Cashback: {what} UZS"), _("News: {what}")


def newest() -> Sequence[Happening]:
    """At most ten lines, newest first."""
    lines = [*_doors(), *_movements(), *_news()]
    return sorted(lines, key=lambda line: line.created_at, reverse=True)[:SHOWN]


def _doors() -> list[Happening]:
    return [_door(entry) for entry in logs.entries()[:SHOWN]]


def _door(entry: AuthLog) -> Happening:
    is_code = entry.event in logs.CODES
    return Happening(
        id=f"auth-{entry.pk}",
        type="otp" if is_code else "auth",
        words=CODE if is_code else DOOR,
        what=entry.identifier or logs.words(entry)[0],
        created_at=entry.at,
        status="success" if entry.is_success else "error",
    )


def _movements() -> list[Happening]:
    rows = CashbackTransaction.objects.order_by("-id")[:SHOWN]
    return [
        Happening(
            id=f"cashback-{row.pk}",
            type="cashback",
            words=MOVED,
            what=f"{row.amount:+}",
            created_at=row.created_at,
            status="warning" if row.amount < 0 else "success",
        )
        for row in rows
    ]


def _news() -> list[Happening]:
    rows = News.objects.order_by("-created_at", "-id")[:SHOWN]
    return [Happening(f"news-{row.pk}", "news", TOLD, row.title, row.created_at, "success") for row in rows]
