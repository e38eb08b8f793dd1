"""Money for texted codes: which countries, how much a day, and an alarm when the codes are not typed in."""

from __future__ import annotations

import logging
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.accounts import errors
from apps.accounts.events import CodeSuccessFell, SmsCapReached
from apps.accounts.models import SmsSpend
from apps.core import events

log = logging.getLogger(__name__)


def prefix_of(phone: str) -> str:
    """The allowed prefix that the number begins with, the longest first. Raises `PrefixNotServed`."""
    for prefix in sorted(settings.ACCOUNTS.allowed_phone_prefixes, key=len, reverse=True):
        if phone.startswith(prefix):
            return str(prefix)
    raise errors.PrefixNotServed()


def reserve(*, day: date, prefix: str) -> None:
    """Count one text before it is sent; the cap is one conditional update, so a crowd cannot overrun it.

    Raises `SpendCapReached`.
    """
    price, cap = settings.ACCOUNTS.sms_price, settings.ACCOUNTS.sms_daily_spend_cap
    with transaction.atomic():
        for name in (SmsSpend.TOTAL, prefix):
            SmsSpend.objects.get_or_create(day=day, prefix=name)
        room = Q() if cap <= 0 else Q(cost__lte=cap - price)
        whole_house = SmsSpend.objects.filter(room, day=day, prefix=SmsSpend.TOTAL)
        if whole_house.update(sent_count=F("sent_count") + 1, cost=F("cost") + price):
            SmsSpend.objects.filter(day=day, prefix=prefix).update(
                sent_count=F("sent_count") + 1, cost=F("cost") + price
            )
            return
    _ring_for_cap(day)
    raise errors.SpendCapReached(retry_after=_seconds_to_midnight())


def _ring_for_cap(day: date) -> None:
    """Once a day: the first refusal leaves a mark, a line in the log and a fact."""
    with transaction.atomic():
        first = SmsSpend.objects.filter(day=day, prefix=SmsSpend.TOTAL, alarmed_at=None).update(
            alarmed_at=timezone.now()
        )
        if first:
            log.error("daily spend cap for codes reached", extra={"day": day.isoformat()})
            events.publish(SmsCapReached(day=day.isoformat()))


def _seconds_to_midnight() -> int:
    now = timezone.now()
    return 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)


def give_back(*, day: date, prefix: str) -> None:
    """The vendor did not take the text."""
    _both(day, prefix).update(sent_count=F("sent_count") - 1, cost=F("cost") - settings.ACCOUNTS.sms_price)


def settle(*, day: date, prefix: str, cost: Decimal | None) -> None:
    """Replace the assumed price by the vendor's, when he told it."""
    if cost is not None and cost != settings.ACCOUNTS.sms_price:
        _both(day, prefix).update(cost=F("cost") + (cost - settings.ACCOUNTS.sms_price))


def note_success(*, day: date, prefix: str) -> None:
    """A texted code was typed in correctly."""
    _both(day, prefix).update(proved_count=F("proved_count") + 1)


def _both(day: date, prefix: str) -> QuerySet[SmsSpend]:
    return SmsSpend.objects.filter(day=day, prefix__in=(SmsSpend.TOTAL, prefix))


def watch_success(*, now: datetime | None = None) -> list[str]:
    """Ring once per prefix and day when too few texted codes are typed in; returns the prefixes that rang.

    Texts of the last minutes count as failures for a while: the sample keeps that from ringing by itself.
    """
    now = now or timezone.now()
    figures = settings.ACCOUNTS
    enough = SmsSpend.objects.filter(day=now.date(), alarmed_at=None, sent_count__gte=figures.code_success_sample)
    poor = [
        row
        for row in enough.exclude(prefix=SmsSpend.TOTAL)
        if row.proved_count * 100 < row.sent_count * figures.code_success_percent
    ]
    return [row.prefix for row in poor if _ring_for_success(row, now)]


def _ring_for_success(row: SmsSpend, now: datetime) -> bool:
    with transaction.atomic():
        if not SmsSpend.objects.filter(pk=row.pk, alarmed_at=None).update(alarmed_at=now):
            return False
        facts = {"prefix": row.prefix, "sent_count": row.sent_count, "proved_count": row.proved_count}
        log.error("texted codes are not typed in", extra=facts)
        events.publish(CodeSuccessFell(day=row.day.isoformat(), **facts))  # type: ignore[arg-type]
    return True
