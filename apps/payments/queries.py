"""Questions about money from outside: of one thing, of a day, and whether it all fits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce, Round, TruncDate
from django.utils import timezone

from apps.core import states
from apps.core.models import StepLog
from apps.payments.models import Attempt, Payment, PaymentEvent, Refund

SILENT_AFTER = timedelta(hours=1)


def one(payment_id: int) -> Payment:
    """The payment that a fact is about. Raises `Payment.DoesNotExist`."""
    return Payment.objects.get(pk=payment_id)


def of(purpose: str, reference: str) -> QuerySet[Payment]:
    """Every payment of one thing, newest first."""
    return Payment.objects.of(purpose, reference)


def settled_of(purpose: str, reference: str) -> Payment | None:
    """The payment that counts: the latest whose money came and is not a surplus, else None."""
    return Payment.objects.of(purpose, reference).settled().filter(is_surplus=False).first()


def latest_of(purpose: str, references: Iterable[str]) -> dict[str, Payment]:
    """For a list of things, the payment that counts for each: a settled one before an open or failed one, then the
    newest. Two queries, whatever the number.
    """
    rows = Payment.objects.filter(purpose=purpose, reference__in=list(references), is_surplus=False)
    found: dict[str, Payment] = {}
    for payment in rows.order_by("created_at", "id"):
        known = found.get(payment.reference)
        if known is None or payment.is_settled or not known.is_settled:
            found[payment.reference] = payment
    return found


def listed(
    purpose: str, *, status: str = "", reference: str = "", skip: int = 0, limit: int = 20
) -> tuple[list[Payment], int]:
    """One page of the payments of a purpose, newest first, and how many there are in all. Two queries."""
    wanted = {name: value for name, value in (("status", status), ("reference", reference)) if value}
    rows = Payment.objects.filter(purpose=purpose, **wanted)
    return list(rows.order_by("-id")[skip : skip + limit]), rows.count()


def by_gateway_number(method: str, vendor_id: str) -> Payment | None:
    """The payment that a gateway knows by this number (`octo_payment_UUID`)."""
    return Payment.objects.filter(method=method, vendor_id=vendor_id).first() if "\x00" not in vendor_id else None


def refunds_of(payment: Payment) -> QuerySet[Refund]:
    """Its refunds, oldest first."""
    return payment.refunds.order_by("id")


# The timeline ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Moment:
    """One line of a payment's timeline."""

    at: datetime
    kind: str
    what: str
    who: str = ""


def timeline(payment: Payment) -> list[Moment]:
    """All that happened to a payment, oldest first: steps, notices, attempts and refunds. A constant number of
    queries.
    """
    found = [Moment(payment.created_at, "created", str(payment.money))]
    found += [_step(row) for row in states.history(payment)]
    found += [Moment(row.received_at, "notice", f"{row.word} · {row.result}") for row in payment.events.all()]
    found += [Moment(row.created_at, "attempt", f"{row} · {row.get_state_display()}") for row in payment.attempts.all()]
    found += _refund_moments(payment)
    return sorted(found)


def _step(row: StepLog) -> Moment:
    return Moment(row.at, "step", f"{row.from_status} → {row.to_status} {row.reason}".strip(), row.by)


def _refund_moments(payment: Payment) -> list[Moment]:
    refunds = list(payment.refunds.select_related("asked_by"))
    asked = [
        Moment(row.created_at, "refund", f"{row.amount} · {row.reason}", str(row.asked_by or "")) for row in refunds
    ]
    keys = [str(row.pk) for row in refunds]
    steps = StepLog.objects.filter(model="payments.Refund", object_id__in=keys)
    return asked + [_step(row) for row in steps]


# Figures --------------------------------------------------------------------------------------------------------------


def _exact(name: str) -> models.Expression:
    """Hundredths as integers: SQLite keeps decimals as floating point."""
    return Sum(Cast(Round(F(name) * 100), models.BigIntegerField()))


def _units(hundredths: int | None) -> Decimal:
    return Decimal(hundredths or 0).scaleb(-2)


@dataclass(frozen=True)
class DayFigures:
    """What one day brought, per currency and method."""

    day: date
    method: str
    currency: str
    paid_count: int = 0
    turnover: Decimal = Decimal(0)
    refund_count: int = 0
    refunded: Decimal = Decimal(0)


def by_day(*, days: int = 30, currency: str = "UZS", now: datetime | None = None) -> list[DayFigures]:
    """Turnover and refunds of the last `days`, one row per day and method, oldest first. Two queries."""
    since = timezone.localtime(now or timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    since -= timedelta(days=days - 1)
    paid = _per_day(
        Payment.objects.filter(paid_at__gte=since, currency=currency), "paid_at", "captured_amount", "method"
    )
    back = _per_day(
        Refund.objects.filter(status=Refund.Status.SUCCEEDED, settled_at__gte=since, currency=currency),
        "settled_at",
        "amount",
        "payment__method",
    )
    return [
        DayFigures(
            day=day,
            method=method,
            currency=currency,
            paid_count=paid.get((day, method), (0, 0))[0],
            turnover=_units(paid.get((day, method), (0, 0))[1]),
            refund_count=back.get((day, method), (0, 0))[0],
            refunded=_units(back.get((day, method), (0, 0))[1]),
        )
        for day, method in sorted({*paid, *back})
    ]


def _per_day(rows: QuerySet[Any], at: str, amount: str, method: str) -> dict[tuple[date, str], tuple[int, int]]:
    grouped = rows.annotate(day=TruncDate(at)).values("day", method).annotate(count=Count("id"), total=_exact(amount))
    return {(row["day"], row[method]): (row["count"], row["total"] or 0) for row in grouped.order_by("day", method)}


@dataclass(frozen=True)
class DayReport:
    """The daily report: what came, what went back, what is unsolved."""

    day: date
    rows: list[DayFigures]
    open_count: int
    held_count: int
    waiting_refunds: int
    to_look_at: int
    faults: list[Fault] = field(default_factory=list)


def daily_report(*, day: date | None = None) -> DayReport:
    """One day in all currencies, with the audit's findings (contract shop 4.4.6)."""
    wanted = day or timezone.localdate()
    noon = timezone.make_aware(datetime(wanted.year, wanted.month, wanted.day, 12))
    currencies = Payment.objects.order_by().values_list("currency", flat=True).distinct()
    rows = [
        row for code in sorted(set(currencies)) for row in by_day(days=1, currency=code, now=noon) if row.day == wanted
    ]
    counts = Payment.objects.aggregate(
        open=Count("id", filter=Q(status__in=("created", "pending"))),
        held=Count("id", filter=Q(status="held")),
        look=Count("id", filter=Q(needs_attention=True)),
    )
    return DayReport(
        day=wanted,
        rows=rows,
        open_count=counts["open"],
        held_count=counts["held"],
        waiting_refunds=Refund.objects.filter(status__in=Refund.OPEN).count(),
        to_look_at=counts["look"],
        faults=audit().faults,
    )


# The audit ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """One thing about a payment that cannot be true."""

    payment_id: int
    what: str

    def __str__(self) -> str:
        return f"payment {self.payment_id}: {self.what}"


@dataclass(frozen=True)
class AuditReport:
    """What the audit found."""

    checked: int
    faults: list[Fault]


def audit(*, now: datetime | None = None) -> AuditReport:
    """Whether every payment fits its refunds, states and siblings. A constant number of queries.

    That a paid order belongs to a product's row and the other way round: products compare `paid_references`.
    """
    moment = now or timezone.now()
    faults = [
        *_faults(_unequal_sums(), "the refunds do not add up"),
        *_faults(_paid_twice(), "a second settled payment of the same thing keeps its money"),
        *_faults(_performed_unpaid(), "a gateway performed a transaction and the payment is not settled"),
        *_faults(_settled_without_gateway(), "settled without a gateway's number"),
        *_faults(_forgotten(moment), "open, and nobody will ask about it"),
        *_faults(_stuck_refunds(moment), "a refund waits for more than three days"),
    ]
    return AuditReport(checked=Payment.objects.count(), faults=faults)


def paid_references(purpose: str) -> QuerySet[Payment, str]:
    """References of a purpose whose money is here now, for the product's own side of the audit."""
    rows = Payment.objects.filter(purpose=purpose, status=Payment.Status.PAID, is_surplus=False)
    return rows.values_list("reference", flat=True)


def settled_references(purpose: str) -> QuerySet[Payment, str]:
    """References of a purpose whose money came, be it paid back later; for lists by money."""
    rows = Payment.objects.filter(purpose=purpose, is_surplus=False).settled()
    return rows.values_list("reference", flat=True)


def _faults(rows: QuerySet[Payment], what: str) -> list[Fault]:
    return [Fault(pk, what) for pk in rows.order_by("id").values_list("id", flat=True)]


def _unequal_sums() -> QuerySet[Payment]:
    hundredths = Cast(Round(F("refunds__amount") * 100), models.BigIntegerField())
    rows = Payment.objects.annotate(
        asked=Coalesce(Sum(hundredths, filter=~Q(refunds__status="failed")), 0),
        done=Coalesce(Sum(hundredths, filter=Q(refunds__status="succeeded")), 0),
        asked_kept=Cast(Round(F("refunding_amount") * 100), models.BigIntegerField()),
        done_kept=Cast(Round(F("refunded_amount") * 100), models.BigIntegerField()),
    )
    return rows.exclude(asked=F("asked_kept"), done=F("done_kept"))


def _paid_twice() -> QuerySet[Payment]:
    """A surplus whose money was not asked back."""
    return Payment.objects.filter(
        is_surplus=True, status=Payment.Status.PAID, refunding_amount__lt=F("captured_amount")
    )


def _performed_unpaid() -> QuerySet[Payment]:
    rows = Payment.objects.filter(attempts__state=Attempt.State.PERFORMED)
    return rows.exclude(status__in=Payment.SETTLED).distinct()


def _settled_without_gateway() -> QuerySet[Payment]:
    return Payment.objects.settled().filter(method=Payment.Method.OCTO, vendor_id=None)


def _forgotten(now: datetime) -> QuerySet[Payment]:
    rows = Payment.objects.open().exclude(method=Payment.Method.CASH)
    return rows.filter(Q(check_at=None) | Q(check_at__lt=now - SILENT_AFTER))


def _stuck_refunds(now: datetime) -> QuerySet[Payment]:
    old = Q(refunds__status__in=Refund.OPEN, refunds__created_at__lt=now - timedelta(days=3))
    return Payment.objects.filter(old).distinct()


def unprocessed_events() -> QuerySet[PaymentEvent]:
    """Notices that wait for their gateway's word."""
    return PaymentEvent.objects.filter(processed_at=None)
