"""Forgetting in time: what proved something once is of no use later, and holds phones and addresses."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from apps.accounts.models import AuthLog, MailToken, OneTimeCode, Session, SmsSpend

ENDED_SESSION_DAYS = 30
SPENDING_DAYS = 400
"""A year and a month, to compare with last year's bill."""


def prune(*, now: datetime | None = None) -> dict[str, int]:
    """Delete what is older than the operator wants to keep; returns how many rows of each kind.

    Running twice is free.
    """
    now = now or timezone.now()
    codes_until = now - timedelta(days=settings.ACCOUNTS.code_keep_days)
    log_until = now - timedelta(days=settings.ACCOUNTS.login_log_keep_days)
    return {
        "codes": OneTimeCode.objects.filter(created_at__lt=codes_until).delete()[0],
        "links": MailToken.objects.filter(expires_at__lt=codes_until).delete()[0],
        "sessions": Session.objects.filter(expires_at__lt=now - timedelta(days=ENDED_SESSION_DAYS)).delete()[0],
        "log": AuthLog.objects.filter(at__lt=log_until).delete()[0],
        "spending": SmsSpend.objects.filter(day__lt=(now - timedelta(days=SPENDING_DAYS)).date()).delete()[0],
    }
