"""New orders to those who want them: claim the pause, tell once, count only what arrived (contract urgent 3.6)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.core import events
from apps.urgent.events import MemberToTell
from apps.urgent.models import Announcement, Member, Order
from apps.urgent.queries import subscriptions as queries

log = logging.getLogger(__name__)

BATCH = 500
CLAIM_LIFETIME = timedelta(minutes=15)
"""A claim whose message never came back lets the member be told of other orders after this long."""

KEPT = timedelta(days=30)


def announce(*, order_id: str, now: datetime | None = None) -> int:
    """Claim everybody who is to hear of the order and queue one message each; returns how many. Repeating adds nobody.

    A member whose pause runs, or who is just being told of another order, is left out for good: orders are not queued.
    """
    moment = now or timezone.now()
    order = Order.objects.filter(pk=order_id, status=Order.Status.ACTIVE).first()
    if order is None or order.is_past_lifetime(moment):
        return 0
    wanted = queries.interested(category=order.category, city=order.city, author_id=order.client_id, now=moment)
    found = wanted.order_by("pk").values_list("pk", flat=True)
    return sum(_claim(order, batch, moment) for batch in queries.in_batches(found, BATCH))


def _claim(order: Order, member_ids: list[int], now: datetime) -> int:
    """One waiting row per member: the unique index drops whoever is being told already, by this order or another."""
    with transaction.atomic():
        rows = [Announcement(order=order, member_id=pk, created_at=now) for pk in member_ids]
        already = set(
            Announcement.objects.filter(order=order, member_id__in=member_ids).values_list("member_id", flat=True)
        )
        fresh = [row for row in rows if row.member_id not in already]
        Announcement.objects.bulk_create(fresh, ignore_conflicts=True)
        mine = Announcement.objects.waiting().filter(order=order, member_id__in=[row.member_id for row in fresh])
        claimed = list(mine.values_list("pk", flat=True))
        events.publish(*(MemberToTell(announcement_id=pk) for pk in claimed))
    return len(claimed)


def still_wanted(*, announcement_id: int, now: datetime | None = None) -> Announcement | None:
    """The claim, if telling makes sense still: the order is active and the pause has not begun meanwhile.

    Else it is dropped.
    """
    moment = now or timezone.now()
    claims = Announcement.objects.waiting().select_related("order", "member__user")
    claim = claims.filter(pk=announcement_id).first()
    if claim is None:
        return None
    member_is_rested = Member.objects.filter(
        queries.rested(moment), pk=claim.member_id, notifications_enabled=True
    ).exists()
    if claim.order.status == Order.Status.ACTIVE and member_is_rested and moment < claim.created_at + CLAIM_LIFETIME:
        return claim
    Announcement.objects.waiting().filter(pk=claim.pk).update(status=Announcement.Status.DROPPED)
    return None


def told(*, order_id: str, user_id: int, now: datetime | None = None) -> None:
    """The message arrived, be it late: the pause begins now. Repeating moves nothing."""
    with transaction.atomic():
        about = Announcement.objects.filter(order_id=order_id, member__user_id=user_id)
        if about.exclude(status=Announcement.Status.SENT).update(status=Announcement.Status.SENT):
            Member.objects.filter(user_id=user_id).update(last_notified_at=now or timezone.now())


def not_told(*, order_id: str, user_id: int) -> None:
    """The message will not arrive: the pause does not begin, the next order may try."""
    waiting = Announcement.objects.waiting().filter(order_id=order_id, member__user_id=user_id)
    waiting.update(status=Announcement.Status.FAILED)


def sweep(*, now: datetime | None = None) -> int:
    """Let go of claims that are too old and delete what is long over; returns how many claims were let go."""
    moment = now or timezone.now()
    Announcement.objects.filter(created_at__lt=moment - KEPT).exclude(status=Announcement.Status.WAITING).delete()
    stale = Announcement.objects.waiting().filter(created_at__lte=moment - CLAIM_LIFETIME)
    return stale.update(status=Announcement.Status.DROPPED)
