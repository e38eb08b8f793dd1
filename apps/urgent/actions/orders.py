"""What a client does with his order: post, edit, delete, answer, close, complete (contract urgent 1.1, 3.3)."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import events, states, throttle
from apps.core.access import ensure
from apps.core.throttle import Limit
from apps.urgent import access, errors
from apps.urgent.access import Deed
from apps.urgent.actions import finish, members, timer
from apps.urgent.events import OrderCreated, OrderResponded, OrderUpdated
from apps.urgent.models import Member, Order
from apps.urgent.queries import cities
from apps.urgent.queries import orders as questions

HOUR_SECONDS = 3600
PHONE_DIGITS = range(7, 16)
PHONE_PUNCTUATION = str.maketrans("", "", "+-(). \u00a0\u2011\u2013")
TELEGRAM_PREFIXES = ("https://t.me/", "http://t.me/", "t.me/")
TRUNK_PREFIX_LENGTH = 11
"""A Russian number with its country or trunk digit."""


def place(
    *, by: Member, category: str, description: str, city: str, contact: str, now: datetime | None = None
) -> Order:
    """Post an order. Raises MemberBlocked, UnknownCity, ContactInUse, and TooManyOrders past the hourly limit."""
    access.ensure_not_blocked(by)
    _ensure_known(city)
    limit = Limit(settings.URGENT.orders_per_hour, HOUR_SECONDS)
    throttle.hit("urgent.orders", by.pk, limit, refusal=errors.TooManyOrders)
    try:
        return _place(by, category, description, city, contact, now or timezone.now())
    except Exception:  # whatever went wrong, no order was posted: it does not count
        throttle.give_back("urgent.orders", by.pk, limit)
        raise


def _ensure_known(city: str) -> None:
    if settings.URGENT.only_known_cities and cities.unknown([city]):
        raise errors.UnknownCity.field("city", "Value error, unknown city", given=city)


def _place(by: Member, category: str, description: str, city: str, contact: str, now: datetime) -> Order:
    """Write the order; when a due but not yet settled order holds the contact, settle that one and try again."""
    order = _draft(by, category, description, city, contact, now)
    try:
        return _write(order)
    except IntegrityError:
        if not _free_contact(order.contact_normalized, now):
            raise errors.ContactInUse() from None
    try:
        return _write(order)
    except IntegrityError:
        raise errors.ContactInUse() from None


def _draft(by: Member, category: str, description: str, city: str, contact: str, now: datetime) -> Order:
    lifetime = settings.URGENT.order_lifetime_minutes
    runs_out = now + timedelta(minutes=lifetime)
    return Order(
        client=by,
        category=category,
        description=description,
        city=city,
        contact=contact,
        contact_normalized=normalised(contact),
        expires_in_minutes=lifetime,
        max_executors=settings.URGENT.max_executors_per_order,
        created_at=now,
        updated_at=now,
        expires_at=runs_out,
        due_at=runs_out,
    )


def _write(order: Order) -> Order:
    with transaction.atomic():
        order.save(force_insert=True)
        members.shift(ids=[order.client_id], active=1)
        events.publish(
            OrderCreated(order_id=order.pk, client_id=order.client_id, category=order.category, city=order.city)
        )
        transaction.on_commit(questions.forget)
    return order


def _free_contact(contact: str, now: datetime) -> bool:
    """True when the contact was held by an order whose time was over; that order is settled."""
    holder = questions.active_with_contact(contact)
    return holder is None or timer.settle(order_id=holder, now=now) is not None


def normalised(contact: str) -> str:
    """One form for spellings of the same contact: phones as digits, Telegram names as `@name`, the rest folded.

    Keeps every sign of what is neither: two different contacts must not look the same.
    """
    text = unicodedata.normalize("NFC", contact).casefold().strip()
    digits = text.translate(PHONE_PUNCTUATION)
    if digits.isascii() and digits.isdigit() and len(digits) in PHONE_DIGITS:
        return "7" + digits[1:] if len(digits) == TRUNK_PREFIX_LENGTH and digits[0] == "8" else digits
    for prefix in TELEGRAM_PREFIXES:
        if text.startswith(prefix):
            return "@" + text.removeprefix(prefix).rstrip("/")
    return " ".join(text.split())


def edit(
    *,
    by: Member,
    order_id: str,
    category: str | None = None,
    description: str | None = None,
    contact: str | None = None,
    now: datetime | None = None,
) -> Order:
    """Change the words of an untaken order; `None` leaves a field as it is, the city never changes.

    Raises MemberBlocked, OrderNotFound (also for another's), EditAfterTake, OrderExpired, OrderNotActive, ContactInUse.
    """
    access.ensure_not_blocked(by)
    given = {"category": category, "description": description, "contact": contact}
    changes = {name: value for name, value in given.items() if value is not None}
    if contact is not None:
        changes["contact_normalized"] = normalised(contact)
    moment = now or timezone.now()
    try:
        return _edit(by, order_id, changes, moment)
    except IntegrityError:
        if contact is None or not _free_contact(changes["contact_normalized"], moment):
            raise errors.ContactInUse() from None
        return _edit(by, order_id, changes, moment)


def _edit(by: Member, order_id: str, changes: dict[str, Any], now: datetime) -> Order:
    ran_out = _settle_own("edit", by, order_id, now)
    with transaction.atomic():
        order = _lock("edit", by, order_id)
        _ensure_editable(order, ran_out)
        if changes:
            _change(order, changes, now)
    return order


def _ensure_editable(order: Order, ran_out: Order | None) -> None:
    """In the contract's order: taken (403) goes before past lifetime (410); any other end is 410 (D14)."""
    was_active = order.status == Order.Status.ACTIVE or ran_out is not None
    ensure(not (was_active and order.takes_count), errors.EditAfterTake)
    ensure(ran_out is None, errors.OrderExpired)
    ensure(order.status == Order.Status.ACTIVE, errors.OrderNotActive)


def _change(order: Order, changes: dict[str, Any], now: datetime) -> None:
    for name, value in {**changes, "updated_at": now}.items():
        setattr(order, name, value)
    order.save(update_fields=[*changes, "updated_at"])
    events.publish(OrderUpdated(order_id=order.pk, category=order.category, city=order.city))
    transaction.on_commit(questions.forget)


def delete(*, by: Member, order_id: str, now: datetime | None = None) -> None:
    """Take an untaken order off the market, also after it ran out; once (contract urgent 8.12).

    Raises OrderNotFound (also for another's), DeleteAfterTake.
    """
    _settle_own("delete", by, order_id, now or timezone.now())
    with transaction.atomic():
        order = _lock("delete", by, order_id)
        ensure(order.status != Order.Status.DELETED, errors.OrderNotFound)
        ensure(order.takes_count == 0, errors.DeleteAfterTake)
        was_active = order.status == Order.Status.ACTIVE
        states.step(order, Order.Status.DELETED, by=by)
        if was_active:
            members.shift(ids=[order.client_id], active=-1)
        transaction.on_commit(questions.forget)


def respond(*, by: Member, order_id: str, now: datetime | None = None) -> Order:
    """The client tells the takers "I have answered", once; the no-response timer no longer applies.

    Raises OrderNotFound, NotTheClient, OrderNotActive, OrderExpired, NobodyTookIt, AlreadyResponded.
    """
    moment = now or timezone.now()
    ran_out = _settle_own("respond", by, order_id, moment)
    with transaction.atomic():
        order = _lock_taken("respond", by, order_id, ran_out)
        ensure(order.customer_responded_at is None, errors.AlreadyResponded)
        order.customer_responded_at = order.updated_at = moment
        order.due_at = order.expires_at
        order.save(update_fields=["customer_responded_at", "due_at", "updated_at"])
        events.publish(OrderResponded(order_id=order.pk, client_id=order.client_id))
        transaction.on_commit(questions.forget)
    return order


def close(*, by: Member, order_id: str, now: datetime | None = None) -> Order:
    """The client gives up a taken order; takers without an answer are paid back (D6).

    Raises OrderNotFound, NotTheClient, OrderNotActive, OrderExpired, NobodyTookIt.
    """
    ran_out = _settle_own("close", by, order_id, now or timezone.now())
    with transaction.atomic():
        order = finish.close(_lock_taken("close", by, order_id, ran_out), by)
        transaction.on_commit(questions.forget)
    return order


def complete(*, by: Member, order_id: str, now: datetime | None = None) -> Order:
    """The client confirms the work. Raises OrderNotFound, NotTheClient, OrderNotActive, OrderExpired, NobodyTookIt."""
    ran_out = _settle_own("complete", by, order_id, now or timezone.now())
    with transaction.atomic():
        order = finish.complete(_lock_taken("complete", by, order_id, ran_out), by)
        transaction.on_commit(questions.forget)
    return order


def _settle_own(deed: Deed, by: Member, order_id: str, now: datetime) -> Order | None:
    """Check the right to the deed, then let time do its work first; the order when it has just ended.

    Its own transaction: the end of an order stands even though the deed is then refused.
    """
    order = Order.objects.visible_to(by).filter(pk=order_id).first()
    if order is None:
        raise errors.OrderNotFound()
    access.ensure_can(deed, by, order)
    return timer.settle(order_id=order_id, now=now) if order.is_due(now) else None


def _lock(deed: Deed, by: Member, order_id: str) -> Order:
    order = Order.objects.visible_to(by).lock(errors.OrderNotFound, pk=order_id)
    access.ensure_can(deed, by, order)
    return order


def _lock_taken(deed: Deed, by: Member, order_id: str, ran_out: Order | None) -> Order:
    order = _lock(deed, by, order_id)
    ensure(ran_out is None or ran_out.status != Order.Status.EXPIRED, errors.OrderExpired)
    ensure(order.status == Order.Status.ACTIVE, errors.OrderNotActive)
    ensure(order.takes_count > 0, errors.NobodyTookIt)
    return order
