"""A courier's day: what he brought, the cash he hands over, the manager who takes it (contract florist 4)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.access import ensure
from apps.core.errors import Invalid
from apps.florist import access, errors
from apps.florist.models import CourierDay, DeliveryRun, Employee
from apps.florist.queries import deliveries
from apps.florist.queries.windows import today_of

LONGEST_REASON = 500


def close(*, by: Employee, cash_handed: Decimal, day: date | None = None, note: str = "") -> CourierDay:
    """The courier closes his day, today by default; the same again is free.

    `cash_handed` is the whole day's: of a day that was opened again, with what was taken before.
    Raises `NotACourier`, `NotEnoughPermissions`, `OpenStopsLeft`, `DayClosed` with another sum, `Invalid` for a
    day to come or less than was taken before.
    """
    access.ensure_may(by, "orders", "own")
    ensure(access.employee_of(by) is not None and by.role == Employee.Role.COURIER, errors.NotACourier)
    wanted = day or today_of(by.shop)
    if wanted > today_of(by.shop):
        raise Invalid.field("day", "Value error, not after today", given=str(wanted))
    with transaction.atomic():
        hold_courier(by.pk)
        _lock_runs(by, wanted)
        known = CourierDay.objects.standing().filter(courier=by, day=wanted).first()
        if known is not None:
            ensure(known.cash_handed == cash_handed, errors.DayClosed)
            return known
        sums = deliveries.day_sums(courier=by, day=wanted)
        ensure(sums.open == 0, errors.OpenStopsLeft, count=sums.open)
        taken = deliveries.cash_taken(courier=by, day=wanted)
        if cash_handed < taken:
            raise Invalid.field("cash_handed", f"Value error, {taken} was taken before", given=str(cash_handed))
        return _stored(
            CourierDay(
                shop_id=by.shop_id,
                courier=by,
                day=wanted,
                delivered=sums.delivered,
                failed=sums.failed,
                cash_expected=sums.cash,
                cash_handed=cash_handed,
                cash_taken=taken,
                note=note,
            )
        )


def accept(*, by: Any, day_id: int) -> CourierDay:
    """A manager has taken the cash; the same again is free.

    Raises `NotEnoughPermissions`, `CourierDayNotFound`, `DayOpenedAgain`.
    """
    access.ensure_may(by, "orders")
    with transaction.atomic():
        found: CourierDay = CourierDay.objects.visible_to(by).lock(errors.CourierDayNotFound, pk=day_id)
        ensure(found.reopened_at is None, errors.DayOpenedAgain)
        if found.accepted_at is None:
            found.accepted_by, found.accepted_at = access.employee_of(by), timezone.now()
            found.updated_at = timezone.now()
            found.save(update_fields=["accepted_by", "accepted_at", "updated_at"])
        return found


def reopen(*, by: Any, day_id: int, reason: str) -> CourierDay:
    """A manager opens a day that was closed by mistake; the courier goes on and closes it anew. Again is free.

    The mistaken closing stays as history with its reason and counts no more. Cash that was accepted with it stays
    taken: the next closing names the whole day's cash and shows how much of it is new.
    Raises `NotEnoughPermissions`, `CourierDayNotFound`, `Invalid` without a reason.
    """
    access.ensure_may(by, "orders")
    if not (words := reason.strip()):
        raise Invalid.field("reason", "Value error, say why", given=reason)
    with transaction.atomic():
        found: CourierDay = CourierDay.objects.visible_to(by).lock(errors.CourierDayNotFound, pk=day_id)
        if found.reopened_at is None:
            found.reopened_by, found.reopened_at = access.employee_of(by), timezone.now()
            found.reopen_reason, found.updated_at = words[:LONGEST_REASON], found.reopened_at
            found.save(update_fields=["reopened_by", "reopened_at", "reopen_reason", "updated_at"])
        return found


def hold_courier(courier_id: int) -> None:
    """No run of his begins while his day is closed, and the other way round; held before everything else."""
    Employee.objects.select_for_update(of=("self",), no_key=True).get(pk=courier_id)


def ensure_open(courier_id: int, day: date) -> None:
    """Raises `DayClosed`. The caller holds the courier."""
    ensure(not CourierDay.objects.standing().filter(courier_id=courier_id, day=day).exists(), errors.DayClosed)


def ensure_not_accepted(run: DeliveryRun) -> None:
    """Cash that comes in late counts until the manager has taken the day's. Raises `DayAccepted`."""
    rows = CourierDay.objects.standing().filter(courier_id=run.courier_id, day=run.day)
    found = rows.select_for_update(of=("self",)).first()
    ensure(found is None or found.accepted_at is None, errors.DayAccepted)


def recount(run: DeliveryRun) -> None:
    """A closed day expects what was collected after its closing too: a phone may have been without a network."""
    sums = deliveries.day_sums(courier=run.courier, day=run.day)
    CourierDay.objects.standing().filter(courier_id=run.courier_id, day=run.day, accepted_at=None).update(
        cash_expected=sums.cash, delivered=sums.delivered, failed=sums.failed, updated_at=timezone.now()
    )


def _lock_runs(courier: Employee, day: date) -> None:
    """Nothing on these runs moves while the day is counted."""
    rows = DeliveryRun.objects.filter(courier=courier, day=day).order_by("pk")
    list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))


def _stored(found: CourierDay) -> CourierDay:
    try:
        with transaction.atomic():
            found.save(force_insert=True)
    except IntegrityError as problem:
        raise errors.DayClosed() from problem
    return found
