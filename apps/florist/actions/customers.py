"""Buyers as one shop knows them: who ordered, where to, what to remember (contract florist 1.4, 3.14).

Locks follow the order: orders, standing orders, buyers, addresses. A buyer is locked without his key: orders that name
him look at it when they commit, with batches in hand for which whoever holds the buyer may be waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q, Sum
from django.utils import timezone

from apps.core import phones
from apps.core.access import ensure as ensure_that
from apps.core.errors import Refused
from apps.florist import errors
from apps.florist.access import ensure_may
from apps.florist.models import Customer, CustomerAddress, ImportantDate, Order, Shop, StandingOrder

COUNTRY = "KZ"
"""How a phone without its country is read (contract 3.4)."""
VIP_FROM = Decimal(100_000)
"""Who has spent more is a VIP (contract 3.14)."""
LONGEST_TEXT = 2000
MOST_LEARNED = 100
"""Addresses of one buyer that orders may add to: strangers order too."""

T = TypeVar("T")


@dataclass(frozen=True)
class AddressWish:
    """An address as somebody typed it."""

    address: str
    label: str | None = None
    is_primary: bool = False


@dataclass(frozen=True)
class DateWish:
    """A day of the year, `MM-DD`."""

    date: str
    description: str
    remind_days_before: int = 3


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def ensure(*, shop: Shop, phone: str, name: str = "", source: str | None = None) -> Customer:
    """The buyer with this phone, made when he is new; his row is locked until the end of the transaction.

    A name fills an empty one and never replaces one. Raises `InvalidPhone`.
    """
    e164 = phones.normalise(phone, COUNTRY)
    new = {"name": name or None, "source": source or None}
    with transaction.atomic():
        found, is_new = Customer.objects.select_for_update(no_key=True).get_or_create(
            shop=shop, phone=e164, defaults=new
        )
        if name and not found.name and not is_new:
            found.name, found.updated_at = name, timezone.now()
            found.save(update_fields=["name", "search_text", "updated_at"])
    return found


def note_order(order: Order, *, name: str = "") -> Customer:
    """Whose order it is: finds or makes the buyer, remembers where the flowers go, and sets `order.customer`.

    For the one place where orders are made, in its transaction, before or after the order has its row.
    """
    found = ensure(shop=order.shop, phone=order.customer_phone, name=name, source=order.source)
    if order.address and order.delivery_method == Order.Method.DELIVERY:
        use_address(found, order.address)
    order.customer = found
    if order.pk:
        Order.objects.filter(pk=order.pk).update(customer=found)
    return found


def use_address(customer: Customer, text: str, *, at: datetime | None = None) -> None:
    """One more order goes there; the caller holds the buyer's lock. Beyond the limit a new address is not kept."""
    line = _one_line(text)
    if customer.addresses.count() >= MOST_LEARNED and not customer.addresses.filter(address=line).exists():
        return
    address, _ = customer.addresses.get_or_create(address=line)
    CustomerAddress.objects.filter(pk=address.pk).update(
        usage_count=F("usage_count") + 1, last_used_at=at or timezone.now()
    )


def recount(customer_id: int | None) -> None:
    """Count the buyer's paid orders anew (contract 3.14); nobody and a buyer who is gone are fine."""
    if customer_id is None:
        return
    with transaction.atomic():
        # The lock first: whoever counts later sees what the earlier one has committed.
        if Customer.objects.select_for_update(no_key=True).filter(pk=customer_id).first() is None:
            return
        found = Order.objects.filter(customer_id=customer_id, status__in=Order.PAID_OR_LATER).aggregate(
            orders_count=Count("pk"), total_spent=Sum("total"), last_order_date=Max("created_at")
        )
        spent = found["total_spent"] or Decimal(0)
        Customer.objects.filter(pk=customer_id).update(
            **{**found, "total_spent": spent, "is_vip": spent > VIP_FROM, "updated_at": timezone.now()}
        )


def recount_all(*, shop: Shop) -> int:
    """Count every buyer of a shop anew; returns how many there are. Each buyer is a transaction of its own."""
    ids = list(Customer.objects.filter(shop=shop).order_by("pk").values_list("pk", flat=True))
    for customer_id in ids:
        recount(customer_id)
    return len(ids)


# ── the office ──────────────────────────────────────────────────────────────────────────────────────────────────────
def create(
    *, by: Any, shop: Shop, fields: Mapping[str, Any], addresses: Iterable[AddressWish], dates: Iterable[DateWish]
) -> Customer:
    """A buyer whom the shop writes down itself. Raises `PhoneTaken`, `AddressKnown`, `DateKnown`."""
    ensure_may(by, "customers")
    with transaction.atomic():
        made = _or_refuse(lambda: Customer.objects.create(shop=shop, **fields), errors.PhoneTaken)
        _keep_addresses(made, list(addresses))
        _keep_dates(made, list(dates))
    return made


def edit(
    *,
    by: Any,
    customer_id: int,
    fields: Mapping[str, Any],
    addresses: Iterable[AddressWish] | None = None,
    dates: Iterable[DateWish] | None = None,
) -> Customer:
    """Change what is named. A list replaces the old one, but what stands in both keeps its counters and marks.

    Raises `CustomerNotFound`, `PhoneTaken`, `AddressKnown`, `DateKnown`.
    """
    ensure_may(by, "customers")
    with transaction.atomic():
        found = _locked(by, customer_id)
        for name, value in {**fields, "updated_at": timezone.now()}.items():
            setattr(found, name, value)
        _or_refuse(found.save, errors.PhoneTaken)
        if addresses is not None:
            _keep_addresses(found, list(addresses))
        if dates is not None:
            _keep_dates(found, list(dates))
    return found


def add_address(*, by: Any, customer_id: int, wish: AddressWish) -> CustomerAddress:
    """Raises `CustomerNotFound`, `AddressKnown`."""
    ensure_may(by, "customers")
    with transaction.atomic():
        found = _locked(by, customer_id)
        if wish.is_primary:
            found.addresses.update(is_primary=False)
        return _or_refuse(lambda: _new_address(found, wish), errors.AddressKnown)


def add_date(*, by: Any, customer_id: int, wish: DateWish) -> ImportantDate:
    """Raises `CustomerNotFound`, `DateKnown`."""
    ensure_may(by, "customers")
    with transaction.atomic():
        found = _locked(by, customer_id)
        return _or_refuse(lambda: _new_date(found, wish), errors.DateKnown)


def update_stats(*, by: Any, customer_id: int) -> None:
    """Count one buyer anew on demand. Raises `CustomerNotFound`."""
    ensure_may(by, "customers")
    if not Customer.objects.visible_to(by).filter(pk=customer_id).exists():
        raise errors.CustomerNotFound()
    recount(customer_id)


# ── two rows, one human ─────────────────────────────────────────────────────────────────────────────────────────────
def merge(*, by: Any, keep_id: int, gone_id: int) -> Customer:
    """Two rows are one human: everything of `gone` goes to `keep`, nothing is lost, `gone` is deleted.

    Raises `SameCustomer`, `CustomerNotFound`, `ChangedMeanwhile` (an order came in between: ask again).
    """
    ensure_may(by, "customers")
    ensure_that(keep_id != gone_id, errors.SameCustomer)
    with transaction.atomic():
        keep, gone = _locked_pair(by, keep_id, gone_id)
        Order.objects.filter(customer=gone).update(customer=keep)
        StandingOrder.objects.filter(customer=gone).update(customer=keep)
        _unite_addresses(keep, gone)
        _unite_dates(keep, gone)
        _unite_words(keep, gone)
        gone.delete()
        recount(keep.pk)
    keep.refresh_from_db()
    return keep


def _locked_pair(by: Any, keep_id: int, gone_id: int) -> tuple[Customer, Customer]:
    """Both rows and their orders; an order between the two locks would be waited for the wrong way round."""
    pair = [keep_id, gone_id]
    mine = Order.objects.filter(customer__in=Customer.objects.visible_to(by).filter(pk__in=pair))
    held = set(mine.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    standing = StandingOrder.objects.filter(customer__in=Customer.objects.visible_to(by).filter(pk__in=pair))
    list(standing.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    rows = Customer.objects.visible_to(by).select_for_update(of=("self",)).filter(pk__in=pair).order_by("pk")
    found = {row.pk: row for row in rows}
    ensure_that(len({row.shop_id for row in found.values()}) == 1 and len(found) == 2, errors.CustomerNotFound)
    ensure_that(set(mine.values_list("pk", flat=True)) == held, errors.ChangedMeanwhile)
    return found[keep_id], found[gone_id]


def _unite_addresses(keep: Customer, gone: Customer) -> None:
    known = {row.address: row for row in keep.addresses.all()}
    has_primary = any(row.is_primary for row in known.values())
    for row in gone.addresses.all():
        twin = known.get(row.address)
        if twin is None:
            row.customer, row.is_primary = keep, row.is_primary and not has_primary
            row.save(update_fields=["customer", "is_primary"])
            continue
        twin.usage_count += row.usage_count
        twin.last_used_at = max(filter(None, (twin.last_used_at, row.last_used_at)), default=None)
        twin.label = twin.label or row.label
        twin.save(update_fields=["usage_count", "last_used_at", "label"])


def _unite_dates(keep: Customer, gone: Customer) -> None:
    known = {(row.date, row.description): row for row in keep.important_dates.all()}
    for row in gone.important_dates.all():
        twin = known.get((row.date, row.description))
        if twin is None:
            row.customer = keep
            row.save(update_fields=["customer"])
        elif row.last_reminded_year and row.last_reminded_year > (twin.last_reminded_year or 0):
            twin.last_reminded_year = row.last_reminded_year  # he has been told this year: once is enough
            twin.save(update_fields=["last_reminded_year"])


def _unite_words(keep: Customer, gone: Customer) -> None:
    """Empty name, e-mail and source are filled; notes and preferences are appended, with the phone that goes."""
    for name in ("name", "email", "source"):
        setattr(keep, name, getattr(keep, name) or getattr(gone, name))
    keep.notes = _appended(keep.notes, gone.notes, gone.phone)
    keep.preferences = _appended(keep.preferences, gone.preferences)
    keep.agrees_to_reminders = keep.agrees_to_reminders and gone.agrees_to_reminders
    keep.updated_at = timezone.now()
    keep.save()


def _appended(*texts: str | None) -> str | None:
    return "\n".join(text for text in texts if text)[:LONGEST_TEXT] or None


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _locked(by: Any, customer_id: int) -> Customer:
    return Customer.objects.visible_to(by).lock(errors.CustomerNotFound, pk=customer_id)


def _or_refuse(write: Callable[[], T], refusal: type[Refused]) -> T:
    """The constraint decides, so two at once are one and a refusal."""
    try:
        with transaction.atomic():
            return write()
    except IntegrityError as problem:
        raise refusal() from problem


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _new_address(customer: Customer, wish: AddressWish) -> CustomerAddress:
    return CustomerAddress.objects.create(
        customer=customer, address=_one_line(wish.address), label=wish.label, is_primary=wish.is_primary
    )


def _new_date(customer: Customer, wish: DateWish) -> ImportantDate:
    return ImportantDate.objects.create(
        customer=customer, date=wish.date, description=wish.description, remind_days_before=wish.remind_days_before
    )


def _keep_addresses(customer: Customer, wishes: list[AddressWish]) -> None:
    """These and no others; of several primary ones the first."""
    texts = [_one_line(wish.address) for wish in wishes]
    ensure_that(len(set(texts)) == len(texts), errors.AddressKnown)
    primary = next((text for text, wish in zip(texts, wishes, strict=True) if wish.is_primary), None)
    customer.addresses.exclude(address__in=texts).delete()
    customer.addresses.update(is_primary=False)
    for text, wish in zip(texts, wishes, strict=True):
        CustomerAddress.objects.update_or_create(
            customer=customer, address=text, defaults={"label": wish.label, "is_primary": text == primary}
        )


def _keep_dates(customer: Customer, wishes: list[DateWish]) -> None:
    keys = {(wish.date, wish.description) for wish in wishes}
    ensure_that(len(keys) == len(wishes), errors.DateKnown)
    same = Q(pk=None)
    for day, words in sorted(keys):
        same |= Q(date=day, description=words)
    customer.important_dates.exclude(same).delete()
    for wish in wishes:
        ImportantDate.objects.update_or_create(
            customer=customer,
            date=wish.date,
            description=wish.description,
            defaults={"remind_days_before": wish.remind_days_before},
        )
