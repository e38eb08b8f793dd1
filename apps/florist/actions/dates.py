"""Important dates: the buyer hears of each some days before, once a year (contract florist 3.14, 3.18)."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.core import events
from apps.florist.actions.standing import MORNING_HOUR
from apps.florist.events import DateApproaches
from apps.florist.models import ImportantDate, Shop

MOST_DAYS_BEFORE = 60
TOLD_AT_ONCE = 2000
"""In one run; the rest is told by the next."""


def announce_due(*, now: datetime | None = None) -> int:
    """Announce the dates that are near for buyers who agreed, where it is nine in the morning or later.

    A run that was missed is made up for until the day itself; a date is announced once for each year.
    """
    moment, told = now or timezone.now(), 0
    zones = Shop.objects.filter(is_active=True).order_by().values_list("timezone", flat=True).distinct()
    for zone in sorted(zones):
        local = moment.astimezone(ZoneInfo(zone))
        if local.hour < MORNING_HOUR:
            continue
        rows = due(local.date()).filter(customer__shop__timezone=zone, customer__shop__is_active=True)
        told += sum(_announce(row, local.date()) for row in rows.select_related("customer")[:TOLD_AT_ONCE])
    return told


def due(today: date) -> QuerySet[ImportantDate]:
    """Dates whose reminding has begun, that are not over, and that were not told of for their year yet."""
    near = Q(pk=None)
    for distance in range(MOST_DAYS_BEFORE + 1):
        day = today + timedelta(days=distance)
        untold = Q(last_reminded_year=None) | Q(last_reminded_year__lt=day.year)
        near |= Q(date__in=names_of(day), remind_days_before__gte=distance) & untold
    return ImportantDate.objects.filter(near, customer__agrees_to_reminders=True).order_by("pk")


def names_of(day: date) -> list[str]:
    """`MM-DD` of a day; 28 February is also the 29th of years without one."""
    names = [f"{day:%m-%d}"]
    return [*names, "02-29"] if names == ["02-28"] and not calendar.isleap(day.year) else names


def next_day(month_day: str, today: date) -> date:
    """When an important date comes next, today included."""
    days = (today + timedelta(days=distance) for distance in range(367))
    return next(day for day in days if month_day in names_of(day))


def _announce(row: ImportantDate, today: date) -> bool:
    """The year is written where it still is an older one: of two runs one announces."""
    day = next_day(row.date, today)
    untold = ImportantDate.objects.filter(Q(last_reminded_year=None) | Q(last_reminded_year__lt=day.year), pk=row.pk)
    with transaction.atomic():
        if not untold.update(last_reminded_year=day.year):
            return False
        who = row.customer
        events.publish(DateApproaches(date_id=row.pk, shop_id=who.shop_id, customer_id=who.pk, day=day.isoformat()))
    return True
